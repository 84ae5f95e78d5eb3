//! The requests, header by header, in the order of FreeBSD's headers.

use core::ffi::c_ulong;

use super::{io, iow, iowr};

macro_rules! requests {
    ($($header:literal {
        $($(#[$meta:meta])* $name:ident = $way:ident::<$argument:ident>($group:literal, $number:literal);)*
    })*) => {
        $($(
            $(#[$meta])*
            ///
            #[doc = concat!(
                "Argument: [`", stringify!($argument), "`](crate::", stringify!($argument), "), ",
                words!($way), " by the kernel. Header: `", $header, "`."
            )]
            pub const $name: c_ulong = $way::<crate::$argument>($group, $number);
        )*)*

        pub(super) static TABLE: &[(&str, c_ulong)] = &[
            ("SIOCSETVLAN", SIOCSETVLAN),
            ("SIOCGETVLAN", SIOCGETVLAN),
            ("SIOCGVLANPCP", SIOCGVLANPCP),
            ("SIOCSVLANPCP", SIOCSVLANPCP),
            ("DIOCSTART", DIOCSTART),
            $($((stringify!($name), $name)),*),*
        ];
    };
}

macro_rules! words {
    (iow) => {
        "read"
    };
    (iowr) => {
        "read and written"
    };
}

/// Give a vlan its parent and tag: [`SIOCSIFGENERIC`] with a pointer to a [`vlanreq`](crate::vlanreq) in
/// `ifr_data`. Header: `net/if_vlan_var.h`.
pub const SIOCSETVLAN: c_ulong = SIOCSIFGENERIC;

/// Ask a vlan for its parent and tag: [`SIOCGIFGENERIC`] with a pointer to a [`vlanreq`](crate::vlanreq) in
/// `ifr_data`. Header: `net/if_vlan_var.h`.
pub const SIOCGETVLAN: c_ulong = SIOCGIFGENERIC;

/// The priority that a vlan's frames carry: another name of [`SIOCGLANPCP`]. Header: `net/if_vlan_var.h`.
pub const SIOCGVLANPCP: c_ulong = SIOCGLANPCP;

/// Set the priority that a vlan's frames carry: another name of [`SIOCSLANPCP`]. Header: `net/if_vlan_var.h`.
pub const SIOCSVLANPCP: c_ulong = SIOCSLANPCP;

/// Switch pf on. It has no argument. Header: `net/pfvar.h`.
pub const DIOCSTART: c_ulong = io(b'D', 1);

requests! {
    "sys/sockio.h" {
        /// Answered with EINVAL since IPv4 addresses became aliases: use [`SIOCAIFADDR`].
        SIOCSIFADDR = iow::<ifreq>(b'i', 12);
        /// An interface's IPv4 address: the one asked for in `ifr_addr`, or else the first.
        SIOCGIFADDR = iowr::<ifreq>(b'i', 33);
        /// Answered with EINVAL: use [`SIOCAIFADDR`].
        SIOCSIFDSTADDR = iow::<ifreq>(b'i', 14);
        /// The other end of a point-to-point link.
        SIOCGIFDSTADDR = iowr::<ifreq>(b'i', 34);
        /// Set an interface's flags, all 32 bits at once: the low half in `ifru_flags[0]`, the high in `[1]`.
        SIOCSIFFLAGS = iow::<ifreq>(b'i', 16);
        /// An interface's flags.
        SIOCGIFFLAGS = iowr::<ifreq>(b'i', 17);
        /// The broadcast address that goes with an IPv4 address.
        SIOCGIFBRDADDR = iowr::<ifreq>(b'i', 35);
        /// Answered with EINVAL: use [`SIOCAIFADDR`].
        SIOCSIFBRDADDR = iow::<ifreq>(b'i', 19);
        /// Every interface with its addresses.
        SIOCGIFCONF = iowr::<ifconf>(b'i', 36);
        /// The mask that goes with an IPv4 address.
        SIOCGIFNETMASK = iowr::<ifreq>(b'i', 37);
        /// Answered with EINVAL: use [`SIOCAIFADDR`].
        SIOCSIFNETMASK = iow::<ifreq>(b'i', 22);
        /// An interface's metric.
        SIOCGIFMETRIC = iowr::<ifreq>(b'i', 23);
        /// Set an interface's metric.
        SIOCSIFMETRIC = iow::<ifreq>(b'i', 24);
        /// Remove an IPv4 address: the one in `ifr_addr`, or the first if that holds none.
        SIOCDIFADDR = iow::<ifreq>(b'i', 25);
        /// [`SIOCAIFADDR`] before CARP's `vhid` joined its argument.
        OSIOCAIFADDR = iow::<oifaliasreq>(b'i', 26);
        /// Set the capabilities in use, among those that fit into 32 bits.
        SIOCSIFCAP = iow::<ifreq>(b'i', 30);
        /// The capabilities an interface has, and those in use.
        SIOCGIFCAP = iowr::<ifreq>(b'i', 31);
        /// An interface's index.
        SIOCGIFINDEX = iowr::<ifreq>(b'i', 32);
        /// An interface's label of mandatory access control.
        SIOCGIFMAC = iowr::<ifreq>(b'i', 38);
        /// Set an interface's label of mandatory access control.
        SIOCSIFMAC = iow::<ifreq>(b'i', 39);
        /// Rename an interface: `ifr_data` points to the new name.
        SIOCSIFNAME = iow::<ifreq>(b'i', 40);
        /// Set an interface's description, given in `ifr_buffer`.
        SIOCSIFDESCR = iow::<ifreq>(b'i', 41);
        /// An interface's description, into `ifr_buffer`.
        SIOCGIFDESCR = iowr::<ifreq>(b'i', 42);
        /// Add an IPv4 address, or add anew one that is there.
        ///
        /// The kernel takes it as an [`in_aliasreq`](crate::in_aliasreq), which is laid out the same.
        SIOCAIFADDR = iow::<ifaliasreq>(b'i', 43);
        /// An interface's counters and more. The answer goes where `ifr_data` points, to an
        /// [`if_data`](crate::if_data); the argument itself comes back as it was.
        SIOCGIFDATA = iow::<ifreq>(b'i', 44);
        /// The mask and the broadcast or destination address of the IPv4 address in `ifra_addr`.
        SIOCGIFALIAS = iowr::<ifaliasreq>(b'i', 45);
        /// Join a multicast group.
        SIOCADDMULTI = iow::<ifreq>(b'i', 49);
        /// Leave a multicast group.
        SIOCDELMULTI = iow::<ifreq>(b'i', 50);
        /// An interface's MTU.
        SIOCGIFMTU = iowr::<ifreq>(b'i', 51);
        /// Set an interface's MTU. A bridge sets it on its members; a member refuses.
        SIOCSIFMTU = iow::<ifreq>(b'i', 52);
        /// The wire that an interface uses.
        SIOCGIFPHYS = iowr::<ifreq>(b'i', 53);
        /// Choose the wire that an interface uses.
        SIOCSIFPHYS = iow::<ifreq>(b'i', 54);
        /// Choose an interface's media.
        SIOCSIFMEDIA = iowr::<ifreq>(b'i', 55);
        /// An interface's media.
        SIOCGIFMEDIA = iowr::<ifmediareq>(b'i', 56);
        /// Whatever the driver wants; of vlan(4), [`SIOCSETVLAN`].
        SIOCSIFGENERIC = iow::<ifreq>(b'i', 57);
        /// Whatever the driver answers; of vlan(4), [`SIOCGETVLAN`].
        SIOCGIFGENERIC = iowr::<ifreq>(b'i', 58);
        /// Lines of text that the driver has to say about its state.
        SIOCGIFSTATUS = iowr::<ifstat>(b'i', 59);
        /// Set an interface's link-layer address, its MAC.
        SIOCSIFLLADDR = iow::<ifreq>(b'i', 60);
        /// Read from an SFP module: `ifr_data` points to an [`ifi2creq`](crate::ifi2creq).
        SIOCGI2C = iowr::<ifreq>(b'i', 61);
        /// The MAC that the hardware came with.
        SIOCGHWADDR = iowr::<ifreq>(b'i', 62);
        /// Set both ends of a tunnel over IPv4.
        SIOCSIFPHYADDR = iow::<ifaliasreq>(b'i', 70);
        /// The near end of a tunnel over IPv4.
        SIOCGIFPSRCADDR = iowr::<ifreq>(b'i', 71);
        /// The far end of a tunnel over IPv4.
        SIOCGIFPDSTADDR = iowr::<ifreq>(b'i', 72);
        /// Remove both ends of a tunnel.
        SIOCDIFPHYADDR = iow::<ifreq>(b'i', 73);
        /// Whatever the driver wants.
        SIOCGPRIVATE_0 = iowr::<ifreq>(b'i', 80);
        /// Whatever the driver wants.
        SIOCGPRIVATE_1 = iowr::<ifreq>(b'i', 81);
        /// Lend an interface to the jail in `ifr_jid`.
        SIOCSIFVNET = iowr::<ifreq>(b'i', 90);
        /// Take an interface that was lent back from the jail in `ifr_jid`.
        SIOCSIFRVNET = iowr::<ifreq>(b'i', 91);
        /// The FIB of an interface.
        SIOCGIFFIB = iowr::<ifreq>(b'i', 92);
        /// Set the FIB of an interface.
        SIOCSIFFIB = iow::<ifreq>(b'i', 93);
        /// The FIB that a tunnel's packets travel in.
        SIOCGTUNFIB = iowr::<ifreq>(b'i', 94);
        /// Set the FIB that a tunnel's packets travel in.
        SIOCSTUNFIB = iow::<ifreq>(b'i', 95);
        /// A driver's own command that answers nothing, such as a [bridge's](crate::bridge).
        SIOCSDRVSPEC = iow::<ifdrv>(b'i', 123);
        /// A driver's own command that answers, such as a [bridge's](crate::bridge).
        SIOCGDRVSPEC = iowr::<ifdrv>(b'i', 123);
        /// Create an interface: `ifr_name` holds a cloner or a full name, then the name it got.
        SIOCIFCREATE = iowr::<ifreq>(b'i', 122);
        /// [`SIOCIFCREATE`] with the cloner's parameters in `ifr_data`: a [`vlanreq`](crate::vlanreq), say.
        SIOCIFCREATE2 = iowr::<ifreq>(b'i', 124);
        /// Destroy an interface that a cloner made. Of an epair, both ends go.
        SIOCIFDESTROY = iow::<ifreq>(b'i', 121);
        /// The names of the cloners.
        SIOCIFGCLONERS = iowr::<if_clonereq>(b'i', 120);
        /// Add an interface to a group.
        SIOCAIFGROUP = iow::<ifgroupreq>(b'i', 135);
        /// The groups of an interface.
        SIOCGIFGROUP = iowr::<ifgroupreq>(b'i', 136);
        /// Take an interface out of a group.
        SIOCDIFGROUP = iow::<ifgroupreq>(b'i', 137);
        /// The interfaces in a group, whose name stands in `ifgr_name`.
        SIOCGIFGMEMB = iowr::<ifgroupreq>(b'i', 138);
        /// An interface's media, the newer kinds too.
        SIOCGIFXMEDIA = iowr::<ifmediareq>(b'i', 139);
        /// The key with which an interface spreads packets over its queues.
        SIOCGIFRSSKEY = iowr::<ifrsskey>(b'i', 150);
        /// The hash with which an interface spreads packets over its queues.
        SIOCGIFRSSHASH = iowr::<ifrsshash>(b'i', 151);
        /// The priority that outgoing frames carry.
        SIOCGLANPCP = iowr::<ifreq>(b'i', 152);
        /// Set the priority that outgoing frames carry.
        SIOCSLANPCP = iow::<ifreq>(b'i', 153);
        /// Why the link is down.
        SIOCGIFDOWNREASON = iowr::<ifdownreason>(b'i', 154);
        /// Set the capabilities in use, given by name in a packed nvlist.
        SIOCSIFCAPNV = iow::<ifreq>(b'i', 155);
        /// The capabilities by name, as a packed nvlist.
        SIOCGIFCAPNV = iowr::<ifreq>(b'i', 156);
        /// What a mobile modem (umb(4)) knows of itself. Since FreeBSD 15.
        SIOCGUMBINFO = iowr::<ifreq>(b'i', 157);
        /// Set a mobile modem's parameters. Since FreeBSD 15.
        SIOCSUMBPARAM = iow::<ifreq>(b'i', 158);
        /// A mobile modem's parameters. Since FreeBSD 15.
        SIOCGUMBPARAM = iowr::<ifreq>(b'i', 159);
    }
    "netinet6/in6_var.h" {
        /// Answered with EINVAL: use [`SIOCAIFADDR_IN6`].
        SIOCSIFADDR_IN6 = iow::<in6_ifreq>(b'i', 12);
        /// Whether an interface has the IPv6 address in `ifru_addr`, and its scope.
        SIOCGIFADDR_IN6 = iowr::<in6_ifreq>(b'i', 33);
        /// The far end that goes with the IPv6 address in `ifru_addr`.
        SIOCGIFDSTADDR_IN6 = iowr::<in6_ifreq>(b'i', 34);
        /// The prefix mask that goes with the IPv6 address in `ifru_addr`.
        SIOCGIFNETMASK_IN6 = iowr::<in6_ifreq>(b'i', 37);
        /// Remove an IPv6 address.
        SIOCDIFADDR_IN6 = iow::<in6_ifreq>(b'i', 25);
        /// [`SIOCAIFADDR_IN6`] before CARP's `vhid` joined its argument.
        OSIOCAIFADDR_IN6 = iow::<oin6_aliasreq>(b'i', 26);
        /// Add an IPv6 address, or change the flags and lifetimes of one that is there.
        SIOCAIFADDR_IN6 = iow::<in6_aliasreq>(b'i', 27);
        /// Set both ends of a tunnel over IPv6.
        SIOCSIFPHYADDR_IN6 = iow::<in6_aliasreq>(b'i', 70);
        /// The near end of a tunnel over IPv6.
        SIOCGIFPSRCADDR_IN6 = iowr::<in6_ifreq>(b'i', 71);
        /// The far end of a tunnel over IPv6.
        SIOCGIFPDSTADDR_IN6 = iowr::<in6_ifreq>(b'i', 72);
        /// The flags (`IN6_IFF_*`) of the IPv6 address in `ifru_addr`, tentative or duplicated among them.
        SIOCGIFAFLAG_IN6 = iowr::<in6_ifreq>(b'i', 73);
        /// An interface's neighbour discovery: flags, link MTU, timers.
        SIOCGIFINFO_IN6 = iowr::<in6_ndireq>(b'i', 108);
        /// Set an interface's neighbour discovery, flags and all.
        SIOCSIFINFO_IN6 = iowr::<in6_ndireq>(b'i', 109);
        /// Forget an interface's neighbours.
        SIOCSNDFLUSH_IN6 = iowr::<in6_ifreq>(b'i', 77);
        /// What is known of one neighbour.
        SIOCGNBRINFO_IN6 = iowr::<in6_nbrinfo>(b'i', 78);
        /// Forget the prefixes that routers advertised.
        SIOCSPFXFLUSH_IN6 = iowr::<in6_ifreq>(b'i', 79);
        /// Forget the routers that advertised themselves.
        SIOCSRTRFLUSH_IN6 = iowr::<in6_ifreq>(b'i', 80);
        /// The lifetimes of the IPv6 address in `ifru_addr`.
        SIOCGIFALIFETIME_IN6 = iowr::<in6_ifreq>(b'i', 81);
        /// An interface's IPv6 counters.
        SIOCGIFSTAT_IN6 = iowr::<in6_ifreq>(b'i', 83);
        /// An interface's ICMPv6 counters.
        SIOCGIFSTAT_ICMP6 = iowr::<in6_ifreq>(b'i', 84);
        /// Set the interface that serves when there is no router.
        SIOCSDEFIFACE_IN6 = iowr::<in6_ndifreq>(b'i', 85);
        /// The interface that serves when there is no router.
        SIOCGDEFIFACE_IN6 = iowr::<in6_ndifreq>(b'i', 86);
        /// Set the flags (`ND6_IFF_*`) of an interface's neighbour discovery: the whole word at once.
        SIOCSIFINFO_FLAGS = iowr::<in6_ndireq>(b'i', 87);
        /// Set the zones that an interface belongs to, one for each scope.
        SIOCSSCOPE6 = iow::<in6_ifreq>(b'i', 88);
        /// The zones that an interface belongs to, one for each scope.
        SIOCGSCOPE6 = iowr::<in6_ifreq>(b'i', 89);
        /// The zones that stand for an address without one.
        SIOCGSCOPE6DEF = iowr::<in6_ifreq>(b'i', 90);
        /// Answered with EOPNOTSUPP, as all that set prefixes by hand.
        SIOCSIFPREFIX_IN6 = iow::<in6_prefixreq>(b'i', 100);
        /// Answered with EOPNOTSUPP.
        SIOCGIFPREFIX_IN6 = iowr::<in6_prefixreq>(b'i', 101);
        /// Answered with EOPNOTSUPP.
        SIOCDIFPREFIX_IN6 = iow::<in6_prefixreq>(b'i', 102);
        /// Answered with EOPNOTSUPP.
        SIOCAIFPREFIX_IN6 = iow::<in6_rrenumreq>(b'i', 103);
        /// Answered with EOPNOTSUPP.
        SIOCCIFPREFIX_IN6 = iow::<in6_rrenumreq>(b'i', 104);
        /// Answered with EOPNOTSUPP.
        SIOCSGIFPREFIX_IN6 = iow::<in6_rrenumreq>(b'i', 105);
        /// Add a rule for choosing a source address.
        SIOCAADDRCTL_POLICY = iow::<in6_addrpolicy>(b'u', 108);
        /// Remove a rule for choosing a source address.
        SIOCDADDRCTL_POLICY = iow::<in6_addrpolicy>(b'u', 109);
    }
    "netinet/ip_carp.h" {
        /// Make a virtual host of carp(4), or set its parameters: `ifr_data` points to a
        /// [`carpreq`](crate::carpreq).
        SIOCSVH = iowr::<ifreq>(b'i', 245);
        /// The parameters of a virtual host of carp(4), by its `carpr_vhid`: `ifr_data` points to a
        /// [`carpreq`](crate::carpreq), whose `carpr_count` is at least 1.
        SIOCGVH = iowr::<ifreq>(b'i', 246);
    }
    "net/pfvar.h" {
        /// Add a rule to a ruleset that [`DIOCXBEGIN`] opened, with the addresses that [`DIOCADDADDR`] gathered.
        DIOCADDRULE = iowr::<pfioc_rule>(b'D', 4);
        /// How many rules an anchor has of the kind that `rule.action` names, and the ticket to read them with.
        DIOCGETRULES = iowr::<pfioc_rule>(b'D', 6);
        /// One rule. `data` leads to an nvlist, which has the request and gets the answer.
        DIOCGETRULENV = iowr::<pfioc_nv>(b'D', 7);
        /// Whether pf is running, and its counters. `data` leads to where the nvlist goes.
        DIOCGETSTATUSNV = iowr::<pfioc_nv>(b'D', 21);
        /// A limit, by its index.
        DIOCGETLIMIT = iowr::<pfioc_limit>(b'D', 39);
        /// Take away the states that the nvlist in `data` describes; it gets their number.
        DIOCKILLSTATESNV = iowr::<pfioc_nv>(b'D', 41);
        /// Empty the list of addresses that the next rule gets. There is one for all who write rules.
        DIOCBEGINADDRS = iowr::<pfioc_pooladdr>(b'D', 51);
        /// Add an address to that list.
        DIOCADDADDR = iowr::<pfioc_pooladdr>(b'D', 52);
        /// How many addresses a rule has.
        DIOCGETADDRS = iowr::<pfioc_pooladdr>(b'D', 53);
        /// One address of a rule.
        DIOCGETADDR = iowr::<pfioc_pooladdr>(b'D', 54);
        /// How many anchors there are right below one.
        DIOCGETRULESETS = iowr::<pfioc_ruleset>(b'D', 58);
        /// The name of an anchor right below another, by its number.
        DIOCGETRULESET = iowr::<pfioc_ruleset>(b'D', 59);
        /// Add tables: an array of [`pfr_table`](crate::pfr_table).
        DIOCRADDTABLES = iowr::<pfioc_table>(b'D', 61);
        /// Remove tables.
        DIOCRDELTABLES = iowr::<pfioc_table>(b'D', 62);
        /// The tables of an anchor.
        DIOCRGETTABLES = iowr::<pfioc_table>(b'D', 63);
        /// Add addresses to a table: an array of [`pfr_addr`](crate::pfr_addr).
        DIOCRADDADDRS = iowr::<pfioc_table>(b'D', 67);
        /// Remove addresses from a table.
        DIOCRDELADDRS = iowr::<pfioc_table>(b'D', 68);
        /// Make a table hold these addresses and no others.
        DIOCRSETADDRS = iowr::<pfioc_table>(b'D', 69);
        /// The addresses of a table.
        DIOCRGETADDRS = iowr::<pfioc_table>(b'D', 70);
        /// Open rulesets to write them anew: an array of
        /// [`pfioc_trans_pfioc_trans_e`](crate::pfioc_trans_pfioc_trans_e), which get their tickets.
        DIOCXBEGIN = iowr::<pfioc_trans>(b'D', 81);
        /// Put what was written in the place of what was there, in all of them at once.
        DIOCXCOMMIT = iowr::<pfioc_trans>(b'D', 82);
        /// Drop what was written.
        DIOCXROLLBACK = iowr::<pfioc_trans>(b'D', 83);
    }
    "fs/devfs/devfs.h" {
        /// Add a rule. Without a number it gets the next one of its ruleset, and the kernel writes which.
        DEVFSIO_RADD = iowr::<devfs_rule>(b'D', 0);
        /// Remove a rule.
        DEVFSIO_RDEL = iow::<devfs_rid>(b'D', 1);
        /// Apply a rule to the mount, without keeping it.
        DEVFSIO_RAPPLY = iow::<devfs_rule>(b'D', 2);
        /// Apply a kept rule to the mount.
        DEVFSIO_RAPPLYID = iow::<devfs_rid>(b'D', 3);
        /// The rule that follows the one given, in the same ruleset.
        DEVFSIO_RGETNEXT = iowr::<devfs_rule>(b'D', 4);
        /// Give the mount a ruleset for devices to come.
        DEVFSIO_SUSE = iow::<devfs_rsnum>(b'D', 10);
        /// Apply a ruleset to the devices that are there.
        DEVFSIO_SAPPLY = iow::<devfs_rsnum>(b'D', 11);
        /// The number of the ruleset that follows the one given.
        DEVFSIO_SGETNEXT = iowr::<devfs_rsnum>(b'D', 12);
    }
}

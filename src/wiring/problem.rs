//! What is wrong with a specification on this host, and what to do about it.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::path::PathBuf;

use ipnetwork::IpNetwork;

use crate::error::{Error, ErrorKind};
use crate::interface::InterfaceType;
use crate::packet_filter::{Family, Protocol};
use crate::types::{InterfaceName, Jid, MacAddr, Mtu, VlanId};

/// A reason why a jail would not come up, found before anything is changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "problem", rename_all = "snake_case"))]
pub enum Problem {
    /// A value was given as text that cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Unreadable {
        /// The value's name.
        what: &'static str,
        /// The text, and what is wrong with it.
        reason: String,
    },
    /// A jail of that name exists.
    #[error("a jail named {name} is running already, with jid {jid}: stop it first")]
    JailExists {
        /// Its name.
        name: String,
        /// Its jid.
        jid: Jid,
    },
    /// A jail of that name exists that another program started.
    #[error(
        "a jail named {name} runs with jid {jid}, and jailwire did not start it: it is left alone; `jail -r {name}` removes it"
    )]
    ForeignJail {
        /// Its name.
        name: String,
        /// Its jid.
        jid: Jid,
    },
    /// The interface to detach is no epair.
    #[error("{name} is no epair: name the host's end of an epair")]
    NotAnEpair {
        /// The interface.
        name: InterfaceName,
    },
    /// A jail's start has not finished.
    #[error("the last start or stop of jail {name} did not finish: start or stop the jail first")]
    Unfinished {
        /// Its name.
        name: String,
    },
    /// There is no such jail.
    #[error("there is no jail {jail}: `jls` lists those that run")]
    NoJail {
        /// Its name or jid.
        jail: String,
    },
    /// The jail shares the host's network stack.
    #[error("jail {jail} has no network stack of its own: create it with `vnet`")]
    NoStack {
        /// Its name.
        jail: String,
    },
    /// A name is taken.
    #[error("{place} has an interface {name} already: detach it, or choose another name")]
    NameTaken {
        /// The name.
        name: InterfaceName,
        /// Where the name is taken.
        place: &'static str,
    },
    /// The jail's root is not a directory.
    #[error("{} is not a directory: the jail's root directory is missing; create it, or name another", path.display())]
    NoRoot {
        /// The expected path.
        path: PathBuf,
    },
    /// The kernel has no network stacks for jails.
    #[error(
        "this kernel was built without VIMAGE: let the jail share the host's network stack, or boot a kernel with `options VIMAGE`"
    )]
    NoVimage,
    /// An interface is missing.
    #[error("the host has no interface {name}: check the name against `ifconfig -l`")]
    NoInterface {
        /// Its name.
        name: InterfaceName,
    },
    /// A bridge is missing, and the kernel makes none of that name.
    #[error(
        "there is no bridge {name}, and only names like bridge0 can be made when missing: create it with `ifconfig bridge create name {name} up`, or name another"
    )]
    NoBridge {
        /// Its name.
        name: InterfaceName,
    },
    /// Something else has the bridge's name.
    #[error("{name} is not a bridge: name a bridge, or none")]
    NotABridge {
        /// The interface.
        name: InterfaceName,
    },
    /// The MTU asked for is not the bridge's.
    #[error("{nic} is to have an MTU of {asked}, but {bridge} has {has}: all members of a bridge share one")]
    MtuMismatch {
        /// The jail's interface.
        nic: InterfaceName,
        /// The wanted MTU, in bytes.
        asked: Mtu,
        /// The bridge.
        bridge: InterfaceName,
        /// The bridge's MTU, in bytes.
        has: Mtu,
    },
    /// The MTU asked for is not that of the uplink, which gives it to the bridge.
    #[error(
        "{nic} is to have an MTU of {asked}, but {uplink}, which is put on {bridge} first, has {has}: all members of a bridge share one, so give both the same"
    )]
    NicMtu {
        /// The jail's interface.
        nic: InterfaceName,
        /// The wanted MTU, in bytes.
        asked: Mtu,
        /// The bridge.
        bridge: InterfaceName,
        /// The interface of the host.
        uplink: InterfaceName,
        /// The uplink's MTU, in bytes.
        has: Mtu,
    },
    /// IPv6 needs larger frames.
    #[error(
        "{nic} would have an MTU of {mtu}, which is too small for its IPv6: give its bridge 1280 or more"
    )]
    MtuOfInet6 {
        /// The jail's interface.
        nic: InterfaceName,
        /// The NIC's MTU, in bytes.
        mtu: Mtu,
    },
    /// VLANs or isolation are set for a NIC without a bridge.
    #[error("{nic} is on no bridge: VLANs and isolation need a bridge, so name one")]
    PortWithoutBridge {
        /// The jail's interface.
        nic: InterfaceName,
    },
    /// The kernel has no VLAN filter on bridges.
    #[error(
        "{nic} cannot have frames with tags of {bridge}: this kernel does not filter VLANs on bridges, FreeBSD 15 does; give the jail a NIC for each VLAN, with this VLAN untagged"
    )]
    NoVlanFilter {
        /// The jail's interface.
        nic: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The kernel makes no addresses as RFC 7217 has it.
    #[error(
        "{nic} cannot have stable addresses: this kernel makes IPv6 addresses from MAC addresses only, which FreeBSD 15.1 no longer does; leave the stable addresses out"
    )]
    NoStableAddress {
        /// The jail's interface.
        nic: InterfaceName,
    },
    /// The kernel has no VLAN filter on bridges, and a bridge of the VLAN's own does its work.
    #[error(
        "{nic} is in VLAN {tag} of {bridge}: this kernel does not filter VLANs on bridges, so that the VLAN has a bridge of its own, {own}; what else is on {bridge} is not in the VLAN"
    )]
    BridgePerVlan {
        /// The jail's interface.
        nic: InterfaceName,
        /// The bridge that was named.
        bridge: InterfaceName,
        /// The VLAN.
        tag: VlanId,
        /// The bridge of the VLAN.
        own: InterfaceName,
    },
    /// No bridge of the VLAN's own can have a name.
    #[error(
        "{nic} cannot be in VLAN {tag} of {bridge}: this kernel does not filter VLANs on bridges, and {bridge}v{tag} is too long for the name of a bridge of its own; give {bridge} a shorter name"
    )]
    VlanBridgeName {
        /// The jail's interface.
        nic: InterfaceName,
        /// The bridge that was named.
        bridge: InterfaceName,
        /// The VLAN.
        tag: VlanId,
    },
    /// No vlan(4) of an interface can have a name.
    #[error(
        "{parent}.{tag} is too long for the name of an interface: create a vlan(4) for VLAN {tag} on {parent}, of any name"
    )]
    VlanName {
        /// The interface.
        parent: InterfaceName,
        /// The VLAN.
        tag: VlanId,
    },
    /// The parent of a vlan(4) is on a bridge.
    #[error(
        "{vlan} hears nothing: {parent} is on {bridge}, which takes the frames of all VLANs before {vlan} sees them; take {parent} off {bridge}: `ifconfig {bridge} deletem {parent}`"
    )]
    ParentOnBridge {
        /// The vlan(4).
        vlan: InterfaceName,
        /// Its parent.
        parent: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// A vlan(4) cannot be the uplink of a bridge that filters VLANs.
    #[error(
        "the uplink {uplink} is a vlan(4): its frames have no tag on {bridge}, which filters VLANs; name its parent as the uplink"
    )]
    UplinkIsVlan {
        /// The vlan(4).
        uplink: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The bridge has no VLAN filter on.
    #[error(
        "{nic} cannot be in VLANs of {bridge}, which does not filter them: give its members their VLANs, and then `ifconfig {bridge} vlanfilter`"
    )]
    BridgeDoesNotFilter {
        /// The jail's interface.
        nic: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// A NIC is in no VLAN of a bridge that filters them.
    #[error(
        "{bridge} filters VLANs, and {nic} is in no VLAN, so nothing would pass: name the VLAN of {nic}, or give the bridge a `defuntagged`"
    )]
    NoVlan {
        /// The jail's interface.
        nic: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// A VLAN is to be both with tags and without.
    #[error("VLAN {vlan} of {nic} cannot be both untagged and tagged: leave one of them out")]
    VlanTwice {
        /// The jail's interface.
        nic: InterfaceName,
        /// The VLAN.
        vlan: VlanId,
    },
    /// A trunk is to have addresses of its own.
    #[error(
        "{nic} has addresses, and no VLAN for frames without a tag: name that VLAN, or leave the addresses to the vlan(4) interfaces that the jail makes on {nic}"
    )]
    NoUntagged {
        /// The jail's interface.
        nic: InterfaceName,
    },
    /// A vlan(4) of the host takes all tagged frames that arrive on an uplink, also frames of other VLANs
    /// (`net/if_bridge.c:bridge_input`).
    #[error(
        "{vlan} of the host, for VLAN {tag}, takes all frames with tags on {uplink} before {bridge} sees them: destroy {vlan}, and give the host its addresses on a vlan(4) of {bridge}"
    )]
    VlanTaken {
        /// The vlan(4) interface.
        vlan: InterfaceName,
        /// Its VLAN.
        tag: VlanId,
        /// Its parent.
        uplink: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The kernel would change the MTU of an uplink.
    #[error(
        "the uplink {member} has an MTU of {has}, and {bridge} one of {wants}: all members of a bridge share one MTU, and the kernel would change that of {member} for good; set both to the same MTU"
    )]
    UplinkMtu {
        /// The interface of the host.
        member: InterfaceName,
        /// The uplink's MTU, in bytes.
        has: Mtu,
        /// The bridge.
        bridge: InterfaceName,
        /// The bridge's MTU, in bytes.
        wants: Mtu,
    },
    /// The uplink is missing.
    #[error(
        "the host has no interface {member} to put on {bridge} as its uplink: name one that it has, or none"
    )]
    NoUplink {
        /// Its name.
        member: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The uplink is of a type that no bridge takes.
    #[error(
        "the uplink {member} is of type {kind} and cannot be on {bridge}: name an Ethernet, lagg, vlan or gif interface, but no vlan of a bridge and no port of a lagg, or none"
    )]
    UplinkType {
        /// The interface.
        member: InterfaceName,
        /// Its type.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::spelling::displayed::serialize"))]
        kind: InterfaceType,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The uplink is a span port of the bridge.
    #[error(
        "the uplink {member} is a span port of {bridge}, and cannot be a member too: ifconfig {bridge} -span {member}"
    )]
    UplinkIsSpan {
        /// The interface.
        member: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The uplink is lent to the same jail.
    #[error("{member} cannot both be lent to the jail and be its uplink: choose one")]
    UplinkLent {
        /// The interface.
        member: InterfaceName,
    },
    /// A bridge has a link-local address, and so has a member: the kernel takes all IPv6 addresses from the member.
    #[error(
        "{bridge} and {member} both have a link-local address: the kernel would take all IPv6 addresses from {member} when an interface joins {bridge}; remove one of the two, or set net.link.bridge.allow_llz_overlap=1"
    )]
    LinkLocalOverlap {
        /// The member, or the uplink that is to be one.
        member: InterfaceName,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// A member of a bridge has addresses, and the kernel does not take that.
    #[error(
        "{member} has IP addresses, and the kernel takes none on bridge members: move them to {bridge}, or set net.link.bridge.member_ifaddrs to 1, which FreeBSD 16 does not have any more"
    )]
    AddressOnMember {
        /// The interface.
        member: InterfaceName,
        /// The bridge it is to join.
        bridge: InterfaceName,
    },
    /// Neither interface is a bridge that the other is on.
    #[error(
        "{from} and {to} are no bridge and its member: addresses move between these; `ifconfig {to} addm {from}` puts {from} on {to}"
    )]
    NotBridgeAndMember {
        /// The interface that has the addresses.
        from: InterfaceName,
        /// The interface that is to get them.
        to: InterfaceName,
    },
    /// There is nothing to move.
    #[error("{from} has no addresses that could be moved: name the interface that has them")]
    NothingToMove {
        /// The interface.
        from: InterfaceName,
    },
    /// A bridge that filters VLANs passes nothing of the host's.
    #[error(
        "{bridge} filters VLANs, and passes no frame without a tag: give the host's address to a vlan(4) of {bridge}, as `ifconfig vlan create vlan 20 vlandev {bridge}`"
    )]
    BridgeFiltersHost {
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The kernel takes no address on a bridge member.
    #[error(
        "{member} is on {bridge}, and the kernel takes no addresses on bridge members: set net.link.bridge.member_ifaddrs to 1, which FreeBSD 16 does not have any more, or take {member} off {bridge} first"
    )]
    MemberTakesNoAddress {
        /// The member.
        member: InterfaceName,
        /// Its bridge.
        bridge: InterfaceName,
    },
    /// An address belongs to a jail that shares the host's addresses.
    #[error(
        "{address} on {interface} belongs to jail {jail}, whose stop takes it away: stop {jail}, move the addresses, and give {jail} its address on {to}"
    )]
    AddressOfJail {
        /// The address.
        address: IpAddr,
        /// The interface that has it.
        interface: InterfaceName,
        /// The jail.
        jail: String,
        /// The interface that the other addresses go to.
        to: InterfaceName,
    },
    /// Both interfaces have an address.
    #[error("both {from} and {to} have {address}: remove it from one of them")]
    AddressOnBoth {
        /// The address.
        address: IpAddr,
        /// The interface that has the addresses.
        from: InterfaceName,
        /// The interface that is to get them.
        to: InterfaceName,
    },
    /// An address belongs to a virtual host that speaks VRRP, whose parameters the kernel tells by netlink(4) only.
    #[error(
        "{address} on {interface} belongs to the virtual host {vhid}, which speaks VRRP: remove {address} from {interface} first, and configure it on the other interface afterwards"
    )]
    VirtualHostOfVrrp {
        /// The address.
        address: IpAddr,
        /// The virtual host.
        vhid: u8,
        /// The interface that has it.
        interface: InterfaceName,
    },
    /// Both interfaces have a virtual host of one number.
    #[error(
        "{address} on {from} belongs to the virtual host {vhid}, and {to} has a virtual host {vhid} too: remove the addresses of one of them"
    )]
    VhidOnBoth {
        /// The address.
        address: IpAddr,
        /// The number.
        vhid: u8,
        /// The interface that has the addresses.
        from: InterfaceName,
        /// The interface that is to get them.
        to: InterfaceName,
    },
    /// The interfaces use different routing tables.
    #[error(
        "packets from {from} use routing table {has}, and those from {to}, which has addresses of its own, {wants}: `ifconfig {to} fib {has}` gives both the same"
    )]
    FibOfAddresses {
        /// The interface that has the addresses.
        from: InterfaceName,
        /// Its routing table.
        has: u32,
        /// The interface that is to get them.
        to: InterfaceName,
        /// Its routing table.
        wants: u32,
    },
    /// A move of addresses waits to be confirmed.
    #[error("the move of {what} waits to be confirmed: `jailwire host confirm`, or `jailwire host undo`")]
    MovePending {
        /// The move.
        what: String,
    },
    /// A move of addresses was interrupted.
    #[error("the move of {what} was interrupted, and cannot be confirmed: `jailwire host undo` undoes it")]
    MoveInterrupted {
        /// The move.
        what: String,
    },
    /// The uplink is on another bridge.
    #[error(
        "the uplink {member} is a member of {other} and cannot join {wanted} too: put the NIC on {other}, take {member} off it, or name another uplink, or none"
    )]
    UplinkElsewhere {
        /// The interface.
        member: InterfaceName,
        /// Where it is.
        other: InterfaceName,
        /// The expected path.
        wanted: InterfaceName,
    },
    /// Two interfaces would share a MAC address.
    #[error("{first} and {second} would both have the MAC address {mac}: give one of them another address")]
    DuplicateMac {
        /// The address.
        mac: MacAddr,
        /// The interface that has the address.
        first: InterfaceName,
        /// The interface that is to get the address.
        second: InterfaceName,
    },
    /// pf is not loaded.
    #[error("pf is not loaded: run `kldload pf`, and set pf_enable=YES in /etc/rc.conf")]
    NoPf,
    /// pf is loaded, and switched off.
    #[error(
        "pf is not running, so no rule has an effect: run `service pf onestart`; `net attach` has the option --enable-pf"
    )]
    PfOff,
    /// ipfw is not in the kernel.
    #[error(
        "ipfw is not loaded: set firewall_enable and firewall_nat_enable to YES and firewall_type in /etc/rc.conf, and run `service ipfw start`; without rules of your own ipfw drops every packet"
    )]
    NoIpfw,
    /// ipfw has no NAT.
    #[error("ipfw has no NAT: run `kldload ipfw_nat`, and set firewall_nat_enable in /etc/rc.conf to YES")]
    NoIpfwNat,
    /// ipfw is loaded, and switched off.
    #[error("ipfw is switched off, so that no rule has an effect: run `sysctl net.inet.ip.fw.enable=1`")]
    IpfwOff,
    /// Packets that ipfw's NAT has looked at pass without a look at the later rules.
    #[error(
        "packets that NAT of ipfw has looked at pass without a look at the later rules: set net.inet.ip.fw.one_pass to 0, in /etc/sysctl.conf too"
    )]
    OnePass,
    /// NAT of ipfw is for IPv4.
    #[error("jail {jail} has no IPv4 address, and ipfw does no NAT for IPv6: use pf")]
    NoInet6Nat {
        /// Its name.
        jail: String,
    },
    /// Networks are blocked by pf.
    #[error("jail {jail} is to be kept from networks, which ipfw is not asked to do: use pf")]
    BlocksByIpfw {
        /// Its name.
        jail: String,
    },
    /// ipfw publishes ports of IPv4.
    #[error(
        "no port is published at {address}, because NAT of ipfw is for IPv4 alone: give an IPv4 address, or use pf"
    )]
    NoInet6Ports {
        /// The address.
        address: IpAddr,
    },
    /// ipfw has no free NAT instance left for another address of the host.
    #[error(
        "ipfw does NAT for {most} addresses of this host already, and jailwire has numbers for no more: use pf"
    )]
    NoRoomForNat {
        /// The largest number of addresses.
        most: u16,
    },
    /// The main ruleset does not call the anchors of jails.
    #[error(
        "the main ruleset of pf does not call the anchors of jails: add to /etc/pf.conf, in this order and behind its own translation rules, and load it with `service pf reload`\n{lines}"
    )]
    AnchorNotCalled {
        /// The lines that /etc/pf.conf needs.
        lines: String,
    },
    /// The host forwards no packets.
    #[error(
        "the host forwards no packets: run `sysctl {sysctl}=1`, and set gateway_enable or ipv6_gateway_enable to YES in /etc/rc.conf"
    )]
    ForwardingOff {
        /// The sysctl.
        sysctl: &'static str,
    },
    /// No default route, or no address on its interface.
    #[error(
        "no packet of {} leaves this host: add a default route, or give {} an address",
        words(*family),
        interface.map_or("its interface".to_owned(), |name| name.to_string())
    )]
    NoWayOut {
        /// The family.
        family: Family,
        /// The interface that was chosen.
        interface: Option<InterfaceName>,
    },
    /// A port of the host is published already.
    #[error("port {port}/{protocol} of {address} is published by jail {jail} already: choose another")]
    PortTaken {
        /// The port.
        port: u16,
        /// Its protocol.
        protocol: Protocol,
        /// The host's address.
        address: IpAddr,
        /// The jail that has published the port.
        jail: String,
    },
    /// A port is to be published at an address that is not the host's.
    #[error("{address} is no address of this host: publish the port at an address that the host has")]
    NotOurAddress {
        /// The address.
        address: IpAddr,
    },
    /// A jail without a known address.
    #[error("jail {jail} has no fixed address: give it an address, which NAT and published ports need")]
    NoJailAddress {
        /// Its name.
        jail: String,
    },
    /// The jail has NAT or published ports.
    #[error("jail {jail} has NAT or published ports already: detach the NIC that they lead to first")]
    HasNat {
        /// Its name.
        jail: String,
    },
    /// A port is to be published at an address of a family in which the jail has no address.
    #[error(
        "jail {jail} has no address of the family of {address}: give it one, or publish the port at an address of the other family"
    )]
    NoAddressOfFamily {
        /// Its name.
        jail: String,
        /// The address at which a port was to be published.
        address: IpAddr,
    },
    /// No address of the jail has a prefix with the router in it.
    #[error(
        "the default router {router} is in no subnet of the jail's addresses, and the kernel would refuse the route: name a router in one of these subnets"
    )]
    UnreachableRouter {
        /// The router.
        router: IpAddr,
    },
    /// No address of the jail has a prefix with the router of a route in it.
    #[error(
        "the router {router} of the route to {destination} is in no subnet of the jail's addresses, and the kernel would refuse the route: name a router in one of these subnets"
    )]
    UnreachableGateway {
        /// The network.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::spelling::displayed::serialize"))]
        destination: IpNetwork,
        /// The router.
        router: IpAddr,
    },
    /// The router of a route is of the other family.
    #[error(
        "a route to {destination} cannot lead through {router}, which is of the other address family: name a router of the same family"
    )]
    OtherFamily {
        /// The network.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::spelling::displayed::serialize"))]
        destination: IpNetwork,
        /// The router.
        router: IpAddr,
    },
    /// Two interfaces of the jail would have the same address.
    #[error(
        "{nic} is to have the address {address}, which {other} of the jail has: give {nic} another address, or leave the address out"
    )]
    AddressTwice {
        /// The NIC, by its name in the jail.
        nic: InterfaceName,
        /// The address.
        address: IpAddr,
        /// The other interface of the jail.
        other: InterfaceName,
    },
    /// The jail has such a route already.
    #[error(
        "the jail has a route to {destination} already, {present}: it is not replaced, because a detach would not restore it; delete it first, or leave the new route out"
    )]
    HasRoute {
        /// The network: `default` for all of them.
        destination: String,
        /// The present route, as text.
        present: String,
    },
}

/// All problems of a specification on this host. Displayed with one problem on each line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Deref for Problems {
    type Target = [Problem];

    fn deref(&self) -> &[Problem] {
        &self.0
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

fn words(family: Family) -> &'static str {
    match family {
        Family::Inet => "IPv4",
        Family::Inet6 => "IPv6",
    }
}

/// Prints the problems, one a line.
impl From<Problems> for Error {
    fn from(problems: Problems) -> Error {
        Error::said(ErrorKind::Problems, "", problems.to_string()).detailed(problems)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Problems(vec![problem]).into()
    }
}

impl Error {
    /// Returns the problems of a description on this host, if the error is of the kind
    /// [`ErrorKind::Problems`]. The list is empty for other errors.
    pub fn problems(&self) -> &[Problem] {
        self.detail::<Problems>().map_or(&[], |problems| problems)
    }
}

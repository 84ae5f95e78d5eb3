//! NAT and published ports of jails: in anchors of pf, or in rules of ipfw, that belong to this library. All other
//! rules stay as they are.
//!
//! # pf
//!
//! The rules of each jail lie in an anchor of the jail's own below [`TOP`]. They are replaced as a whole. The main
//! ruleset has to call these anchors, and the library never writes the main ruleset. If the main ruleset does not call
//! the anchors, [`Wiring::publish`] changes nothing and reports which lines /etc/pf.conf needs. The library does not
//! load pf, and does not switch forwarding on. It switches pf on for [`JailNat::switching_pf_on`] alone.
//!
//! # ipfw
//!
//! [`Backend::Ipfw`] uses the NAT that the kernel has for ipfw, `ipfw_nat`. It translates IPv4 alone: ipfw has no NAT
//! for IPv6. A jail without an IPv4 address is refused, and so is a port at an IPv6 address. What a jail of both families
//! sends by IPv6 keeps its address.
//!
//! All of the library's rules are in set 29, and have `jailwire` in their comment:
//!
//! * For each way out, that is an interface and its address: an instance of NAT with a number from 46200 on, and one with
//!   a number from 46216 on for what the host sends to itself; a table of the addresses that are translated, and a table of
//!   all jails' addresses; rules of one number from 34 to 49, of one from 50 to 65, and of one from 66 to 81. These numbers
//!   come before the rules that `/etc/rc.firewall` writes.
//! * For each jail: a rule that only counts packets, with a number below 65535, the highest free number first. The rule
//!   lists the jail's addresses in the table, and the ports that lead to the jail.
//!
//! Where ipfw is loaded, each network stack has an ipfw of its own, also that of a VNET jail. The last rule of each
//! drops every packet, unless `net.inet.ip.fw.default_to_accept` was set in loader.conf.
//!
//! `net.inet.ip.fw.one_pass` has to be 0. With 1, a packet that NAT has looked at passes without a look at the rules
//! behind the library's rules. When a jail's rules are removed, NAT keeps
//! the open connections to the jail's ports until they end.
//!
//! # For authors of jail managers
//!
//! A jail manager, or a container engine's program, that makes jails itself calls three methods. Each method takes
//! the jail's name. The jail need not run, and need not exist:
//!
//! * [`Wiring::publish`] replaces a jail's rules. To publish the same rules again changes nothing, so the call can be
//!   repeated. If another jail has published a port, the call is refused with [`Problem::PortTaken`], also when two
//!   processes publish the port at the same time.
//! * [`Wiring::unpublish`] removes a jail's rules, and ends the connections that used them. It returns false
//!   if the jail has no rules. It can be called at any time: after a kill, for a jail that is gone, twice.
//! * [`Wiring::published`] lists all NAT and published ports, jail by jail.
//!
//! A process that is killed between two requests leaves the old rules or the new rules, and at most an empty
//! anchor, which the next call for the same jail removes. [`Wiring::published`] also lists the rules of jails that are
//! gone; `jailwire gc` removes them.
//!
//! ```
//! use jailwire::wiring::Wiring;
//! use jailwire::wiring::nat::JailNat;
//!
//! let wiring = Wiring::simulated()?;
//! # jailwire::wiring::nat::prepare_simulated(&wiring)?;
//! let web = JailNat::new("web", ["10.0.0.2".parse()?]).nat().publish("8080:80".parse()?);
//! wiring.publish(&web)?;
//! wiring.publish(&web)?;
//! assert_eq!(wiring.published()?[0].published[0].to_string(), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
//!
//! let other = JailNat::new("other", ["10.0.0.3".parse()?]).publish("8080:80".parse()?);
//! let refused = wiring.publish(&other).unwrap_err();
//! assert_eq!(refused.to_string(), "port 8080/tcp of 192.0.2.10 is published by jail web already: choose another");
//!
//! assert!(wiring.unpublish("web")?);
//! assert!(!wiring.unpublish("web")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a published port needs
//!
//! With pf:
//!
//! * From other hosts the port needs forwarding (`net.inet.ip.forwarding`, `net.inet6.ip6.forwarding`). If the main
//!   ruleset blocks packets, it needs `anchor "jailwire/*"`: each published port has a rule in its anchor that passes it.
//! * From other jails the port needs the same. For a jail on the same bridge, the bridge also needs an address, through
//!   which the replies go.
//! * From the host itself the port needs `net.pf.filter_local=1`, set before pf is switched on: pf reads the setting at
//!   that moment. Without the setting pf does not see the replies to the host's own connections.
//!
//! After `pfctl -d` and `pfctl -e` old connections go on. New ones may fail for a while: pf numbers its states anew each time
//! that it is switched on, and drops the first packet of a connection whose number another state has. `pfctl -F states`
//! ends that.
//!
//! With ipfw:
//!
//! * From other hosts and from other jails, on the same bridge or elsewhere, the port needs forwarding
//!   (`net.inet.ip.forwarding`), and no earlier rule may drop the packet. To the jail, connections of other
//!   jails come from the host's address.
//! * From the host itself: forwarding, a default route of the host, and a default route of the jail that leads to the
//!   host. The jail sees the connection come from 192.0.0.8, which is the address of no host: NAT would not see an answer
//!   to an address of the host. Rules of others must not drop packets from and to 192.0.0.8.

mod ipfw;
mod name;
mod pf;
mod publication;
mod published;
mod rules;
mod surroundings;
mod wish;

use std::fmt;
use std::str::FromStr;

use super::open::Wiring;
use super::problem::{Problem, Problems};
use super::state::StateDirectory;
use crate::error::{Error, ErrorKind, Result};
use crate::jail;
use crate::packet_filter::Anchor;
#[cfg(doc)]
use crate::packet_filter::PacketFilter;
use crate::vnet::Vnet;

pub use name::anchor_of;
pub use publication::Publication;
pub use published::{Published, PublishedPorts, Translated};
use surroundings::Surroundings;
#[cfg(feature = "iocage")]
pub(crate) use surroundings::lines;
pub use wish::JailNat;

/// The anchor that contains the anchors of all jails.
pub const TOP: &str = "jailwire";

/// A packet filter that does NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Backend {
    /// pf(4).
    #[default]
    Pf,
    /// ipfw(4), with `ipfw_nat`.
    Ipfw,
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(word: &str) -> Result<Backend> {
        match word {
            "pf" => Ok(Backend::Pf),
            "ipfw" => Ok(Backend::Ipfw),
            other => {
                let text = format!("`{other}` is no packet filter that does NAT: write pf or ipfw");
                Err(Error::of_value(other, text))
            }
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Backend::Pf => "pf",
            Backend::Ipfw => "ipfw",
        })
    }
}

impl Wiring {
    /// Gives a jail its NAT and published ports, in place of those that the jail has: see [`nat`](self).
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`]: another jail has the port; the packet filter is not loaded, not running, or not
    ///   prepared; forwarding is off; no route leads out. Nothing was changed.
    /// * the packet filter refused a request, as in [`PacketFilter::replace`] or
    ///   [`Ipfw`](crate::packet_filter::ipfw::Ipfw); or a lock could not be taken.
    pub fn publish(&self, wanted: &JailNat) -> std::result::Result<(), Error> {
        put(self.host(), &self.state, wanted)
    }

    /// Checks what [`Wiring::publish`] checks, and changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Wiring::publish`].
    pub fn check_publish(&self, wanted: &JailNat) -> std::result::Result<(), Error> {
        let problems = problems(self.host(), wanted)?;
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems).into()) }
    }

    /// Removes a jail's NAT and published ports, and ends the connections that used them as far as the packet filter
    /// can. Returns whether the jail had any. The jail need not exist.
    ///
    /// # Errors
    ///
    /// as in [`PacketFilter::remove`] and [`Ipfw`](crate::packet_filter::ipfw::Ipfw); or a
    /// lock could not be taken.
    pub fn unpublish(&self, jail: &str) -> std::result::Result<bool, Error> {
        take_away(self.host(), &self.state, jail)
    }

    /// Lists the library's NAT and published ports, jail by jail: first those of pf, sorted by the names of the
    /// anchors, and then those of ipfw. The list is empty if no packet filter is loaded.
    ///
    /// # Errors
    ///
    /// as in [`PacketFilter::rules`] and [`Ipfw`](crate::packet_filter::ipfw::Ipfw);
    /// EACCES or EPERM: the caller is not root.
    pub fn published(&self) -> std::result::Result<Vec<Published>, Error> {
        published(self.host())
    }
}

/// As [`Wiring::publish`].
pub(super) fn put(host: &Vnet, state: &StateDirectory, wanted: &JailNat) -> std::result::Result<(), Error> {
    let anchor = our_anchor(wanted.name())?;
    if wanted.is_empty() {
        take_away(host, state, wanted.name())?;
        return Ok(());
    }
    // One process at a time: no other process may publish the same port between the check and the change.
    let _lock = state.lock_nat()?;
    match wanted.backend() {
        Backend::Pf => {
            pf::put(host, wanted, &anchor)?;
            ipfw::take(host, &anchor)?;
        }
        Backend::Ipfw => {
            ipfw::put(host, wanted, &anchor)?;
            pf::take(host, &anchor)?;
        }
    }
    Ok(())
}

/// Reports everything that prevents NAT and published ports.
///
/// # Errors
///
/// [`ErrorKind::Problems`]: the jail's name has no anchor. The packet filter, the routes
/// or the interfaces could not be read.
pub fn problems(host: &Vnet, wanted: &JailNat) -> std::result::Result<Vec<Problem>, Error> {
    let anchor = our_anchor(wanted.name())?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    Ok(match wanted.backend() {
        Backend::Pf => pf::problems(host, wanted, &anchor)?,
        Backend::Ipfw => ipfw::problems(host, wanted, &anchor)?,
    })
}

/// As [`Wiring::unpublish`].
pub(super) fn take_away(host: &Vnet, state: &StateDirectory, jail: &str) -> std::result::Result<bool, Error> {
    take_away_anchor(host, state, &our_anchor(jail)?)
}

fn take_away_anchor(
    host: &Vnet,
    state: &StateDirectory,
    anchor: &Anchor,
) -> std::result::Result<bool, Error> {
    // A jail without rules needs no lock.
    if !pf::has(host, anchor)? && !ipfw::has(host, anchor)? {
        return Ok(false);
    }
    let _lock = state.lock_nat()?;
    let (of_pf, of_ipfw) = (pf::take(host, anchor)?, ipfw::take(host, anchor)?);
    Ok(of_pf || of_ipfw)
}

/// Lists the library's rules for jails that do not exist. The list is empty if no packet filter is loaded, and for
/// callers that may not read its rules.
///
/// # Errors
///
/// Those of [`PacketFilter::rules`], of [`Ipfw::rules`](crate::packet_filter::ipfw::Ipfw::rules) and of
/// [`jail::list`].
pub fn left_over(host: &Vnet) -> Result<Vec<Published>> {
    let published = match published(host) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
        other => other?,
    };
    if published.is_empty() {
        return Ok(published);
    }
    let jails = jail::list(&**host.kernel(), false)?;
    let there: Vec<Anchor> = jails.iter().filter_map(|info| anchor_of(&info.name).ok()).collect();
    Ok(published.into_iter().filter(|one| !there.contains(&one.anchor)).collect())
}

/// Removes a jail's rules, and ends the connections that used them.
///
/// # Errors
///
/// As [`Wiring::unpublish`]; EINVAL: the anchor is not below [`TOP`].
pub fn remove_anchor(host: &Vnet, state: &StateDirectory, anchor: &Anchor) -> std::result::Result<(), Error> {
    use crate::kernel::Errno;

    if !anchor.as_str().starts_with(&format!("{TOP}/")) {
        return Err(Error::new("remove anchor", anchor, "DIOCXBEGIN", Errno::EINVAL));
    }
    take_away_anchor(host, state, anchor).map(drop)
}

/// The anchor that contains the anchors of all jails.
pub(crate) fn top() -> Anchor {
    Anchor::new(TOP).expect("a name that fits")
}

fn our_anchor(jail: &str) -> std::result::Result<Anchor, Error> {
    anchor_of(jail).map_err(|error| {
        let reason = format!("{jail:?}: {error}");
        Error::from(Problem::Unreadable { what: "the jail's name", reason })
    })
}

/// As [`Wiring::published`].
///
/// # Errors
///
/// As [`Wiring::published`].
pub fn published(host: &Vnet) -> Result<Vec<Published>> {
    let mut all = pf::all(host)?;
    all.extend(ipfw::all(host)?);
    Ok(all)
}

/// Prepares a simulated host for published ports: pf is loaded, runs and calls the library's anchors, ipfw is loaded
/// with its NAT, and packets are forwarded. On FreeBSD the administrator does this, and the call is refused.
///
/// # Errors
///
/// EOPNOTSUPP: the kernel is not a simulated kernel.
#[doc(hidden)]
pub fn prepare_simulated(wiring: &Wiring) -> Result<()> {
    surroundings::prepare_simulated(wiring.host())
}

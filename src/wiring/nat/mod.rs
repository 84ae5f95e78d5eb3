//! NAT and published ports of jails: in anchors of pf that are ours, or in rules of ipfw that are ours, and nowhere
//! else.
//!
//! # pf
//!
//! The rules of each jail lie in an anchor of its own below [`TOP`], and are replaced as a whole. The main
//! ruleset has to call those anchors, and nothing here writes it: where it does not, [`Wiring::publish`] refuses
//! before it changes anything, and says which lines /etc/pf.conf needs. Nor is pf loaded or switched on, and
//! forwarding neither.
//!
//! # ipfw
//!
//! [`Backend::Ipfw`] takes NAT that the kernel has for ipfw, `ipfw_nat`. It is for IPv4 alone: ipfw has none for IPv6.
//! All our rules are in set 29, and have `jailwire` in their comment:
//!
//! * For each way out, that is an interface and its address, an instance of NAT with a number from 46200 on, a
//!   table of the addresses that it translates, and rules of one number from 50 to 65. They come before the rules that
//!   `/etc/rc.firewall` writes.
//! * For each jail a rule that counts, with a number below 65535, the highest first. It says whose addresses are in
//!   the table, and which ports lead to them.
//!
//! Where ipfw is loaded, each network stack has an ipfw of its own, and its last rule drops everything unless
//! `net.inet.ip.fw.default_to_accept` was set in loader.conf: so do jails with a network stack of their own.
//!
//! `net.inet.ip.fw.one_pass` has to be 0: with 1 all packets that NAT looks at would pass without a look at the
//! rules behind ours. A jail whose ports are published has NAT as well. When a jail's rules go, connections to its ports
//! are known to NAT until they end.
//!
//! # For authors of jail managers
//!
//! A jail manager, or a container engine's program, that makes jails itself calls three methods. All of them take
//! the jail's name. The jail need not run, and need not exist:
//!
//! * [`Wiring::publish`] puts a jail's rules in the place of those that it has: the same rules again change
//!   nothing, so it can be repeated. A port that another jail has published is refused with
//!   [`Problem::PortTaken`], also when two processes ask for it at once.
//! * [`Wiring::unpublish`] removes a jail's rules, and the connections that they let through. It returns false
//!   where there are no rules. It can be called at any moment: after a kill, for a jail that is gone, twice.
//! * [`Wiring::published`] lists all that is there, jail by jail.
//!
//! A process that is killed between two requests leaves the old rules or the new ones, and at most an empty
//! anchor, which the next call for this jail takes away. What belongs to jails that are gone is found with
//! [`Wiring::published`]: `jailwire gc` does.
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
//! * From other hosts: forwarding (`net.inet.ip.forwarding`, `net.inet6.ip6.forwarding`), and where the main
//!   ruleset blocks, `anchor "jailwire/*"` in it: each published port has a rule there that lets it pass.
//! * From other jails: the same. From a jail on the same bridge too: the bridge then needs an address, which
//!   the answers go through.
//! * From the host itself: `net.pf.filter_local=1`, set before pf is switched on, because pf looks at it then. Without
//!   it pf does not see the answers to the host's own connections.
//!
//! With ipfw:
//!
//! * From other hosts and from other jails, be they on the same bridge or not: forwarding
//!   (`net.inet.ip.forwarding`), and that no rule before ours drops the packet. A jail sees the connections of other
//!   jails come from the host's address.
//! * From the host itself the port is not reachable: NAT of ipfw translates the destination of what comes in, and not of
//!   what the host sends. The host reaches the jail's own address.

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

use super::StepError;
use super::open::{Wiring, WiringError};
use super::problem::Problem;
use super::state::StateDirectory;
use crate::error::{ErrorKind, Result};
use crate::jail;
use crate::packet_filter::Anchor;
#[cfg(doc)]
use crate::packet_filter::PacketFilter;
use crate::vnet::Vnet;

pub use name::{InvalidJailName, anchor_of};
pub use publication::{InvalidPublication, Publication};
pub use published::{Published, PublishedPorts, Translated};
use surroundings::Surroundings;
#[cfg(feature = "iocage")]
pub(crate) use surroundings::lines;
pub use wish::JailNat;

/// The anchor that all jails' anchors are in.
pub const TOP: &str = "jailwire";

/// A packet filter that does NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Backend {
    /// pf(4).
    #[default]
    Pf,
    /// ipfw(4), with `ipfw_nat`.
    Ipfw,
}

/// A word that names no packet filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no packet filter that does NAT: write pf or ipfw")]
pub struct InvalidBackend(String);

impl FromStr for Backend {
    type Err = InvalidBackend;

    fn from_str(word: &str) -> std::result::Result<Backend, InvalidBackend> {
        match word {
            "pf" => Ok(Backend::Pf),
            "ipfw" => Ok(Backend::Ipfw),
            other => Err(InvalidBackend(other.to_owned())),
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
    /// Gives a jail the NAT and the published ports that it is to have, in the place of what it has: see
    /// [`nat`](self).
    ///
    /// # Errors
    ///
    /// * [`WiringError::Problems`]: a port is taken; the packet filter is not loaded, not running, or not prepared;
    ///   forwarding is off; no route leads out. Nothing was changed.
    /// * [`WiringError::Failure`]: what the packet filter refused, as of [`PacketFilter::replace`], or of
    ///   [`Ipfw`](crate::packet_filter::ipfw::Ipfw); or a lock.
    pub fn publish(&self, wanted: &JailNat) -> std::result::Result<(), WiringError> {
        put(self.host(), &self.state, wanted)
    }

    /// What [`Wiring::publish`] would refuse, if anything. Nothing is changed.
    ///
    /// # Errors
    ///
    /// As [`Wiring::publish`].
    pub fn check_publish(&self, wanted: &JailNat) -> std::result::Result<(), WiringError> {
        let problems = problems(self.host(), wanted)?;
        if problems.is_empty() { Ok(()) } else { Err(WiringError::Problems(problems)) }
    }

    /// Removes a jail's NAT and published ports, and ends the connections that used them, as far as the packet filter
    /// can. Returns whether there were any. The jail need not exist.
    ///
    /// # Errors
    ///
    /// [`WiringError::Failure`]: as of [`PacketFilter::remove`] and [`Ipfw`](crate::packet_filter::ipfw::Ipfw), or a
    /// lock.
    pub fn unpublish(&self, jail: &str) -> std::result::Result<bool, WiringError> {
        take_away(self.host(), &self.state, jail)
    }

    /// All NAT and published ports that are ours, jail by jail: those of pf, sorted by the names of the anchors, and
    /// then those of ipfw. The list is empty where no packet filter is loaded.
    ///
    /// # Errors
    ///
    /// [`WiringError::Failure`]: as of [`PacketFilter::rules`] and [`Ipfw`](crate::packet_filter::ipfw::Ipfw);
    /// EACCES or EPERM: not root.
    pub fn published(&self) -> std::result::Result<Vec<Published>, WiringError> {
        Ok(published(self.host())?)
    }
}

/// As [`Wiring::publish`].
pub(super) fn put(
    host: &Vnet,
    state: &StateDirectory,
    wanted: &JailNat,
) -> std::result::Result<(), WiringError> {
    let anchor = our_anchor(wanted.name())?;
    if wanted.is_empty() {
        take_away(host, state, wanted.name())?;
        return Ok(());
    }
    // One process at a time: no other may take a port between the look for it and the change.
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

/// A refusal, as that of a step.
pub(super) fn refused(error: WiringError) -> StepError {
    match error {
        WiringError::Failure(failure) => failure,
        other => StepError::Invalid(other.to_string()),
    }
}

/// Everything that is in the way of NAT and published ports.
///
/// # Errors
///
/// [`WiringError::Problems`]: the jail's name is none. [`WiringError::Failure`]: what the kernel says to a look at
/// the packet filter, routes and interfaces.
pub fn problems(host: &Vnet, wanted: &JailNat) -> std::result::Result<Vec<Problem>, WiringError> {
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
pub(super) fn take_away(
    host: &Vnet,
    state: &StateDirectory,
    jail: &str,
) -> std::result::Result<bool, WiringError> {
    Ok(take_away_anchor(host, state, &our_anchor(jail)?)?)
}

fn take_away_anchor(
    host: &Vnet,
    state: &StateDirectory,
    anchor: &Anchor,
) -> std::result::Result<bool, StepError> {
    // A jail without rules needs no lock.
    if !pf::has(host, anchor)? && !ipfw::has(host, anchor)? {
        return Ok(false);
    }
    let _lock = state.lock_nat()?;
    let (of_pf, of_ipfw) = (pf::take(host, anchor)?, ipfw::take(host, anchor)?);
    Ok(of_pf || of_ipfw)
}

/// The rules of ours for jails that are not there. Nothing where no packet filter is loaded, and for callers that may
/// not look at it.
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

/// Removes what is ours, and ends what went by its rules.
///
/// # Errors
///
/// As [`Wiring::unpublish`]; EINVAL: the anchor is not below [`TOP`].
pub fn remove_anchor(
    host: &Vnet,
    state: &StateDirectory,
    anchor: &Anchor,
) -> std::result::Result<(), StepError> {
    use crate::error::Error;
    use crate::kernel::Errno;

    if !anchor.as_str().starts_with(&format!("{TOP}/")) {
        return Err(Error::new("remove anchor", anchor, "DIOCXBEGIN", Errno::EINVAL).into());
    }
    take_away_anchor(host, state, anchor).map(drop)
}

/// The anchor that all of ours are in.
pub(crate) fn top() -> Anchor {
    Anchor::new(TOP).expect("a name that fits")
}

fn our_anchor(jail: &str) -> std::result::Result<Anchor, WiringError> {
    anchor_of(jail).map_err(|error| {
        let reason = format!("{jail:?}: {error}");
        WiringError::Problems(vec![Problem::Unreadable { what: "the jail's name", reason }])
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

/// Makes a simulated host one on which ports can be published: pf is loaded, runs and calls our anchors, ipfw is loaded
/// with its NAT, and packets are forwarded. On FreeBSD that is for the administrator to do, and this refuses.
///
/// # Errors
///
/// EOPNOTSUPP: the kernel is no simulated one.
#[doc(hidden)]
pub fn prepare_simulated(wiring: &Wiring) -> Result<()> {
    surroundings::prepare_simulated(wiring.host())
}

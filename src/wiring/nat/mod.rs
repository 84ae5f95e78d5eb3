//! NAT and published ports of jails: in anchors of pf that are ours, and nowhere else.
//!
//! The rules of each jail lie in an anchor of its own below [`TOP`], and are replaced as a whole. The main
//! ruleset has to call those anchors, and nothing here writes it: where it does not, [`Wiring::publish`] refuses
//! before it changes anything, and says which lines /etc/pf.conf needs. Nor is pf loaded or switched on, and
//! forwarding neither.
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
//! * From other hosts: forwarding (`net.inet.ip.forwarding`, `net.inet6.ip6.forwarding`), and where the main
//!   ruleset blocks, `anchor "jailwire/*"` in it: each published port has a rule there that lets it pass.
//! * From other jails: the same. From a jail on the same bridge too: the bridge then needs an address, which
//!   the answers go through.
//! * From the host itself: at least `net.pf.filter_local=1`, without which pf does not see answers to the host's
//!   own connections. pf looks at it when it is switched on. On 15.1 that alone was not enough.

mod name;
mod publication;
mod rules;
mod surroundings;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::StepError;
use super::open::{Wiring, WiringError};
use super::problem::Problem;
use super::spec::Network;
use super::state::StateDirectory;
use crate::error::{Error, ErrorKind, Result};
use crate::jail;
use crate::kernel::{Errno, Kernel};
use crate::packet_filter::{Action, Anchor, PacketFilter, Ports, Protocol, Rule, StateFilter};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

pub use name::{InvalidJailName, anchor_of};
pub use publication::{InvalidPublication, Publication};
use surroundings::Surroundings;

/// The anchor that all jails' anchors are in.
pub const TOP: &str = "jailwire";

/// What a jail is to have: NAT for what it sends, ports that are published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct JailNat {
    name: String,
    addresses: Vec<IpAddr>,
    nat: bool,
    interface: Option<InterfaceName>,
    published: Vec<Publication>,
    shares: bool,
}

impl JailNat {
    /// For the jail of this name with these addresses: those of its own, or in a jail that shares the host's
    /// network stack those of the host that are the jail's.
    pub fn new(name: impl Into<String>, addresses: impl IntoIterator<Item = IpAddr>) -> JailNat {
        JailNat {
            name: name.into(),
            addresses: addresses.into_iter().collect(),
            nat: false,
            interface: None,
            published: Vec::new(),
            shares: false,
        }
    }

    /// For the jail of this name with the addresses that its network gives it.
    pub fn of_network(name: impl Into<String>, network: &Network) -> JailNat {
        match network {
            Network::Vnet(vnet) => {
                let inet = vnet.nics.iter().flat_map(|nic| nic.inet.iter().map(|own| own.ip().into()));
                let inet6 = vnet.nics.iter().flat_map(|nic| nic.inet6.iter().map(|own| own.ip().into()));
                JailNat::new(name, inet.chain(inet6))
            }
            Network::Shared(shared) => {
                let ip4 = shared.ip4.iter().map(|alias| alias.network.ip().into());
                let ip6 = shared.ip6.iter().map(|alias| alias.network.ip().into());
                // A loopback address of the jail's own is of no use outside.
                let outside = ip4.chain(ip6).filter(|address: &IpAddr| !address.is_loopback());
                JailNat::new(name, outside).sharing()
            }
        }
    }

    /// The jail shares the host's network stack: its addresses are, or will be, addresses of the host.
    pub fn sharing(mut self) -> JailNat {
        self.shares = true;
        self
    }

    /// What the jail sends out gets the address of the interface that it leaves by: that of the default route
    /// of each family, or that of [`JailNat::through`].
    pub fn nat(mut self) -> JailNat {
        self.nat = true;
        self
    }

    /// NAT and published ports are for this interface of the host, in place of that of the default route.
    pub fn through(mut self, interface: InterfaceName) -> JailNat {
        self.interface = Some(interface);
        self
    }

    /// Publishes a port, or several. May be repeated.
    pub fn publish(mut self, publication: Publication) -> JailNat {
        self.published.push(publication);
        self
    }

    /// The jail's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        !self.nat && self.published.is_empty()
    }
}

/// What the anchor of one jail has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The jail's name, or what its rules say of it: a name of more than 63 bytes is cut.
    pub jail: String,
    /// The anchor.
    pub anchor: Anchor,
    /// Its NAT: by which interface, from which address of the jail, to which address of the host.
    pub nat: Vec<Translated>,
    /// Its ports.
    pub published: Vec<PublishedPorts>,
}

/// NAT of one address of a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The interface that packets leave by.
    pub interface: InterfaceName,
    /// The jail's address.
    pub from: IpAddr,
    /// The host's address, which they get.
    pub to: IpAddr,
}

/// Ports of the host that lead into a jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPorts {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The host's address.
    pub host: IpAddr,
    /// Its ports.
    pub ports: Ports,
    /// The jail's address, and the port that the first of the host's leads to.
    pub jail: SocketAddr,
}

impl fmt::Display for JailNat {
    /// What a step says of it: `translate the jail's addresses, publish 8080:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nat {
            f.write_str("translate what it sends")?;
        }
        for (number, publication) in self.published.iter().enumerate() {
            let between = if number > 0 || self.nat { ", " } else { "" };
            write!(f, "{between}publish {publication}")?;
        }
        Ok(())
    }
}

impl fmt::Display for PublishedPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.host {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let first = self.jail.port();
        let last = first.saturating_add((self.ports.count() - 1) as u16);
        write!(f, "{host}:{} to {}", self.ports, self.jail)?;
        if last != first {
            write!(f, "-{last}")?;
        }
        write!(f, "/{}", self.protocol)
    }
}

impl Published {
    /// Whether this is of the jail of that name.
    pub fn is_of(&self, jail: &str) -> bool {
        anchor_of(jail).is_ok_and(|anchor| anchor == self.anchor)
    }

    fn of(anchor: Anchor, name: &str, rules: &[Rule]) -> Published {
        let label = rules.iter().map(Rule::label).find(|label| !label.is_empty());
        let mut this = Published {
            jail: label.map_or_else(|| name::name_of(name), str::to_owned),
            anchor,
            nat: Vec::new(),
            published: Vec::new(),
        };
        for rule in rules {
            match *rule.action() {
                // Of a published port's own, on the bridge.
                Action::Nat { .. } if rule.ports().is_some() => {}
                Action::Nat { to } => {
                    if let (Some(interface), Some(from)) = (rule.interface(), rule.source()) {
                        this.nat.push(Translated { interface: *interface, from: from.ip(), to });
                    }
                }
                Action::Redirect { to, port } => {
                    if let (Some(host), Some(ports), Some(protocol)) =
                        (rule.destination(), rule.ports(), rule.protocol())
                    {
                        let jail = SocketAddr::new(to, port);
                        this.published.push(PublishedPorts { protocol, host: host.ip(), ports, jail });
                    }
                }
                Action::Pass { .. } => {}
            }
        }
        this
    }
}

impl Wiring {
    /// Gives a jail the NAT and the published ports that it is to have, in the place of what it has: see
    /// [`nat`](self).
    ///
    /// # Errors
    ///
    /// * [`WiringError::Problems`]: a port is taken; pf is not loaded, not running, or its main ruleset does not
    ///   call our anchors; forwarding is off; no route leads out. Nothing was changed.
    /// * [`WiringError::Failure`]: what pf refused, as of [`PacketFilter::replace`], or a lock.
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

    /// Removes a jail's NAT and published ports, and ends the connections that used them. Returns whether
    /// there were any. The jail need not exist.
    ///
    /// # Errors
    ///
    /// [`WiringError::Failure`]: as of [`PacketFilter::remove`], or a lock.
    pub fn unpublish(&self, jail: &str) -> std::result::Result<bool, WiringError> {
        take_away(self.host(), &self.state, jail)
    }

    /// All NAT and published ports that are ours, jail by jail, sorted by the names of the anchors. Returns `None` if
    /// pf is not loaded.
    ///
    /// # Errors
    ///
    /// [`WiringError::Failure`]: as of [`PacketFilter::rules`]; EACCES: not root.
    pub fn published(&self) -> std::result::Result<Vec<Published>, WiringError> {
        match open_read_only(self.kernel())? {
            Some(pf) => Ok(all(&pf)?),
            None => Ok(Vec::new()),
        }
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
    let pf = open(host.kernel())?.ok_or(WiringError::Problems(vec![Problem::NoPf]))?;
    let (rules, problems) = checked(host, &pf, wanted, &anchor)?;
    if !problems.is_empty() {
        return Err(WiringError::Problems(problems));
    }
    let before = pf.rules(&anchor)?;
    if before != rules {
        pf.replace(&anchor, &rules)?;
        end_states(&pf, before.iter().filter(|rule| !rules.contains(rule)))?;
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
/// pf, routes and interfaces.
pub fn problems(host: &Vnet, wanted: &JailNat) -> std::result::Result<Vec<Problem>, WiringError> {
    let anchor = our_anchor(wanted.name())?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    match open_read_only(host.kernel())? {
        Some(pf) => Ok(checked(host, &pf, wanted, &anchor)?.1),
        None => Ok(vec![Problem::NoPf]),
    }
}

/// As [`Wiring::unpublish`].
pub(super) fn take_away(
    host: &Vnet,
    state: &StateDirectory,
    jail: &str,
) -> std::result::Result<bool, WiringError> {
    let anchor = our_anchor(jail)?;
    // A jail without rules needs no lock.
    let Some(looked) = open_read_only(host.kernel())? else { return Ok(false) };
    if !looked.exists(&anchor)? {
        return Ok(false);
    }
    let _lock = state.lock_nat()?;
    let Some(pf) = open(host.kernel())? else { return Ok(false) };
    let rules = pf.rules(&anchor)?;
    pf.remove(&anchor)?;
    end_states(&pf, rules.iter())?;
    Ok(true)
}

/// The rules in our anchors of jails that are not there. Nothing where pf is not loaded, and for callers that may
/// not look at it.
///
/// # Errors
///
/// Those of [`PacketFilter::rules`] and [`jail::list`].
pub fn left_over(host: &Vnet) -> Result<Vec<Published>> {
    let pf = match open_read_only(host.kernel()) {
        Ok(Some(pf)) => pf,
        Ok(None) => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let published = all(&pf)?;
    if published.is_empty() {
        return Ok(published);
    }
    let jails = jail::list(&**host.kernel(), false)?;
    let there: Vec<Anchor> = jails.iter().filter_map(|info| anchor_of(&info.name).ok()).collect();
    Ok(published.into_iter().filter(|one| !there.contains(&one.anchor)).collect())
}

/// Removes an anchor of ours, and ends what went by its rules.
///
/// # Errors
///
/// As [`PacketFilter::remove`]; EINVAL: the anchor is not below [`TOP`]; those of taking a lock.
pub fn remove_anchor(
    host: &Vnet,
    state: &StateDirectory,
    anchor: &Anchor,
) -> std::result::Result<(), StepError> {
    if !anchor.as_str().starts_with(&format!("{TOP}/")) {
        return Err(Error::new("remove anchor", anchor, "DIOCXBEGIN", Errno::EINVAL).into());
    }
    let _lock = state.lock_nat()?;
    if let Some(pf) = open(host.kernel())? {
        let rules = pf.rules(anchor)?;
        pf.remove(anchor)?;
        end_states(&pf, rules.iter())?;
    }
    Ok(())
}

/// The rules, and what is in their way.
fn checked(
    host: &Vnet,
    pf: &PacketFilter,
    wanted: &JailNat,
    anchor: &Anchor,
) -> Result<(Vec<Rule>, Vec<Problem>)> {
    let surroundings = Surroundings::of(host)?;
    let (rules, mut problems) = rules::rules(wanted, &surroundings);
    problems.extend(surroundings::in_the_way(host, pf, wanted, &rules, &surroundings)?);
    let others = all(pf)?;
    problems.extend(rules::taken(&rules, others.iter().filter(|other| other.anchor != *anchor)));
    Ok((rules, problems))
}

fn end_states<'a>(pf: &PacketFilter, gone: impl Iterator<Item = &'a Rule>) -> Result<()> {
    for rule in gone {
        match *rule.action() {
            Action::Nat { .. } if rule.ports().is_some() => {}
            Action::Nat { .. } => {
                if let Some(from) = rule.source() {
                    pf.kill_states(&StateFilter::from(from.ip()))?;
                }
            }
            Action::Redirect { to, port } => {
                let count = rule.ports().map_or(1, Ports::count);
                let last = port.saturating_add((count - 1) as u16);
                if let (Some(protocol), Some(ports)) = (rule.protocol(), Ports::new(port, last)) {
                    pf.kill_states(&StateFilter::to(to).at(protocol, ports))?;
                }
            }
            Action::Pass { .. } => {}
        }
    }
    Ok(())
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

/// Everything below [`TOP`].
fn all(pf: &PacketFilter) -> Result<Vec<Published>> {
    let names = pf.anchors_below(&top())?;
    let anchors = names.iter().filter_map(|name| Some((name, top().below(name).ok()?)));
    anchors.map(|(name, anchor)| Ok(Published::of(anchor.clone(), name, &pf.rules(&anchor)?))).collect()
}

/// pf, or none where it is not loaded.
fn open(kernel: &Arc<dyn Kernel>) -> Result<Option<PacketFilter>> {
    loaded(PacketFilter::open(Arc::clone(kernel)))
}

/// The same, to read alone.
pub(crate) fn open_read_only(kernel: &Arc<dyn Kernel>) -> Result<Option<PacketFilter>> {
    loaded(PacketFilter::open_read_only(Arc::clone(kernel)))
}

fn loaded(opened: Result<PacketFilter>) -> Result<Option<PacketFilter>> {
    match opened {
        Ok(pf) => Ok(Some(pf)),
        Err(error) if [Errno::ENOENT, Errno::ENXIO, Errno::EOPNOTSUPP].contains(&error.errno()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a simulated host one on which ports can be published: pf is loaded, runs and calls our anchors, and
/// packets are forwarded. On FreeBSD that is for the administrator to do, and this refuses.
///
/// # Errors
///
/// EOPNOTSUPP: the kernel is no simulated one.
#[doc(hidden)]
pub fn prepare_simulated(wiring: &Wiring) -> Result<()> {
    surroundings::prepare_simulated(wiring.host())
}

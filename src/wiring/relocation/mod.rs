//! Moving the host's addresses from a bridge member to its bridge, and back.
//!
//! FreeBSD 16 takes no address on a bridge member. A host whose address is on `em0`, and whose `em0` is on
//! `bridge0`, is then cut off from the network. [`AddressMove`] moves all addresses of an interface, its
//! flags of neighbour discovery, and all routes through it, of every routing table.
//!
//! ***A move is written down completely before its first change.** If a call fails, the process that moves
//! the addresses undoes the move by this record. If that process is killed, the next process undoes it. A
//! finished move is undone too unless it is confirmed: [`Wiring::confirm_move`].
//!
//! Established TCP connections go on: if a connection's address is missing for a moment, the kernel keeps the
//! connection, and sends again what it could not send.

mod apply;
mod carp;
mod look;
mod neighbours;
mod record;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ipnetwork::IpNetwork;

use super::lock::Lock;
use super::open::Wiring;
use super::problem::Problem;
use super::site::Site;
use super::state::StateDirectory;
use crate::Error;
use crate::address::{Ipv4Address, Ipv6Address};
use crate::carp::{VirtualHost, VirtualHostState};
use crate::nd6::Nd6Flags;
use crate::neighbour::Neighbour;
use crate::route::Route;
use crate::types::{Fib, InterfaceName, MacAddr};
use record::Stage;

/// All addresses of an interface of the host, on their way to another interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressMove {
    /// The interface that has the addresses.
    pub from: InterfaceName,
    /// The interface that gets the addresses.
    pub to: InterfaceName,
    /// The IPv4 addresses, in order.
    pub inet: Vec<Ipv4Address>,
    /// The IPv6 addresses, in order, link-local ones among them.
    pub inet6: Vec<MovedIpv6>,
    /// The virtual hosts of carp(4) that some of these addresses belong to.
    pub virtual_hosts: Vec<MovedVirtualHost>,
    /// The static neighbours behind the interface.
    pub neighbours: Vec<Neighbour>,
    /// The routes through the interface, except the routes that the kernel made for an address.
    pub routes: Vec<MovedRoute>,
    /// The networks to which packets are dropped while the IPv4 addresses move, with the routing table. If
    /// packets were not dropped, a program that sends during the move would get EINVAL, and give up its
    /// connection (`netinet/if_ether.c:arpresolve_full`). TCP sends a dropped packet again.
    dropped: Vec<(IpNetwork, Fib)>,
    /// The change of the bridge's link address, if the network knows the host by the member's link address.
    pub mac: Option<MacChange>,
    /// The routing tables of the packets that arrive on `to`: before, and from now on.
    pub fib: (Fib, Fib),
    /// Whether `to` was up before.
    was_up: bool,
    /// The neighbour discovery flags of `from`: before, and from now on.
    nd6_from: (Nd6Flags, Nd6Flags),
    /// The neighbour discovery flags of `to`: before, and from now on.
    nd6_to: (Nd6Flags, Nd6Flags),
    /// Whether `net.link.bridge.member_ifaddrs` has to be set to 1 before the kernel accepts addresses on
    /// `from`.
    forbidden: bool,
    /// Identifies this move.
    token: String,
}

/// Another link address for a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MacChange {
    /// The bridge.
    pub interface: InterfaceName,
    /// The MAC address before the move.
    pub was: MacAddr,
    /// The MAC address after the move.
    pub now: MacAddr,
}

/// An IPv6 address that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedIpv6 {
    /// The address, with its lifetimes.
    pub address: Ipv6Address,
    /// The end of the address's lifetime, by [`Clock::now`](crate::kernel::Clock::now). `None` if the address lives for
    /// ever.
    pub valid_until: Option<Duration>,
    /// The time at which new connections stop using the address.
    pub preferred_until: Option<Duration>,
}

/// A virtual host of carp(4) that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedVirtualHost {
    /// The virtual host, as it was on `from`.
    pub host: VirtualHost,
    /// The addresses of the virtual host.
    pub addresses: Vec<IpAddr>,
}

/// A route that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedRoute {
    /// The route, as it leads through `from`.
    pub route: Route,
    /// Whether the router has a link-local address, whose scope is the interface.
    pub scoped: bool,
}

/// A move that was neither confirmed nor undone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingMove {
    /// The move.
    pub plan: AddressMove,
    /// Whether the move has finished. If not, a process works on the move, or the process was killed.
    pub done: bool,
}

impl PendingMove {
    /// Reads the record of a move from a state directory.
    fn of(state: &StateDirectory, boot: &str) -> Result<Option<PendingMove>, Error> {
        let recorded = record::read_from(state, boot)?;
        Ok(recorded.map(|recorded| PendingMove { plan: recorded.plan, done: recorded.stage == Stage::Done }))
    }

    /// As [`PendingMove::of`]. Returns `None` also while a process works on the move.
    #[cfg(feature = "iocage")]
    pub(crate) fn left_alone(state: &StateDirectory, boot: &str) -> Result<Option<PendingMove>, Error> {
        Ok(PendingMove::of(state, boot)?.filter(|_| !state.addresses_are_locked()))
    }
}

impl AddressMove {
    /// The vhid of an address that moves.
    fn vhid_of(&self, address: IpAddr) -> Option<u8> {
        let moved = self.virtual_hosts.iter().find(|moved| moved.addresses.contains(&address))?;
        Some(moved.host.vhid)
    }

    /// Returns the steps, in words, each with the requests that it makes.
    pub fn steps(&self) -> Vec<(String, Vec<&'static str>)> {
        let AddressMove { from, to, .. } = self;
        let mut steps = Vec::new();
        let mut step = |words: String, requests: &[&'static str]| steps.push((words, requests.to_vec()));
        if !self.was_up {
            step(format!("bring {to} up"), &["SIOCSIFFLAGS"]);
        }
        if self.fib.0 != self.fib.1 {
            step(format!("set the routing table of {to} to {}", self.fib.1.get()), &["SIOCSIFFIB"]);
        }
        if let Some(MacChange { interface, now, .. }) = self.mac {
            step(format!("set the MAC address of {interface} to {now}"), &["SIOCSIFLLADDR"]);
        }
        for (network, _) in &self.dropped {
            step(format!("drop what is sent to {network} meanwhile"), &["RTM_ADD", "RTM_DELETE"]);
        }
        for MovedRoute { route, .. } in &self.routes {
            step(format!("delete the route {}", shown(route)), &["RTM_DELETE"]);
        }
        for MovedVirtualHost { host, .. } in &self.virtual_hosts {
            step(format!("make the virtual host {} on {to}", host.vhid), &["SIOCSVH"]);
        }
        for address in &self.inet {
            step(format!("move {} to {to}", address.network), &["SIOCDIFADDR", "SIOCAIFADDR"]);
        }
        for moved in &self.inet6 {
            step(format!("move {} to {to}", moved.address.network), &["SIOCDIFADDR_IN6", "SIOCAIFADDR_IN6"]);
        }
        for MovedVirtualHost { host, .. } in &self.virtual_hosts {
            if host.state == VirtualHostState::Master {
                step(format!("have {to} be the master of the virtual host {}", host.vhid), &["SIOCSVH"]);
            }
        }
        for MovedRoute { route, .. } in &self.routes {
            step(format!("add the route {} on {to}", shown(route)), &["RTM_ADD"]);
        }
        for neighbour in &self.neighbours {
            step(format!("set the neighbour {} on {to}", neighbour.address), &["RTM_DELETE", "RTM_ADD"]);
        }
        if self.nd6_from.0 != self.nd6_from.1 || self.nd6_to.0 != self.nd6_to.1 {
            step(format!("do on {to} the neighbour discovery of {from}"), &["SIOCSIFINFO_FLAGS"]);
        }
        steps
    }

    /// Returns the token, which identifies this move.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the neighbour discovery flags that `to` has from now on.
    pub fn neighbour_discovery(&self) -> Nd6Flags {
        self.nd6_to.1
    }
}

fn shown(route: &Route) -> String {
    match route.fib {
        Fib::DEFAULT => route.to_string(),
        fib => format!("{route} of routing table {}", fib.get()),
    }
}

impl fmt::Display for AddressMove {
    /// `192.0.2.10/24, 2001:db8::10/64 from em0 to bridge0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inet = self.inet.iter().map(|address| address.network.to_string());
        let lasting = self.inet6.iter().filter(|moved| !moved.address.network.ip().is_unicast_link_local());
        let inet6 = lasting.map(|moved| moved.address.network.to_string());
        let all: Vec<String> = inet.chain(inet6).collect();
        let all = if all.is_empty() { "link-local addresses".to_owned() } else { all.join(", ") };
        write!(f, "{all} from {} to {}", self.from, self.to)
    }
}

impl Wiring {
    /// Works out how all addresses of an interface of the host move to another interface. One of the two is a
    /// bridge, and the other is a member of that bridge. Nothing is changed.
    ///
    /// # Arguments
    ///
    /// * `with_mac`: whether the network knows the host by the link address of `from`, as a DHCP server does.
    ///   If router advertisements made an address from the link address, the link address moves in any case.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): what keeps the addresses from being moved.
    /// * the kernel, or a file.
    ///
    /// ```
    /// use jailwire::wiring::Wiring;
    ///
    /// let wiring = Wiring::simulated()?;
    /// let host = wiring.host();
    /// let (em0, bridge0) = ("em0".parse()?, host.create("bridge0")?);
    /// host.add_member(&bridge0, &em0)?;
    ///
    /// let plan = wiring.plan_move(&em0, &bridge0, false)?;
    /// wiring.move_addresses(&plan)?;
    /// assert!(wiring.confirm_move()?.is_some());
    /// assert_eq!(host.ipv4_addresses(&bridge0)?[0].network.to_string(), "192.0.2.10/24");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan_move(
        &self,
        from: &InterfaceName,
        to: &InterfaceName,
        with_mac: bool,
    ) -> Result<AddressMove, Error> {
        look::plan(&self.site(), from, to, with_mac)
    }

    /// Moves the addresses: all of them, or none. Then the move waits to be confirmed or undone.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): another move waits to be confirmed.
    /// * a call failed. The move was undone; if the undoing failed too, the message says so, and
    ///   [`Wiring::undo_move`] goes on with it.
    pub fn move_addresses(&self, plan: &AddressMove) -> Result<(), Error> {
        let site = self.site();
        let _lock = lock(&site)?;
        if let Some(pending) = record::read(&site)? {
            match pending.stage {
                Stage::Done => {
                    return Err(Error::from(Problem::MovePending { what: pending.plan.to_string() }));
                }
                // The process that worked on the move was killed.
                Stage::Begun | Stage::Undoing => apply::undo(&site, &pending.plan)?,
            }
        }
        record::begin(&site, plan)?;
        let moved = apply::forward(&site, plan).and_then(|()| record::note(&site, Stage::Done));
        let Err(failure) = moved else { return Ok(()) };
        match apply::undo(&site, plan) {
            Ok(()) => Err(failure),
            Err(also) => Err(Error::other(format!(
                "{failure}; the move could not be undone either: {also}; `jailwire host undo` tries again"
            ))),
        }
    }

    /// Returns the move that was neither confirmed nor undone, if there is one.
    ///
    /// # Errors
    ///
    /// Those of reading a file.
    pub fn pending_move(&self) -> Result<Option<PendingMove>, Error> {
        let site = self.site();
        PendingMove::of(site.state, site.boot)
    }

    /// Confirms a finished move, which then stays. Returns the move, or `None` if no move waits.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): the move was interrupted, and can only be undone.
    /// * a file.
    pub fn confirm_move(&self) -> Result<Option<AddressMove>, Error> {
        let site = self.site();
        let _lock = lock(&site)?;
        let Some(recorded) = record::read(&site)? else { return Ok(None) };
        if recorded.stage != Stage::Done {
            return Err(Error::from(Problem::MoveInterrupted { what: recorded.plan.to_string() }));
        }
        record::confirm(&site, &recorded.plan)?;
        Ok(Some(recorded.plan))
    }

    /// Undoes a move that was not confirmed. Returns the move, or `None` if no move waits.
    ///
    /// # Arguments
    ///
    /// * `token`: undoes only the move with this token. Without a token, any move is undone.
    ///
    /// # Errors
    ///
    /// the kernel, or a file. After an error the next call goes on with the rest.
    pub fn undo_move(&self, token: Option<&str>) -> Result<Option<AddressMove>, Error> {
        let site = self.site();
        let _lock = lock(&site)?;
        let Some(recorded) = record::read(&site)? else { return Ok(None) };
        if token.is_some_and(|token| token != recorded.plan.token) {
            return Ok(None);
        }
        apply::undo(&site, &recorded.plan)?;
        Ok(Some(recorded.plan))
    }
}

/// Takes the lock: one process at a time moves, undoes or confirms.
fn lock(site: &Site<'_>) -> Result<Lock, Error> {
    Ok(site.state.lock_addresses()?)
}

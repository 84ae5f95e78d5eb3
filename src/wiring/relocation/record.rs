//! The record of a move: lines as in a journal.
//!
//! The first write has the whole plan and ends with `begun`. If the file is torn before `begun`, nothing was
//! changed. The lines after `begun` say how far the move has come.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::{AddressMove, MacChange, MovedIpv6, MovedRoute, MovedVirtualHost};
use crate::Error;
use crate::address::{Ipv4Address, Ipv6Address, Ipv6Flags, Lifetime};
use crate::carp::{VirtualHost, VirtualHostKey, VirtualHostState};
use crate::nd6::Nd6Flags;
use crate::neighbour::Neighbour;
use crate::route::{Gateway, Metrics, Route, Via};
use crate::types::{Fib, InterfaceName, MacAddr};
use crate::wiring::records::{add_line, escape, head, network, read_of_boot, unescape};
use crate::wiring::site::Site;
use crate::wiring::state::StateDirectory;

const FORMAT: &str = "jailwire-addresses-1";
const MODE: u32 = 0o600;
/// The text for a missing value.
const NONE: &str = "-";
/// The text before an interface's index, for a route without a router.
const LINK: &str = "link#";

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The record is written, and the move may be carried out in part.
    Begun,
    /// The move has finished, and waits to be confirmed.
    Done,
    /// The move is being undone.
    Undoing,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Stage::Begun => "begun",
            Stage::Done => "done",
            Stage::Undoing => "undoing",
        }
    }

    fn parse(text: &str) -> Option<Stage> {
        [Stage::Begun, Stage::Done, Stage::Undoing].into_iter().find(|stage| stage.as_str() == text)
    }
}

/// A move that was read from its record.
#[derive(Debug)]
pub(super) struct Recorded {
    pub plan: AddressMove,
    pub stage: Stage,
}

/// Reads the record. Returns `None` when there is no record, when it is of an earlier boot, or when it was
/// torn before anything was changed.
pub(super) fn read(site: &Site<'_>) -> Result<Option<Recorded>, Error> {
    read_from(site.state, site.boot)
}

/// As [`read`], for callers without a [`Site`].
pub(super) fn read_from(state: &StateDirectory, boot: &str) -> Result<Option<Recorded>, Error> {
    let path = state.addresses();
    let Some(records) = read_of_boot(&path, FORMAT, boot)? else { return Ok(None) };
    let mut reading = Reading::default();
    let mut stage = None;
    for line in &records {
        if let Some(now) = Stage::parse(line) {
            stage = Some(now);
        } else if stage.is_some() || reading.line(line).is_none() {
            let reason =
                format!("{}: `{line}` is not understood; move the file away to go on", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason).into());
        }
    }
    let Some(stage) = stage else { return Ok(None) };
    let plan = reading.plan().ok_or_else(|| {
        let reason = format!("{}: it is not complete; move the file away to go on", path.display());
        io::Error::new(io::ErrorKind::InvalidData, reason)
    })?;
    Ok(Some(Recorded { plan, stage }))
}

/// Writes a move down, before its first change.
pub(super) fn begin(site: &Site<'_>, plan: &AddressMove) -> Result<(), Error> {
    let path = site.state.addresses();
    // An old record was torn, or is of another boot.
    site.files.remove_file_if_present(&path)?;
    let mut text = head(FORMAT, site.boot);
    lines(plan).iter().for_each(|line| add_line(&mut text, line));
    add_line(&mut text, Stage::Begun.as_str());
    site.files.append(&path, text.as_bytes(), MODE)
}

/// Writes down how far a move has come.
pub(super) fn note(site: &Site<'_>, stage: Stage) -> Result<(), Error> {
    let mut text = String::new();
    add_line(&mut text, stage.as_str());
    site.files.append(&site.state.addresses(), text.as_bytes(), MODE)
}

/// Removes the record of a move that was undone.
pub(super) fn forget(site: &Site<'_>) -> Result<(), Error> {
    site.files.remove_file_if_present(&site.state.addresses())?;
    Ok(())
}

/// Removes the record of a confirmed move. The link address that the bridge had before remains recorded.
pub(super) fn confirm(site: &Site<'_>, plan: &AddressMove) -> Result<(), Error> {
    let path = site.state.link_addresses();
    match plan.mac {
        // The move back has given the bridge its own link address again.
        Some(change) if change.interface == plan.from => drop(site.files.remove_file_if_present(&path)?),
        Some(MacChange { interface, was, now }) => {
            let mut text = head(FORMAT, site.boot);
            add_line(&mut text, &format!("mac\t{interface}\t{was}\t{now}"));
            site.files.remove_file_if_present(&path)?;
            site.files.append(&path, text.as_bytes(), MODE)?;
        }
        None => {}
    }
    forget(site)
}

/// The link address that an interface had before a move changed it.
pub(super) fn kept_mac(
    site: &Site<'_>,
    name: &InterfaceName,
    now: MacAddr,
) -> Result<Option<MacAddr>, Error> {
    let records = read_of_boot(&site.state.link_addresses(), FORMAT, site.boot)?.unwrap_or_default();
    let fields = records.first().map(|line| line.split('\t').collect::<Vec<_>>()).unwrap_or_default();
    let ["mac", interface, was, given] = fields[..] else { return Ok(None) };
    let is_it = *name == interface && given.parse() == Ok(now);
    Ok(was.parse().ok().filter(|_| is_it))
}

/// The lines of a plan.
fn lines(plan: &AddressMove) -> Vec<String> {
    let flag = |set: bool| u8::from(set).to_string();
    let mut lines = vec![
        format!("move\t{}\t{}\t{}", plan.from, plan.to, escape(&plan.token)),
        format!("was\t{}\t{}", flag(plan.was_up), flag(plan.forbidden)),
        format!("fib\t{}\t{}", plan.fib.0.get(), plan.fib.1.get()),
        format!(
            "nd6\t{}\t{}\t{}\t{}",
            plan.nd6_from.0.bits(),
            plan.nd6_from.1.bits(),
            plan.nd6_to.0.bits(),
            plan.nd6_to.1.bits()
        ),
    ];
    if let Some(MacChange { interface, was, now }) = plan.mac {
        lines.push(format!("mac\t{interface}\t{was}\t{now}"));
    }
    for address in &plan.inet {
        lines.push(format!("inet\t{}\t{}", address.network, or_none(address.broadcast)));
    }
    for MovedIpv6 { address, valid_until, preferred_until } in &plan.inet6 {
        let until = |until: Option<Duration>| or_none(until.map(|until| until.as_millis()));
        lines.push(format!(
            "inet6\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            address.network,
            or_none(address.peer),
            address.flags.bits(),
            or_none(seconds(address.valid)),
            or_none(seconds(address.preferred)),
            until(*valid_until),
            until(*preferred_until)
        ));
    }
    for MovedVirtualHost { host, addresses } in &plan.virtual_hosts {
        let key: String = host.key.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let VirtualHost { vhid, interval, skew, state, .. } = host;
        lines.push(format!("vhid\t{vhid}\t{interval}\t{skew}\t{}\t{key}", state.raw()));
        lines.extend(addresses.iter().map(|address| format!("of\t{}\t{address}", host.vhid)));
    }
    for Neighbour { address, scope, mac, index, published, .. } in &plan.neighbours {
        let (published, mac) = (flag(*published), or_none(*mac));
        lines.push(format!("neighbour\t{address}\t{scope}\t{mac}\t{index}\t{published}"));
    }
    for (network, fib) in &plan.dropped {
        lines.push(format!("drop\t{network}\t{}", fib.get()));
    }
    for MovedRoute { route, scoped } in &plan.routes {
        let via = match route.via {
            Via::Gateway(gateway) => Some(gateway.to_string()),
            Via::Interface(index) => Some(format!("{LINK}{index}")),
            _ => None,
        };
        let Metrics { mtu, weight, expire } = route.metrics;
        lines.push(format!(
            "route\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            route.destination,
            or_none(via),
            flag(*scoped),
            route.fib.get(),
            or_none(mtu),
            or_none(weight),
            or_none(expire)
        ));
    }
    lines
}

fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn seconds(lifetime: Lifetime) -> Option<u32> {
    match lifetime {
        Lifetime::Infinite => None,
        Lifetime::Seconds(seconds) => Some(seconds),
    }
}

fn lifetime(seconds: Option<u32>) -> Lifetime {
    seconds.map_or(Lifetime::Infinite, Lifetime::Seconds)
}

/// A plan that is being read.
#[derive(Debug, Default)]
struct Reading {
    names: Option<(InterfaceName, InterfaceName, String)>,
    was: Option<(bool, bool)>,
    fib: Option<(Fib, Fib)>,
    nd6: Option<[Nd6Flags; 4]>,
    mac: Option<MacChange>,
    inet: Vec<Ipv4Address>,
    inet6: Vec<MovedIpv6>,
    virtual_hosts: Vec<MovedVirtualHost>,
    neighbours: Vec<Neighbour>,
    routes: Vec<MovedRoute>,
    dropped: Vec<(IpNetwork, Fib)>,
}

impl Reading {
    /// Reads a line. Returns `None` when it is no line of a plan.
    fn line(&mut self, line: &str) -> Option<()> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["move", from, to, token] => {
                self.names = Some((from.parse().ok()?, to.parse().ok()?, unescape(token)?));
            }
            ["was", up, forbidden] => self.was = Some((up == "1", forbidden == "1")),
            ["fib", was, now] => self.fib = Some((fib(was)?, fib(now)?)),
            ["nd6", from_was, from_now, to_was, to_now] => {
                let flags = |text: &str| Some(Nd6Flags::from_bits_retain(text.parse().ok()?));
                self.nd6 = Some([flags(from_was)?, flags(from_now)?, flags(to_was)?, flags(to_now)?]);
            }
            ["mac", interface, was, now] => {
                let interface = interface.parse().ok()?;
                self.mac = Some(MacChange { interface, was: was.parse().ok()?, now: now.parse().ok()? });
            }
            ["inet", address, broadcast] => self.inet.push(Ipv4Address {
                network: network::<Ipv4Addr, _, _>(address, Ipv4Network::new)?,
                broadcast: optional(broadcast)?,
            }),
            ["inet6", address, peer, flags, valid, preferred, valid_until, preferred_until] => {
                let until = |text: &str| Some(optional::<u64>(text)?.map(Duration::from_millis));
                self.inet6.push(MovedIpv6 {
                    address: Ipv6Address {
                        network: network::<Ipv6Addr, _, _>(address, Ipv6Network::new)?,
                        peer: optional(peer)?,
                        flags: Ipv6Flags::from_bits_retain(flags.parse().ok()?),
                        valid: lifetime(optional(valid)?),
                        preferred: lifetime(optional(preferred)?),
                    },
                    valid_until: until(valid_until)?,
                    preferred_until: until(preferred_until)?,
                });
            }
            ["vhid", vhid, interval, skew, state, key] => {
                let state = VirtualHostState::from_raw(state.parse().ok()?)?;
                let (vhid, key) = (vhid.parse().ok()?, VirtualHostKey(bytes(key)?));
                let (interval, skew) = (interval.parse().ok()?, skew.parse().ok()?);
                let host = VirtualHost { vhid, interval, skew, key, state };
                self.virtual_hosts.push(MovedVirtualHost { host, addresses: Vec::new() });
            }
            ["of", vhid, address] => {
                let vhid: u8 = vhid.parse().ok()?;
                let moved = self.virtual_hosts.iter_mut().find(|moved| moved.host.vhid == vhid)?;
                moved.addresses.push(address.parse().ok()?);
            }
            ["neighbour", address, scope, mac, index, published] => self.neighbours.push(Neighbour {
                address: address.parse().ok()?,
                scope: scope.parse().ok()?,
                mac: optional(mac)?,
                index: index.parse().ok()?,
                permanent: true,
                published: published == "1",
            }),
            ["drop", to, table] => {
                self.dropped.push((network::<IpAddr, _, _>(to, IpNetwork::new)?, fib(table)?));
            }
            ["route", to, via, scoped, table, mtu, weight, expire] => {
                let via = match via.strip_prefix(LINK) {
                    Some(index) => Via::Interface(index.parse().ok()?),
                    None => Via::Gateway(via.parse::<Gateway>().ok()?),
                };
                let metrics =
                    Metrics { mtu: optional(mtu)?, weight: optional(weight)?, expire: optional(expire)? };
                let to: IpNetwork = network::<IpAddr, _, _>(to, IpNetwork::new)?;
                let route = Route::new(to, via).in_fib(fib(table)?).with_metrics(metrics);
                self.routes.push(MovedRoute { route, scoped: scoped == "1" });
            }
            _ => return None,
        }
        Some(())
    }

    /// Returns the plan, if no line was missing.
    fn plan(self) -> Option<AddressMove> {
        let (from, to, token) = self.names?;
        let (was_up, forbidden) = self.was?;
        let [from_was, from_now, to_was, to_now] = self.nd6?;
        Some(AddressMove {
            from,
            to,
            inet: self.inet,
            inet6: self.inet6,
            virtual_hosts: self.virtual_hosts,
            neighbours: self.neighbours,
            routes: self.routes,
            dropped: self.dropped,
            mac: self.mac,
            fib: self.fib?,
            was_up,
            nd6_from: (from_was, from_now),
            nd6_to: (to_was, to_now),
            forbidden,
            token,
        })
    }
}

/// Reads bytes from hexadecimal digits.
fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let pairs = (digits.is_ascii() && digits.len() == 2 * N).then_some(digits)?;
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&pairs[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn fib(text: &str) -> Option<Fib> {
    Fib::new(text.parse().ok()?).ok()
}

/// Reads a value that may be missing. Returns `None` when the value cannot be read.
fn optional<T: FromStr>(text: &str) -> Option<Option<T>> {
    match text {
        NONE => Some(None),
        text => text.parse().ok().map(Some),
    }
}

//! NAT by ipfw. Each pair of an interface and its address, through which packets leave the host, has a NAT
//! instance. Each jail has a rule that lists the jail's addresses and ports.

mod host;
mod names;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use super::super::problem::{Problem, Problems};
use super::rules::{self, Taken, is_usable};
use super::surroundings::forwarding_off;
use super::{Backend, JailNat, Published, PublishedPorts, Surroundings, Translated, pf};
use crate::error::{Error, Result};
use crate::kernel::Errno;
use crate::packet_filter::ipfw::{Ipfw, NatRedirect};
use crate::packet_filter::{Anchor, Family};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

use host::{Host, Mark};
use names::{INSTANCES, Instance};

/// The NAT of one jail, or of all jails of a NAT instance, with all defaults filled in.
struct Wish {
    interface: InterfaceName,
    /// The host's address that replaces the source of packets.
    address: Ipv4Addr,
    /// The addresses of the jails.
    addresses: BTreeSet<Ipv4Addr>,
    /// The addresses whose outgoing packets are translated. The other addresses only have published ports.
    translated: BTreeSet<Ipv4Addr>,
    redirects: BTreeSet<NatRedirect>,
}

impl Wish {
    /// Whether what the jail sends is translated.
    fn translates(&self) -> bool {
        !self.translated.is_empty()
    }
}

/// Opens ipfw. Returns `None` if ipfw is not loaded.
fn open(host: &Vnet) -> Result<Option<Ipfw>> {
    // This sysctl is read first, because most hosts have no ipfw, and there it takes one call.
    match host.sysctl_int("net.inet.ip.fw.enable") {
        Err(error) if error.errno() == Some(Errno::ENOENT) => return Ok(None),
        _ => {}
    }
    match Ipfw::open(host.kernel().clone()) {
        Ok(ipfw) => Ok(Some(ipfw)),
        Err(error) if error.errno() == Some(Errno::ENOPROTOOPT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives a jail its rules. The caller holds the lock.
pub(super) fn put(host: &Vnet, wanted: &JailNat, anchor: &Anchor) -> std::result::Result<(), Error> {
    let ipfw = open(host)?.ok_or(Error::from(Problem::NoIpfw))?;
    let before = Host::read(&ipfw)?;
    let (wish, problems) = checked(host, &ipfw, &before, wanted, anchor)?;
    let wish = wish.filter(|_| problems.is_empty()).ok_or_else(|| Error::from(Problems(problems)))?;
    let name = names::name_of(anchor);
    let old: Vec<&Mark> = before.marks.iter().filter(|mark| mark.name == name).collect();
    let Some(instance) = instance_for(&ipfw, &before, &wish)? else {
        return Err(Error::from(Problem::NoRoomForNat { most: INSTANCES }));
    };
    let said = |mark: &&&Mark| {
        mark.instance == instance && mark.addresses == wish.addresses && mark.translated == wish.translates()
    };
    let stays = old.iter().find(said).map(|mark| mark.number);
    let number = match stays {
        Some(number) => number,
        // The rule that records the jail's addresses is added first and removed last.
        None => before.add_mark(&ipfw, instance, &name, &wish)?,
    };
    let settled = settle(&ipfw, &before, instance, &name, Some(&wish)).and_then(|()| {
        for mark in old.iter().filter(|mark| mark.number != number) {
            if mark.instance != instance {
                settle(&ipfw, &before, mark.instance, &name, None)?;
            }
            mark.delete(&ipfw)?;
        }
        Ok(())
    });
    if settled.is_err() && old.is_empty() {
        // Report the first error. If the undo fails too, the jail's rule remains, and a later call finds the
        // rest by it.
        let _ = take(host, anchor);
    }
    settled
}

/// Reports what prevents the jail's NAT and published ports.
pub(super) fn problems(host: &Vnet, wanted: &JailNat, anchor: &Anchor) -> Result<Vec<Problem>> {
    match open(host)? {
        Some(ipfw) => Ok(checked(host, &ipfw, &Host::read(&ipfw)?, wanted, anchor)?.1),
        None => Ok(vec![Problem::NoIpfw]),
    }
}

/// Whether a jail has rules.
pub(super) fn has(host: &Vnet, anchor: &Anchor) -> Result<bool> {
    let Some(ipfw) = open(host)? else { return Ok(false) };
    let name = names::name_of(anchor);
    Ok(Host::marks(&ipfw)?.iter().any(|mark| mark.name == name))
}

/// Removes a jail's rules. Returns whether the jail had any. The caller holds the lock.
pub(super) fn take(host: &Vnet, anchor: &Anchor) -> Result<bool> {
    let Some(ipfw) = open(host)? else { return Ok(false) };
    let before = Host::read(&ipfw)?;
    let name = names::name_of(anchor);
    let own: Vec<&Mark> = before.marks.iter().filter(|mark| mark.name == name).collect();
    for mark in &own {
        settle(&ipfw, &before, mark.instance, &name, None)?;
        mark.delete(&ipfw)?;
    }
    Ok(!own.is_empty())
}

/// Lists the NAT and published ports of all jails.
pub(super) fn all(host: &Vnet) -> Result<Vec<Published>> {
    open(host)?.map_or_else(|| Ok(Vec::new()), |ipfw| Ok(published(&Host::read(&ipfw)?)))
}

/// The NAT and published ports of all jails, by the rules that were read.
fn published(seen: &Host) -> Vec<Published> {
    let published = |mark: &Mark| {
        let anchor = super::top().below(&mark.name).ok()?;
        let own = |redirect: &&NatRedirect| mark.addresses.contains(redirect.to.ip());
        let nat = seen.nat(mark.instance);
        let ports = nat.iter().flat_map(|nat| nat.redirects()).filter(own).map(|redirect| PublishedPorts {
            protocol: redirect.protocol,
            host: IpAddr::V4(redirect.host),
            ports: redirect.ports,
            jail: SocketAddr::V4(redirect.to),
        });
        let way_out = nat.zip(seen.interface(mark.instance)).filter(|_| mark.translated);
        let translated = way_out.into_iter().flat_map(|(nat, interface)| {
            let from = |from: &Ipv4Addr| Translated {
                interface,
                from: IpAddr::V4(*from),
                to: IpAddr::V4(nat.address()),
            };
            mark.addresses.iter().map(from).collect::<Vec<_>>()
        });
        Some(Published {
            jail: super::name::name_of(&mark.name),
            backend: Backend::Ipfw,
            nat: translated.collect(),
            published: ports.collect(),
            anchor,
        })
    };
    let mut all: Vec<Published> = seen.marks.iter().filter_map(published).collect();
    all.sort_by(|one, other| one.anchor.cmp(&other.anchor));
    all
}

/// Works out a jail's NAT, with its problems. If it cannot be worked out, there is at least one problem.
fn checked(
    host: &Vnet,
    ipfw: &Ipfw,
    seen: &Host,
    wanted: &JailNat,
    anchor: &Anchor,
) -> Result<(Option<Wish>, Vec<Problem>)> {
    let surroundings = Surroundings::of(host)?;
    let mut problems = Vec::new();
    if !ipfw.is_enabled()? {
        problems.push(Problem::IpfwOff);
    }
    if !ipfw.has_nat()? {
        problems.push(Problem::NoIpfwNat);
    }
    if ipfw.is_one_pass()? {
        problems.push(Problem::OnePass);
    }
    problems.extend(forwarding_off(host, wanted, &surroundings, Family::Inet)?);
    let wish = wish(wanted, &surroundings, &mut problems);
    if let Some(wish) = &wish {
        let ports: Vec<Taken> = wish
            .redirects
            .iter()
            .map(|redirect| (IpAddr::V4(redirect.host), redirect.ports, redirect.protocol))
            .collect();
        problems.extend(rules::twice(&ports, wanted.name()));
        let mut others = published(seen);
        others.extend(pf::all(host)?);
        problems.extend(rules::taken(&ports, others.iter().filter(|other| other.anchor != *anchor)));
    }
    Ok((wish, problems))
}

/// Works out a jail's NAT.
fn wish(wanted: &JailNat, surroundings: &Surroundings, problems: &mut Vec<Problem>) -> Option<Wish> {
    let jail = || wanted.name().to_owned();
    let usable = wanted.addresses.iter().filter(|address| is_usable(**address, Family::Inet));
    let inet = |address: &IpAddr| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    };
    let addresses: Vec<Ipv4Addr> = usable.filter_map(inet).collect();
    if !wanted.blocked.is_empty() {
        problems.push(Problem::BlocksByIpfw { jail: jail() });
    }
    let Some(first) = addresses.first().copied() else {
        problems.push(match wanted.addresses.is_empty() {
            true => Problem::NoJailAddress { jail: jail() },
            false => Problem::NoInet6Nat { jail: jail() },
        });
        return None;
    };
    let interface = wanted.interface;
    let Some((interface, IpAddr::V4(address))) = surroundings.way_out(Family::Inet, interface) else {
        problems.push(Problem::NoWayOut { family: Family::Inet, interface });
        return None;
    };
    let mut redirects = BTreeSet::new();
    for publication in &wanted.published {
        let host = match publication.address() {
            None => address,
            Some(IpAddr::V4(host)) if surroundings.has(host.into()) => host,
            Some(other @ IpAddr::V4(_)) => {
                problems.push(Problem::NotOurAddress { address: other });
                continue;
            }
            Some(other @ IpAddr::V6(_)) => {
                problems.push(match surroundings.has(other) {
                    true => Problem::NoInet6Ports { address: other },
                    false => Problem::NotOurAddress { address: other },
                });
                continue;
            }
        };
        let to = SocketAddrV4::new(first, publication.to());
        let (protocol, ports) = (publication.protocol(), publication.ports());
        redirects.insert(NatRedirect { protocol, host, ports, to });
    }
    let addresses: BTreeSet<Ipv4Addr> = addresses.into_iter().collect();
    let translated = if wanted.nat { addresses.clone() } else { BTreeSet::new() };
    Some(Wish { interface, address, addresses, translated, redirects })
}

/// The NAT instance for an interface and its address: the existing instance, or a free one. Returns `None` if
/// all instances are in use.
fn instance_for(ipfw: &Ipfw, seen: &Host, wish: &Wish) -> Result<Option<Instance>> {
    let fits = |instance: &Instance| {
        seen.nat(*instance).is_some_and(|nat| nat.address() == wish.address)
            && seen.interface(*instance) == Some(wish.interface)
    };
    if let Some(instance) = Instance::all().find(fits) {
        return Ok(Some(instance));
    }
    let foreign = ipfw.nats()?;
    let foreign =
        |instance: &Instance| foreign.contains(&instance.nat()) || foreign.contains(&instance.nat_of_host());
    let free = |instance: &Instance| !seen.uses(*instance) && !foreign(instance);
    Ok(Instance::all().find(free))
}

/// Changes a NAT instance to what all its jails ask for. This jail counts with `wish`, or not at all.
fn settle(ipfw: &Ipfw, seen: &Host, instance: Instance, jail: &str, wish: Option<&Wish>) -> Result<()> {
    let others = || seen.marks.iter().filter(|mark| mark.instance == instance && mark.name != jail);
    let all_of = |mark: &Mark| mark.addresses.clone();
    let mut addresses: BTreeSet<Ipv4Addr> = others().flat_map(all_of).collect();
    let mut translated: BTreeSet<Ipv4Addr> =
        others().filter(|mark| mark.translated).flat_map(all_of).collect();
    let nat = seen.nat(instance);
    let stays = |redirect: &&NatRedirect| addresses.contains(redirect.to.ip());
    let mut redirects: BTreeSet<NatRedirect> =
        nat.iter().flat_map(|nat| nat.redirects()).filter(stays).copied().collect();
    let way_out = match wish {
        Some(wish) => {
            addresses.extend(&wish.addresses);
            translated.extend(&wish.translated);
            redirects.extend(&wish.redirects);
            Some((wish.interface, wish.address))
        }
        None => seen.interface(instance).zip(nat.map(|nat| nat.address())),
    };
    match way_out {
        Some((interface, address)) if !addresses.is_empty() => {
            let wanted = Wish { interface, address, addresses, translated, redirects };
            host::make(ipfw, seen, instance, &wanted)
        }
        // No jail is left, or another program has removed the instance. Then its jails get an instance again
        // with their next start.
        _ => host::unmake(ipfw, seen, instance),
    }
}

/// The error for a name or value that should have been checked before.
fn unfit(what: &'static str, error: impl std::fmt::Display) -> Error {
    Error::malformed("name", what, "IP_FW_XADD", error)
}

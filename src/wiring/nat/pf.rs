//! NAT by pf: the rules of each jail are in an anchor of the jail's own.

use std::sync::Arc;

use super::super::problem::{Problem, Problems};
use super::{JailNat, Published, Surroundings, ipfw, rules, surroundings, top};
use crate::error::{Error, Result};
use crate::kernel::{Errno, Kernel};
use crate::packet_filter::{Action, Anchor, PacketFilter, Ports, Rule, StateFilter};
use crate::vnet::Vnet;

/// Replaces a jail's rules. The caller holds the lock.
pub(super) fn put(host: &Vnet, wanted: &JailNat, anchor: &Anchor) -> std::result::Result<(), Error> {
    let pf = open(host.kernel())?.ok_or(Error::from(Problem::NoPf))?;
    let (rules, problems) = checked(host, &pf, wanted, anchor)?;
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    let before = pf.rules(anchor)?;
    if before != rules {
        pf.replace(anchor, &rules)?;
        end_states(&pf, before.iter().filter(|rule| !rules.contains(rule)))?;
    }
    if wanted.switches_pf_on {
        pf.switch_on()?;
    }
    Ok(())
}

/// Reports what prevents the jail's NAT and published ports.
pub(super) fn problems(host: &Vnet, wanted: &JailNat, anchor: &Anchor) -> Result<Vec<Problem>> {
    match open_read_only(host.kernel())? {
        Some(pf) => Ok(checked(host, &pf, wanted, anchor)?.1),
        None => Ok(vec![Problem::NoPf]),
    }
}

/// Whether the anchor exists.
pub(super) fn has(host: &Vnet, anchor: &Anchor) -> Result<bool> {
    open_read_only(host.kernel())?.map_or(Ok(false), |pf| pf.exists(anchor))
}

/// Removes an anchor, and ends the connections that used its rules. Returns whether the anchor existed. The
/// caller holds the lock.
pub(super) fn take(host: &Vnet, anchor: &Anchor) -> Result<bool> {
    let Some(pf) = open(host.kernel())? else { return Ok(false) };
    if !pf.exists(anchor)? {
        return Ok(false);
    }
    let rules = pf.rules(anchor)?;
    pf.remove(anchor)?;
    end_states(&pf, rules.iter())?;
    Ok(true)
}

/// Lists the NAT and published ports of all jails.
pub(super) fn all(host: &Vnet) -> Result<Vec<Published>> {
    let Some(pf) = open_read_only(host.kernel())? else { return Ok(Vec::new()) };
    let names = pf.anchors_below(&top())?;
    let anchors = names.iter().filter_map(|name| Some((name, top().below(name).ok()?)));
    anchors.map(|(name, anchor)| Ok(Published::of(anchor.clone(), name, &pf.rules(&anchor)?))).collect()
}

/// Makes a jail's rules, with their problems.
fn checked(
    host: &Vnet,
    pf: &PacketFilter,
    wanted: &JailNat,
    anchor: &Anchor,
) -> Result<(Vec<Rule>, Vec<Problem>)> {
    let surroundings = Surroundings::of(host)?;
    let (rules, mut problems) = rules::rules(wanted, &surroundings);
    problems.extend(surroundings::in_the_way(host, pf, wanted, &rules, &surroundings)?);
    let mut others = all(host)?;
    others.extend(ipfw::all(host)?);
    let ports = rules::ports_of(&rules);
    problems.extend(rules::taken(&ports, others.iter().filter(|other| other.anchor != *anchor)));
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
            Action::Pass { .. } | Action::Block { .. } => {}
        }
    }
    Ok(())
}

/// Opens pf. Returns `None` if pf is not loaded.
fn open(kernel: &Arc<dyn Kernel>) -> Result<Option<PacketFilter>> {
    loaded(PacketFilter::open(Arc::clone(kernel)))
}

/// Opens pf for reading only. Returns `None` if pf is not loaded.
pub(super) fn open_read_only(kernel: &Arc<dyn Kernel>) -> Result<Option<PacketFilter>> {
    loaded(PacketFilter::open_read_only(Arc::clone(kernel)))
}

fn loaded(opened: Result<PacketFilter>) -> Result<Option<PacketFilter>> {
    match opened {
        Ok(pf) => Ok(Some(pf)),
        Err(error) if matches!(error.errno(), Some(Errno::ENOENT | Errno::ENXIO | Errno::EOPNOTSUPP)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

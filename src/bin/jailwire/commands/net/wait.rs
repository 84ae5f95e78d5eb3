//! `net wait`: waits until interfaces can be used.

use std::time::Duration;

use jailwire::interface::{InterfaceType, LinkState};
use jailwire::types::{InterfaceName, Jid};
use jailwire::vnet::Vnet;
use serde_json::json;

use super::Plumbing;
use crate::CommandError;
use crate::cli::Wait;

/// The time between two looks. The kernel sends no message when duplicate address detection ends, so there is
/// nothing to wait for.
const PERIOD: Duration = Duration::from_millis(100);

pub fn run(plumbing: &Plumbing, args: &Wait) -> Result<(), CommandError> {
    let info = plumbing.jail(&args.jail)?;
    let mut names = Vec::new();
    for word in &args.interfaces {
        names.push(word.parse()?);
    }
    let limit = Duration::from_secs(args.timeout);
    let deadline = plumbing.wiring.kernel().now().saturating_add(limit);
    let ready = until_ready(plumbing, info.jid, &names, limit)?;
    until_addressed(plumbing, info.jid, &ready, (args.inet, args.inet6), deadline, args.timeout)?;
    let ready: Vec<&str> = ready.iter().map(InterfaceName::as_str).collect();
    if plumbing.json {
        crate::output::json(&json!({ "jid": info.jid.get(), "name": info.name, "ready": ready }))?;
    }
    Ok(())
}

/// Waits until interfaces have addresses of the given families, and duplicate address detection has ended.
fn until_addressed(
    plumbing: &Plumbing,
    jid: Jid,
    names: &[InterfaceName],
    (inet, inet6): (bool, bool),
    deadline: Duration,
    seconds: u64,
) -> Result<(), CommandError> {
    if !inet && !inet6 {
        return Ok(());
    }
    let kernel = plumbing.wiring.kernel();
    let inside = Vnet::enter(kernel.clone(), jid)?;
    let family = |name: &InterfaceName| -> Result<Option<&'static str>, CommandError> {
        let has_inet = || {
            Ok::<_, CommandError>(
                inside.ipv4_addresses(name)?.iter().any(|one| !one.network.ip().is_unspecified()),
            )
        };
        let has_inet6 = || {
            let addresses = inside.ipv6_addresses(name)?;
            Ok::<_, CommandError>(addresses.iter().any(|one| !one.network.ip().is_unicast_link_local()))
        };
        Ok(match () {
            () if inet && !has_inet()? => Some("IPv4"),
            () if inet6 && !has_inet6()? => Some("IPv6"),
            () => None,
        })
    };
    for name in names {
        while let Some(missing) = family(name)? {
            let left = deadline.saturating_sub(kernel.now());
            if left.is_zero() {
                let why = match missing {
                    "IPv4" => "see whether dhclient runs in the jail",
                    _ => "see whether a router is on its bridge, and rtsold runs in the jail",
                };
                return Err(format!(
                    "{name} of jail {jid} has no {missing} address after {seconds} seconds: {why}"
                )
                .into());
            }
            kernel.sleep(left.min(PERIOD));
        }
        inside.wait_for_dad(name, deadline.saturating_sub(kernel.now()))?;
    }
    Ok(())
}

/// Waits until interfaces of a jail are up and have a link, and duplicate address detection has ended for their
/// addresses. Without names, it waits for all Ethernet, VLAN and bridge interfaces.
pub fn until_ready(
    plumbing: &Plumbing,
    jid: Jid,
    names: &[InterfaceName],
    limit: Duration,
) -> Result<Vec<InterfaceName>, CommandError> {
    let kernel = plumbing.wiring.kernel();
    let deadline = kernel.now().saturating_add(limit);
    let inside = Vnet::enter(kernel.clone(), jid)?;
    let waited_for = loop {
        let mut found = inside.interfaces()?;
        if names.is_empty() {
            found.retain(|interface| is_for_frames(interface.kind));
        } else {
            found.retain(|interface| names.contains(&interface.name));
            if let Some(missing) = names.iter().find(|name| found.iter().all(|one| one.name != **name)) {
                return Err(format!("jail {jid} has no interface {missing}").into());
            }
        }
        let idle = found.iter().find(|interface| !interface.is_up() || interface.link == LinkState::Down);
        let Some(idle) = idle else {
            break found.into_iter().map(|interface| interface.name).collect::<Vec<_>>();
        };
        let left = deadline.saturating_sub(kernel.now());
        if left.is_zero() {
            let what = if idle.is_up() { "has no link" } else { "is not up" };
            return Err(
                format!("{} of jail {jid} {what} after {} seconds", idle.name, limit.as_secs()).into()
            );
        }
        kernel.sleep(left.min(PERIOD));
    };
    for name in &waited_for {
        inside.wait_for_dad(name, deadline.saturating_sub(kernel.now()))?;
    }
    Ok(waited_for)
}

/// Whether to wait for interfaces of this type. Every network stack has a lo0, with pf(4) a pflog0, with ipsec(4)
/// an enc0 …, which stay down.
fn is_for_frames(kind: InterfaceType) -> bool {
    matches!(kind, InterfaceType::ETHERNET | InterfaceType::VLAN | InterfaceType::BRIDGE)
}

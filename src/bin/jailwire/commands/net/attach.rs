//! `net attach` and `net detach`.

use std::time::Duration;

use jailwire::jail;
use jailwire::types::InterfaceName;
use jailwire::wiring::bulk::TickGuard;
use jailwire::wiring::{Attached, AttachedNic, NicAddress, Step};
use serde_json::{Value, json};

use super::{Line, Plumbing, wait, without_zone};
use crate::CommandError;
use crate::cli::{Attach, Detach};
use crate::commands::ports;
use crate::output;

pub fn attach(plumbing: &Plumbing, args: &Attach) -> Result<(), CommandError> {
    let wiring = &plumbing.wiring;
    for address in args.address.iter().filter_map(|text| text.parse::<NicAddress>().ok()) {
        if let Some(oddity) = address.oddity() {
            output::warn(&format!("{address} is {oddity}"));
        }
    }
    let mut nic = wiring.attach(plumbing.key(&args.jail)?);
    nic = match &args.bridge {
        Some(bridge) => nic.nic(bridge),
        None => nic.nic_alone(),
    };
    if let Some(name) = &args.name {
        nic = nic.named(name);
    }
    if let Some(name) = &args.host_name {
        nic = nic.host_named(name);
    }
    if let Some(interface) = &args.uplink {
        nic = nic.uplink(interface);
    }
    if let Some(mtu) = &args.mtu {
        nic = nic.mtu(mtu);
    }
    if let [host, jail] = &args.mac[..] {
        nic = nic.macs(host, jail);
    }
    if let Some(vlan) = &args.untagged {
        nic = nic.untagged(vlan);
    }
    if let Some(vlans) = &args.tagged {
        nic = nic.tagged(vlans);
    }
    if args.isolated {
        nic = nic.isolated();
    }
    if args.accept_rtadv {
        nic = nic.accept_rtadv();
    }
    if args.stable_address {
        nic = nic.stable_address();
    }
    if args.nat {
        nic = nic.nat();
    }
    if args.enable_pf {
        nic = nic.enable_pf();
    }
    nic = nic.nat_by(&args.nat_backend);
    if let Some(interface) = &args.nat_interface {
        nic = nic.nat_through(interface);
    }
    nic = args.publish.iter().fold(nic, |nic, ports| nic.publish(ports));
    let name = args.name.as_deref();
    for address in &args.address {
        nic = nic.address(without_zone(address, name)?.as_str());
    }
    for router in &args.router {
        nic = nic.router(without_zone(router, name)?.as_str());
    }
    for (network, router) in &args.route {
        nic = nic.route(network, without_zone(router, name)?.as_str());
    }
    if args.dry_run {
        let steps = nic.plan()?;
        let line = |(step, requests): &(Step, Vec<&'static str>)| Line::new(step, requests);
        return Ok(plumbing.preview(&steps.iter().map(line).collect::<Vec<_>>())?);
    }
    // If the CPUs cannot be kept ticking, the kernel only waits longer.
    let _guard = TickGuard::hold(wiring.kernel()).ok();
    let attached = nic.apply()?;
    attached.notes.iter().for_each(|note| output::warn(&note.to_string()));
    let [made] = &attached.nics[..] else { unreachable!("one was described") };
    if let Some(seconds) = args.wait {
        let waited = wait::until_ready(plumbing, attached.jid, &[made.jail], Duration::from_secs(seconds));
        if let Err(error) = waited {
            // If an address is a duplicate, undo everything: the jail could not use the address.
            wiring.detach(&made.host)?;
            return Err(error);
        }
    }
    let all = || {
        let mut all = to_json(plumbing, &attached, made)?;
        if args.nat || !args.publish.is_empty() {
            all["nat"] = json!(args.nat);
            all["published"] = json!(args.publish);
        }
        Ok(all)
    };
    plumbing.answer(all, &[&made.host, &made.jail])
}

/// The object for JSON: the new NIC, as it is in the jail now.
fn to_json(plumbing: &Plumbing, attached: &Attached, nic: &AttachedNic) -> Result<Value, CommandError> {
    let stack = plumbing.stack(attached.jid)?;
    let host = plumbing.wiring.host();
    let ports = ports::of_host(host, &host.interfaces()?)?;
    let interface = stack.interface(&nic.jail).map(|interface| {
        super::list::to_json_with_end(&stack, interface, Some(&nic.host), ports.get(&nic.host))
    });
    Ok(json!({
        "jid": attached.jid.get(),
        "name": attached.jail,
        "interface": interface,
        "host_mac": nic.host_mac.map(|mac| mac.to_string()),
        "routes": stack.routes_to_json(),
    }))
}

pub fn detach(plumbing: &Plumbing, args: &Detach) -> Result<(), CommandError> {
    let wiring = &plumbing.wiring;
    // A jail that is gone may have left epairs, which are found by its name.
    let running = jail::get(&**wiring.kernel(), plumbing.key(&args.jail)?)?;
    let name = running.map_or_else(|| args.jail.clone(), |info| info.name);
    let epairs = wiring.epairs_of(&name)?;
    let mut chosen = Vec::new();
    for word in &args.interfaces {
        let found = epairs.iter().find(|(host, end)| word == host.as_str() || word == end.as_str());
        let Some(epair) = found else {
            return Err(
                format!("{name} has no epair {word}: `jailwire net list {name}` lists those it has").into()
            );
        };
        if !chosen.contains(epair) {
            chosen.push(*epair);
        }
    }
    if args.all {
        chosen = epairs;
    }
    if args.dry_run {
        let line = |(host, end): &(InterfaceName, InterfaceName)| {
            Line::new(format!("destroy {host}, and with it {end} in {name}"), &["SIOCIFDESTROY"])
        };
        return Ok(plumbing.preview(&chosen.iter().map(line).collect::<Vec<_>>())?);
    }
    let _guard = if chosen.is_empty() { None } else { TickGuard::hold(wiring.kernel()).ok() };
    for (host, _) in &chosen {
        wiring.detach(host)?;
    }
    if plumbing.json {
        let detached = |(host, end): &(InterfaceName, InterfaceName)| json!({ "name": end.as_str(), "host_end": host.as_str() });
        let all = json!({ "name": name, "detached": chosen.iter().map(detached).collect::<Vec<_>>() });
        output::json(&all)?;
    }
    Ok(())
}

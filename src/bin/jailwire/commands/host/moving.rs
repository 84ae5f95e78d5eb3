//! `host move-address`, `host confirm` and `host undo`.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;

use jailwire::route::{Route, Via};
use jailwire::wiring::{AddressMove, MovedRoute, Wiring};
use serde_json::{Value, json};

use super::rc::{HostRc, lines};
use super::watch::Watcher;
use crate::CommandError;
use crate::cli::{Cli, MoveAddress};
use crate::commands::preview::{self, Line};
use crate::commands::stack::{address_to_json, destination_to_text, route_to_json};
use crate::output;

pub fn run(cli: &Cli, wiring: &Wiring, args: &MoveAddress) -> Result<(), CommandError> {
    let (from, to) = (args.from.parse()?, args.to.parse()?);
    let rc = HostRc::read(args.rc_conf.as_deref(), wiring.kernel().simulated())?;
    let dhcp = rc.uses_dhcp(&from) || (!wiring.kernel().simulated() && has_dhclient(&args.from));
    let plan = wiring.plan_move(&from, &to, dhcp || args.mac)?;
    let lasting = lines(wiring, &plan, &rc, dhcp)?;
    if args.dry_run {
        let steps: Vec<Line> =
            plan.steps().iter().map(|(step, requests)| Line::new(step, requests)).collect();
        if cli.json {
            return Ok(output::json(&json!({ "steps": preview::steps(&steps), "rc_conf": lasting }))?);
        }
        let out = &mut anstream::stdout().lock();
        preview::print(out, &steps)?;
        return Ok(print_lines(out, &lasting)?);
    }
    if args.confirmed {
        wiring.move_addresses(&plan)?;
        wiring.confirm_move()?;
    } else {
        let watcher = Watcher::start(cli, plan.token(), args.confirm_within)?;
        if let Err(error) = wiring.move_addresses(&plan) {
            watcher.dismiss();
            return Err(error.into());
        }
        if !watcher.done() {
            wiring.undo_move(Some(plan.token()))?;
            return Err("the process that undoes the move in time has ended: the move was undone".into());
        }
    }
    let seconds = (!args.confirmed).then_some(args.confirm_within.as_secs());
    if cli.json {
        let mut all = to_json(&plan);
        all["confirm_within"] = json!(seconds);
        all["rc_conf"] = json!(lasting);
        return Ok(output::json(&all)?);
    }
    let out = &mut anstream::stdout().lock();
    writeln!(out, "Moved {plan}.")?;
    if let Some(seconds) = seconds {
        let name = crate::program_name();
        writeln!(out, "The move is undone in {seconds} seconds, unless you run: {name} host confirm")?;
    }
    if dhcp && let Some(bridge) = plan.mac.map(|mac| mac.interface) {
        writeln!(out, "To renew the lease from now on: service dhclient start {bridge}")?;
    }
    Ok(print_lines(out, &lasting)?)
}

fn print_lines(out: &mut impl std::io::Write, lines: &[String]) -> std::io::Result<()> {
    writeln!(out, "So that it lasts, in /etc/rc.conf:")?;
    lines.iter().try_for_each(|line| writeln!(out, "    {line}"))
}

/// Whether dhclient(8) runs on an interface.
fn has_dhclient(interface: &str) -> bool {
    let at = |path: String| Path::new(&path).exists();
    at(format!("/var/run/dhclient/dhclient.{interface}.pid"))
        || at(format!("/var/run/dhclient.{interface}.pid"))
}

fn to_json(plan: &AddressMove) -> Value {
    let route = |moved: &MovedRoute| {
        let Route { destination, via, .. } = &moved.route;
        let on = |address: IpAddr, scoped: bool| match scoped {
            true => format!("{address}%{}", plan.to),
            false => address.to_string(),
        };
        let via = match via {
            Via::Gateway(gateway) => on(gateway.address, moved.scoped),
            Via::Interface(_) => plan.to.to_string(),
            Via::Blackhole => "blackhole".to_owned(),
            Via::Reject => "reject".to_owned(),
        };
        let destination = destination_to_text(*destination, |ip| ip.to_string());
        route_to_json(destination, moved.route.destination, via, Some(&plan.to))
    };
    let inet = plan.inet.iter().map(|one| address_to_json(one.network.ip(), one.network.prefix()));
    let inet6 = plan.inet6.iter().map(|one| {
        let network = one.address.network;
        address_to_json(network.ip(), network.prefix())
    });
    json!({
        "from": plan.from.as_str(),
        "to": plan.to.as_str(),
        "addresses": inet.chain(inet6).collect::<Vec<_>>(),
        "routes": plan.routes.iter().map(route).collect::<Vec<_>>(),
        "mac": plan.mac.map(|mac| mac.now.to_string()),
    })
}

pub fn confirm(cli: &Cli, wiring: &Wiring) -> Result<(), CommandError> {
    let Some(plan) = wiring.confirm_move()? else {
        return Err("no move of addresses waits to be confirmed: it was undone, or there was none".into());
    };
    if cli.json {
        return Ok(output::json(&to_json(&plan))?);
    }
    Ok(writeln!(anstream::stdout().lock(), "Confirmed: {plan}.")?)
}

pub fn undo(cli: &Cli, wiring: &Wiring) -> Result<(), CommandError> {
    let Some(plan) = wiring.undo_move(None)? else {
        return Err("no move of addresses waits to be undone".into());
    };
    if cli.json {
        return Ok(output::json(&to_json(&plan))?);
    }
    Ok(writeln!(anstream::stdout().lock(), "Undone: {plan}.")?)
}

//! `host move-address`, `host confirm` and `host undo`.

use std::io::Write as _;
use std::path::Path;

use jailwire::wiring::{AddressMove, Wiring};
use serde_json::{Value, json};

use super::rc::{HostRc, lines};
use super::watch::Watcher;
use crate::CommandError;
use crate::cli::{Cli, MoveAddress};
use crate::commands::preview::{self, Line};
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
    let address = |ip: String, prefix_length: u8| json!({ "address": ip, "prefix_length": prefix_length });
    let inet = plan.inet.iter().map(|one| address(one.network.ip().to_string(), one.network.prefix()));
    let inet6 = plan.inet6.iter().map(|one| {
        let network = one.address.network;
        address(network.ip().to_string(), network.prefix())
    });
    json!({
        "from": plan.from.as_str(),
        "to": plan.to.as_str(),
        "addresses": inet.chain(inet6).collect::<Vec<_>>(),
        "routes": plan.routes.len(),
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

//! `net`: network operations for the scripts of other jail managers.

mod attach;
mod list;
mod moving;
mod wait;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use jailwire::iocage::name::JailName;
use jailwire::jail::{self, JailInfo, JailKey};
use jailwire::types::{Fib, Jid};
use jailwire::vnet::Vnet;
use jailwire::wiring::Wiring;
use serde_json::{Value, json};

use super::preview::{self, Line};
use super::stack::Stack;
use crate::CommandError;
use crate::cli::{Cli, Detach, Net};
use crate::environment::Environment;
use crate::output;

/// The kernel, and whether the output is JSON.
struct Plumbing {
    wiring: Wiring,
    json: bool,
}

pub fn run(cli: &Cli, args: &Net) -> Result<ExitCode, CommandError> {
    let kernel = Environment::kernel_alone(cli)?;
    if !kernel.privileged() {
        let text = "you need to be root to wire jails: run it as root, or add --kernel sim to try it on the simulated kernel";
        return Err(text.into());
    }
    let mut wiring = if args.only_looks() { Wiring::look(kernel)? } else { Wiring::on(kernel)? };
    if let Net::Detach(Detach { wait: Some(seconds), .. }) = args {
        wiring.times_mut().wait = Duration::from_secs(*seconds);
    }
    let plumbing = Plumbing { wiring, json: cli.json };
    match args {
        Net::Attach(args) => attach::attach(&plumbing, args)?,
        Net::Detach(args) => attach::detach(&plumbing, args)?,
        Net::List(args) => list::run(&plumbing, args)?,
        Net::Wait(args) => wait::run(&plumbing, args)?,
        Net::Lend(args) => moving::lend(&plumbing, args)?,
        Net::Reclaim(args) => moving::reclaim(&plumbing, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// An address without its zone. The address is for the interface that is attached, so that the zone can be the name of
/// that interface only.
fn without_zone(word: &str, name: Option<&str>) -> Result<String, CommandError> {
    let Some((address, rest)) = word.split_once('%') else { return Ok(word.to_owned()) };
    let (zone, length) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    match name == Some(zone) {
        true => Ok(format!("{address}{length}")),
        false => Err(format!(
            "{word}: the zone is the interface in the jail: write {address}{length}, or call that interface {zone} with --name"
        )
        .into()),
    }
}

impl Net {
    /// Whether the command changes nothing.
    fn only_looks(&self) -> bool {
        match self {
            Net::Attach(args) => args.dry_run,
            Net::Detach(args) => args.dry_run,
            Net::Lend(args) => args.dry_run,
            Net::Reclaim(args) => args.dry_run,
            Net::List(_) | Net::Wait(_) => true,
        }
    }
}

impl Plumbing {
    /// Prints what would be done: each step, with its requests.
    fn preview(&self, lines: &[Line]) -> io::Result<()> {
        if self.json {
            return output::json(&json!({ "steps": preview::steps(lines) }));
        }
        preview::print(&mut anstream::stdout().lock(), lines)
    }

    /// Prints the result: an object as JSON, or a line of words for scripts.
    fn answer(
        &self,
        all: impl FnOnce() -> Result<Value, CommandError>,
        words: &[&dyn std::fmt::Display],
    ) -> Result<(), CommandError> {
        if self.json {
            return Ok(output::json(&all()?)?);
        }
        let words = words.iter().map(ToString::to_string).collect();
        Ok(output::bare(&[words])?)
    }

    /// The interfaces and routes of a jail.
    fn stack(&self, jid: Jid) -> Result<Stack, CommandError> {
        Ok(Vnet::enter(self.wiring.kernel().clone(), jid)?.snapshot(Fib::DEFAULT)?.into())
    }

    /// The jail that a word means: a number is a jid, and any other word is the kernel's name. If no jail with this
    /// name runs, the word is iocage's name.
    fn key(&self, word: &str) -> Result<JailKey, CommandError> {
        if let Some(jid) = word.parse().ok().and_then(|number| Jid::new(number).ok()) {
            return Ok(jid.into());
        }
        let kernel = &**self.wiring.kernel();
        if let Ok(name) = word.parse::<JailName>()
            && jail::get(kernel, word)?.is_none()
            && jail::get(kernel, name.kernel_name().as_str())?.is_some()
        {
            return Ok(name.kernel_name().as_str().into());
        }
        Ok(word.into())
    }

    /// Finds a running jail with a network stack of its own.
    fn jail(&self, word: &str) -> Result<JailInfo, CommandError> {
        let info = jail::get(&**self.wiring.kernel(), self.key(word)?)?;
        let info =
            info.ok_or_else(|| format!("there is no jail {word}: `jailwire net list` lists those that run"))?;
        if !info.vnet {
            return Err(
                format!("jail {} has no network stack of its own: create it with `vnet`", info.name).into()
            );
        }
        Ok(info)
    }
}

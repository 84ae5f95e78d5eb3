//! Completions for shells: commands and options, and the present names of jails, properties and interfaces.
//!
//! The shell runs the program with `COMPLETE` set to the shell's name, and with the words so far.

use std::ffi::OsStr;
use std::io;

use clap::builder::ArgExt;
use clap::{Command, CommandFactory as _};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use jailwire::Vnet;
use jailwire::iocage::property;
use jailwire::jail;

use crate::cli::Cli;
use crate::environment::{self, Environment};
use crate::typed::Typed;

/// The environment variable with which a shell asks for completions.
const VARIABLE: &str = "COMPLETE";

/// Prints completions, if a shell asks for them. Returns whether it did.
pub fn complete() -> bool {
    if std::env::var_os(VARIABLE).is_none() {
        return false;
    }
    let name = crate::program_name();
    let asked = CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .bin(name.clone())
        .completer(name)
        .try_complete(std::env::args_os(), None);
    asked.unwrap_or_else(|error| error.exit())
}

/// The script that makes a shell ask the program for completions. Returns `None` for an unknown shell.
pub fn registration(shell: &str, name: &str) -> Option<io::Result<Vec<u8>>> {
    let shells = Shells::builtins();
    let completer = shells.completer(shell)?;
    let mut script = Vec::new();
    Some(completer.write_registration(VARIABLE, name, name, name, &mut script).map(|()| script))
}

/// The shells that have a script.
pub fn shells() -> Vec<&'static str> {
    Shells::builtins().names().collect()
}

/// The command line, with the possible values of its words.
fn command() -> Command {
    let jails = || ArgValueCandidates::new(configured_jails);
    let jails_or_all = || ArgValueCandidates::new(|| all_and(configured_jails()));
    let running = || ArgValueCandidates::new(running_jails);
    let interfaces = || ArgValueCandidates::new(host_interfaces);
    let mut program = Cli::command();
    for (name, word) in [("start", "jails"), ("stop", "jails"), ("restart", "jails"), ("exec", "words")] {
        program = program.mut_subcommand(name, |command| fill_in(command, word, jails_or_all()));
    }
    for (name, word) in [
        ("console", "jail"),
        ("clone", "source"),
        ("destroy", "jails"),
        ("rename", "jail"),
        ("show", "jail"),
        ("doctor", "jails"),
    ] {
        program = program.mut_subcommand(name, |command| fill_in(command, word, jails()));
    }
    program
        .mut_subcommand("get", |command| fill_in(command, "words", ArgValueCandidates::new(gettable)))
        .mut_subcommand("set", |command| fill_in(command, "words", ArgValueCompleter::new(settings)))
        .mut_subcommand("net", |mut net| {
            for name in ["attach", "detach", "wait", "lend", "reclaim"] {
                net = net.mut_subcommand(name, |command| fill_in(command, "jail", running()));
            }
            for (name, word) in
                [("attach", "bridge"), ("attach", "uplink"), ("detach", "interfaces"), ("lend", "interface")]
            {
                net = net.mut_subcommand(name, |command| fill_in(command, word, interfaces()));
            }
            net
        })
        .mut_subcommand("host", |host| {
            host.mut_subcommand("move-address", |command| {
                fill_in(fill_in(command, "from", interfaces()), "to", interfaces())
            })
        })
}

/// Sets the possible values of a word of a command. The order of the words is kept, which `mut_arg` would change.
fn fill_in<T: ArgExt + Clone + Send + Sync + 'static>(command: Command, word: &str, what: T) -> Command {
    command.mut_args(|argument| match argument.get_id() == word {
        true => argument.add(what.clone()),
        false => argument,
    })
}

/// The words of `get`: properties, `all`, and jails.
fn gettable() -> Vec<CompletionCandidate> {
    let mut words = vec![CompletionCandidate::new("all")];
    words.extend(properties().map(CompletionCandidate::new));
    words.extend(configured_jails());
    words
}

/// The words of `set`: properties with an equals sign, jails, and `default`.
fn settings(so_far: &OsStr) -> Vec<CompletionCandidate> {
    let so_far = so_far.to_string_lossy();
    let properties = properties().map(|name| format!("{name}=")).filter(|word| word.starts_with(&*so_far));
    let mut words: Vec<_> = properties.map(CompletionCandidate::new).collect();
    let jails = configured_jails().into_iter().chain([CompletionCandidate::new("default")]);
    words.extend(jails.filter(|jail| jail.get_value().to_string_lossy().starts_with(&*so_far)));
    words
}

/// The names of all properties; those of a NIC for the first NIC.
fn properties() -> impl Iterator<Item = String> {
    property::TABLE.iter().map(|property| property.name.replace("vnetN", "vnet0"))
}

fn all_and(mut names: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    names.push(CompletionCandidate::new("ALL"));
    names
}

/// The jails and templates below iocage's directory. Errors are not reported: without the directory there are no
/// jails.
fn configured_jails() -> Vec<CompletionCandidate> {
    let Ok(store) = environment::store(&typed()) else { return Vec::new() };
    let entries = store.entries().unwrap_or_default();
    entries.into_iter().map(|entry| CompletionCandidate::new(entry.name.to_string())).collect()
}

/// The running VNET jails, by the kernel's names.
fn running_jails() -> Vec<CompletionCandidate> {
    let Some(kernel) = Environment::quiet_kernel(&typed()) else { return Vec::new() };
    let jails = jail::list(&*kernel, false).unwrap_or_default();
    jails.into_iter().filter(|jail| jail.vnet).map(|jail| CompletionCandidate::new(jail.name)).collect()
}

/// The interfaces of the host.
fn host_interfaces() -> Vec<CompletionCandidate> {
    let Some(kernel) = Environment::quiet_kernel(&typed()) else { return Vec::new() };
    let interfaces = Vnet::host(kernel).interfaces().unwrap_or_default();
    interfaces.into_iter().map(|interface| CompletionCandidate::new(interface.name.to_string())).collect()
}

/// The directory and the kernel that the words so far name.
fn typed() -> Typed {
    Typed::from_words(std::env::args_os())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_command_line_stay_as_they_are() {
        command().debug_assert();
    }
}

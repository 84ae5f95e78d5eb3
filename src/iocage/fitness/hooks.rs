//! Programs that a start and a stop run, on the host and in the jail: whether they are there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::mounts::Tree;
use super::{Prestart, error, warning};
use crate::iocage::config::{JailConfig, Problem};
use crate::iocage::hooks::{Command, Hook};

/// The programs that are run on the host. A start that lacks its own is refused. A stop comes later, and so may its
/// programs.
pub(super) fn problems(config: &JailConfig, simulated: bool) -> Vec<Problem> {
    let commands = &config.commands;
    let program = |hook: &Hook| match hook {
        Hook::Nothing => None,
        Hook::Program(path) => Some(path.clone()),
        Hook::Shell(line) => line.split(' ').next().map(Into::into),
    };
    let created = commands.created_line().and_then(|line| line.split_whitespace().next());
    let of_start = [
        ("exec_prestart", program(&commands.prestart)),
        ("exec_created", created.map(Into::into)),
        ("exec_poststart", program(&commands.poststart)),
    ];
    let of_stop =
        [("exec_prestop", program(&commands.prestop)), ("exec_poststop", program(&commands.poststop))];
    let wrong = |(property, program): (&'static str, Option<PathBuf>)| {
        Some((property, missing(property, &program?, simulated)?))
    };
    let at_start = of_start.into_iter().filter_map(wrong).map(|(property, why)| error(property, why));
    let at_stop = of_stop.into_iter().filter_map(wrong).map(|(property, why)| warning(property, why));
    at_start.chain(at_stop).collect()
}

/// The programs that are run in the jail, which `tree` shows.
pub(super) fn problems_inside(
    config: &JailConfig,
    tree: &Tree<'_>,
    simulated: bool,
    prestart: Prestart,
) -> Vec<Problem> {
    let commands = &config.commands;
    // These may change the jail's root in any way.
    let may_be_made = prestart.may_make(config) || commands.created_line().is_some();
    let first =
        |property, command| programs(command).find_map(|program| lacking(property, program, tree, simulated));
    let at_start = first("exec_start", &commands.start).map(|why| match may_be_made {
        true => warning(
            "exec_start",
            format!("{why}; exec_prestart or exec_created may make it, and the start goes on"),
        ),
        false => error("exec_start", why),
    });
    let at_stop = first("exec_stop", &commands.stop).map(|why| warning("exec_stop", why));
    at_start.into_iter().chain(at_stop).collect()
}

/// The files that a command needs: its program, and the script that it gives a shell. Only whole paths are looked for.
fn programs(command: &Command) -> impl Iterator<Item = &str> {
    let words = command.words();
    let is_shell = words.first().is_some_and(|word| word == "/bin/sh");
    let script = words.get(1).filter(|_| is_shell);
    words.first().into_iter().chain(script).map(String::as_str).filter(|word| word.starts_with('/'))
}

/// What is wrong with a program in the jail.
fn lacking(property: &str, program: &str, tree: &Tree<'_>, simulated: bool) -> Option<String> {
    let path = Path::new(program);
    // A jail on the simulated host has a base system, even where its root directory is all but empty.
    if simulated && path.parent().is_some_and(super::is_of_the_simulated_system) {
        return None;
    }
    let real = tree.real(path).ok()?;
    let shown = program.escape_debug();
    match real.map(fs::metadata) {
        None => Some(format!(
            "there is no {shown} in the jail: install what has it, or set {property} to a command that is there"
        )),
        Some(Ok(about)) if about.is_dir() => {
            Some(format!("{shown} is a directory in the jail: set {property} to a command that is there"))
        }
        Some(_) => None,
    }
}

/// The problem of a program that is named by its full path. Other programs are looked up by a shell, or are built
/// into it.
fn missing(property: &str, program: &Path, simulated: bool) -> Option<String> {
    // Skip a word that a shell would change.
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._+-@".contains(&byte));
    if !program.is_absolute() || !program.to_str().is_some_and(is_plain) {
        return None;
    }
    let of_system = program.parent().is_some_and(super::is_of_the_simulated_system);
    let shown = program.display();
    match fs::metadata(program) {
        // The simulated host has a FreeBSD base system, even if this machine does not.
        _ if simulated && of_system => None,
        Ok(about) if about.is_dir() => {
            Some(format!("{shown} is a directory: name a program, or set {property}=/usr/bin/true"))
        }
        Ok(about) if about.permissions().mode() & 0o111 == 0 => {
            Some(format!("{shown} is not executable: chmod +x {shown}, or set {property}=/usr/bin/true"))
        }
        Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => {
            Some(format!("there is no {shown}: create it, or set {property}=/usr/bin/true"))
        }
        _ => None,
    }
}

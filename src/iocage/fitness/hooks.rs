//! Checks whether the programs that a start runs on the host exist.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::error;
use crate::iocage::config::{JailConfig, Problem};
use crate::iocage::hooks::Hook;

pub(super) fn problems(config: &JailConfig, simulated: bool) -> Vec<Problem> {
    let commands = &config.commands;
    let program = |hook: &Hook| match hook {
        Hook::Nothing => None,
        Hook::Program(path) => Some(path.clone()),
        Hook::Shell(line) => line.split(' ').next().map(Into::into),
    };
    let created = commands.created_line().and_then(|line| line.split_whitespace().next());
    let hooks = [
        ("exec_prestart", program(&commands.prestart)),
        ("exec_created", created.map(Into::into)),
        ("exec_poststart", program(&commands.poststart)),
    ];
    let wrong = |(property, program): (&str, Option<std::path::PathBuf>)| {
        Some(error(property, missing(property, &program?, simulated)?))
    };
    hooks.into_iter().filter_map(wrong).collect()
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

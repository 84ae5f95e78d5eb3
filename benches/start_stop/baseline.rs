//! The C program: `benches/baseline/baseline.c`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::plan::Like;
use crate::{Fallible, Marks, Setup, Timing, apart};

/// Writes the program into a directory.
pub fn install(directory: &Path) -> Fallible<std::path::PathBuf> {
    let program = jailwire_baseline::PROGRAM.ok_or("the C program is for FreeBSD")?;
    let path = directory.join("baseline");
    fs::write(&path, program)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// The program's arguments.
pub fn arguments(setup: &Setup<'_>, like: Like) -> [String; 4] {
    let looks = match like {
        Like::One => "each",
        Like::OneWithFiles => "files",
        Like::Engine => "once",
    };
    [setup.network.to_string(), looks.to_owned(), setup.count.to_string(), setup.bridge.to_string()]
}

/// Runs the program. It measures the time itself, so that its own start does not count.
pub fn run(setup: &Setup<'_>, like: Like, marks: &mut Marks) -> Fallible<Timing> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new(install(directory.path())?);
    command.args(arguments(setup, like));
    apart::watch(command, setup, marks)
}

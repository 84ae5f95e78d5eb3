//! The C program: `benches/baseline/baseline.c`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{Fallible, Marks, Setup, Timing};

/// Writes the program into a directory.
pub fn install(directory: &Path) -> Fallible<std::path::PathBuf> {
    let program = jailwire_baseline::PROGRAM.ok_or("the C program is for FreeBSD")?;
    let path = directory.join("baseline");
    fs::write(&path, program)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// What it is told on its command line.
pub fn arguments(setup: &Setup<'_>, once: bool) -> [String; 4] {
    let looks = if once { "once" } else { "each" };
    [setup.network.to_string(), looks.to_owned(), setup.count.to_string(), setup.bridge.to_string()]
}

/// Runs it. It takes the time itself, so that its own start is not in it.
pub fn run(setup: &Setup<'_>, once: bool, marks: &mut Marks) -> Fallible<Timing> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new(install(directory.path())?);
    command.args(arguments(setup, once)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut tell = child.stdin.take().ok_or("no standard input")?;
    let said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let mut timing = Timing::default();
    marks.take(setup.host);
    tell.write_all(b"\n")?;
    for line in said.lines() {
        let line = line?;
        let (kind, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let last = rest.rsplit([' ', '\t']).next().unwrap_or_default();
        let time = || Ok::<_, std::num::ParseIntError>(Duration::from_micros(last.parse()?));
        match kind {
            "start" => timing.start = time()?,
            "up" => timing.tenths.push(time()?),
            "stop" => timing.stop = time()?,
            "memory" => timing.memory_kb = Some(last.parse()?),
            "step" => {
                let (name, _) = rest.split_once('\t').ok_or("a step without a time")?;
                timing.steps.push((name.to_owned(), time()?));
            }
            // All jails are up.
            "" => {
                marks.take(setup.host);
                tell.write_all(b"\n")?;
            }
            other => return Err(format!("the C program said {other}").into()),
        }
    }
    marks.take(setup.host);
    let status = child.wait()?;
    if status.success() { Ok(timing) } else { Err(format!("the C program: {status}").into()) }
}

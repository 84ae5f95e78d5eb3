//! Checks that the C program and the library make the same requests: both run under ktrace(1), and their calls are
//! compared one by one.
//!
//! Calls about the library's journals and locks are compared only if the C program makes them too; their cost is in
//! the library's times. Calls about memory are left out. So are the forks of children that enter jails, and the
//! communication with them: the C program forks each child when it needs it, and the engine has a fork server.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::plan::{Like, Variant};
use crate::{Fallible, Setup, apart, baseline};

/// The calls that are compared.
const CALLS: [&str; 17] = [
    "__sysctl",
    "__sysctlbyname",
    "close_range",
    "getsockopt",
    "ioctl",
    "jail_attach",
    "jail_get",
    "jail_remove",
    "jail_set",
    "nanosleep",
    "clock_nanosleep",
    "procctl",
    "recvfrom",
    "sendto",
    "setfib",
    "setsockopt",
    "socket",
];

/// The calls about files, which are compared if the C program makes them.
const FILE_CALLS: [&str; 8] = ["flock", "fstat", "fstatat", "ftruncate", "openat", "read", "unlink", "write"];

/// The length of an `rt_msghdr` with three `sockaddr_in`.
const RTM_ADD_LENGTH: &str = "0xc8";

/// Calls whose first argument is the number of a descriptor, which differ.
const ON_DESCRIPTORS: [&str; 8] =
    ["flock", "fstat", "getsockopt", "ioctl", "read", "recvfrom", "sendto", "setsockopt"];

/// The calls of a program: of the process itself, and then of its children in the order in which they were forked.
type Log = Vec<Vec<String>>;

/// Compares the calls. Returns their number.
pub fn compare(setup: &Setup<'_>, like: Like) -> Fallible<usize> {
    let directory = tempfile::tempdir()?;
    let trace = directory.path().join("trace");
    let files = like == Like::OneWithFiles;
    let mut c = Command::new("ktrace");
    c.args(["-i", "-t", "c", "-f"]).arg(&trace).arg(baseline::install(directory.path())?);
    c.args(baseline::arguments(setup, like));
    let of_c = traced(c, &trace, files)?;
    fs::remove_file(&trace)?;
    let mut library = Command::new("ktrace");
    let variant = match like {
        Like::One | Like::OneWithFiles => Variant::One { ready: false },
        Like::Engine => Variant::Bulk { workers: std::num::NonZeroUsize::new(1), ready: true },
    };
    library.args(["-i", "-t", "c", "-f"]).arg(&trace);
    let alone = apart::command(variant, setup)?;
    library.arg(alone.get_program()).envs(alone.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let of_library = traced(library, &trace, files)?;
    for (process, (ours, theirs)) in of_library.iter().zip(&of_c).enumerate() {
        let differs = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
        let at = differs.or((ours.len() != theirs.len()).then_some(ours.len().min(theirs.len())));
        if let Some(at) = at {
            let all = |log: &[String]| log.join("\n    ");
            let text = format!(
                "the library and the C program differ (process {process}, call {at})\n  library:\n    {}\n  C:\n    {}",
                all(ours),
                all(theirs)
            );
            return Err(text.into());
        }
    }
    if of_library.len() != of_c.len() {
        return Err(format!("{} processes of the library, {} of C", of_library.len(), of_c.len()).into());
    }
    Ok(of_library.iter().map(Vec::len).sum())
}

/// Runs a program that waits for a line before it starts jails and before it stops them.
fn traced(mut command: Command, trace: &Path, files: bool) -> Fallible<Log> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut tell = child.stdin.take().ok_or("no standard input")?;
    let mut said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    tell.write_all(b"\n")?;
    let mut line = String::new();
    // An empty line means that the jails are up.
    while said.read_line(&mut line)? > 1 {
        line.clear();
    }
    tell.write_all(b"\n")?;
    said.read_to_string(&mut line)?;
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    let output = Command::new("kdump").arg("-f").arg(trace).output()?;
    if !output.status.success() {
        return Err(format!("kdump: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    log(&String::from_utf8_lossy(&output.stdout), files)
}

/// The calls of a dump, from each line that the program reads to the next line that it writes.
fn log(dump: &str, files: bool) -> Fallible<Log> {
    let mut order: Vec<&str> = Vec::new();
    let mut calls: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut recording, mut recorded) = (false, 0);
    for line in dump.lines() {
        let mut words = line.split_whitespace();
        let (Some(pid), Some(_program), Some("CALL"), Some(call)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let call = [call, &words.collect::<String>()].concat();
        let Some((name, arguments)) = call.trim_end_matches(')').split_once('(') else { continue };
        let arguments: Vec<&str> = arguments.split(',').collect();
        let first = arguments.first().copied().unwrap_or_default();
        // The process itself comes first.
        if order.is_empty() || (recording && !order.contains(&pid)) {
            order.push(pid);
        }
        match (name, first) {
            ("read", "0") if pid == order[0] => {
                recording = true;
                recorded += 1;
                continue;
            }
            ("write", "0x1") if pid == order[0] => {
                recording = false;
                continue;
            }
            _ if !recording => continue,
            _ => {}
        }
        // This is a message for a routing socket: writes to files have other lengths.
        let routes = name == "write" && arguments.last() == Some(&RTM_ADD_LENGTH);
        let compared = routes || CALLS.contains(&name) || (files && FILE_CALLS.contains(&name));
        if !compared {
            continue;
        }
        let shown = shown(name, &arguments);
        let log = calls.entry(pid).or_default();
        log.push(shown);
    }
    if recorded < 2 {
        return Err("the trace does not show a start and a stop".into());
    }
    let mut log: Log = order.into_iter().filter_map(|pid| calls.remove(pid)).collect();
    // Leave out processes that enter no jail: the fork server, and children that were not needed.
    let mut first = true;
    log.retain(|calls| std::mem::take(&mut first) || calls.iter().any(|call| call.starts_with("jail_set")));
    Ok(log)
}

/// A call without the values that differ between processes: descriptors, addresses, jids.
fn shown(name: &str, arguments: &[&str]) -> String {
    let on_descriptor = ON_DESCRIPTORS.contains(&name) || name == "write";
    let shown = arguments.iter().enumerate().map(|(place, argument)| {
        let number = argument.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        match (name, place, number) {
            (_, 0, _) if on_descriptor => "fd",
            ("jail_remove" | "jail_attach" | "procctl" | "close_range", ..) => "n",
            (_, _, Some(0x1_0000..)) => "address",
            // A journal contains names, whose length depends on the jid.
            ("read" | "write", 2, _) if *argument != RTM_ADD_LENGTH => "length",
            _ => argument,
        }
    });
    format!("{name}({})", shown.collect::<Vec<_>>().join(","))
}

//! The whole state of the host, as lines that can be compared.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jailwire::interface::InterfaceType;
use jailwire::jail::{self, devfs::Devfs};
use jailwire::route::Via;
use jailwire::types::Fib;
use jailwire::vnet::Vnet;

use crate::program::text;
use crate::world::World;

/// How long the kernel may take to remove what belonged to a process or a jail.
const SETTLES: Duration = Duration::from_secs(30);

impl World {
    /// The whole state in a fixed order, without numbers that only grow: interfaces with their addresses, members
    /// and descriptions, routes, jails with their contents, mounts, devfs rulesets, the state directory, and the
    /// files below iocage's directory.
    pub fn state(&self) -> Vec<String> {
        let mut lines = self.kernel_state().unwrap_or_else(|error| vec![format!("looking failed: {error}")]);
        run_files(&self.run_directory(), &mut lines);
        let top = self.path("");
        let device = fs::metadata(&top).expect("the directory").dev();
        files(&top, &top, device, &mut lines);
        lines.sort();
        lines
    }

    fn kernel_state(&self) -> jailwire::Result<Vec<String>> {
        let mut lines = stack("host", &self.host)?;
        let kernel = self.host.kernel();
        for jail in jail::list(&**kernel, true)? {
            lines.push(format!(
                "jail {} {} vnet {} dying {}",
                jail.name,
                jail.path.display(),
                jail.vnet,
                jail.dying
            ));
            if jail.vnet && !jail.dying {
                lines.extend(stack(&jail.name, &Vnet::enter(kernel.clone(), jail.jid)?)?);
            }
        }
        for mounted in
            kernel.mounts().map_err(|failure| jailwire::Error::new("list", "mounts", "getfsstat", failure))?
        {
            lines.push(format!("mount {} {} on {}", mounted.fstype, mounted.from, mounted.on.display()));
        }
        let devfs = Devfs::open(kernel.clone(), Path::new("/dev"))?;
        for number in devfs.rulesets()? {
            // The order of starts decides which number is free.
            let shown = if number < 1000 { number.to_string() } else { "of a jail".to_owned() };
            lines.push(format!("ruleset {shown}: {:?}", devfs.rules(number)?));
        }
        Ok(lines)
    }

    /// Waits until the state is the expected one. Fails if that does not happen in time.
    #[track_caller]
    pub fn settles(&self, expected: &[String], what: &str) {
        self.settles_within(SETTLES, expected, what);
    }

    /// As `settles`, with another time limit. Returns how long it took.
    #[track_caller]
    pub fn settles_within(&self, limit: Duration, expected: &[String], what: &str) -> Duration {
        let begun = Instant::now();
        let mut state = self.state();
        while state != expected && begun.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(50));
            state = self.state();
        }
        let only = |one: &[String], other: &[String], sign: &str| -> String {
            let mut other: Vec<&String> = other.iter().collect();
            let mut more = String::new();
            for line in one {
                match other.iter().position(|same| *same == line) {
                    Some(at) => drop(other.swap_remove(at)),
                    None => more += &format!("\n{sign} {line}"),
                }
            }
            more
        };
        assert!(
            state == expected,
            "{what}:{}{}{}",
            only(&state, expected, "+"),
            only(expected, &state, "-"),
            self.what_runs()
        );
        begun.elapsed()
    }

    /// The processes and sockets that may keep a jail of a running kernel, as the system's programs show them.
    fn what_runs(&self) -> String {
        if self.sim.is_some() {
            return String::new();
        }
        let looks = [
            "jls -dn jid name dying vnet",
            "ps -axdo pid,ppid,jid,state,wchan,command",
            "procstat -ka",
            "sockstat",
            "fstat",
            "netstat -an",
            "mount",
            "vmstat -m",
        ];
        let shown = looks.map(|look| {
            let output = Command::new("/bin/sh").args(["-c", look]).output();
            let said = output.map(|output| text(&output.stdout)).unwrap_or_default();
            format!("\n# {look}\n{said}")
        });
        shown.concat()
    }
}

/// A network stack, as lines.
fn stack(whose: &str, vnet: &Vnet) -> jailwire::Result<Vec<String>> {
    let mut lines = Vec::new();
    let shown = |name: &str| match name.split_once('.') {
        Some((nic, jid)) if nic.starts_with("vnet") && jid.parse::<u32>().is_ok() => format!("{nic}.JID"),
        _ => name.to_owned(),
    };
    for details in vnet.interface_details()? {
        let interface = &details.interface;
        let name = shown(interface.name.as_str());
        let (groups, description) = (&details.groups, details.description.as_deref().unwrap_or_default());
        // A host without a UUID of its own gives each new bridge a random MAC address (ether_gen_addr(9)).
        let mac = interface.mac.filter(|_| interface.kind != InterfaceType::BRIDGE);
        lines.push(format!(
            "{whose} {name} flags {:?} mtu {} mac {mac:?} groups {groups:?} fib {} description {description}",
            interface.flags, interface.mtu, details.fib
        ));
        for address in &interface.addresses {
            // The scope of an address is left out, because it is a number that only grows.
            lines.push(format!("{whose} {name} {} {:?}", address.network, address.broadcast));
        }
        if interface.kind == InterfaceType::BRIDGE {
            for member in vnet.members(&interface.name)? {
                lines.push(format!("{whose} {name} member {}", shown(member.name.as_str())));
            }
        }
    }
    for route in vnet.routes(Fib::DEFAULT)? {
        // The index of a link is left out, because it only grows. The interface's name identifies the link.
        let via = match route.via {
            Via::Interface(_) => "on".to_owned(),
            via => via.to_string(),
        };
        let interface = route.interface.map(|name| shown(name.as_str())).unwrap_or_default();
        lines.push(format!("{whose} route {} {via} {:?} {interface}", route.destination, route.flags));
    }
    Ok(lines)
}

/// The jails' files in /var/run, and the program's own.
fn run_files(directory: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "jailwire" {
            let inside = fs::read_dir(&path).into_iter().flatten().flatten();
            lines.extend(inside.map(|entry| format!("run jailwire/{}", entry.file_name().to_string_lossy())));
        }
        if name.to_string_lossy().contains("jail") {
            lines.push(format!("run {}", name.to_string_lossy()));
        }
    }
}

/// The files below iocage's directory, without logs, and without the files that iocage itself writes at every
/// start.
fn files(top: &Path, directory: &Path, device: u64, lines: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(top).expect("below it");
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        if name.starts_with("log") || name.starts_with(".sim") {
            continue;
        }
        let what = if about.is_dir() {
            "a directory".to_owned()
        } else if about.is_symlink() {
            format!("leads to {:?}", fs::read_link(&path).ok())
        } else if about.file_type().is_fifo() || about.file_type().is_socket() {
            "a pipe or socket".to_owned()
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            let lasting = |line: &&str| {
                !["last_started", "\"notes\"", "\"ip4_addr\""].iter().any(|word| line.contains(word))
            };
            let kept = text.lines().filter(lasting);
            kept.map(|line| line.trim().trim_end_matches(',')).collect::<Vec<_>>().join("|")
        };
        lines.push(format!("file {}: {what}", name.display()));
        // Mounted directories are compared as mounts.
        if about.is_dir() && about.dev() == device {
            files(top, &path, device, lines);
        }
    }
}

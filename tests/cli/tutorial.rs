//! docs/guide/tutorial.md: each command on the page is run unchanged, and must print the output on the page.
//!
//! The machine is the simulated kernel with `examples/iocage`. Scripts on PATH replace programs of FreeBSD: `sysrc`
//! edits the test's own rc.conf, `service` runs `etc/rc.d/jailwire` with it, and `iocage` is jailwire under that
//! name.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jailwire::Vnet;
use jailwire::sim::Sim;
use snapbox::assert_data_eq;

use crate::rc::RC_SUBR;
use crate::support::{Root, text};

const PAGE: &str = include_str!("../../docs/guide/tutorial.md");

/// The commands in the page's `console` blocks, each with the output below it.
fn commands() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in PAGE.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match line.strip_prefix("# ") {
                Some(command) => found.push((command.to_owned(), String::new())),
                None => {
                    let (_, expected) = found.last_mut().expect("a block begins with a command");
                    expected.push_str(line);
                    expected.push('\n');
                }
            },
            (false, _) => {}
        }
    }
    found
}

/// The host of the page: bridge0 with em0 on it, and three jails that iocage has started.
struct Host {
    root: Root,
    bin: PathBuf,
    rc_conf: PathBuf,
}

impl Host {
    fn new() -> Host {
        let root = Root::new();
        let place = root.path().join(".sim");
        let bin = place.join("bin");
        fs::create_dir_all(&bin).unwrap();
        let host = Host { bin, rc_conf: place.join("rc.conf"), root };

        let vnet = Vnet::host(Arc::new(Sim::open(&place).unwrap()));
        let bridge = vnet.create_bridge().unwrap();
        vnet.add_member(&bridge, &"em0".parse().unwrap()).unwrap();
        vnet.up(&bridge).unwrap();

        let program = env!("CARGO_BIN_EXE_jailwire");
        let renamed = place.join("iocage");
        std::os::unix::fs::symlink(program, &renamed).unwrap();
        for (name, program) in [("jailwire", Path::new(program)), ("iocage", &renamed)] {
            let directory = host.root.path().display();
            host.write(name, &format!("exec {} --kernel sim --root {directory} \"$@\"", program.display()));
        }

        let rc_conf = host.rc_conf.display();
        host.write(
            "sysrc",
            &format!(
                "for word; do\n\
                 name=${{word%%=*}} new=${{word#*=}}\n\
                 old=$(sed -n \"s/^$name=\\\"\\(.*\\)\\\"$/\\1/p\" {rc_conf})\n\
                 grep -v \"^$name=\" {rc_conf} >{rc_conf}.new\n\
                 echo \"$name=\\\"$new\\\"\" >>{rc_conf}.new && mv {rc_conf}.new {rc_conf}\n\
                 echo \"$name: $old -> $new\"\n\
                 done"
            ),
        );
        let (subr, script) = (place.join("rc.subr"), place.join("rc.d"));
        fs::write(&subr, RC_SUBR).unwrap();
        let original = include_str!("../../etc/rc.d/jailwire");
        fs::write(&script, original.replace("/etc/rc.subr", subr.to_str().unwrap())).unwrap();
        host.write(
            "service",
            &format!("[ \"$1\" = jailwire ] && RC_CONF={rc_conf} exec /bin/sh {} \"$2\"", script.display()),
        );
        let jailwire = host.bin.join("jailwire");
        fs::write(
            &host.rc_conf,
            format!("jailwire_program=\"{}\"\niocage_enable=\"YES\"\n", jailwire.display()),
        )
        .unwrap();

        let (seen, status) = host.sh("iocage start --workers 1 ALL");
        assert_eq!(status, 0, "{seen}");
        host
    }

    fn write(&self, name: &str, script: &str) {
        let path = self.bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a command. Returns its output and exit status.
    fn sh(&self, command: &str) -> (String, i32) {
        let path = format!("{}:/usr/bin:/bin", self.bin.display());
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().env("PATH", path).args(["-c", &format!("{{ {command}; }} 2>&1")]);
        let output = shell.output().unwrap();
        (text(&output.stdout), output.status.code().unwrap())
    }
}

/// Removes the lines that count jails, which a terminal shows as a bar: `web: started (2 of 2)`.
fn as_on_a_terminal(seen: &str) -> String {
    let counts = |line: &str| {
        let number = line.strip_suffix(')').and_then(|line| line.rsplit_once(" of "));
        number.is_some_and(|(before, total)| total.parse::<u32>().is_ok() && before.contains(" ("))
    };
    seen.split_inclusive('\n').filter(|line| !counts(line.trim_end())).collect()
}

#[test]
fn each_command_prints_what_stands_below_it() {
    let host = Host::new();
    let commands = commands();
    assert!(commands.len() > 15, "the page has {} commands", commands.len());
    for (command, expected) in commands {
        let (seen, status) = host.sh(&command);
        assert_eq!(status, 0, "{command}: {seen}");
        let seen = seen.replace(&format!("{}/.sim/run", host.root.path().display()), "/var/run");
        let seen = seen.replace(&host.root.path().display().to_string(), "/iocage");
        let seen = as_on_a_terminal(&seen);
        assert_data_eq!(format!("# {command}\n{seen}"), format!("# {command}\n{expected}"));
    }
    // At the end of the page, the host is as before.
    let (list, _) = host.sh("iocage list");
    assert_eq!(list.matches("| up ").count(), 3, "{list}");
    let settings = fs::read_to_string(&host.rc_conf).unwrap();
    assert!(
        settings.contains("iocage_enable=\"YES\"") && settings.contains("jailwire_enable=\"NO\""),
        "{settings}"
    );
}

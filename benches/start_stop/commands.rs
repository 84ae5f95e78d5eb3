//! Starts and stops by programs: the commands that iocage runs for the network of a jail, and jail(8) with a
//! jail.conf.
//!
//! iocage's sequence is that of version 1.8 for `vnet=on`, one NIC and `vnet_default_interface=none`, as it was
//! recorded, without Python, and without everything that is not about the network: ZFS, devfs rulesets, `rc`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::jails::{self, Wiring};
use crate::{Fallible, Marks, Setup, Timing};

const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin";

/// Runs a program. Returns its output, whatever its exit status is.
fn attempt(words: &[&str]) -> Fallible<Output> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env_clear().env("PATH", PATH).stdin(Stdio::null());
    command.output().map_err(|error| format!("{words:?}: {error}").into())
}

/// Runs a program that has to succeed.
fn run(words: &[&str]) -> Fallible<String> {
    let output = attempt(words)?;
    if !output.status.success() {
        return Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Starts and stops the jails with iocage's commands.
pub fn iocage(setup: &Setup<'_>, marks: &mut Marks) -> Fallible<Timing> {
    let directory = tempfile::tempdir()?;
    let jails: Vec<Iocage> = (0..setup.count)
        .map(|number| Iocage::new(setup, directory.path(), number))
        .collect::<Fallible<_>>()?;
    each(&jails, setup, marks, Iocage::start, Iocage::stop)
}

/// Starts and stops the jails with jail(8).
pub fn jail(setup: &Setup<'_>, marks: &mut Marks) -> Fallible<Timing> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("jail.conf");
    let entries: String = (0..setup.count).map(|number| jail_conf(setup, number)).collect();
    fs::write(&file, format!("path = \"/\";\npersist;\nexec.clean;\n{entries}"))?;
    let file = file.to_str().ok_or("a path that is no text")?;
    let names: Vec<String> = (0..setup.count).map(jails::name).collect();
    let quietly = |flag| move |name: &String| run(&["jail", "-q", "-f", file, flag, name]).map(drop);
    each(&names, setup, marks, quietly("-c"), quietly("-r"))
}

fn each<T>(
    jails: &[T],
    setup: &Setup<'_>,
    marks: &mut Marks,
    start: impl Fn(&T) -> Fallible,
    stop: impl Fn(&T) -> Fallible,
) -> Fallible<Timing> {
    let mut timing = Timing::default();
    marks.take(setup.host);
    let begin = Instant::now();
    for jail in jails {
        start(jail)?;
        timing.up.push(begin.elapsed());
    }
    timing.start = begin.elapsed();
    marks.take(setup.host);
    let begin = Instant::now();
    for jail in jails {
        stop(jail)?;
    }
    timing.stop = begin.elapsed();
    marks.take(setup.host);
    Ok(timing)
}

fn jail_conf(setup: &Setup<'_>, number: usize) -> String {
    let (name, bridge) = (jails::name(number), setup.bridge);
    if setup.network == Wiring::Shared {
        let address = jails::shared_address(number);
        return format!("{name} {{ interface = lo0; ip4.addr = {address}; ip6 = disable; }}\n");
    }
    let (address, router) = (jails::address(number), jails::ROUTER);
    // Each jail has a unit of its own. The unit is free, because nothing else makes epairs here.
    let epair = format!("epair{number}");
    format!(
        "{name} {{
    vnet;
    vnet.interface = {epair}b;
    exec.prestart = \"ifconfig {epair} create\";
    exec.prestart += \"ifconfig {epair}a description 'associated with jail: {name} as nic: {epair}b' up\";
    exec.prestart += \"ifconfig {bridge} addm {epair}a up\";
    exec.start = \"ifconfig {epair}b inet {address} up\";
    exec.start += \"route add default {router}\";
    exec.poststop = \"ifconfig {epair}a destroy\";
}}\n"
    )
}

/// One of iocage's jails.
struct Iocage {
    name: String,
    file: PathBuf,
    bridge: String,
    address: String,
    description: String,
    macs: [String; 2],
    network: Wiring,
}

impl Iocage {
    fn new(setup: &Setup<'_>, directory: &std::path::Path, number: usize) -> Fallible<Iocage> {
        let name = jails::name(number);
        let file = directory.join(format!("jail.ioc-{name}.conf"));
        let network = match setup.network {
            Wiring::Vnet => "vnet = new;".to_owned(),
            Wiring::Shared => {
                format!(
                    "ip4.addr += \"lo0|{}\"; ip4.saddrsel = 1; ip4 = new; ip6 = disable;",
                    jails::shared_address(number)
                )
            }
        };
        fs::write(&file, format!("\"{name}\" {{ {network} path = \"/\"; persist; }}\n"))?;
        let (host, jail) = jails::macs(number);
        let bare = |mac: jailwire::MacAddr| mac.to_string().replace(':', "");
        Ok(Iocage {
            description: format!("associated with jail: {name} as nic: epair0b"),
            file,
            bridge: setup.bridge.to_string(),
            address: jails::address(number),
            macs: [bare(host), bare(jail)],
            network: setup.network,
            name,
        })
    }

    fn file(&self) -> Fallible<&str> {
        Ok(self.file.to_str().ok_or("a path that is no text")?)
    }

    /// Runs `jls` several times, because iocage looks up one thing after the other.
    fn look_up(&self, times: usize) -> Fallible<String> {
        let mut jid = String::new();
        for _ in 0..times {
            jid = run(&["jls", "-j", &self.name, "jid"])?;
        }
        Ok(jid)
    }

    /// Runs a command inside the jail, as iocage does.
    fn inside(&self, words: &[&str]) -> Fallible {
        run(&[&["setfib", "0", "jexec", &self.name], words].concat()).map(drop)
    }

    fn start(&self) -> Fallible {
        run(&["jail", "-f", self.file()?, "-c"])?;
        if self.network == Wiring::Shared {
            return self.look_up(2).map(drop);
        }
        self.look_up(5)?;
        // iocage runs this to make a missing bridge. It always fails.
        attempt(&["ifconfig", &self.bridge, "create", "addm"])?;
        let shown = run(&["ifconfig", &self.bridge])?;
        let member = shown.lines().find_map(|line| line.trim_start().strip_prefix("member: "));
        if let Some(member) = member.and_then(|line| line.split_whitespace().next()) {
            run(&["ifconfig", member])?;
        }
        let jid = self.look_up(3)?;
        let host_end = format!("vnet0.{jid}");
        let made = run(&["ifconfig", "epair", "create"])?;
        let unit = made.strip_suffix('a').ok_or("ifconfig made no epair")?;
        let jail_end = format!("{unit}b");
        run(&["ifconfig", &made, "name", &host_end, "mtu", "1500"])?;
        run(&["ifconfig", &host_end, "link", &self.macs[0]])?;
        run(&["ifconfig", &host_end, "description", &self.description])?;
        run(&["ifconfig", &jail_end, "vnet", &self.name])?;
        run(&["jexec", &self.name, "ifconfig", &jail_end, "mtu", "1500"])?;
        if jail_end != "epair0b" {
            self.inside(&["ifconfig", &jail_end, "name", "epair0b"])?;
        }
        self.inside(&["ifconfig", "epair0b", "link", &self.macs[1]])?;
        run(&["ifconfig", &self.bridge, "addm", &host_end, "up"])?;
        run(&["ifconfig", &host_end, "up"])?;
        self.look_up(1)?;
        self.inside(&["ifconfig", "epair0b", &self.address, "alias"])?;
        self.look_up(1)?;
        self.inside(&["route", "add", "default", jails::ROUTER])
    }

    fn stop(&self) -> Fallible {
        let jid = self.look_up(2)?;
        run(&["jls", "-j", &self.name, "devfs_ruleset"])?;
        if self.network == Wiring::Vnet {
            run(&["ifconfig", &format!("vnet0.{jid}"), "destroy"])?;
        }
        run(&["jail", "-q", "-f", self.file()?, "-r", &self.name]).map(drop)
    }
}

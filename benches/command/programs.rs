//! The programs that iocage runs to start and to stop a jail, in its order, as they were recorded with version 1.8 for
//! one NIC, IPv4 and `vnet_default_interface=none`, without the Python around them. 21 of the programs of each command ask ZFS,
//! once for all jails. They are run if `JAILWIRE_BENCH_POOL` names a pool.

use std::process::{Command, Output, Stdio};

use crate::Fallible;
use crate::files::{self, BRIDGE, Jail, Kind, ROUTER};

const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin";

/// The devices of iocage's generated ruleset.
const DEVICES: [&str; 45] = [
    "null", "zero", "crypto", "random", "urandom", "ptyp*", "ptyq*", "ptyr*", "ptys*", "ptyP*", "ptyQ*",
    "ptyR*", "ptyS*", "ptyl*", "ptym*", "ptyn*", "ptyo*", "ptyL*", "ptyM*", "ptyN*", "ptyO*", "ttyp*",
    "ttyq*", "ttyr*", "ttys*", "ttyP*", "ttyQ*", "ttyR*", "ttyS*", "ttyl*", "ttym*", "ttyn*", "ttyo*",
    "ttyL*", "ttyM*", "ttyN*", "ttyO*", "ptmx", "pts", "pts/*", "fd", "fd/*", "stdin", "stdout", "stderr",
];
/// The first ruleset that is given.
const RULESETS: u32 = 1000;

/// Runs a program and returns what the program printed, whatever its status.
fn attempt(words: &[&str]) -> Fallible<Output> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env_clear().env("PATH", PATH).stdin(Stdio::null());
    command.output().map_err(|error| format!("{words:?}: {error}").into())
}

/// Runs a program that has to succeed.
pub fn run(words: &[&str]) -> Fallible<String> {
    let output = attempt(words)?;
    if !output.status.success() {
        return Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// One of the jails, as iocage works on it.
struct Iocage<'a> {
    jail: &'a Jail,
    name: String,
    ruleset: String,
}

impl<'a> Iocage<'a> {
    fn new(jail: &'a Jail, number: usize) -> Iocage<'a> {
        Iocage { jail, name: format!("ioc-{}", jail.name), ruleset: (RULESETS + number as u32).to_string() }
    }

    /// `jls` so often, as iocage looks up one thing after the other. Before a jail is up, jls fails.
    fn look_up(&self, times: usize) -> Fallible<String> {
        let mut jid = Vec::new();
        for _ in 0..times {
            jid = attempt(&["jls", "-j", &self.name, "jid"])?.stdout;
        }
        Ok(String::from_utf8_lossy(&jid).trim().to_owned())
    }

    /// A command inside, as iocage runs it.
    fn inside(&self, words: &[&str]) -> Fallible {
        run(&[&["setfib", "0", "jexec", &self.name], words].concat()).map(drop)
    }

    fn make_ruleset(&self) -> Fallible {
        run(&["devfs", "rule", "showsets"])?;
        let add = ["devfs", "rule", "-s", &self.ruleset, "add"];
        run(&[&add[..], &["hide"]].concat())?;
        for device in DEVICES.iter().chain(&["zfs"]) {
            run(&[&add[..], &["path", device, "unhide"]].concat())?;
        }
        Ok(())
    }

    fn start(&self) -> Fallible {
        self.look_up(1)?;
        run(&["netstat", "-r", "-n", "--libxo", "json"])?;
        self.look_up(1)?;
        let devfs = self.jail.kind.has_devfs();
        if devfs {
            self.make_ruleset()?;
        }
        run(&["/usr/bin/true"])?;
        let conf = files::jail_conf(self.jail, devfs.then(|| self.ruleset.parse()).transpose()?)?;
        run(&["jail", "-f", conf.to_str().ok_or("a path that is no text")?, "-c"])?;
        if self.jail.kind == Kind::Shared {
            self.look_up(2)?;
        } else {
            self.look_up(5)?;
            self.wire()?;
            self.look_up(1)?;
        }
        self.inside(&["/usr/bin/true"])?;
        self.look_up(1)?;
        run(&["/usr/bin/true"])?;
        self.look_up(1)?;
        run(&["sysctl", "-d", "security.jail.param"]).map(drop)
    }

    fn wire(&self) -> Fallible {
        // How iocage makes a bridge that is missing; it always fails.
        attempt(&["ifconfig", BRIDGE, "create", "addm"])?;
        run(&["ifconfig", BRIDGE])?;
        run(&["ifconfig", "lo0"])?;
        let jid = self.look_up(3)?;
        let host_end = format!("vnet0.{jid}");
        let made = run(&["ifconfig", "epair", "create"])?;
        let unit = made.strip_suffix('a').ok_or("ifconfig made no epair")?;
        let jail_end = format!("{unit}b");
        let description = format!("associated with jail: {} as nic: epair0b", self.jail.name);
        run(&["ifconfig", &made, "name", &host_end, "mtu", "1500"])?;
        run(&["ifconfig", &host_end, "link", &self.jail.macs[0]])?;
        run(&["ifconfig", &host_end, "description", &description])?;
        run(&["ifconfig", &jail_end, "vnet", &self.name])?;
        run(&["jexec", &self.name, "ifconfig", &jail_end, "mtu", "1500"])?;
        if jail_end != "epair0b" {
            self.inside(&["ifconfig", &jail_end, "name", "epair0b"])?;
        }
        self.inside(&["ifconfig", "epair0b", "link", &self.jail.macs[1]])?;
        run(&["ifconfig", BRIDGE, "addm", &host_end, "up"])?;
        run(&["ifconfig", &host_end, "up"])?;
        self.look_up(1)?;
        self.inside(&["ifconfig", "epair0b", &format!("{}/16", self.jail.address), "alias"])?;
        self.look_up(1)?;
        self.inside(&["route", "add", "default", ROUTER])?;
        self.look_up(1).map(drop)
    }

    fn stop(&self) -> Fallible {
        let jid = self.look_up(2)?;
        run(&["jls", "-j", &self.name, "devfs_ruleset"])?;
        attempt(&["rctl"])?;
        run(&["/usr/bin/true"])?;
        self.inside(&["/usr/bin/true"])?;
        if self.jail.kind != Kind::Shared {
            run(&["ifconfig", &format!("vnet0.{jid}"), "destroy"])?;
        }
        if self.jail.kind.has_devfs() {
            run(&["devfs", "rule", "showsets"])?;
            run(&["devfs", "rule", "-s", &self.ruleset, "delset"])?;
        }
        let conf = format!("/var/run/jail.{}.conf", self.name);
        run(&["jail", "-q", "-f", &conf, "-r", &self.name])?;
        std::fs::remove_file(&conf)?;
        run(&["/usr/bin/true"])?;
        let fstab = self.jail.directory().join("fstab");
        attempt(&["umount", "-afF", fstab.to_str().ok_or("a path that is no text")?])?;
        for place in ["dev/fd", "dev", "proc", "compat/linux/proc"] {
            let place = self.jail.root().join(place);
            attempt(&["umount", "-f", place.to_str().ok_or("a path that is no text")?])?;
        }
        Ok(())
    }
}

/// Asks ZFS what iocage asks before all else, if there is a pool.
fn ask_zfs() -> Fallible {
    let Ok(pool) = std::env::var("JAILWIRE_BENCH_POOL") else { return Ok(()) };
    let iocage = format!("{pool}/iocage");
    let get = ["zfs", "get", "-H", "-o"];
    attempt(&["sysctl", "vfs.zfs.version.spa"])?;
    attempt(&["zpool", "get", "-H", "-o", "name,property,value", "all"])?;
    attempt(&[&get[..], &["name,property,value", "-t", "filesystem", "all", &pool]].concat())?;
    attempt(&["zfs", "list", &iocage])?;
    attempt(&[&get[..], &["name,property,value", "-r", "-t", "filesystem", "all", &iocage]].concat())?;
    attempt(&["zfs", "list", &iocage])?;
    attempt(&[&get[..], &["property,value", "all", &iocage]].concat())?;
    for part in ["download", "images", "jails", "log", "releases", "templates"] {
        let dataset = format!("{iocage}/{part}");
        attempt(&["zfs", "list", &dataset])?;
        attempt(&[&get[..], &["property,value", "all", &dataset]].concat())?;
    }
    attempt(&[&get[..], &["property,value", "all", &iocage]].concat())?;
    attempt(&["zfs", "list", "-t", "filesystem", "-rHo", "name"])?;
    Ok(())
}

/// Makes the datasets that iocage asks for, if there is a pool.
pub fn make_datasets() -> Fallible {
    let Ok(pool) = std::env::var("JAILWIRE_BENCH_POOL") else { return Ok(()) };
    for part in ["download", "images", "jails", "log", "releases", "templates"] {
        run(&["zfs", "create", "-p", &format!("{pool}/iocage/{part}")])?;
    }
    Ok(())
}

/// Starts all of them, and says of each that it is up.
pub fn start(jails: &[Jail], mut up: impl FnMut()) -> Fallible {
    ask_zfs()?;
    for (number, jail) in jails.iter().enumerate() {
        Iocage::new(jail, number).start()?;
        up();
    }
    Ok(())
}

/// Stops all of them.
pub fn stop(jails: &[Jail]) -> Fallible {
    ask_zfs()?;
    jails.iter().enumerate().try_for_each(|(number, jail)| Iocage::new(jail, number).stop())
}

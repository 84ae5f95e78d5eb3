//! The host, the rounds and what is printed.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jailwire::Vnet;
use jailwire::types::InterfaceName;
use serde_json::Value;

use crate::Fallible;
use crate::accounts::Reading;
use crate::accounts::programs::Accounting;
use crate::commands::{self, feed, run};
use crate::plugins::Plugins;

/// The bridge that all variants make.
pub const BRIDGE: &str = "cni0";

/// The address of the host on the bridge.
pub const GATEWAY: &str = "10.87.0.1";

/// A container: a jail with a network stack.
#[derive(Debug)]
pub struct Container {
    /// The jail's name, which is the container's id. The plugin `portmap` of `dfr/plugins` wants 32 characters. A name of
    /// digits alone would be a jid.
    pub name: String,
    /// The address that the commands give it.
    pub address: String,
    /// The port of the host that is published.
    pub port: u16,
}

/// A way to attach and detach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// The commands of `dfr/plugins`.
    Commands,
    /// `dfr/plugins`.
    Plugins,
    /// This package's plugins.
    Jailwire,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::Commands => "commands",
            Variant::Plugins => "plugins",
            Variant::Jailwire => "jailwire",
        })
    }
}

/// The time of a round, for each container.
#[derive(Debug, Clone, Copy)]
struct Took {
    add: Duration,
    del: Duration,
}

/// The host, prepared for the measurements.
struct Bench {
    host: Vnet,
    containers: Vec<Container>,
    ours: PathBuf,
    theirs: Option<PathBuf>,
    data: PathBuf,
}

pub fn main() -> Fallible {
    let kernel = jailwire::kernel::here()?;
    if !kernel.privileged() {
        return Err("only root makes jails: run this as root, in a guest".into());
    }
    let host = Vnet::host(kernel);
    let directory = tempfile::tempdir()?;
    let bench = Bench::prepare(host, directory.path())?;
    let measured = bench.measure();
    bench.clean_up();
    measured
}

fn number(variable: &str, default: usize) -> Fallible<usize> {
    match std::env::var(variable) {
        Ok(text) => text.parse().map_err(|error| format!("{variable}={text}: {error}").into()),
        Err(_) => Ok(default),
    }
}

impl Bench {
    fn prepare(host: Vnet, directory: &Path) -> Fallible<Bench> {
        if run(&["pfctl", "-s", "info"]).is_ok_and(|text| text.contains("Status: Enabled")) {
            return Err(
                "pf is enabled, and this benchmark writes pf's main ruleset: run it in a guest".into()
            );
        }
        let ours = directory.join("bin");
        std::fs::create_dir(&ours)?;
        for plugin in ["bridge", "portmap"] {
            symlink(env!("CARGO_BIN_EXE_netavark"), ours.join(plugin))?;
        }
        run(&["kldload", "-n", "pf", "if_bridge", "if_epair"])?;
        // A way out, where the guest has none: NAT needs an address of the host.
        let way_out = run(&["ifconfig", "epair", "create"])?;
        run(&["ifconfig", &way_out, "inet", "192.0.2.1/24", "up"])?;
        run(&["route", "-n", "add", "-net", "0.0.0.0/0", "192.0.2.2"])?;
        let rules = format!(
            "table <cni-nat> persist\nnat on {way_out} inet from <cni-nat> to any -> ({way_out})\n\
             nat-anchor \"jailwire/*\"\nrdr-anchor \"cni-rdr/*\"\nrdr-anchor \"jailwire/*\"\nanchor \"jailwire/*\"\npass\n"
        );
        feed(&["pfctl", "-f", "-"], &rules)?;
        run(&["pfctl", "-e"])?;
        let count = number("JAILWIRE_BENCH_CONTAINERS", 8)?;
        let containers = (0..count).map(|number| Container {
            name: format!("{number:032}x"),
            address: format!("10.87.0.{}", number + 2),
            port: 9000 + u16::try_from(number).unwrap_or_default(),
        });
        let containers: Vec<Container> = containers.collect();
        for container in &containers {
            run(&["jail", "-c", &format!("name={}", container.name), "vnet", "persist", "path=/"])?;
        }
        let theirs = std::env::var_os("JAILWIRE_BENCH_PLUGINS").map(PathBuf::from);
        Ok(Bench { host, containers, ours, theirs, data: directory.join("networks") })
    }

    /// Takes the jails and the rules away. What is gone already is no failure.
    fn clean_up(&self) {
        for container in &self.containers {
            let _ = run(&["jail", "-r", &container.name]);
        }
        let _ = run(&["pfctl", "-d"]);
        let _ = run(&["pfctl", "-F", "all"]);
    }

    fn variants(&self) -> Vec<Variant> {
        let mut variants = vec![Variant::Commands, Variant::Plugins, Variant::Jailwire];
        variants.retain(|variant| *variant != Variant::Plugins || self.theirs.is_some());
        variants
    }

    fn measure(&self) -> Fallible {
        let release = self.host.sysctl("kern.osrelease")?;
        let release = String::from_utf8_lossy(&release).trim_end_matches('\0').to_owned();
        let words = format!("{release},{}", self.host.sysctl_int("kern.hz")?);
        println!("programs,kernel,hz,variant,containers,children,programs,names");
        println!("run,kernel,hz,variant,containers,round,add_us,del_us,processes");
        println!("median,kernel,hz,variant,containers,add_us,del_us,both_us");
        let count = self.containers.len();
        for variant in self.variants() {
            self.programs(variant, &words)?;
        }
        let mut all: BTreeMap<String, Vec<Took>> = BTreeMap::new();
        for round in 1..=number("JAILWIRE_BENCH_ROUNDS", 5)? {
            let mut variants = self.variants();
            // Each comes first once, and last.
            let first = (round - 1) % variants.len();
            variants.rotate_left(first);
            for variant in variants {
                let before = Reading::take(&self.host);
                let took = self.round(variant)?;
                let processes = Reading::take(&self.host).processes - before.processes;
                let (add, del) = (took.add.as_micros(), took.del.as_micros());
                println!("run,{words},{variant},{count},{round},{add},{del},{processes}");
                all.entry(variant.to_string()).or_default().push(took);
            }
        }
        for (variant, took) in &all {
            let median = |part: fn(&Took) -> Duration| {
                let mut parts: Vec<Duration> = took.iter().map(part).collect();
                parts.sort();
                parts[parts.len() / 2].as_micros()
            };
            let (add, del) = (median(|took| took.add), median(|took| took.del));
            println!("median,{words},{variant},{count},{add},{del},{}", median(|took| took.add + took.del));
        }
        Ok(())
    }

    /// Prints the processes of a variant, by the kernel's accounting. This package's plugins run no program.
    fn programs(&self, variant: Variant, words: &str) -> Fallible {
        let accounting = Accounting::begin()?;
        self.round(variant)?;
        let ended = accounting.ended()?;
        drop(accounting);
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for process in &ended {
            let of = if process.ran { "" } else { " (child)" };
            *names.entry(format!("{}{of}", process.name)).or_default() += 1;
        }
        let ran = ended.iter().filter(|process| process.ran).count();
        let list = names.iter().map(|(name, count)| format!("{name}:{count}")).collect::<Vec<_>>().join(" ");
        let count = self.containers.len();
        println!("programs,{words},{variant},{count},{},{ran},{list}", ended.len() - ran);
        let others = names.keys().any(|name| !name.starts_with("bridge") && !name.starts_with("portmap"));
        // An ADD and a DEL of two plugins, and nothing besides.
        if variant == Variant::Jailwire && (others || ran != 4 * count) {
            return Err(format!("the plugins ran programs: {list}").into());
        }
        Ok(())
    }

    /// Attaches all containers one after the other, and detaches them.
    fn round(&self, variant: Variant) -> Fallible<Took> {
        let count = u32::try_from(self.containers.len()).unwrap_or(u32::MAX);
        let plugins = match (variant, &self.theirs) {
            (Variant::Plugins, Some(directory)) => Plugins { directory, data: &self.data.join("theirs") },
            _ => Plugins { directory: &self.ours, data: &self.data.join("ours") },
        };
        let begin = Instant::now();
        let mut results = Vec::new();
        for (number, container) in self.containers.iter().enumerate() {
            match variant {
                Variant::Commands => {
                    commands::add(container, number == 0)?;
                    results.push(Value::Null);
                }
                Variant::Plugins | Variant::Jailwire => results.push(plugins.add(container)?),
            }
        }
        let add = begin.elapsed() / count;
        for container in &self.containers {
            run(&["ifconfig", "-j", &container.name, "eth0"])?;
        }
        let begin = Instant::now();
        for (container, result) in self.containers.iter().zip(&results) {
            match variant {
                Variant::Commands => commands::del(container)?,
                Variant::Plugins | Variant::Jailwire => plugins.del(container, result)?,
            }
        }
        let del = begin.elapsed() / count;
        self.settle(variant)?;
        Ok(Took { add, del })
    }

    /// Brings the host back to where it was before a round: `dfr/plugins` leave the bridge and its address.
    fn settle(&self, variant: Variant) -> Fallible {
        let bridge: InterfaceName = BRIDGE.parse()?;
        if variant != Variant::Jailwire {
            run(&["ifconfig", BRIDGE, "destroy"])?;
            run(&["sysctl", "net.link.bridge.pfil_member=0", "net.inet.ip.forwarding=0"])?;
        }
        if self.host.interfaces()?.iter().any(|interface| interface.name == bridge) {
            return Err(format!("{variant} left {BRIDGE}").into());
        }
        // Each round begins with the same addresses.
        match std::fs::remove_dir_all(&self.data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

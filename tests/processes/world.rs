//! A host with a bridge, an interface that stands for the host's own, and jails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jailwire::jail::{self, mount};
use jailwire::kernel::Kernel;
use jailwire::sim::Sim;
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;
use tempfile::TempDir;

/// Lets one test run at a time, because a running kernel has one state to compare.
static MACHINE: Mutex<()> = Mutex::new(());

/// The directories of the host that serve as the jails' base system.
pub const BASE: [&str; 6] = ["bin", "lib", "libexec", "sbin", "usr/bin", "usr/lib"];

/// The kinds of network that a jail may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Vnet,
    /// The jail is on a bridge that exists, and on a bridge that the first jail makes and the last takes away.
    TwoInterfaces,
    DualStack,
    SharedIp,
}

pub const KINDS: [Kind; 4] = [Kind::Vnet, Kind::TwoInterfaces, Kind::DualStack, Kind::SharedIp];

impl Kind {
    /// The values of `ip4_addr` that a jail of this number may have.
    pub fn ip4(self, number: usize) -> [String; 2] {
        let address = |more: usize| format!("198.51.100.{}/24", 20 + 2 * number + more);
        match self {
            Kind::SharedIp => [format!("lan0|{}", address(0)), format!("lan0|{}", address(1))],
            Kind::TwoInterfaces => [0, 1]
                .map(|more| format!("vnet0|{},vnet1|203.0.113.{}/24", address(more), 20 + 2 * number + more)),
            _ => [0, 1].map(|more| format!("vnet0|{}", address(more))),
        }
    }

    fn config(self, name: &str, number: usize) -> String {
        let ip4 = &self.ip4(number)[0];
        let v6 = format!("2001:db8:90::{}", 20 + number);
        let network = match self {
            Kind::Vnet => {
                r#""vnet":1,"interfaces":"vnet0:bridge90","defaultrouter":"198.51.100.1""#.to_owned()
            }
            Kind::TwoInterfaces => {
                r#""vnet":1,"interfaces":"vnet0:bridge90,vnet1:bridge91","defaultrouter":"198.51.100.1""#
                    .to_owned()
            }
            Kind::DualStack => format!(
                r#""vnet":1,"interfaces":"vnet0:bridge90","ip6_addr":"vnet0|{v6}/64","defaultrouter":"198.51.100.1","defaultrouter6":"2001:db8:90::1""#
            ),
            Kind::SharedIp => format!(r#""vnet":0,"ip6_addr":"lan0|{v6}/64""#),
        };
        let macs = |nic: usize| format!("02ff60{nic:02x}{number:02x}0a 02ff60{nic:02x}{number:02x}0b");
        format!(
            r#"{{"host_hostuuid":"{name}","release":"15.1-RELEASE","exec_start":"/bin/sh -c \"exit 0\"","exec_stop":"/bin/sh -c \"exit 0\"","exec_prestart":"/bin/sleep 0.01","exec_poststop":"/bin/sleep 0.01","host_time":0,"resolver":"nameserver 198.51.100.53","defaultrouter6":"none","vnet0_mac":"{}","vnet1_mac":"{}","ip4_addr":"{ip4}",{network}}}"#,
            macs(0),
            macs(1)
        )
        .replacen(r#""defaultrouter6":"none","#, "", usize::from(self == Kind::DualStack))
    }
}

/// The host and its jails.
pub struct World {
    pub host: Vnet,
    pub sim: Option<Sim>,
    pub jails: Vec<(String, Kind)>,
    directory: TempDir,
    _alone: Option<MutexGuard<'static, ()>>,
}

#[cfg(target_os = "freebsd")]
fn machine() -> Option<Arc<dyn Kernel>> {
    let kernel = jailwire::kernel::here().ok().filter(|kernel| kernel.privileged());
    if kernel.is_none() {
        eprintln!("this is not root: testing the simulated kernel");
    }
    kernel
}

#[cfg(not(target_os = "freebsd"))]
fn machine() -> Option<Arc<dyn Kernel>> {
    None
}

pub fn name(text: &str) -> InterfaceName {
    text.parse().expect("a name")
}

impl World {
    /// A host with this number of jails of each kind. They were up once, and are down.
    pub fn new(of_each: usize) -> World {
        World::of(&KINDS.map(|kind| (kind, of_each)))
    }

    /// A host with these numbers of jails of these kinds. They were up once, and are down.
    pub fn of(wanted: &[(Kind, usize)]) -> World {
        let directory = tempfile::tempdir_in(crate::memory::directory()).expect("a temporary directory");
        let (kernel, sim, alone): (Arc<dyn Kernel>, _, _) = match machine() {
            Some(kernel) => {
                let alone = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
                (kernel, None, Some(alone))
            }
            None => {
                let sim = Sim::open(&directory.path().join(".sim")).expect("a simulated kernel");
                (Arc::new(sim.clone()), Some(sim), None)
            }
        };
        for module in ["if_epair", "if_bridge"] {
            kernel.load_module(module).expect("a module");
        }
        let mut world = World { host: Vnet::host(kernel), sim, jails: Vec::new(), directory, _alone: alone };
        world.wire_host();
        fs::create_dir_all(world.path("log")).expect("a directory");
        for number in 0..wanted.iter().map(|(_, count)| *count).max().unwrap_or(0) {
            for (kind, _) in wanted.iter().filter(|(_, count)| number < *count) {
                world.add(*kind, number);
            }
        }
        if !world.jails.is_empty() {
            // From now on, the files that a start leaves for good exist, as with iocage, and config.json has the
            // form in which it is written.
            for (name, _) in &world.jails {
                world.ok(&["set", "notes=none", name]);
            }
            world.ok(&["start", "ALL"]);
            world.ok(&["stop", "ALL"]);
        }
        world
    }

    /// Makes an epair. One end stands for an interface of the host, the other for the network behind it.
    fn wire_host(&self) {
        let pair = self.host.create_epair().expect("an epair");
        let (lan, cable, bridge) = (name("lan0"), name("lan0b"), name("bridge90"));
        self.host.rename(&pair.a, &lan).expect("a name");
        self.host.rename(&pair.b, &cable).expect("a name");
        self.host
            .add_ipv4(&lan, "198.51.100.1/24".parse::<ipnetwork::Ipv4Network>().unwrap())
            .expect("an address");
        self.host
            .add_ipv6(&lan, "2001:db8:90::1/64".parse::<ipnetwork::Ipv6Network>().unwrap())
            .expect("an address");
        self.host.create("bridge90").expect("a bridge");
        self.host.add_member(&bridge, &cable).expect("a member");
        for interface in [&lan, &cable, &bridge] {
            self.host.up(interface).expect("it goes up");
        }
    }

    fn add(&mut self, kind: Kind, number: usize) {
        let number = 4 * number + KINDS.iter().position(|one| *one == kind).expect("a kind");
        let name = format!("j{number}");
        self.write_jail(&name, &kind.config(&name, number));
        self.jails.push((name, kind));
    }

    /// Makes a jail's directory, with this configuration.
    pub fn write_jail(&self, name: &str, config: &str) {
        let jail = self.path("jails").join(name);
        for directory in BASE.iter().chain(&["dev", "etc", "tmp", "root", "var/run"]) {
            fs::create_dir_all(jail.join("root").join(directory)).expect("a directory");
        }
        let mount = |path: &&str| format!("/{path}\t{}/root/{path}\tnullfs\tro\t0\t0\n", jail.display());
        fs::write(jail.join("fstab"), BASE.iter().map(mount).collect::<String>()).expect("a file");
        fs::write(jail.join("config.json"), config).expect("a file");
    }

    /// A path below iocage's directory.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub fn root_of(&self, jail: &str) -> PathBuf {
        self.path("jails").join(jail).join("root")
    }

    pub fn run_directory(&self) -> PathBuf {
        self.host.kernel().run_directory().to_owned()
    }

    /// The mounts below iocage's directory.
    pub fn mounts(&self) -> Vec<jailwire::kernel::Mounted> {
        let top = self.directory.path().canonicalize().expect("the directory");
        mount::beneath(&**self.host.kernel(), &top).expect("the mounts")
    }
}

impl Drop for World {
    /// Removes everything, because on a running kernel the next test would find the leftovers of a failed test.
    fn drop(&mut self) {
        if self.sim.is_some() {
            return;
        }
        let kernel = self.host.kernel();
        for jail in jail::list(&**kernel, false).unwrap_or_default() {
            if jail.name.starts_with("ioc-") {
                let _ = jail::remove(&**kernel, jail.jid);
                let _ = jail::wait_gone(&**kernel, jail.jid, std::time::Duration::from_secs(10));
            }
        }
        // Epairs go with the jails that they were made in, and must not be destroyed meanwhile.
        std::thread::sleep(std::time::Duration::from_secs(2));
        for mounted in self.mounts() {
            let _ = mount::unmount(&**kernel, &mounted, true);
        }
        for link in self.host.links().unwrap_or_default() {
            let name = link.name.as_str();
            if name.starts_with("vnet") || ["lan0", "bridge90", "bridge91"].contains(&name) {
                let _ = self.host.destroy(&link.name);
            }
        }
        if let Ok(devfs) = jail::devfs::Devfs::open(kernel.clone(), Path::new("/dev")) {
            for number in devfs.rulesets().unwrap_or_default().into_iter().filter(|number| *number >= 1000) {
                let _ = devfs.delete(number);
            }
        }
        for entry in fs::read_dir("/var/run").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("jail.ioc-") {
                let _ = fs::remove_file(entry.path());
            }
        }
        let _ = fs::remove_dir_all("/var/run/jailwire");
    }
}

//! What `--dry-run` says of the requests that a start makes, held against those that it makes.

#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use jailwire::files::Files;
use jailwire::iocage::lifecycle::{Host, Report};
use jailwire::iocage::store::{Entry, Store};
use jailwire::kernel::sim::Sim;
use jailwire::kernel::{
    Domain, Entered, Entry as Visit, Finished, FsId, Handle, Kernel, MountRequest, Mounted, Parameter,
    Program, Request, Result, SocketOption, Sysctl, Target,
};
use jailwire_sys::{bridge, request};

/// A simulated kernel that writes down what it is asked to change.
#[derive(Debug)]
struct Recorder {
    sim: Sim,
    asked: Mutex<Vec<String>>,
}

impl Recorder {
    fn note(&self, name: &str) {
        self.asked.lock().unwrap().push(name.to_owned());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Requests that only look.
fn looks(name: &str) -> bool {
    let kinds = [
        "SIOCGIF",
        "SIOCGDRVSPEC",
        "SIOCGH",
        "DEVFSIO_SGETNEXT",
        "DEVFSIO_RGETNEXT",
        "SIOCGETVLAN",
        "SIOCIFGCLONERS",
    ];
    kinds.iter().any(|kind| name.starts_with(kind))
}

impl Kernel for Recorder {
    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        let name = request::name_of(request.number).expect("a request that C has a name for");
        // The command is behind the interface's name.
        let name = match name {
            "SIOCSDRVSPEC" => bridge::name_of(request.argument.u64_at(16)).expect("a bridge's command"),
            name => name,
        };
        self.sim.ioctl(handle, request)?;
        if !looks(name) {
            self.note(name);
        }
        Ok(())
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        if message[3] == jailwire_sys::RTM_ADD {
            self.note("RTM_ADD");
        }
        self.sim.send(handle, message)
    }

    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32> {
        self.note("jail_set");
        self.sim.jail_set(parameters, flags)
    }

    fn enter(&self, entry: &Visit) -> Result<Entered> {
        if matches!(entry.target, Target::New(_)) {
            self.note("jail_set");
        }
        self.sim.enter(entry)
    }

    fn mount(&self, request: &MountRequest) -> Result<()> {
        self.note("nmount");
        self.sim.mount(request)
    }

    fn jail_remove(&self, jid: i32) -> Result<()> {
        self.note("jail_remove");
        self.sim.jail_remove(jid)
    }

    fn unmount(&self, id: FsId, force: bool) -> Result<()> {
        self.note("unmount");
        self.sim.unmount(id, force)
    }

    fn socket(&self, domain: Domain) -> Result<Handle> {
        self.sim.socket(domain)
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        self.sim.open(path)
    }

    fn close(&self, handle: Handle) {
        self.sim.close(handle);
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        self.sim.set_option(handle, option, value)
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        self.sim.receive(handle, buffer)
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        self.sim.wait(handle, timeout)
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        self.sim.sysctl(sysctl)
    }

    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        self.sim.jail_get(parameters, flags)
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        self.sim.run(program)
    }

    fn load_module(&self, name: &str) -> Result<()> {
        self.sim.load_module(name)
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        self.sim.mounts()
    }

    fn now(&self) -> Duration {
        self.sim.now()
    }

    fn sleep(&self, duration: Duration) {
        self.sim.sleep(duration);
    }

    fn wall_clock(&self) -> SystemTime {
        self.sim.wall_clock()
    }

    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        self.sim.checkpoint(operation, path)
    }

    fn run_directory(&self) -> &Path {
        self.sim.run_directory()
    }

    fn privileged(&self) -> bool {
        self.sim.privileged()
    }

    fn simulated(&self) -> bool {
        true
    }
}

struct Silent;

impl Report for Silent {
    fn say(&mut self, _line: &str) {}
    fn warn(&mut self, _line: &str) {}
}

/// A store with a jail of each of these configurations, and a host to start them on.
fn with_jails(jails: &[(&str, &str)], test: impl FnOnce(&Recorder, &Host<'_>, &[Entry])) {
    let directory = tempfile::tempdir().unwrap();
    for (name, config) in jails {
        let jail = directory.path().join("jails").join(name);
        fs::create_dir_all(jail.join("root/dev")).unwrap();
        fs::create_dir_all(jail.join("root/etc")).unwrap();
        fs::write(jail.join("config.json"), config).unwrap();
    }
    fs::write(directory.path().join("defaults.json"), r#"{"mac_prefix":"02ff60","defaultrouter":"none","defaultrouter6":"none","mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#).unwrap();
    let store = Store::open(directory.path()).unwrap();
    let entries: Vec<_> = jails.iter().map(|(name, _)| store.resolve(name).unwrap()).collect();
    let kernel = Arc::new(Recorder { sim: Sim::new(), asked: Mutex::default() });
    let host = Host::open(Arc::<Recorder>::clone(&kernel), &store, Files::new()).unwrap();
    test(&kernel, &host, &entries);
}

/// Requests about files and programs, which do not pass through the kernel's interface.
fn of_the_kernel(foreseen: &jailwire::iocage::lifecycle::Preview) -> Vec<&str> {
    let others = ["renameat", "execve", "jail_attach", "unlink"];
    foreseen
        .steps
        .iter()
        .flat_map(|step| &step.requests)
        .copied()
        .filter(|name| !others.contains(name))
        .collect()
}

/// Names, those that follow on each other said once, with their number.
fn short<S: AsRef<str>>(names: &[S]) -> String {
    let same = names.chunk_by(|one, other| one.as_ref() == other.as_ref());
    same.map(|same| format!("{}*{}", same[0].as_ref(), same.len())).collect::<Vec<_>>().join(" ")
}

/// Starts a jail, and compares.
#[track_caller]
fn comes_as_foreseen(kernel: &Recorder, host: &Host<'_>, entry: &Entry) {
    let foreseen = host.preview_start(entry).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kernel.asked(), Vec::<String>::new(), "looking ahead changes nothing");
    host.start(entry, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(short(&kernel.asked()), short(&of_the_kernel(&foreseen)), "{}", entry.name);
}

#[test]
fn a_start_asks_for_what_was_said() {
    let web = r#"{"vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1,vnet2:none","ip4_addr":"vnet0|192.0.2.20/24,vnet0|192.0.2.21/24,vnet1|198.51.100.1/24,lo0|10.0.0.1/32","ip6_addr":"vnet0|2001:db8::20/64,vnet2|accept_rtadv","defaultrouter":"192.0.2.1","defaultrouter6":"2001:db8::1","vnet_default_interface":"em0"}"#;
    let db = r#"{"vnet":1,"interfaces":"vnet0:bridge0","ip6_addr":"vnet0|2001:db8::22/64"}"#;
    let proxy = r#"{"ip4_addr":"em0|192.0.2.40/24,192.0.2.10","devfs_ruleset":"0"}"#;
    with_jails(&[("web", web), ("db", db), ("proxy", proxy)], |kernel, host, entries| {
        for entry in entries {
            comes_as_foreseen(kernel, host, entry);
        }
    });
}

#[test]
fn a_stop_takes_away_what_was_said() {
    let db = r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.22/24"}"#;
    let proxy = r#"{"ip4_addr":"em0|192.0.2.40/24"}"#;
    with_jails(&[("db", db), ("proxy", proxy)], |kernel, host, entries| {
        for entry in entries {
            host.start(entry, &mut Silent).unwrap();
            kernel.asked();
            let foreseen = host.preview_stop(entry, false).unwrap();
            let again = host.preview_start_again(entry).unwrap();
            assert!(host.preview_start(entry).is_err(), "it is running");
            assert_eq!(kernel.asked(), Vec::<String>::new());
            host.stop(entry, false, &mut Silent).unwrap();
            let mut asked = kernel.asked();
            // One request for each rule, and a bridge that nobody needs any more.
            asked.dedup();
            asked.retain(|name| entry.name.as_str() != "db" || name != "SIOCIFDESTROY");
            let mut said = of_the_kernel(&foreseen);
            said.retain(|name| entry.name.as_str() != "db" || *name != "SIOCIFDESTROY");
            assert_eq!(asked, said, "{}", entry.name);
            let first = host.preview_start(entry).unwrap();
            let requests =
                |preview| of_the_kernel(preview).into_iter().map(str::to_owned).collect::<Vec<_>>();
            if entry.name.as_str() == "proxy" {
                assert_eq!(requests(&again), requests(&first), "{}", entry.name);
            }
        }
    });
}

//! A simulated host with one jail, and the whole state of both.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jailwire::files::{Files, KernelGate};
use jailwire::iocage::lifecycle::{Host, Report};
use jailwire::iocage::store::{Entry, Store};
use jailwire::kernel::{Clock, Kernel, Simulation};
use jailwire::sim::{Call, Fault, Hardware, Killed, Options, Sim};
use jailwire::vnet::Vnet;
use tempfile::TempDir;

/// The kinds of network that the jail may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Vnet,
    TwoInterfaces,
    DualStack,
    SharedIp,
}

/// The properties of all jails: mounts, commands on the host and in the jail, and files that a start writes.
const COMMON: &str = r#""exec_start":"/bin/sh /etc/rc","exec_stop":"/bin/sh /etc/rc.shutdown",
    "exec_prestart":"/bin/echo before","exec_created":"/bin/echo created","exec_poststart":"/bin/echo after",
    "exec_prestop":"/bin/echo stopping","exec_poststop":"/bin/echo stopped","host_time":0,
    "mount_fdescfs":1,"resolver":"nameserver 192.0.2.53","mac_prefix":"02ff60""#;

impl Kind {
    /// The jail's configuration.
    pub fn config(self) -> String {
        let own = match self {
            Kind::Vnet => {
                r#""vnet":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"192.0.2.1""#
            }
            // The jail needs a bridge that exists, a bridge that does not exist and gets an interface of the host,
            // and an interface that the host lends.
            Kind::TwoInterfaces => {
                r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge7","vnet_default_interface":"em2","vnet_interfaces":"em1","ip4_addr":"vnet0|192.0.2.20/24,vnet1|198.51.100.20/24","defaultrouter":"192.0.2.1""#
            }
            Kind::DualStack => {
                r#""vnet":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet0|192.0.2.20/24","ip6_addr":"vnet0|2001:db8::20/64","defaultrouter":"192.0.2.1","defaultrouter6":"2001:db8::1""#
            }
            Kind::SharedIp => {
                r#""vnet":0,"ip4_addr":"em0|192.0.2.40/24,em0|192.0.2.41/32","ip6_addr":"em0|2001:db8::40/64","assign_localhost":1"#
            }
        };
        format!("{{{COMMON},{own}}}")
    }
}

/// A host and its one jail.
pub struct World {
    pub sim: Sim,
    pub kind: Kind,
    directory: TempDir,
    store: Store,
    pub entry: Entry,
    config: String,
    before: State,
    /// The files that a start leaves behind, as iocage does.
    written: BTreeMap<PathBuf, String>,
}

/// The whole state of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    kernel: String,
    files: BTreeMap<PathBuf, String>,
}

/// The reports of a command.
#[derive(Debug, Default)]
pub struct Said {
    pub warnings: Vec<String>,
}

impl Report for Said {
    fn say(&mut self, _line: &str) {}

    fn warn(&mut self, line: &str) {
        self.warnings.push(line.to_owned());
    }
}

/// How a command ended.
#[derive(Debug)]
pub enum Ended {
    Well,
    /// The command failed with this error, after these warnings.
    Badly(String, Vec<String>),
    Killed,
}

pub fn options(boot: u8) -> Options {
    let card = |unit| Hardware::new("em", unit, [2, 0, 0, 0, 1, unit as u8]);
    Options::default().with_hardware(vec![card(1), card(2)]).with_boot_id([boot; 16])
}

impl World {
    /// A host on which the jail was up once, and is down.
    pub fn new(kind: Kind) -> World {
        let directory = tempfile::tempdir_in(crate::memory::directory()).expect("a directory");
        let jail = directory.path().join("jails/web");
        for inside in ["root/etc", "root/dev/fd", "root/usr/bin", "root/bin"] {
            fs::create_dir_all(jail.join(inside)).expect("a directory");
        }
        fs::create_dir_all(directory.path().join("log")).expect("a directory");
        fs::write(jail.join("fstab"), "/bin bin nullfs ro 0 0\n/usr/bin usr/bin nullfs ro 0 0\n").unwrap();
        fs::write(jail.join("root/etc/hosts"), "127.0.0.1 localhost\n").unwrap();
        let store = Store::open(directory.path()).expect("a store");
        let entry = store.jails().expect("jails").remove(0);
        let sim = Sim::with(&options(1));
        sim.set_run_directory(&directory.path().join("run"));
        let nothing = State { kernel: String::new(), files: BTreeMap::new() };
        let (config, written) = (kind.config(), BTreeMap::new());
        let mut world = World { sim, kind, directory, store, entry, config, before: nothing, written };
        fs::create_dir_all(world.sim.run_directory()).expect("a directory");
        world.prepare();
        world.reset_files();
        world.start().expect_well("the first start");
        world.stop().expect_well("the first stop");
        let after = world.state();
        world.reset_files();
        world.before = world.state();
        world.written = after.files;
        world
    }

    /// Makes the interfaces that the host has before any jail.
    fn prepare(&self) {
        let host = Vnet::host(Arc::new(self.sim.clone()));
        if !host.has_interface(&"bridge0".parse().unwrap()).unwrap() {
            host.create("bridge0").expect("a bridge");
            host.up(&"bridge0".parse().unwrap()).unwrap();
            // A bridge that has had a member differs from a bridge that never had one.
            let pair = host.create_epair().unwrap();
            host.add_member(&"bridge0".parse().unwrap(), &pair.a).unwrap();
            host.destroy(&pair.a).unwrap();
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Gives the jail another configuration.
    pub fn configure(&self, config: &str) {
        fs::write(self.entry.config_path(), config).expect("config.json");
    }

    /// Removes the files that a start leaves for good.
    pub fn reset_files(&self) {
        self.configure(&self.config);
        let etc = self.path("jails/web/root/etc");
        let _ = fs::remove_file(etc.join("resolv.conf"));
        fs::write(etc.join("hosts"), "127.0.0.1 localhost\n").expect("hosts");
        // The store keeps no file open, and reads the files each time.
    }

    /// The whole state, after a wait for changes that the kernel completes by itself.
    pub fn state(&self) -> State {
        self.sim.clear_faults();
        self.sim.sleep(Duration::from_secs(120));
        let mut files = BTreeMap::new();
        walk(self.directory.path(), self.directory.path(), &mut files);
        State { kernel: self.sim.describe(), files }
    }

    /// Simulates a loss of power and a new start of the machine.
    pub fn reboot(&mut self, boot: u8) {
        self.sim.reboot(&options(boot));
        self.prepare();
        // rc(8) clears most of /var/run. Nothing in this test depends on that.
        let kernel = self.state().kernel;
        self.before.kernel = kernel;
    }

    /// Runs a command as a process of its own, with faults at some of its calls. Calls are counted from 1.
    fn command(
        &self,
        faults: &[(u64, Fault)],
        run: impl FnOnce(&Host<'_>, &mut Said) -> Result<(), String>,
    ) -> Ended {
        let process = self.sim.as_process();
        self.sim.clear_faults();
        for (call, fault) in faults {
            self.sim.set_fault(self.sim.calls() + call, *fault);
        }
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let gate = KernelGate(&process);
            let kernel: Arc<dyn Kernel> = Arc::new(process.clone());
            let mut said = Said::default();
            let result = match Host::open(kernel, &self.store, Files::through(&gate)) {
                Ok(host) => run(&host, &mut said),
                Err(error) => Err(error.to_string()),
            };
            match result {
                Ok(()) => Ended::Well,
                Err(error) => Ended::Badly(error, said.warnings),
            }
        }));
        self.sim.clear_faults();
        ended.unwrap_or_else(|payload| match payload.downcast_ref::<Killed>() {
            Some(_) => Ended::Killed,
            None => resume_unwind(payload),
        })
    }

    pub fn start_with(&self, faults: &[(u64, Fault)]) -> Ended {
        self.command(faults, |host, said| match host.start(&self.entry, said) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        })
    }

    pub fn stop_with(&self, faults: &[(u64, Fault)]) -> Ended {
        self.command(faults, |host, said| match host.stop(&self.entry, false, said) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        })
    }

    pub fn start(&self) -> Ended {
        self.start_with(&[])
    }

    pub fn stop(&self) -> Ended {
        self.stop_with(&[])
    }

    /// Reads everything as reading commands do, and changes nothing.
    pub fn look(&self) {
        let kernel: Arc<dyn Kernel> = Arc::new(self.sim.clone());
        let host = Host::look(kernel, &self.store, Files::new()).expect("a host to look at");
        let _ = host.preview_start(&self.entry, &mut Said::default());
        let _ = host.preview_stop(&self.entry, false, &mut Said::default());
        drop(host);
        let vnet = Vnet::host(Arc::new(self.sim.clone()));
        let scene = jailwire::iocage::doctor::Scene::take(&vnet, &self.store).expect("a scene");
        drop(scene.examine(false));
    }

    /// The calls that a command makes.
    pub fn calls_of(&self, run: impl FnOnce(&World) -> Ended) -> Vec<Call> {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&calls);
        self.sim.observe(move |call, _| noted.lock().unwrap().push(call.clone()));
        run(self).expect_well("the command that is watched");
        self.sim.observe(|_, _| {});
        std::mem::take(&mut *calls.lock().unwrap())
    }

    /// The differences from the state before, without the files that iocage writes, too.
    pub fn difference(&self) -> Vec<String> {
        let now = self.state();
        let mut lines = Vec::new();
        let handles = self.sim.open_handles();
        if handles != 0 {
            lines.push(format!("{handles} handles are open"));
        }
        differences(&now.kernel, &self.before.kernel, &mut lines);
        for (path, text) in &now.files {
            match self.before.files.get(path) {
                _ if stays(path) && self.written.get(path) == Some(text) => {}
                Some(before) if before == text => {}
                Some(before) => lines.push(format!("{}: {before:?} became {text:?}", path.display())),
                None => lines.push(format!("+ {}: {text}", path.display())),
            }
        }
        let gone = self.before.files.keys().filter(|path| !now.files.contains_key(*path));
        lines.extend(gone.map(|path| format!("- {}", path.display())));
        lines
    }
}

/// Whether iocage also writes this file at a start, and leaves it.
fn stays(path: &Path) -> bool {
    ["jails/web/config.json", "jails/web/root/etc/resolv.conf", "jails/web/root/etc/hosts"]
        .iter()
        .any(|one| path == Path::new(one))
}

impl Ended {
    #[track_caller]
    pub fn expect_well(self, what: &str) {
        assert!(matches!(self, Ended::Well), "{what}: {self:?}");
    }
}

fn differences(now: &str, before: &str, lines: &mut Vec<String>) {
    if now == before {
        return;
    }
    let of = |text: &str, other: &str, sign: &str, lines: &mut Vec<String>| {
        let other: Vec<&str> = other.lines().collect();
        lines.extend(text.lines().filter(|line| !other.contains(line)).map(|line| format!("{sign} {line}")));
    };
    of(now, before, "+", lines);
    of(before, now, "-", lines);
    // An interface that comes back after it was lent is the last of its list.
    let sorted = |text: &str| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    if lines.is_empty() && sorted(now) != sorted(before) {
        lines.push("something is there twice".to_owned());
    }
}

fn walk(top: &Path, directory: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(top).expect("below it").to_owned();
        if path.is_dir() && !path.is_symlink() {
            files.insert(name.clone(), "a directory".to_owned());
            walk(top, &path, files);
        } else {
            files.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned());
        }
    }
}

/// The failures found so far.
pub struct Findings {
    what: String,
    pub points: usize,
    defects: Rc<RefCell<Vec<String>>>,
}

impl Findings {
    pub fn new(what: impl Into<String>) -> Findings {
        Findings { what: what.into(), points: 0, defects: Rc::default() }
    }

    /// Compares the states. If there are leftovers, it goes on with a new world.
    pub fn compare(&mut self, world: &mut World, point: &str) {
        let difference = world.difference();
        if !difference.is_empty() {
            self.defect(format!("{point}: {}", shorten(&difference)));
            *world = World::new(world.kind);
        }
        world.reset_files();
    }

    pub fn defect(&mut self, text: String) {
        self.defects.borrow_mut().push(text);
    }

    /// Prints the counts, and fails if anything was found.
    pub fn end(self, more: &str) {
        println!("{}: {} points{more}", self.what, self.points);
        let defects = self.defects.borrow();
        assert!(
            defects.is_empty(),
            "{}: {} of {} points:\n{}",
            self.what,
            defects.len(),
            self.points,
            defects.iter().take(15).map(|line| format!("  {line}\n")).collect::<String>()
        );
        assert!(self.points > 20, "{}: only {} points", self.what, self.points);
    }
}

pub fn shorten(lines: &[String]) -> String {
    let mut text: String = lines.iter().take(3).map(|line| format!("\n      {line:.110}")).collect();
    if lines.len() > 3 {
        text += &format!("\n      and {} more", lines.len() - 3);
    }
    text
}

/// Whether everything is to be tried, however long it takes.
pub fn all() -> bool {
    std::env::var("JAILWIRE_FAULTS").is_ok_and(|value| value == "all")
}

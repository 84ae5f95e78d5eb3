//! Compares the requests that `--dry-run` announces with the requests that a start makes.

#![cfg(feature = "cli")]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};

use jailwire::Error as LifecycleError;
use jailwire::files::Files;
use jailwire::iocage::lifecycle::{Found, Host, Preview, Report};
use jailwire::iocage::store::{Entry, Store};
use jailwire::kernel::{Proxy, Seen, Simulation as _, Watch};
use jailwire::sim::Sim;
use jailwire::wiring::Lock;
use jailwire_sys::bridge;

/// Records the requests that change the kernel's state.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<&'static str>>);

impl Recorder {
    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Whether a request only reads.
fn looks(name: &str) -> bool {
    let kinds =
        ["SIOCGIF", "SIOCGH", "DEVFSIO_SGETNEXT", "DEVFSIO_RGETNEXT", "SIOCGETVLAN", "SIOCIFGCLONERS"];
    let of_a_bridge = bridge::COMMANDS.iter().any(|command| command.answers && command.name == name);
    of_a_bridge || kinds.iter().any(|kind| name.starts_with(kind))
}

impl Watch for Recorder {
    fn seen(&self, Seen { name, errno, .. }: Seen) {
        let requests = ["SIOC", "BRDG", "DEVFSIO"];
        let changes = ["RTM_ADD", "jail_set", "jail_remove", "nmount", "unmount"].contains(&name)
            || requests.iter().any(|kind| name.starts_with(kind)) && !looks(name);
        if changes && errno.is_none() {
            self.0.lock().unwrap().push(name);
        }
    }
}

struct Silent;

impl Report for Silent {
    fn say(&mut self, _line: &str) {}
    fn warn(&mut self, _line: &str) {}
}

/// A store with a jail of each of these configurations, and a host to start them on.
fn with_jails(jails: &[(&str, &str)], test: impl FnOnce(&Proxy<Recorder>, &Host<'_>, &[Entry])) {
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
    let kernel = Arc::new(Proxy::new(Arc::new(Sim::new()), Recorder::default()));
    let host = Host::open(Arc::<Proxy<Recorder>>::clone(&kernel), &store, Files::new()).unwrap();
    test(&kernel, &host, &entries);
}

/// The announced requests, without those about files and programs, which do not pass through the kernel's
/// interface.
fn of_the_kernel(foreseen: &Preview) -> Vec<&str> {
    let others = ["renameat", "execve", "jail_attach", "unlink"];
    foreseen
        .steps
        .iter()
        .flat_map(|step| &step.requests)
        .copied()
        .filter(|name| !others.contains(name))
        .collect()
}

/// The names as text. Equal names in a row are written once, with their number.
fn short<S: AsRef<str>>(names: &[S]) -> String {
    let same = names.chunk_by(|one, other| one.as_ref() == other.as_ref());
    same.map(|same| format!("{}*{}", same[0].as_ref(), same.len())).collect::<Vec<_>>().join(" ")
}

/// Starts a jail, and compares.
#[track_caller]
fn comes_as_foreseen(kernel: &Proxy<Recorder>, host: &Host<'_>, entry: &Entry) {
    let foreseen = host.preview_start(entry, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kernel.watch.asked(), Vec::<&str>::new(), "looking ahead changes nothing");
    host.start(entry, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(short(&kernel.watch.asked()), short(&of_the_kernel(&foreseen)), "{}", entry.name);
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
            kernel.watch.asked();
            let foreseen = host.preview_stop(entry, false, &mut Silent).unwrap();
            let again = host.preview_start_again(entry, &mut Silent).unwrap();
            assert!(host.preview_start(entry, &mut Silent).is_err(), "it is running");
            assert_eq!(kernel.watch.asked(), Vec::<&str>::new());
            host.stop(entry, false, &mut Silent).unwrap();
            let mut asked = kernel.watch.asked();
            // There is one request for each rule, and a request for a bridge that no jail needs any more.
            asked.dedup();
            asked.retain(|name| entry.name.as_str() != "db" || *name != "SIOCIFDESTROY");
            let mut said = of_the_kernel(&foreseen);
            said.retain(|name| entry.name.as_str() != "db" || *name != "SIOCIFDESTROY");
            assert_eq!(asked, said, "{}", entry.name);
            let first = host.preview_start(entry, &mut Silent).unwrap();
            let requests =
                |preview| of_the_kernel(preview).into_iter().map(str::to_owned).collect::<Vec<_>>();
            if entry.name.as_str() == "proxy" {
                assert_eq!(requests(&again), requests(&first), "{}", entry.name);
            }
        }
    });
}

/// At one of the calls it observes, lets another thread do something, and waits for that.
#[derive(Debug)]
struct Interrupter {
    /// The number of calls that pass before.
    left: Mutex<Option<usize>>,
    go: Mutex<mpsc::Sender<()>>,
    done: Mutex<mpsc::Receiver<()>>,
    lock: PathBuf,
}

impl Watch for Interrupter {
    fn seen(&self, _: Seen) {
        let mut left = self.left.lock().unwrap();
        *left = match *left {
            Some(0) => {
                // While the jail is locked, the other thread would wait for the process that works on the jail.
                if !Lock::is_held(&self.lock) {
                    self.go.lock().unwrap().send(()).unwrap();
                    self.done.lock().unwrap().recv().unwrap();
                }
                None
            }
            other => other.map(|left| left - 1),
        };
    }
}

/// A directory that is laid out as iocage's, with the jail `web`.
fn with_web(config: &str) -> (tempfile::TempDir, Store, Entry) {
    let directory = tempfile::tempdir().unwrap();
    let jail = directory.path().join("jails/web");
    fs::create_dir_all(jail.join("root/dev")).unwrap();
    fs::create_dir_all(jail.join("root/etc")).unwrap();
    fs::write(jail.join("config.json"), config).unwrap();
    let store = Store::open(directory.path()).unwrap();
    let entry = store.resolve("web").unwrap();
    (directory, store, entry)
}

/// Makes a preview with `look`, on a jail that another thread starts or stops meanwhile: at the first call, at the
/// second, and so on. No preview may refuse or report anything that previews before and after do not. Returns the
/// number of previews.
fn refuses_nothing(
    config: &str,
    before: fn(&Host<'_>, &Entry),
    meanwhile: fn(&Host<'_>, &Entry),
    look: fn(&Host<'_>, &Entry) -> Result<(), String>,
    changes: bool,
) -> usize {
    for calls in 0.. {
        let (_directory, store, entry) = with_web(config);
        let sim = Arc::new(Sim::new());
        let others = Host::open(Arc::<Sim>::clone(&sim), &store, Files::new()).unwrap();
        before(&others, &entry);
        look(&others, &entry).unwrap();
        let (go, going) = mpsc::channel();
        let (finish, done) = mpsc::channel();
        let lock = sim.run_directory().join("jailwire/ioc-web.lock");
        let watch = Interrupter { left: Mutex::default(), go: Mutex::new(go), done: Mutex::new(done), lock };
        let kernel = Arc::new(Proxy::new(sim, watch));
        let door = if changes { Host::open } else { Host::look };
        let host = door(Arc::<Proxy<Interrupter>>::clone(&kernel), &store, Files::new()).unwrap();
        let interrupted = std::thread::scope(|scope| {
            let (others, entry) = (&others, &entry);
            scope.spawn(move || {
                while going.recv().is_ok() {
                    meanwhile(others, entry);
                    finish.send(()).unwrap();
                }
            });
            *kernel.watch.left.lock().unwrap() = Some(calls);
            let interrupted = look(&host, entry);
            let was_reached = kernel.watch.left.lock().unwrap().take().is_none();
            *kernel.watch.go.lock().unwrap() = mpsc::channel().0;
            was_reached.then_some(interrupted)
        });
        let Some(interrupted) = interrupted else { return calls };
        look(&others, &entry).unwrap();
        if let Err(refused) = interrupted {
            panic!("interrupted after {calls} calls, changes {changes}: {refused}");
        }
    }
    unreachable!("a look has an end")
}

#[test]
fn a_look_refuses_no_jail_that_others_start_and_stop_meanwhile() {
    let start = |host: &Host<'_>, entry: &Entry| {
        host.start(entry, &mut Silent).unwrap();
    };
    let stop = |host: &Host<'_>, entry: &Entry| {
        host.stop(entry, true, &mut Silent).unwrap();
    };
    let start_and_stop = |host: &Host<'_>, entry: &Entry| {
        host.start(entry, &mut Silent).unwrap();
        host.stop(entry, true, &mut Silent).unwrap();
    };
    let again = |host: &Host<'_>, entry: &Entry| {
        host.stop(entry, true, &mut Silent).unwrap();
        host.start(entry, &mut Silent).unwrap();
    };
    let nothing = |_: &Host<'_>, _: &Entry| {};
    fn told(looked: Result<Preview, LifecycleError>) -> Result<(), String> {
        looked.map(drop).map_err(|error| error.to_string())
    }
    let starts = |host: &Host<'_>, entry: &Entry| told(host.preview_start(entry, &mut Silent));
    let restarts = |host: &Host<'_>, entry: &Entry| told(host.preview_start_again(entry, &mut Silent));
    let clears_up = |host: &Host<'_>, _: &Entry| match host.garbage().map_err(|error| error.to_string())? {
        Found { garbage, doubtful, .. } if garbage.is_empty() && doubtful.is_empty() => Ok(()),
        found => Err(format!("{found:?}")),
    };
    let vnet = r#"{"vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.20/24","vnet0_mac":"02ff60000001 02ff60000002","vnet1_mac":"02ff60000003 02ff60000004"}"#;
    for changes in [true, false] {
        let mut looks = vec![
            refuses_nothing(vnet, nothing, start, restarts, changes),
            refuses_nothing(vnet, start, again, restarts, changes),
            refuses_nothing(vnet, start, stop, restarts, changes),
            refuses_nothing(vnet, nothing, start_and_stop, starts, changes),
        ];
        if changes {
            looks.push(refuses_nothing(vnet, nothing, start, clears_up, changes));
            looks.push(refuses_nothing(vnet, start, again, clears_up, changes));
            looks.push(refuses_nothing(vnet, start, stop, clears_up, changes));
        }
        println!("looks that were interrupted: {looks:?}");
        assert!(looks.iter().all(|looks| *looks > 5), "{looks:?}");
    }
}

/// At some of the calls it observes, lets another thread do the next operation, and waits for that.
#[derive(Debug)]
struct Meddler {
    /// The number of calls that pass before each.
    left: Mutex<Vec<usize>>,
    go: mpsc::SyncSender<()>,
    done: Mutex<mpsc::Receiver<()>>,
}

impl Watch for Meddler {
    fn seen(&self, _: Seen) {
        let mut left = self.left.lock().unwrap();
        match left.first_mut() {
            Some(0) => {
                left.remove(0);
                self.go.send(()).unwrap();
                self.done.lock().unwrap().recv().unwrap();
            }
            Some(calls) => *calls -= 1,
            None => {}
        }
    }
}

/// Previews a jail, as a command that changes nothing does. Another thread starts the jail at one call of the
/// preview, and stops it at a later call.
#[test]
fn no_look_is_misled_by_a_start_and_a_stop() {
    let config = r#"{"vnet":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet0|192.0.2.20/24","vnet0_mac":"02ff60000001 02ff60000002"}"#;
    let told =
        |looked: Result<Preview, LifecycleError>| format!("{:?}", looked.map_err(|error| error.to_string()));
    let start = |host: &Host<'_>, entry: &Entry| told(host.preview_start(entry, &mut Silent));
    let stop = |host: &Host<'_>, entry: &Entry| told(host.preview_stop(entry, false, &mut Silent));
    let distances: Vec<usize> = match std::env::var_os("JAILWIRE_LOOKS") {
        Some(_) => (0..100).collect(),
        None => vec![0, 2, 9],
    };
    let (_directory, store, entry) = with_web(config);
    let sim = Arc::new(Sim::new());
    let others = Host::open(Arc::<Sim>::clone(&sim), &store, Files::new()).unwrap();
    let mut looks = 0;
    for (what, look) in [("start", &start as &dyn Fn(&Host<'_>, &Entry) -> String), ("stop", &stop)] {
        let quiet = look(&others, &entry);
        for distance in &distances {
            for call in 0.. {
                let (go, going) = mpsc::sync_channel(1);
                let (finish, done) = mpsc::channel();
                let watch = Meddler { left: Mutex::default(), go, done: Mutex::new(done) };
                let kernel = Arc::new(Proxy::new(Arc::<Sim>::clone(&sim), watch));
                let host = Host::look(Arc::<Proxy<Meddler>>::clone(&kernel), &store, Files::new()).unwrap();
                let (looked, left) = std::thread::scope(|scope| {
                    let (others, entry) = (&others, &entry);
                    scope.spawn(move || {
                        for number in 0.. {
                            if going.recv().is_err() {
                                return;
                            }
                            match number {
                                0 => drop(others.start(entry, &mut Silent).unwrap()),
                                _ => drop(others.stop(entry, true, &mut Silent).unwrap()),
                            }
                            finish.send(()).unwrap();
                        }
                    });
                    *kernel.watch.left.lock().unwrap() = vec![call, *distance];
                    let looked = look(&host, entry);
                    let left = std::mem::take(&mut *kernel.watch.left.lock().unwrap()).len();
                    drop(host);
                    drop(kernel);
                    (looked, left)
                });
                let point = format!("{what}: started after {call} calls, stopped {distance} calls later");
                match left {
                    0 => assert_eq!(looked, quiet, "{point}"),
                    // The preview ended before the call at which the stop was to come.
                    1 => drop(others.stop(&entry, true, &mut Silent).unwrap()),
                    _ => break,
                }
                looks += 1;
            }
        }
    }
    println!("looks during which others started and stopped the jail: {looks}");
    assert!(looks > 20, "{looks}");
}

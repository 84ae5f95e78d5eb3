//! What `--dry-run` says of the requests that a start makes, held against those that it makes.

#![cfg(feature = "cli")]

use std::fs;
use std::sync::{Arc, Mutex};

use jailwire::files::Files;
use jailwire::iocage::lifecycle::{Host, Report};
use jailwire::iocage::store::{Entry, Store};
use jailwire::kernel::{Proxy, Seen, Watch};
use jailwire::sim::Sim;
use jailwire_sys::bridge;

/// Writes down what a kernel is asked to change.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<&'static str>>);

impl Recorder {
    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Whether a request only looks.
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
fn comes_as_foreseen(kernel: &Proxy<Recorder>, host: &Host<'_>, entry: &Entry) {
    let foreseen = host.preview_start(entry).unwrap_or_else(|error| panic!("{error}"));
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
            let foreseen = host.preview_stop(entry, false).unwrap();
            let again = host.preview_start_again(entry).unwrap();
            assert!(host.preview_start(entry).is_err(), "it is running");
            assert_eq!(kernel.watch.asked(), Vec::<&str>::new());
            host.stop(entry, false, &mut Silent).unwrap();
            let mut asked = kernel.watch.asked();
            // One request for each rule, and a bridge that no jail needs any more.
            asked.dedup();
            asked.retain(|name| entry.name.as_str() != "db" || *name != "SIOCIFDESTROY");
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

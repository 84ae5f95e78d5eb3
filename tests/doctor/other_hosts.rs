//! Configurations as iocage and its users have written them, and random configurations of the same kind. Each is
//! either refused before anything is changed, with the key and a remedy, or can be started and stopped without
//! leaving a difference.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jailwire::files::{Files, KernelGate};
use jailwire::iocage::doctor::{Level, Scene};
use jailwire::iocage::lifecycle::{Host, Preview, Report};
use jailwire::kernel::{Calls as _, Kernel, Sysctl};
use jailwire::sim::Sim;
use proptest::prelude::*;

use self::shown::{Shown, assert_helps};
use crate::world::{World, tuned};

#[path = "../shown/hosts.rs"]
mod shown;

struct Silent;

impl Report for Silent {
    fn say(&mut self, _: &str) {}
    fn warn(&mut self, line: &str) {
        assert!(!line.is_empty());
    }
}

/// Compares two states line by line, and fails with the lines that differ.
#[track_caller]
fn same(after: &str, before: &str, what: &str) {
    let missing = |from: &str, other: &str| {
        let lines: Vec<&str> = other.lines().collect();
        from.lines().filter(|line| !lines.contains(line)).collect::<Vec<_>>().join("\n")
    };
    assert!(after == before, "{what}\nnow:\n{}\nbefore:\n{}", missing(after, before), missing(before, after));
}

/// All files beneath a directory, without locks.
fn contents(directory: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            contents(&path, found);
        } else if path.extension().is_none_or(|extension| extension != "lock") {
            found.insert(path.clone(), fs::read(&path).unwrap_or_default());
        }
    }
}

/// The outcome for a host's jail.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Started,
    Refused(String),
}

/// Makes a host with a jail, runs the checks, and starts and stops the jail.
fn try_host(config: &str, defaults: &str, fstab: &str) -> Outcome {
    let sim = Arc::new(Sim::with(&tuned(&[])));
    // A mount loads the module of its file system, and the module stays.
    for module in ["nullfs", "fdescfs", "linprocfs"] {
        sim.load_module(module).unwrap();
    }
    let world = World::on(sim.clone(), &[("a", config)]);
    for inside in ["dev", "etc", "mnt", "tmp", "proc", "compat/linux/proc"] {
        fs::create_dir_all(world.jail("a").join("root").join(inside)).unwrap();
    }
    fs::create_dir_all(world.directory.path().join("data")).unwrap();
    let top = world.directory.path().display().to_string();
    fs::write(world.directory.path().join("defaults.json"), defaults).unwrap();
    fs::write(world.jail("a").join("fstab"), fstab.replace("ROOT", &top)).unwrap();
    let store = world.store();
    let entry = store.resolve("a").unwrap();
    if let Ok(properties) = store.properties(&entry) {
        assert!(properties.all().len() > 100);
    }
    let doctored = Scene::take(&world.vnet, &store).unwrap().examine(false);
    for finding in &doctored {
        assert!(!finding.what.is_empty() && !finding.mend.is_empty(), "{finding:?}");
    }
    let kernel: Arc<dyn Kernel> = sim.clone();
    let gate = KernelGate(kernel.as_ref());
    let host = Host::open(kernel.clone(), &store, Files::through(&gate)).unwrap();
    let state = || {
        // Time passes for the simulated kernel with each call.
        let _ = kernel.sysctl(&Sysctl::read("kern.osreldate"));
        sim.describe()
    };
    let files = || {
        let mut files = BTreeMap::new();
        contents(world.directory.path(), &mut files);
        files
    };
    let (before, written) = (state(), files());
    let has_error = doctored.iter().any(|one| one.level == Level::Error && one.jails.contains(&entry.name));
    let foreseen = host.preview_start(&entry, &mut Silent);
    same(&state(), &before, "a preview changes nothing");
    assert_eq!(files(), written, "a preview changes nothing");
    // Before the command `start` starts any jail, it looks for the jails that each one depends on.
    let depends = store
        .properties(&entry)
        .is_ok_and(|properties| store.depends(&properties).iter().any(|(_, found)| found.is_err()));
    // `doctor` reports as errors exactly the faults for which a start is refused.
    assert_eq!(
        has_error,
        foreseen.is_err() || depends,
        "{foreseen:?}\n{doctored:#?}\n{config}\n{defaults}\n{fstab}"
    );
    match host.start(&entry, &mut Silent) {
        Ok(_) => {
            assert!(foreseen.is_ok(), "{foreseen:?}, and it started: {config}");
            host.stop(&entry, false, &mut Silent).unwrap_or_else(|error| panic!("{error}: {config}"));
            same(&state(), &before, config);
            // Values that a start chooses, such as MAC addresses, are kept in the jail's own file. As iocage does,
            // a start writes the jail's resolv.conf, and has rc.conf ask for an address by DHCP.
            let kept = |files: &BTreeMap<PathBuf, Vec<u8>>| {
                let stays = |(path, _): &(&PathBuf, &Vec<u8>)| {
                    !["config.json", "etc/resolv.conf", "etc/rc.conf"].iter().any(|own| path.ends_with(own))
                };
                files
                    .iter()
                    .filter(stays)
                    .map(|(path, text)| (path.clone(), text.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(kept(&files()), kept(&written), "{config}");
            Outcome::Started
        }
        Err(error) => {
            // exec_prestart may make what is missing, and a start has to run it first.
            let may_be_made = |preview: &Preview| {
                preview.warnings.iter().any(|warning| warning.contains("and the start goes on"))
            };
            let is_foreseen = foreseen.as_ref().map_or(true, may_be_made);
            assert!(is_foreseen, "it was not foreseen: {error}: {config}\n{fstab}");
            same(&state(), &before, config);
            assert_eq!(files(), written, "{config}");
            Outcome::Refused(error.to_string())
        }
    }
}

#[test]
fn hosts_that_people_have_shown() {
    let all: Vec<_> = shown::hosts().collect();
    assert!(all.len() >= 40 && all.iter().all(|host| host.source.contains('/')));
    for Shown { source, config, defaults, fstab, expected } in all {
        match try_host(&config, defaults, fstab) {
            Outcome::Started => assert_eq!(expected, "start", "{source}: {config}\n{fstab}"),
            Outcome::Refused(error) => {
                assert!(error.contains(expected), "{source}: {expected}: {error}\n{config}\n{fstab}");
                assert_helps(&error, &config);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn hosts_that_nobody_has_shown(
        chosen in prop::collection::vec((0..shown::VALUES.len(), any::<prop::sample::Index>(), any::<bool>()), 0..9),
        lines in prop::collection::vec((0..shown::SOURCES.len(), 0..shown::TARGETS.len(), 0..shown::TYPES.len()), 0..3),
    ) {
        let (config, defaults, fstab) = shown::made_of(&chosen, &lines);
        if let Outcome::Refused(error) = try_host(&config, &defaults, &fstab) {
            assert_helps(&error, &format!("{config}\n{defaults}\n{fstab}"));
        }
    }
}

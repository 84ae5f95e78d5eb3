//! Configurations as iocage and its users have written them, and random configurations of the same kind. Each is
//! either refused before anything is changed, with the key and a remedy, or can be started and stopped without
//! leaving a difference.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jailwire::files::{Files, KernelGate};
use jailwire::iocage::doctor::{Level, Scene};
use jailwire::iocage::lifecycle::{Host, Report};
use jailwire::kernel::{Calls as _, Kernel, Sysctl};
use jailwire::sim::Sim;
use proptest::prelude::*;

use crate::world::{World, tuned};

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
            assert!(foreseen.is_err(), "it was not foreseen: {error}: {config}\n{fstab}");
            same(&state(), &before, config);
            assert_eq!(files(), written, "{config}");
            Outcome::Refused(error.to_string())
        }
    }
}

/// Whether an error names the file, and the property or the line that is to be changed.
fn names_what(error: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    has(&["/config.json", "defaults.json", "fstab"])
        && (has(&["fstab: line", "root", "_mac", "_mtu", "is empty", "JSON"])
            || jailwire::iocage::property::TABLE.iter().any(|property| error.contains(property.name)))
}

/// Fails unless an error says what is to be changed, and how.
fn assert_helps(error: &str, config: &str) {
    let remedies = [
        "set ",
        "write",
        "give",
        "use ",
        "name",
        "say ",
        "make",
        "take",
        "leave",
        "mend",
        "restore",
        "remove",
        "correct",
        "kldload",
        "mkdir",
        "stop",
        "add",
        "choose",
        "put ",
        "define",
        "create",
        "clone",
        "end the line",
        "close",
        "move",
    ];
    assert!(names_what(error) && remedies.iter().any(|word| error.contains(word)), "{error}\n{config}");
}

const VNET: &str =
    r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#;

/// A jail's configuration, the defaults, its fstab, and the outcome: `start`, or words of the refusal. Each row
/// stands for a configuration that was shown in public. All rows were written for this test.
#[rustfmt::skip]
const HOSTS: [(&str, &str, &str, &str); 45] = [
    (r#""CONFIG_VERSION":"28","host_hostname":"nginx","host_hostuuid":"nginx","VNET,"release":"12.2-RELEASE-p6","jail_zfs_dataset":"iocage/jails/nginx/data","vnet0_mac":"0aabbccdd001 0aabbccdd002","last_started":"2021-03-04 10:11:12","interfaces":"vnet0:bridge0""#, "{}", "", "start"),
    (r#""VNET,"vnet0_mac":"02ff60b1c2d3,02ff60b1c2d4","boot":"on","allow_raw_sockets":"1""#, r#"{"CONFIG_VERSION":"14","vnet":"off"}"#, "", "start"),
    (r#""VNET,"type":"pluginv2","plugin_name":"plexmediaserver","plugin_repository":"https://example.org/plugins.git","allow_tun":"1","securelevel":"2""#, r#"{"CONFIG_VERSION":"25"}"#, "", "start"),
    (r#""vnet":"on","dhcp":"on","bpf":"yes","mac_prefix":"02ff60","interfaces":"vnet0:bridge0""#, "{}", "", "start"),
    (r#""vnet":"on","dhcp":"on","mac_prefix":"02ff60""#, "{}", "", "set bpf=1"),
    (r#""ip4_addr":"em0|192.0.2.70/24""#, "{}", "", "start"),
    (r#""ip4_addr":"em0|192.0.2.70/255.255.255.0,em0|192.0.2.71""#, "{}", "", "start"),
    (r#""ip4_addr":"DEFAULT|192.0.2.72/24","tag":"www","hostname":"www.example.org""#, "{}", "", "start"),
    (r#""ip4_addr":"192.0.2.73","ip6_addr":"em0|2001:db8::73/64""#, "{}", "", "start"),
    (r#""ip4_addr":"lo1|127.0.1.5/32""#, "{}", "", "ip4_addr: the host has no interface lo1"),
    (r#""ip4_addr":"igb0|10.0.0.5/24","ip6":"inherit""#, "{}", "", "no interface igb0"),
    (r#""ip4":"inherit","ip6":"disable""#, "{}", "", "start"),
    (r#""ip4_addr":"none","assign_localhost":1"#, "{}", "", "start"),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24","defaultrouter":"auto","mac_prefix":"02ff60""#, "{}", "", "start"),
    (r#""vnet":1,"interfaces":"vnet0:bridge1","ip4_addr":"vnet0|10.20.0.2/24","mac_prefix":"02ff60""#, "{}", "", "defaultrouter=auto"),
    (r#""vnet":1,"ip4_addr":"vnet0|10.20.0.2/24","defaultrouter":"10.21.0.1","mac_prefix":"02ff60""#, "{}", "", "set defaultrouter=none"),
    (r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.60/24,vnet1|10.1.0.2/16","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "{}", "", "start"),
    (r#""vnet":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet1|10.1.0.2/16","defaultrouter":"none","mac_prefix":"02ff60""#, "{}", "", "not in interfaces"),
    (r#""vnet":1,"ip6_addr":"vnet0|2001:db8::60/64","defaultrouter6":"fe80::1%epair0b","mac_prefix":"02ff60""#, "{}", "", "start"),
    (r#""vnet":1,"ip6_addr":"vnet0|accept_rtadv","rtsold":"on","mac_prefix":"02ff60""#, "{}", "", "start"),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24,lo0|127.1.1.1/8","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "{}", "", "start"),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "{}", "", "prefix length"),
    (r#""vnet":1,"nat":1,"nat_forwards":"tcp(80:8080)","ip4_addr":"none""#, r#"{"nat_prefix":"172.16"}"#, "", "nat"),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24","defaultrouter":"192.0.2.1""#, r#"{"mac_prefix":"003048"}"#, "", "start"),
    (r#""VNET,"exec_fib":"1""#, "{}", "", "net.fibs"),
    (r#""VNET,"exec_start":"/bin/sh /etc/rc && service x start""#, "{}", "", "start"),
    (r#""VNET,"exec_prestart":"/bin/sleep 0.1","exec_poststart":"ifconfig bridge0 mtu 1500; true","exec_prestop":"/usr/bin/true","exec_poststop":"/usr/bin/true""#, "{}", "", "start"),
    (r#""VNET,"resolver":"nameserver 192.0.2.53;search example.org""#, "{}", "", "start"),
    (r#""VNET,"priority":"5","depends":"none","notes":"the web server","comment":"none","cpuset":"0-1","memoryuse":"8G:log","rlimits":"off""#, "{}", "", "start"),
    (r#""VNET,"ftpdir":"x","ftpfiles":"x","gitlocation":"https://example.org","hack88":"0","prune":"0","ip4_autostart":"none""#, "{}", "", "start"),
    (r#""VNET,"vnet0_mtu":"9000","vnet_default_mtu":"1500""#, "{}", "", "start"),
    (r#""VNET,"allow_mount":"1","allow_mount_nullfs":"1","allow_mount_tmpfs":1,"enforce_statfs":"1","children_max":"10""#, "{}", "ROOT/data mnt nullfs ro 0 0", "start"),
    (r#""VNET,"allow_mount_zfs":"1","jail_zfs":"1""#, "{}", "", "start"),
    (r#""VNET,"allow_mount":"1","allow_mount_linsysfs":"1""#, "{}", "", "kldload linsysfs"),
    (r#""VNET,"allow_mount":"1","allow_mount_fusefs":"1""#, "{}", "", "kldload fusefs"),
    (r#""VNET,"mount_procfs":"1","mount_linprocfs":"on","mount_fdescfs":"0""#, "{}", "", "start"),
    (r#""ip4_addr":"none""#, "{}", "ROOT/data\tROOT/jails/a/root/mnt\tnullfs\tro\t0\t0 # Added by iocage on 2020-02-03 01:27:44\n", "start"),
    (r#""ip4_addr":"none""#, "{}", "ROOT/data /mnt/tank/iocage/jails/a/root/mnt nullfs rw 0 0\n", "start"),
    (r#""ip4_addr":"none""#, "{}", "ROOT/data /mnt/tank/media nullfs rw 0 0\n", "not beneath the jail's root"),
    (r#""ip4_addr":"none""#, "{}", "ROOT/My Files\tROOT/jails/a/root/mnt\tnullfs\trw\t0\t0\n", "\\040"),
    (r#""ip4_addr":"none""#, "{}", "nas:/export ROOT/jails/a/root/mnt nfs rw 0 0\n", "mount_nfs"),
    (r#""ip4_addr":"none","basejail":1"#, "{}", "ROOT/releases/13.2-RELEASE/root/bin ROOT/jails/a/root/bin nullfs ro 0 0\n", "line 1: there is no"),
    (r#""ip4_addr":"none""#, "{}", "tmpfs ROOT/jails/a/root/tmp tmpfs rw,mode=1777,size=64m 0 0\nfdesc ROOT/jails/a/root/dev/fd fdescfs rw 0 0\n", "start"),
    (r#""ip4_adr":"em0|192.0.2.9/32","ip4_addr":"none""#, r#"{"allow_raw_socket":1}"#, "", "start"),
    (r#""host_hostname":"my-jail","devfs_ruleset":"4","min_dyn_devfs_ruleset":"1000","sysvmsg":"new","sysvsem":"inherit","sysvshm":"disable","ip4_addr":"none","securelevel":"-1""#, r#"{"CONFIG_VERSION":26,"sysvshm":"new"}"#, "", "start"),
];

#[test]
fn hosts_that_people_have_shown() {
    for (members, defaults, fstab, expected) in HOSTS {
        let members = members.replace(r#""VNET"#, VNET);
        let config = format!(r#"{{"resolver":"/dev/null","host_time":0,{members}}}"#)
            .replace(r#""resolver":"/dev/null","host_time":0,"CONFIG"#, r#""host_time":0,"CONFIG"#);
        let config = if members.contains("resolver") {
            config.replacen(r#""resolver":"/dev/null","#, "", 1)
        } else {
            config
        };
        match try_host(&config, defaults, fstab) {
            Outcome::Started => assert_eq!(expected, "start", "{config}\n{fstab}"),
            Outcome::Refused(error) => {
                assert!(error.contains(expected), "{expected}: {error}\n{config}\n{fstab}");
                assert_helps(&error, &config);
            }
        }
    }
}

/// Values of properties as people write them, right and wrong.
const VALUES: [(&str, &[&str]); 24] = [
    ("vnet", &["1", "on", "0", "off", "no"]),
    (
        "interfaces",
        &["vnet0:bridge0", "vnet0:bridge0,vnet1:bridge1", "vnet0:none", "vnet0:lan", "lan:bridge0"],
    ),
    (
        "ip4_addr",
        &[
            "none",
            "vnet0|192.0.2.60/24",
            "em0|192.0.2.61/32",
            "192.0.2.62/24",
            "vnet1|10.0.0.1/8",
            "lo0|127.0.0.9/32",
            "vnet0|DHCP",
            "em9|10.0.0.1",
            "vnet0|192.0.2.300/24",
        ],
    ),
    (
        "ip6_addr",
        &[
            "none",
            "vnet0|2001:db8::5/64",
            "em0|2001:db8::6/128",
            "vnet0|accept_rtadv",
            "fe80::5%epair0b/64",
            "vnet1|fe80::1/64",
        ],
    ),
    ("defaultrouter", &["auto", "none", "192.0.2.1", "10.0.0.254", "router"]),
    ("defaultrouter6", &["auto", "none", "fe80::1", "fe80::1%epair1b", "fe80::1%em0", "2001:db8::1"]),
    ("vnet_default_interface", &["none", "auto", "em0", "em7"]),
    ("vnet_interfaces", &["none", "em0", "ix3"]),
    ("vnet0_mac", &["none", "02ff60000001 02ff60000002", "02ff60000001"]),
    ("mac_prefix", &["02ff60", "003048", "01ff60", "xyz"]),
    ("dhcp", &["0", "on"]),
    ("bpf", &["0", "1"]),
    ("exec_fib", &["0", "1", "-1"]),
    ("exec_start", &["/bin/sh /etc/rc", "/bin/sh /etc/rc && x", "'open"]),
    ("exec_prestart", &["/usr/bin/true", "logger \"a; b\"", "/root/x;y"]),
    ("allow_mount_zfs", &["0", "1"]),
    ("allow_vmm", &["0", "1"]),
    ("devfs_ruleset", &["4", "0", "77", "x"]),
    ("enforce_statfs", &["2", "1", "3"]),
    ("securelevel", &["2", "-1", "9"]),
    ("assign_localhost", &["0", "1"]),
    ("mount_procfs", &["0", "1"]),
    ("depends", &["none", "nosuch", "../x"]),
    ("ip4_adr", &["x"]),
];

const SOURCES: [&str; 8] =
    ["ROOT/data", "/nowhere", "tmpfs", "ROOT/My\\040Files", "ROOT/My Files", "nas:/x", "caf\u{e9}", "/bin"];
const TARGETS: [&str; 9] = [
    "mnt",
    "ROOT/jails/a/root/mnt",
    "/mnt/pool/iocage/jails/a/root/tmp",
    "ROOT/jails/b/root/mnt",
    "/etc",
    "../x",
    "missing",
    "dev/fd",
    "",
];
const TYPES: [&str; 7] = [
    "nullfs ro",
    "nullfs",
    "tmpfs rw,size=1m",
    "nfs rw",
    "nulfs ro",
    "nullfs ro,bogus",
    "devfs rw,ruleset=4",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn hosts_that_nobody_has_shown(
        chosen in prop::collection::vec((0..VALUES.len(), any::<prop::sample::Index>(), any::<bool>()), 0..9),
        lines in prop::collection::vec((0..SOURCES.len(), 0..TARGETS.len(), 0..TYPES.len()), 0..3),
    ) {
        let mut files = [BTreeMap::new(), BTreeMap::new()];
        for (property, value, in_defaults) in chosen {
            let (name, values) = VALUES[property];
            files[usize::from(in_defaults)].insert(name, *value.get(values));
        }
        let text = |values: &BTreeMap<&str, &str>| {
            let basics = [("resolver", "/dev/null"), ("host_time", "0")];
            let all: BTreeMap<_, _> = values.iter().map(|(name, value)| (*name, *value)).chain(basics).collect();
            serde_json::to_string(&all).unwrap()
        };
        let lines = lines.iter().map(|(source, target, kind)| format!("{} {} {} 0 0\n", SOURCES[*source], TARGETS[*target], TYPES[*kind]));
        let (config, defaults, fstab) = (text(&files[0]), text(&files[1]), lines.collect::<String>());
        if let Outcome::Refused(error) = try_host(&config, &defaults, &fstab) {
            assert_helps(&error, &format!("{config}\n{defaults}\n{fstab}"));
        }
    }
}

//! Other people's hosts, on the command line: `start --dry-run`, `doctor`, `get all`, `start` and `stop` of each, with the
//! simulated kernel and all files compared. Each is refused before anything is changed, or started and stopped without a
//! difference.
//!
//! A few of them are tried by default, and all of them with JAILWIRE_HOSTS=all.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnetwork::Ipv4Network;
use jailwire::jail::{self, JailParameters, mount};
use jailwire::kernel::{Calls as _, Simulation as _};
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;
use proptest::prelude::*;

use self::shown::{Shown, assert_helps};
use crate::support::{Root, text};

#[path = "../shown/hosts.rs"]
mod shown;

fn all() -> bool {
    std::env::var_os("JAILWIRE_HOSTS").is_some()
}

/// A host with one jail, `a`, and the modules that a start loads.
fn host(config: &str, defaults: &str, fstab: &str) -> Root {
    let root = Root::new();
    for name in ["web", "db", "proxy"] {
        fs::remove_dir_all(root.jail(name)).unwrap();
    }
    for inside in ["dev", "etc", "mnt", "tmp", "proc", "compat/linux/proc"] {
        fs::create_dir_all(root.jail("a").join("root").join(inside)).unwrap();
    }
    fs::create_dir_all(root.path().join("data")).unwrap();
    fs::write(root.path().join("defaults.json"), defaults).unwrap();
    fs::write(root.jail("a").join("config.json"), config).unwrap();
    fs::write(root.jail("a").join("fstab"), fstab.replace("ROOT", &root.path().display().to_string()))
        .unwrap();
    let kernel = root.kernel();
    for module in ["nullfs", "fdescfs", "linprocfs", "if_bridge", "if_epair"] {
        kernel.load_module(module).unwrap();
    }
    root
}

/// Runs it. Returns its exit status and all its output. It ends by itself.
fn run(root: &Root, words: &[&str]) -> (i32, String) {
    let output = root.run(words);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!said.contains("panicked"), "{words:?}: {said}");
    let status = output.status.code().unwrap_or_else(|| panic!("{words:?} was killed: {said}"));
    assert!((0..=1).contains(&status), "{words:?}: {status}: {said}");
    (status, said)
}

/// All files but those that a start writes in iocage's way: what it has made up, and the jail's resolv.conf and rc.conf.
fn kept(files: Vec<(PathBuf, String)>) -> Vec<(PathBuf, String)> {
    let own = ["config.json", "etc/resolv.conf", "etc/rc.conf"];
    files.into_iter().filter(|(path, _)| !own.iter().any(|own| path.ends_with(own))).collect()
}

/// Returns what the refusal said, if the jail was refused.
fn try_host(config: &str, defaults: &str, fstab: &str) -> Option<String> {
    let root = host(config, defaults, fstab);
    let what = format!("{config}\n{defaults}\n{fstab}");
    let (state, files) = (root.quiet_state(), root.files());
    let looks = || {
        let foreseen = run(&root, &["start", "--dry-run", "a"]);
        let (_, doctored) = run(&root, &["doctor"]);
        run(&root, &["get", "all", "a"]);
        (foreseen, doctored)
    };
    let ((foreseen, warned), doctored) = looks();
    root.settles(&state, &what);
    assert_eq!(root.files(), files, "{what}");
    let (status, said) = run(&root, &["start", "a"]);
    // exec_prestart may make what is missing, and a start has to run it first.
    let may_be_made = foreseen == 0 && warned.contains("and the start goes on");
    assert!(status == foreseen || may_be_made, "{what}\n{said}");
    if status == 1 {
        assert_eq!(said.contains("* Starting"), may_be_made, "{said}\n{what}");
        let told = ["cannot be started", "and the start goes on"][usize::from(may_be_made)];
        assert!(doctored.contains(told), "{doctored}\n{said}\n{what}");
        root.settles(&state, &what);
        assert_eq!(root.files(), files, "{what}");
        return Some(said);
    }
    // What `doctor` asks the routers of a jail that is up, the jail's stack remembers.
    looks();
    let (status, said) = run(&root, &["stop", "a"]);
    assert_eq!(status, 0, "{said}\n{what}");
    root.settles(&state, &what);
    assert_eq!(kept(root.files()), kept(files), "{what}");
    None
}

#[test]
fn hosts_that_people_have_shown() {
    let step = if all() { 1 } else { 6 };
    for Shown { source, config, defaults, fstab, expected } in shown::hosts().step_by(step) {
        match try_host(&config, defaults, fstab) {
            None => assert_eq!(expected, "start", "{source}: {config}\n{fstab}"),
            Some(error) => {
                assert!(error.contains(expected), "{source}: {expected}: {error}\n{config}\n{fstab}");
                assert_helps(&error, &config);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if all() { 200 } else { 4 }, ..ProptestConfig::default() })]

    #[test]
    fn hosts_that_nobody_has_shown(
        chosen in prop::collection::vec((0..shown::VALUES.len(), any::<prop::sample::Index>(), any::<bool>()), 0..9),
        lines in prop::collection::vec((0..shown::SOURCES.len(), 0..shown::TARGETS.len(), 0..shown::TYPES.len()), 0..3),
    ) {
        let (config, defaults, fstab) = shown::made_of(&chosen, &lines);
        if let Some(error) = try_host(&config, &defaults, &fstab) {
            assert_helps(&error, &format!("{config}\n{defaults}\n{fstab}"));
        }
    }
}

const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 40);

/// Where a jail.conf was shown (a thread or a repository on github.com), one of its kind for the jail `ioc-a`, and
/// whether the address that jail(8) has made by it goes at a stop.
const JAIL_CONFS: [(&str, &str, bool); 10] = [
    (
        "iocage/iocage",
        "\"ioc-a\" {\n\tip4.addr += \"em0|192.0.2.40/32\";\n\tip4 = \"new\";\n\tpath = \"ROOT\";\n\tpersist;\n}\n",
        true,
    ),
    (
        "Rogiel/freebsd-config-files",
        "# defaults\npath = \"/usr/jails/${name}\";\nexec.clean;\nmount.devfs;\nallow.mount;\nallow.chflags = 0;\nip4 = new;\n# one\nioc-a {\n  ip4.addr = em0|192.0.2.40;\n}\n",
        true,
    ),
    (
        "TheDevtop/jails",
        "path = \"/jail/$name\";\nvnet = \"new\";\nioc-a {\n  vnet.interface = \"\";\n}\n",
        false,
    ),
    (
        "Legun/freebsd-Jail-config",
        "exec.clean;\nmount.devfs;\nioc-a {\n  host.hostname = \"one\";\n  interface = \"em0\";\n  ip4.addr = 192.0.2.40;\n}\n",
        false,
    ),
    (
        "jlduran/test-your-firewall-rules",
        "exec.consolelog = \"/var/log/jails/${name}.log\";\nmount.devfs;\npath = \"/jails/$name\";\n",
        false,
    ),
    (
        "skunkwerks/diy-jails",
        "interface = \"em0\";\nip4.addr = 192.0.2.${ip};\nosreldate = 1400097;\nioc-a {\n  $ip = 40;\n  mount.fstab = \"\";\n}\nz2 { $ip = 2; }\n",
        false,
    ),
    (
        "omussell/homelab",
        "interface = \"em0\";\nip4.addr = 192.0.2.$ip;\nallow.raw_sockets;\nfirst {\n\t$ip = 15;\n}\nioc-a {\n\t$ip = 40;\n}\n",
        false,
    ),
    (
        "christian-moerz/eurobsdcon24",
        "ioc-a {\n\tvnet;\n\tchildren.max = 10;\n\t$net = \"192.0.2.0\";\n\t.include \"/etc/jail.conf.d/ioc-a.template\";\n\tsecurelevel = -1;\n\texec.prestop += \"zfs unjail ${name} tank/x\";\n}\n",
        false,
    ),
    (
        "freebsd/freebsd-src/pull/688",
        "$base = /var/jails;\nvnet;\nvnet.interface = \"auto\";\n$outside = \"$(echo ${vnet.interface} | sed -e 's/b$/a/')\";\nexec.stop += \"for one in $(ifconfig -g epair); do ifconfig \\${one} destroy; done\";\nioc-a {\n  $mac = \"58:9c:fc:00:00:07\";\n}\n",
        false,
    ),
    (
        "BastilleBSD/bastille/issues/1203",
        "ioc-a {\n  vnet;\n  vnet.interface = e0b_a;\n  exec.prestart += \"epair0=\\$(ifconfig epair create) && ifconfig \\${epair0} up name e0a_a\";\n  exec.poststop += \"ifconfig e0a_a destroy\";\n}\n",
        false,
    ),
];

/// A jail that another program runs with this file: it is looked at, a start is refused, and a stop takes away what
/// jail(8) has made by the file, and nothing else.
fn try_jail_conf(conf: &str, goes: bool) {
    let root = host(
        r#"{"ip4_addr":"em0|192.0.2.40/32","exec_stop":"/usr/bin/true","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#,
        "{}",
        "",
    );
    let kernel = root.kernel();
    let outside = Vnet::host(Arc::new(kernel.clone()));
    let em0: InterfaceName = "em0".parse().unwrap();
    let own = Ipv4Network::new(OWN, 32).unwrap();
    let down = root.quiet_state();
    outside.add_ipv4(&em0, own).unwrap();
    let inside = root.jail("a").join("root");
    mount::mount(&kernel, &mount::tmpfs(&inside, "mnt".as_ref(), None)).unwrap();
    let parameters = JailParameters::new("ioc-a").path(&inside).set("ip4.addr", vec![OWN]);
    jail::create(&kernel, &parameters).unwrap();
    fs::create_dir_all(kernel.run_directory()).unwrap();
    let written = kernel.run_directory().join("jail.ioc-a.conf");
    fs::write(&written, conf.replace("ROOT", &inside.display().to_string())).unwrap();
    let up = root.quiet_state();
    for (words, expected) in [
        (&["start", "--dry-run", "a"][..], 0),
        (&["start", "a"], 1),
        (&["doctor"], 0),
        (&["get", "all", "a"], 0),
        (&["stop", "--dry-run", "a"], 0),
    ] {
        let (status, said) = run(&root, words);
        assert_eq!(status, expected, "{words:?}: {said}\n{conf}");
        root.settles(&up, conf);
    }
    let (status, said) = run(&root, &["stop", "a"]);
    assert_eq!(status, 0, "{said}\n{conf}");
    assert!(!written.exists(), "{conf}");
    let has = outside.ipv4_addresses(&em0).unwrap().iter().any(|one| one.network.ip() == OWN);
    assert_eq!(has, !goes, "{conf}");
    if has {
        outside.remove_ipv4(&em0, OWN).unwrap();
    }
    root.settles(&down, conf);
}

#[test]
fn jail_confs_that_people_have_shown() {
    let step = if all() { 1 } else { 4 };
    for (source, conf, goes) in JAIL_CONFS.iter().step_by(step) {
        assert!(source.contains('/'));
        try_jail_conf(conf, *goes);
    }
}

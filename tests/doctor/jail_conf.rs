//! The file that iocage leaves for a running jail, `/var/run/jail.ioc-NAME.conf`: as iocage writes it, as people
//! write such files, and random files. A stop removes what jail(8) has made according to the file, and nothing
//! else.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnetwork::Ipv4Network;
use jailwire::files::{Files, KernelGate};
use jailwire::iocage::jailconf::JailConf;
use jailwire::iocage::lifecycle::{Host, Report};
use jailwire::jail::{self, JailParameters, mount};
use jailwire::kernel::{Calls as _, Kernel, Simulation as _};
use jailwire::sim::Sim;
use proptest::prelude::*;

use crate::world::{World, name, tuned};

struct Silent;

impl Report for Silent {
    fn say(&mut self, _: &str) {}
    fn warn(&mut self, line: &str) {
        assert!(!line.is_empty());
    }
}

const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 40);

/// Makes a running jail as iocage would have started it, with this file, and stops it. Returns whether the jail's
/// address is gone.
fn stop_with(conf: &str) -> bool {
    let sim = Arc::new(Sim::with(&tuned(&[])));
    let config = r#"{"ip4_addr":"em0|192.0.2.40/32","exec_stop":"/usr/bin/true","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#;
    let world = World::on(sim.clone(), &[("a", config)]);
    let root = world.jail("a").join("root");
    fs::create_dir_all(root.join("mnt")).unwrap();
    let outside = world.directory.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    world.vnet.add_ipv4(&name("em0"), Ipv4Network::new(OWN, 32).unwrap()).unwrap();
    mount::mount(&*sim, &mount::tmpfs(&root, "mnt".as_ref(), None)).unwrap();
    mount::mount(&*sim, &mount::tmpfs(world.directory.path(), "outside".as_ref(), None)).unwrap();
    let parameters = JailParameters::new("ioc-a").path(&root).set("ip4.addr", vec![OWN]);
    jail::create(&*sim, &parameters).unwrap();
    fs::create_dir_all(sim.run_directory()).unwrap();
    let path = sim.run_directory().join("jail.ioc-a.conf");
    fs::write(&path, conf.replace("ROOT", &root.display().to_string())).unwrap();
    let before = world.vnet.interfaces().unwrap().len();
    let store = world.store();
    let kernel: Arc<dyn Kernel> = sim.clone();
    let gate = KernelGate(kernel.as_ref());
    let host = Host::open(kernel.clone(), &store, Files::through(&gate)).unwrap();
    let entry = store.resolve("a").unwrap();
    let foreseen = host.preview_stop(&entry, false, &mut Silent);
    host.stop(&entry, false, &mut Silent).unwrap_or_else(|error| panic!("{error}: {conf}"));
    assert!(foreseen.is_ok(), "{foreseen:?}: {conf}");
    assert_eq!(jail::find(&*sim, "ioc-a").unwrap(), None, "{conf}");
    let mounts = sim.mounts().unwrap();
    assert!(mounts.iter().any(|one| one.on.ends_with("outside")), "{conf}");
    assert!(!mounts.iter().any(|one| one.on.starts_with(&root)), "{conf}");
    assert!(!path.exists(), "{conf}");
    assert_eq!(world.vnet.interfaces().unwrap().len(), before, "{conf}");
    // Addresses that the file does not name stay.
    let addresses = world.vnet.ipv4_addresses(&name("em0")).unwrap();
    let has = |address: Ipv4Addr| addresses.iter().any(|one| one.network.ip() == address);
    let said: Vec<_> = JailConf::read(conf).ip4_addresses().iter().map(|one| one.address.address()).collect();
    assert!(has(Ipv4Addr::new(192, 0, 2, 10)) || said.contains(&Ipv4Addr::new(192, 0, 2, 10)), "{conf}");
    !has(OWN)
}

/// Files, and for each whether jail(8) has added the jail's address because of it.
const FILES: [(&str, bool); 9] = [
    // As iocage writes it.
    (
        "\"ioc-a\" {\n\tip4.addr += \"em0|192.0.2.40/32\";\n\tip4 = \"new\";\n\tpath = \"ROOT\";\n\tpersist;\n}\n",
        true,
    ),
    // The host had the address before the jail was started.
    (
        "\"ioc-a\" {\n\tip4.addr += \"192.0.2.40\";\n\tip4 = \"new\";\n\tpath = \"ROOT\";\n\tpersist;\n}\n",
        false,
    ),
    // Files as people write them, with comments, lists, variables, wildcards, several jails, shell commands.
    (
        "# jails\n$bridge = \"bridge0\";\nexec.clean;\n* { mount.devfs; }\nioc-a { // web\n  path = \"ROOT\"; ip4.addr = em0|192.0.2.40/32, 'em0|192.0.2.99';\n exec.start += \"/bin/sh /etc/rc\"; exec.prestart = \"ifconfig ${bridge} addm epair0a up\"; }",
        true,
    ),
    (
        "ioc-a { vnet; vnet.interface = \"epair0b\"; exec.poststop = \"ifconfig epair0a destroy\"; path = ROOT; }",
        false,
    ),
    ("ioc-a { interface = em0; ip4.addr = 192.0.2.40; }", false),
    ("ioc-a { ip4.addr = \"em0|192.0.2.40/255.255.255.255\"; }", true),
    ("ioc-a { ip4.addr = \"em9|192.0.2.40/32\"; mount.fstab = \"/nonexistent\"; devfs_ruleset = 4; }", false),
    ("ioc-a { ip4.addr = \"em0|192.0.2.40/32 vhid 1 pass x\"; .include \"/etc/jail.conf.d/*.conf\"; }", true),
    ("", false),
];

#[test]
fn a_stop_takes_away_what_jail_8_has_made() {
    for (conf, is_gone) in FILES {
        assert_eq!(stop_with(conf), is_gone, "{conf}");
    }
}

/// The pieces of which random files are made.
const PIECES: [&str; 28] = [
    "ioc-a {",
    "\"ioc-a\" {",
    "* {",
    "}",
    ";",
    "path = \"ROOT\";",
    "ip4.addr += \"em0|192.0.2.40/32\";",
    "ip4.addr = 192.0.2.40;",
    "ip4.addr = em0|192.0.2.10/24;",
    "ip6.addr += \"em0|2001:db8::5/64\";",
    "vnet;",
    "vnet.interface = em0;",
    "mount.fstab = \"/etc/fstab\";",
    "devfs_ruleset = \"1000\";",
    "devfs_ruleset = 4;",
    "exec.poststop = \"rm -rf /\";",
    "persist;",
    "# comment\n",
    "/* open",
    "*/",
    "\"unended",
    "\\",
    "$x = 1;",
    "${x}",
    "ip4.addr = \"em0|bogus\";",
    ".include \"/etc/jail.conf\";",
    "ip4.addr = lo0|127.0.0.9;",
    "\u{e9}\u{0}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_file_has_a_stop_take_away_more(chosen in prop::collection::vec(0..PIECES.len(), 0..12)) {
        let conf: String = chosen.iter().map(|piece| format!("{} ", PIECES[*piece])).collect();
        // A file that was parsed can be written, and parsed again.
        let known = JailConf::read(&conf);
        prop_assert_eq!(JailConf::read(&known.to_string()), known);
        stop_with(&conf);
    }
}

//! iocage's directory: the example, and hostile configurations.

#![cfg(feature = "cli")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use jailwire::files::{Files, Gate};
use jailwire::iocage::config::{JailConfig, Level, Network, Problem};
use jailwire::iocage::defaults::HostDefaults;
use jailwire::iocage::document::Document;
use jailwire::iocage::jailconf::JailConf;
use jailwire::iocage::mac::MacPair;
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::waves;
use jailwire::iocage::router::Router;
use jailwire::iocage::store::{Entry, Store};

/// A store with one jail, `web`, of this configuration.
struct One {
    directory: tempfile::TempDir,
    store: Store,
    entry: Entry,
}

fn one(config: &str) -> One {
    let directory = tempfile::tempdir().unwrap();
    let jail = directory.path().join("jails/web");
    fs::create_dir_all(jail.join("root")).unwrap();
    fs::write(jail.join("config.json"), config).unwrap();
    let store = Store::open(directory.path()).unwrap();
    let entry = store.resolve("web").unwrap();
    One { directory, store, entry }
}

/// A configuration of VNET with these further properties.
fn vnet(properties: &str) -> String {
    format!(r#"{{"vnet": 1, {properties}}}"#)
}

impl One {
    fn problems(&self) -> Vec<Problem> {
        match JailConfig::resolve(&self.store, &self.entry) {
            Ok(config) => config.warnings,
            Err(error) if error.config_problems().is_empty() => panic!("{error}"),
            Err(error) => error.config_problems().to_vec(),
        }
    }

    fn config(&self) -> JailConfig {
        JailConfig::resolve(&self.store, &self.entry).unwrap_or_else(|error| panic!("{error}"))
    }

    fn config_json(&self) -> PathBuf {
        self.directory.path().join("jails/web/config.json")
    }
}

fn example() -> Store {
    Store::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/iocage")).unwrap()
}

#[test]
fn the_example_can_be_started() {
    let store = example();
    let configs: Vec<_> =
        store.jails().unwrap().iter().map(|entry| JailConfig::resolve(&store, entry).unwrap()).collect();
    assert_eq!(configs.len(), 3);
    for config in &configs {
        assert_eq!(config.warnings, [], "{}", config.name);
        for (mount, beneath) in &config.mounts.fstab {
            assert!(mount.is_read_only());
            assert!(config.root.join(beneath).is_dir(), "{}", beneath.display());
        }
    }
    let ranks: Vec<_> = configs.iter().map(JailConfig::rank).collect();
    let order: Vec<_> = waves(&ranks).unwrap().concat().iter().map(JailName::to_string).collect();
    assert_eq!(order, ["db", "proxy", "web"]);
}

#[test]
fn the_example_is_written_as_iocage_writes_it() {
    let store = example();
    for entry in store.jails().unwrap() {
        let path = entry.config_path();
        assert_eq!(Document::read(&path).unwrap().to_string(), fs::read_to_string(&path).unwrap());
    }
    let defaults = store.root().join("defaults.json");
    assert_eq!(Document::read(&defaults).unwrap().to_string(), fs::read_to_string(&defaults).unwrap());
}

#[test]
fn the_examples_macs_follow_iocages_rule() {
    let store = example();
    for name in ["web", "db"] {
        let config = JailConfig::resolve(&store, &store.resolve(name).unwrap()).unwrap();
        let Network::Vnet(network) = &config.network else { panic!("{name} is a VNET jail") };
        let nic = &network.nics[0];
        assert_eq!(nic.mac, Some(MacPair::generate(network.mac_prefix.unwrap(), &config.name, &nic.name)));
        assert_eq!(network.router4, Router::Address("192.0.2.1".parse().unwrap()));
        assert!(nic.is_used());
    }
}

/// The errors of each configuration: the property, and words of the message.
#[test]
fn hostile_configurations_are_refused() {
    #[rustfmt::skip]
    let table: &[(&str, &str, &str)] = &[
        (r#""ip4_addr": "vnet1|192.0.2.1/24""#, "ip4_addr", "names vnet1, which is not in interfaces (vnet0:bridge0)"),
        (r#""ip4_addr": "vnet0|10.1.1.1""#, "ip4_addr", "give one, such as 10.1.1.1/24"),
        (r#""ip4_addr": "vnet0|10.1.1.1/33""#, "ip4_addr", "not a prefix length"),
        (r#""ip4_addr": "em0|em1|10.1.1.1/24""#, "ip4_addr", "more than one `|`"),
        (r#""ip4_addr": "vnet0|10.1.1.1/24 vhid 1""#, "ip4_addr", "words after the address"),
        (r#""ip4_addr": "vnet0|10.1.1.1/24,vnet0|10.1.1.1/24""#, "ip4_addr", "there twice"),
        (r#""ip4_addr": ["vnet0|10.1.1.1/24"]"#, "ip4_addr", "is a list"),
        (r#""ip4_addr": "vnet0|2001:db8::1/64""#, "ip4_addr", "put it into ip6_addr"),
        (r#""ip4_addr": "vnet0|10.1.1.1/24; rm -rf /""#, "ip4_addr", "words after the address"),
        (r#""ip6_addr": "vnet0|ff02::1/64""#, "ip6_addr", "multicast"),
        (r#""ip4_addr": "lo0|DHCP", "bpf": 1"#, "ip4_addr", "lo0 cannot ask"),
        (r#""ip4_addr": "vnet0|10.1.1.1/24", "defaultrouter": "10.1.1.1""#, "defaultrouter", "the jail's own address"),
        (r#""defaultrouter": "gw""#, "defaultrouter", "not the IPv4 address of a router"),
        (r#""defaultrouter6": "2001:db8::1/64""#, "defaultrouter6", "not the IPv6 address of a router"),
        (r#""interfaces": "vnet0""#, "interfaces", "write them as in vnet0:bridge0"),
        (r#""interfaces": "vnet0:bridge0,vnet0:bridge1""#, "interfaces", "name each NIC once"),
        (r#""interfaces": "vnet0:../../bridge0""#, "interfaces", "the bridge of vnet0"),
        (r#""vnet0_mac": "5a9cfc000001""#, "vnet0_mac", "give two MAC addresses"),
        (r#""vnet0_mac": "01005e000001 01005e000002""#, "vnet0_mac", "first byte must be even"),
        (r#""interfaces": "vnet0:a,vnet1:b", "vnet0_mac": "020000000001 020000000002", "vnet1_mac": "020000000002 020000000003""#, "vnet1_mac", "another NIC's too"),
        (r#""vnet0_mtu": "70""#, "vnet0_mtu", "not an MTU"),
        (r#""vnet0_mtu": 1000, "ip6_addr": "vnet0|2001:db8::1/64""#, "vnet0_mtu", "too small for IPv6"),
        (r#""vnet_default_mtu": "auto""#, "vnet_default_mtu", "not an MTU"),
        (r#""mac_prefix": "lo0""#, "mac_prefix", "not a MAC prefix"),
        (r#""vnet_interfaces": "em1 em1""#, "vnet_interfaces", "there twice"),
        (r#""vnet_interfaces": "em1", "vnet_default_interface": "em1""#, "vnet_default_interface", "choose one"),
        (r#""dhcp": 1"#, "dhcp", "requires bpf"),
        (r#""dhcp": "banana""#, "dhcp", "neither on nor off"),
        (r#""rtsold": 1"#, "rtsold", "accept_rtadv"),
        (r#""nat": 1, "bpf": 1, "dhcp": 1"#, "nat", "needs an address"),
        (r#""exec_fib": "99999999""#, "exec_fib", "not a routing table"),
        (r#""exec_start": """#, "exec_start", "a command is missing"),
        (r#""exec_prestart": "sh -c 'oops""#, "exec_prestart", "close it"),
        (r#""exec_created": "a\nb""#, "exec_created", "control characters"),
        (r#""host_hostname": "a\u0000b""#, "host_hostname", "control characters"),
        (r#""devfs_ruleset": "-1""#, "devfs_ruleset", "whole number from 0 to 65535"),
        (r#""enforce_statfs": 3"#, "enforce_statfs", "not 0, 1 or 2"),
        (r#""securelevel": "high""#, "securelevel", "whole number from -1 to 3"),
        (r#""sysvmsg": "maybe""#, "sysvmsg", "use one of new, inherit, disable"),
        (r#""depends": "../../etc""#, "depends", "is not a jail name"),
        (r#""resolver": "nameserver 192.0.2.1\n""#, "resolver", "separate them by `;`"),
        (r#""boot": {}"#, "boot", "is an object"),
        (r#""ip4_addr": "vnet0|192.0.2.10/24", "defaultrouter": "192.0.3.1""#, "defaultrouter", "set defaultrouter=none"),
    ];
    for (properties, about, words) in table {
        let jail = one(&vnet(properties));
        let problems = jail.problems();
        let told = problems.iter().find(|problem| problem.about == *about && problem.message.contains(words));
        assert!(told.is_some_and(|problem| problem.level == Level::Error), "{properties}: {problems:#?}");
        assert_eq!(problems.len(), 1, "{properties}: {problems:#?}");
        assert!(!problems[0].to_string().contains(char::is_control), "{problems:?}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let jail = one(&vnet(
        r#""ip4_addr": "vnet0|10.1.1.1", "ip6_addr": "x", "nat": 1, "nat_forwards": "x", "devfs_ruleset": "x", "priority": "(5""#,
    ));
    let error = JailConfig::resolve(&jail.store, &jail.entry).unwrap_err().to_string();
    assert!(error.starts_with("web has problems in its configuration, "), "{error}");
    assert_eq!(error.lines().count(), 6, "{error}");
    assert!(error.contains("  warning: priority: "), "{error}");
}

#[test]
fn odd_configurations_are_warned_of() {
    #[rustfmt::skip]
    let table: &[(&str, &str, &str)] = &[
        (r#""ip4_addr": "vnet0|192.0.2.10/24", "vnet_interfaces": "em1", "defaultrouter": "192.0.3.1""#, "defaultrouter", "in none of the jail's networks (192.0.2.10/24)"),
        (r#""ip4_addr": "vnet0|192.0.2.0/24""#, "ip4_addr", "address of the network itself"),
        (r#""ip4_addr": "vnet0|192.0.2.255/24""#, "ip4_addr", "broadcast address"),
        (r#""ip4_addr": "vnet0|192.0.2.10/24", "dhcp": 1, "bpf": 1"#, "ip4_addr", "asks for its address by DHCP"),
        (r#""ip4_addr": "em1|192.0.2.10/24", "vnet_interfaces": "em1""#, "ip4_addr", "lent to it"),
        (r#""priority": "first""#, "priority", "99 is used"),
        (r#""cpuset": "0,1""#, "cpuset", "not applied"),
        (r#""memoryuse": "8g:log""#, "memoryuse", "not applied"),
        (r#""jail_zfs": 1"#, "jail_zfs", "zfs jail"),
    ];
    for (properties, about, words) in table {
        let warnings = one(&vnet(properties)).config().warnings;
        assert_eq!(warnings.len(), 1, "{properties}: {warnings:#?}");
        assert_eq!(warnings[0].about, *about);
        assert!(warnings[0].message.contains(words), "{warnings:?}");
    }
}

#[test]
fn files_that_are_no_configuration_are_refused() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100), "]".repeat(100));
    let large = format!("{{\"notes\": \"{}\"}}", "x".repeat(1 << 20));
    for (config, words) in [
        ("", "is not JSON at line 1"),
        ("{\n    \"vnet\": 1,\n}", "is not JSON at line 3"),
        ("[]", "is not a JSON object"),
        ("{\"vnet\": 0, \"vnet\": 1}", "has \"vnet\" twice"),
        (&deep, "nested too deep"),
        (&large, "larger than 1 MiB"),
        ("{\"notes\": NaN}", "is not JSON"),
    ] {
        let jail = one(config);
        let error = jail.store.properties(&jail.entry).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("/jails/web/config.json"), "{error}");
    }
    let jail = one("{}");
    fs::remove_file(jail.config_json()).unwrap();
    assert!(jail.store.properties(&jail.entry).unwrap_err().to_string().contains("config.json is missing"));
    fs::create_dir(jail.config_json()).unwrap();
    assert!(jail.store.properties(&jail.entry).unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn shared_ip_jails_are_told_what_needs_vnet() {
    for (config, about) in [
        (r#"{"ip4_addr": "vnet0|192.0.2.1/24"}"#, "ip4_addr"),
        (r#"{"ip4_addr": "vnet0|DHCP", "bpf": 1}"#, "ip4_addr"),
        (r#"{"ip6_addr": "accept_rtadv"}"#, "ip6_addr"),
        (r#"{"dhcp": 1}"#, "dhcp"),
        (r#"{"bpf": 1}"#, "bpf"),
    ] {
        let problems = one(config).problems();
        let mut vnet = problems.iter().filter(|problem| problem.message.contains("set vnet=1"));
        assert!(
            vnet.any(|problem| (problem.level, problem.about.as_str()) == (Level::Error, about)),
            "{problems:?}"
        );
    }
    // With vnet, the jail would need this property, too.
    assert!(one(r#"{"dhcp": 1}"#).problems().iter().any(|problem| problem.message.contains("set bpf=1")));
    let problems = one(r#"{"ip4_addr": "em0|DHCP"}"#).problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].message.contains("no interface of the host")
            && problems[0].message.contains("set ip4_addr=none")
    );
    let warnings = one(r#"{"ip4": "inherit", "ip4_addr": "em0|192.0.2.1/24"}"#).config().warnings;
    assert!(warnings[0].message.contains("contradict"), "{warnings:?}");
    assert!(one(r#"{"ip6": "none"}"#).config().warnings.is_empty());
}

#[test]
fn addresses_go_to_their_nics() {
    let config = one(&vnet(
        r#""interfaces": "vnet0:bridge0,lan:none,vnet2:bridge2", "ip4_addr": "192.0.2.10/24,lan|10.0.0.1/255.0.0.0,lo0|192.168.2.10", "ip6_addr": "lan|2001:db8::1,vnet0|accept_rtadv", "defaultrouter": "192.0.2.1", "defaultrouter6": "2001:db8::ffff""#,
    ))
    .config();
    let Network::Vnet(network) = config.network else { panic!("it is a VNET jail") };
    let [vnet0, lan, vnet2] = network.nics.as_slice() else { panic!("it has three NICs") };
    assert_eq!((vnet0.ip4[0].to_string(), vnet0.accept_rtadv), ("192.0.2.10/24".into(), true));
    assert_eq!(
        (lan.ip4[0].to_string(), lan.ip6[0].to_string()),
        ("10.0.0.1/8".into(), "2001:db8::1/64".into())
    );
    assert_eq!((lan.bridge, vnet2.is_used()), (None, false));
    assert_eq!(network.loopback4[0].to_string(), "192.168.2.10/32");
    // Router advertisements bring a default route of their own.
    assert_eq!(
        (network.router4, network.router6),
        (Router::Address("192.0.2.1".parse().unwrap()), Router::None)
    );
}

#[test]
fn rc_conf_says_which_nics_ask_the_network() {
    let config = one(&vnet(
        r#""interfaces": "vnet0:bridge0,vnet1:bridge1", "ip4_addr": "vnet0|DHCP", "bpf": 1, "ip6_addr": "vnet1|accept_rtadv", "rtsold": 1"#,
    ))
    .config();
    let before = "sshd_enable=\"YES\"\nifconfig_epair1b=\"SYNCDHCP\"\n";
    let after = config.update_rc_conf(before).unwrap();
    let expected = "sshd_enable=\"YES\"\nifconfig_epair0b=\"SYNCDHCP\"\nifconfig_epair1b_ipv6=\"inet6 auto_linklocal accept_rtadv autoconf\"\nrtsold_enable=\"YES\"\n";
    assert_eq!(after, expected);
    assert_eq!(config.update_rc_conf(expected), None);
}

#[test]
fn fstabs_stay_in_the_jail() {
    let jail = one("{}");
    let root = jail.entry.root();
    let fstab = |text: &str| {
        fs::write(jail.entry.fstab(), text).unwrap();
        jail.problems().iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(fstab(&format!("/data {}/mnt nullfs ro 0 0\n/data mnt2 nullfs rw 0 0\n", root.display())), "");
    assert!(fstab("/data /etc nullfs rw 0 0").contains("fstab: line 1: /etc is not beneath the jail's root"));
    assert!(fstab("# one\n/data ../../x nullfs rw 0 0").contains("line 2: ../../x goes upwards"));
    assert!(fstab("oops").contains("line 1: it has 1 fields"));
}

#[test]
fn a_jail_without_a_root_directory_cannot_be_started() {
    let jail = one("{}");
    fs::remove_dir(jail.entry.root()).unwrap();
    assert!(jail.problems()[0].to_string().contains("the jail has no root directory"));
}

#[test]
fn the_conf_file_is_what_iocage_writes() {
    let jail = one(&vnet(
        r#""ip4_addr": "vnet0|192.0.2.10/24", "allow_raw_sockets": 1, "exec_created": "/usr/bin/true""#,
    ));
    let conf = JailConf::new(&jail.config(), "15.1-RELEASE".parse().unwrap(), 1000, &[], &[]);
    let root = jail.store.root().display();
    let expected = format!(
        r#""ioc-web" {{
	vnet;
	mount.fdescfs = "1";
	allow.set_hostname = "1";
	mount.devfs = "1";
	allow.raw_sockets = "1";
	sysvmsg = "new";
	sysvsem = "new";
	sysvshm = "new";
	exec.created = "/usr/bin/true";
	host.domainname = "";
	host.hostname = "web";
	path = "{root}/jails/web/root";
	securelevel = "2";
	host.hostuuid = "web";
	devfs_ruleset = "1000";
	enforce_statfs = "2";
	children.max = "0";
	exec.clean = "1";
	exec.timeout = "60";
	stop.timeout = "30";
	mount.fstab = "{root}/jails/web/fstab";
	exec.consolelog = "{root}/log/ioc-web-console.log";
	persist;
}}
"#
    );
    assert_eq!(conf.to_string(), expected);
    assert_eq!(JailConf::read(&expected), conf);
}

#[test]
fn the_conf_file_has_absolute_mount_points_where_the_fstab_has_not() {
    let jail = one(&vnet(r#""boot": 1"#));
    let root = jail.store.root().join("jails/web");
    std::fs::write(
        root.join("fstab"),
        "/bin bin nullfs ro 0 0\n/usr/bin usr/b\\040n nullfs ro,noatime 0 0 # two\n",
    )
    .unwrap();
    let conf = JailConf::new(&jail.config(), "15.1-RELEASE".parse().unwrap(), 1000, &[], &[]);
    let root = root.join("root");
    let root = root.display();
    assert_eq!(conf.fstab(), None);
    let mounts = [
        format!("/bin {root}/bin nullfs ro 0 0"),
        format!("/usr/bin {root}/usr/b\\040n nullfs ro,noatime 0 0"),
    ];
    assert_eq!(conf.values("mount"), Some(&mounts[..]));
    assert_eq!(JailConf::read(&conf.to_string()), conf);
}

#[test]
fn the_conf_file_of_a_shared_ip_jail_lists_its_aliases() {
    let jail = one(r#"{"ip4_addr": "em0|192.0.2.40/24,192.0.2.41", "ip6_addr": "em0|2001:db8::40/64"}"#);
    let config = jail.config();
    let Network::Shared(network) = &config.network else { panic!("it shares the host's addresses") };
    let conf = JailConf::new(&config, "14.2-RELEASE".parse().unwrap(), 1000, &network.ip4, &network.ip6);
    let text = conf.to_string();
    let expected = "\"ioc-web\" {\n\tip4.addr += \"em0|192.0.2.40/24\";\n\tip4.addr += \"192.0.2.41\";\n\tip6.addr += \"em0|2001:db8::40/64\";\n\tip4.saddrsel = \"1\";\n\tip4 = \"new\";\n\tip6.saddrsel = \"1\";\n\tip6 = \"new\";\n\tmount.fdescfs = \"1\";\n";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(JailConf::read(&text).ip4_addresses(), network.ip4);
}

/// Lets this number of operations pass, and fails the rest.
#[derive(Debug)]
struct After(AtomicU32);

impl Gate for After {
    fn checkpoint(&self, _operation: &'static str, _path: &Path) -> io::Result<()> {
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| io::Error::other("injected"))
    }
}

#[test]
fn a_set_that_fails_anywhere_leaves_one_of_the_two_configurations() {
    let before = "{\n    \"boot\": 1\n}";
    let after = "{\n    \"boot\": 0,\n    \"vnet\": 1\n}";
    for count in 0..10 {
        let jail = one(before);
        let gate = After(AtomicU32::new(count));
        let set = jail.store.set(&jail.entry, &["boot=off", "vnet=on"], &Files::through(&gate));
        let found = fs::read_to_string(jail.config_json()).unwrap();
        assert!(found == before || found == after, "{count}: {found}");
        if set.is_ok() {
            assert_eq!(found, after);
            assert_eq!(count, 6, "six operations, and no more");
            return;
        }
    }
    panic!("it never succeeds");
}

#[test]
fn a_wrong_set_writes_nothing() {
    let jail = one("{\"boot\":1}");
    let error =
        jail.store.set(&jail.entry, &["boot=off", "vnet=banana", "ip4addr=x"], &Files::new()).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 2);
    assert_eq!(fs::read_to_string(jail.config_json()).unwrap(), "{\"boot\":1}");
}

#[test]
fn what_the_program_finds_out_is_recorded() {
    let jail = one(r#"{"mine": {"a": [1.50]}, "vnet": "on"}"#);
    jail.store.record(&jail.entry, &[("last_started", "2026-01-01 00:00:00".into())], &Files::new()).unwrap();
    let expected = "{\n    \"last_started\": \"2026-01-01 00:00:00\",\n    \"mine\": {\n        \"a\": [\n            1.5\n        ]\n    },\n    \"vnet\": 1\n}";
    assert_eq!(fs::read_to_string(jail.config_json()).unwrap(), expected);
}

/// iocage reads every property from defaults.json, and fails if one is missing.
#[test]
fn defaults_that_are_set_are_written_whole() {
    let jail = one("{}");
    let path = jail.directory.path().join("defaults.json");
    fs::write(&path, "{\"mine\": 5}").unwrap();
    let host = HostDefaults::new("02ff60".parse().unwrap(), None);
    jail.store.set_defaults(&["boot=on"], &host, &Files::new()).unwrap();
    let defaults: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(defaults.as_object().unwrap().len(), 141);
    assert_eq!((&defaults["boot"], &defaults["vnet"], &defaults["mine"]), (&1.into(), &0.into(), &5.into()));
    assert_eq!(defaults["mac_prefix"], "02ff60");
}

#[test]
fn concurrent_sets_lose_nothing() {
    let jail = one("{}");
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (store, entry) = (&jail.store, &jail.entry);
            scope.spawn(move || store.set(entry, &[format!("vnet{n}_mtu=9000")], &Files::new()).unwrap());
        }
    });
    let properties = jail.store.properties(&jail.entry).unwrap();
    for n in 0..8 {
        assert_eq!(properties.get(&format!("vnet{n}_mtu")).as_deref(), Some("9000"));
    }
}

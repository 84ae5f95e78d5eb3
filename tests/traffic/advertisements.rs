//! Router advertisements from one jail to another.

use std::thread;
use std::time::Duration;

use ipnetwork::Ipv6Network;
use jailwire::types::InterfaceName;
use jailwire::wiring::Wiring;

use crate::tools::{Jail, Made, Ours, Running, alone, inside, output, sh, wait};

#[test]
fn a_jail_takes_its_address_from_a_router_that_is_a_jail() {
    let _turn = alone();
    let _made = Made(vec!["epair92a"]);
    sh("ifconfig epair92 create && ifconfig epair92a up");
    let router = Jail::new("router");
    sh("ifconfig epair92b vnet router");
    router.sh(
        "sysctl -q net.inet6.ip6.forwarding=1; ifconfig lo0 up; ifconfig epair92b inet6 2001:db8:92::1/64 up",
    );
    let advertiser = rtadvd("/dev/null", "epair92b");
    let wiring = Wiring::here().unwrap();
    let nic =
        wiring.jail("listener", "/").parameter("allow.raw_sockets", true).nic("bridge92").uplink("epair92a");
    let stable = wiring.host().sysctl_int("net.inet6.ip6.use_stableaddr").is_ok();
    let nic = if stable { nic.stable_address() } else { nic.accept_rtadv() };
    nic.start().unwrap();
    output("jexec listener rtsol epair0b");
    wait("an address comes", || {
        output("jexec listener rtsol epair0b");
        inside("listener", "ifconfig epair0b inet6").contains("2001:db8:92:")
    });
    // An address that is made from a MAC address has ff:fe in its middle.
    let made = inside("listener", "ifconfig epair0b inet6");
    let own = made.lines().find(|line| line.contains("2001:db8:92:")).expect("it was just there");
    assert_eq!(own.contains("ff:fe"), !stable, "{made}");
    wait("the router is reached", || {
        output("jexec listener timeout 3 ping -c 1 2001:db8:92::1").status.success()
    });
    assert!(inside("listener", "netstat -rn -6").contains("default"));
    wiring.stop("listener").unwrap();
    drop(advertiser);
}

/// Runs rtadvd(8) in the jail `router` until the value is dropped.
fn rtadvd(configuration: &str, interface: &str) -> Running {
    Running::inside("router", &["rtadvd", "-f", "-c", configuration, "-p", "/tmp/rtadvd.pid", interface])
}

/// Checks the builder's `autoconf()`, and a start of a jail in iocage's format.
#[test]
fn a_start_reports_the_address_that_came_or_that_none_came() {
    let _turn = alone();
    let root = std::env::temp_dir().join("jailwire-advertised");
    let _made = Made(vec!["epair94a"]);
    sh("ifconfig epair94 create && ifconfig epair94a up");
    let router = Jail::new("router");
    sh("ifconfig epair94b vnet router");
    router.sh(
        "sysctl -q net.inet6.ip6.forwarding=1; ifconfig lo0 up; ifconfig epair94b inet6 2001:db8:94::1/64 up",
    );
    let wiring = Wiring::here().unwrap();
    let started =
        |name: &str| wiring.jail(name, "/").nic("bridge94").uplink("epair94a").autoconf().start().unwrap();
    let nic: InterfaceName = "epair0b".parse().unwrap();
    let ours = Ours(&wiring, vec!["early", "late"]);
    assert_eq!(started("early").autoconf, [(nic, None)], "no router advertises");

    let configuration = "/tmp/rtadvd.conf";
    std::fs::write(configuration, "epair94b:maxinterval#4:mininterval#3:\n").unwrap();
    let advertiser = rtadvd(configuration, "epair94b");
    let program = format!("{} --root {}", env!("CARGO_BIN_EXE_jailwire"), root.display());
    // The jail whose start reported no address gets its address, too.
    sh(&format!("{program} net wait early --inet6 --timeout 120"));
    // rtadvd(8) sends its first three advertisements at intervals of 16 seconds, whatever its configuration says.
    thread::sleep(Duration::from_secs(50));
    let advertised = |network: Ipv6Network| network.to_string().starts_with("2001:db8:94:");
    let late = started("late").autoconf;
    assert!(late.iter().all(|(name, came)| *name == nic && came.is_some_and(advertised)), "{late:?}");
    drop(ours);

    // The jail has iocage's properties. Its root is the host's, with a /dev of its own.
    let jail = root.join("jails/web");
    std::fs::create_dir_all(jail.join("root")).unwrap();
    std::fs::create_dir_all(root.join("log")).unwrap();
    let config = r#"{"vnet":1,"interfaces":"vnet0:bridge94","ip6_addr":"vnet0|accept_rtadv","vnet_default_interface":"epair94a","defaultrouter":"none","defaultrouter6":"none","exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true","resolver":"/dev/null","host_time":0,"mac_prefix":"02ff60","release":"15.1-RELEASE"}"#;
    std::fs::write(jail.join("config.json"), config).unwrap();
    std::fs::write(jail.join("fstab"), "").unwrap();
    let mounted = Mounted(format!("{}/root", jail.display()));
    sh(&format!("mount -t nullfs / {}", mounted.0));
    let said = sh(&format!("{program} start web 2>&1"));
    assert!(said.contains("  + IPv6 Address: 2001:db8:94:"), "{said}");
    sh(&format!("{program} stop web"));
    drop(advertiser);
    let said = sh(&format!("{program} start web 2>&1"));
    assert!(said.contains("no router has advertised an address for epair0b within"), "{said}");
    sh(&format!("{program} stop web"));
}

/// A mounted file system that is unmounted when the test ends.
struct Mounted(String);

impl Drop for Mounted {
    fn drop(&mut self) {
        output(&format!("umount {}", self.0));
    }
}

//! Router advertisements from one jail to another.

use std::process::{Command, Stdio};

use jailwire::wiring::Wiring;

use crate::tools::{Jail, Made, alone, inside, output, sh, wait};

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
    let mut advertiser = Command::new("jexec")
        .args(["router", "rtadvd", "-f", "-c", "/dev/null", "-p", "/tmp/rtadvd.pid", "epair92b"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("rtadvd");
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
    // ff:fe is in the middle of an address that is made from a MAC address.
    let made = inside("listener", "ifconfig epair0b inet6");
    let own = made.lines().find(|line| line.contains("2001:db8:92:")).expect("it was just there");
    assert_eq!(own.contains("ff:fe"), !stable, "{made}");
    wait("the router is reached", || {
        output("jexec listener timeout 3 ping -c 1 2001:db8:92::1").status.success()
    });
    assert!(inside("listener", "netstat -rn -6").contains("default"));
    wiring.stop("listener").unwrap();
    advertiser.kill().unwrap();
    advertiser.wait().unwrap();
}

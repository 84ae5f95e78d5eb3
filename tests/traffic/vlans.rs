//! Which jails reach each other through VLANs, and which frames pass a port.

use std::thread;
use std::time::Duration;

use jailwire::wiring::{JailBuilder, Problem, Wired, Wiring};

use crate::tools::{Capture, Jail, Made, Ours, Running, alone, inside, mac, output, reaches, sh};

/// Sends many broadcast frames a second, until the value is dropped.
fn flood(jail: &str, to: &str) -> Running {
    Running::inside(jail, &["ping", "-q", "-i", "0.02", to])
}

fn described<'a>(wiring: &'a Wiring, name: &str) -> JailBuilder<'a, Wired> {
    wiring.jail(name, "/").parameter("allow.raw_sockets", true).nic("bridge90").uplink("epair90a")
}

/// The number of packets that the first NIC of a jail has received.
fn received(jail: &str) -> u64 {
    let counted = inside(jail, "netstat -I epair0b -n -b | grep Link");
    // The columns are Name, Mtu, Network, Address and Ipkts.
    counted.split_whitespace().nth(4).and_then(|count| count.parse().ok()).expect("netstat's table")
}

#[test]
fn who_reaches_whom_and_which_frames_ports_carry() {
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let filters = wiring.host().sysctl_int("kern.osreldate").unwrap() >= 1_500_000;
    // The vlan(4) of the host stays behind without its bridge.
    let _made = Made(vec!["bridge90.30", "epair90a"]);
    // Without hardware tagging, the tags are in the frames, where bpf(4) sees them.
    sh("ifconfig epair90 create && ifconfig epair90a -vlanhwtag up");
    let outside = Jail::new("outside");
    sh("ifconfig epair90b vnet outside");
    outside.sh("ifconfig lo0 up; ifconfig epair90b up");
    outside.sh(
        "ifconfig epair90b.30 create inet 198.51.100.1/24 up; ifconfig epair90b.30 inet6 2001:db8:30::1/64",
    );
    let mut ours = Ours(&wiring, Vec::new());
    let uplink = Capture::on("epair90a");

    // c is in VLAN 30, and has addresses of the other VLAN's networks as well.
    let c = described(&wiring, "c").untagged(u16_vlan_of(30));
    let c = c.address("198.51.100.13/24").address("192.0.2.13/24");
    c.address("2001:db8:30::13/64").address("2001:db8:20::13/64").start().unwrap();
    ours.1.push("c");
    {
        let _flood = flood("c", "198.51.100.255");
        let _others = flood("outside", "198.51.100.255");
        for round in 0..5 {
            described(&wiring, "a").untagged("20").address("192.0.2.11/24").start().unwrap();
            thread::sleep(Duration::from_millis(700));
            assert_eq!(received("a"), 0, "round {round}: a is alone in VLAN 20");
            assert!(received("c") > 0, "round {round}: c hears the outside");
            wiring.stop("a").unwrap();
        }
    }

    outside
        .sh("ifconfig epair90b.20 create inet 192.0.2.1/24 up; ifconfig epair90b.20 inet6 2001:db8:20::1/64");
    for (name, number) in [("a", 11), ("b", 12)] {
        let jail = described(&wiring, name).untagged("20").address(format!("192.0.2.{number}/24"));
        jail.address(format!("2001:db8:20::{number}/64")).start().unwrap();
        ours.1.push(name);
    }
    let mut table = vec![
        ("a", "192.0.2.12", true),
        ("b", "2001:db8:20::11", true),
        ("a", "192.0.2.1", true),
        ("a", "2001:db8:20::1", true),
        ("c", "198.51.100.1", true),
        ("c", "2001:db8:30::1", true),
        ("a", "192.0.2.13", false),
        ("a", "2001:db8:20::13", false),
        ("c", "192.0.2.11", false),
        ("c", "2001:db8:20::11", false),
        ("c", "192.0.2.1", false),
    ];
    if filters {
        sh("ifconfig bridge90 defqinq qinq epair90a");
        described(&wiring, "trunk").tagged("20,30").named("trunk0").start().unwrap();
        ours.1.push("trunk");
        for (tag, inet, inet6) in
            [(20, "192.0.2.14", "2001:db8:20::14"), (30, "198.51.100.14", "2001:db8:30::14")]
        {
            inside(
                "trunk",
                &format!(
                    "ifconfig trunk0.{tag} create inet {inet}/24 up; ifconfig trunk0.{tag} inet6 {inet6}/64"
                ),
            );
            table.push((if tag == 20 { "a" } else { "c" }, inet, true));
            table.push((if tag == 20 { "b" } else { "c" }, inet6, true));
            table.push((if tag == 20 { "c" } else { "a" }, inet, false));
        }
        table.extend([("trunk", "192.0.2.1", true), ("trunk", "2001:db8:30::1", true)]);
        // A vlan(4) on a vlan(4) makes two tags. The host's own vlan(4) is on the bridge.
        inside("trunk", "ifconfig vlan5 create vlan 5 vlandev trunk0.20 inet 203.0.113.14/24 up");
        outside.sh("ifconfig vlan5 create vlan 5 vlandev epair90b.20 inet 203.0.113.1/24 up");
        table.push(("trunk", "203.0.113.1", true));
        sh("ifconfig bridge90.30 create inet 198.51.100.99/24 up");
        table.extend([("c", "198.51.100.99", true), ("trunk", "198.51.100.99", true)]);
    }
    let port = Capture::on(sh("ifconfig -l | tr \" \" \"\\n\" | grep vnet | head -1").trim());
    for round in 0..2 {
        for (from, to, expected) in &table {
            assert_eq!(reaches(from, to, *expected), *expected, "round {round}: {from} to {to}");
        }
        // Another jail is started and stopped meanwhile.
        described(&wiring, "guest").untagged("30").address("198.51.100.20/24").start().unwrap();
        wiring.stop("guest").unwrap();
    }

    if filters {
        // A vlan(4) of the host on the uplink takes all frames with tags, whatever its VLAN is: a plan refuses that.
        sh("ifconfig epair90a.77 create");
        assert!(!reaches("a", "192.0.2.1", false) && !reaches("c", "2001:db8:30::1", false));
        assert!(reaches("a", "192.0.2.12", true));
        let refused = described(&wiring, "late").untagged("20").start().expect_err("a vlan(4) on the uplink");
        let is_it = |problem: &Problem| matches!(problem, Problem::VlanTaken { tag, .. } if tag.get() == 77);
        assert!(refused.problems().iter().any(is_it), "{refused}");
        sh("ifconfig epair90a.77 destroy");
        assert!(reaches("a", "192.0.2.1", true) && reaches("c", "2001:db8:30::1", true));
    }

    // A jail in an untagged VLAN gets no tagged frames, and no frame of a jail leaves in another VLAN.
    let port = port.frames();
    assert!(port.len() > 5 && !port.iter().any(|frame| frame.contains("802.1Q")), "{port:#?}");
    let frames = uplink.frames();
    let mut counted = 0;
    for (jail, tag) in [("a", 20), ("b", 20), ("c", 30)] {
        let from = format!("{} > ", mac(jail, "epair0b"));
        for frame in frames.iter().filter(|frame| frame.starts_with(&from)) {
            counted += 1;
            assert!(frame.contains(&format!("vlan {tag}, ")), "{jail}: {frame}");
        }
    }
    println!(
        "{} frames on the uplink, {counted} of them from the jails; {} pings",
        frames.len(),
        2 * table.len()
    );
    assert!(counted > 50, "{counted} of {}", frames.len());
    if !filters {
        for jail in ["a", "b", "c"] {
            wiring.stop(jail).unwrap();
        }
        let left = output("ifconfig epair90a.20; ifconfig bridge90v20");
        assert!(!left.status.success(), "made for jails, and gone with them");
    }
}

/// A VLAN as a number. The other VLANs are given as text.
fn u16_vlan_of(number: u16) -> jailwire::types::VlanId {
    jailwire::types::VlanId::new(number).unwrap()
}

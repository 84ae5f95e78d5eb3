//! `net`: wiring jails of other managers.

use std::sync::Arc;

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Clock;
use jailwire::types::Jid;
use jailwire::wiring::Wiring;

use crate::points::at_every_call;
use crate::support::{Root, text};

/// A jail that jail(8) would make from `vnet; persist;`.
fn theirs(root: &Root) -> Jid {
    jail::create(&root.kernel(), &JailParameters::new("theirs").vnet()).expect("a jail")
}

#[test]
fn an_epair_is_attached_listed_and_detached() {
    let root = Root::new();
    let jid = theirs(&root);
    let before = root.kernel_state();
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--address", "192.0.2.30/24"];
    let more = ["--address", "2001:db8::30/64", "--router", "192.0.2.1", "--router", "2001:db8::1"];
    let answer = root.ok(&[&words[..], &more[..], &["--mtu", "1400"][..]].concat());
    assert_eq!(answer, format!("vnet0.{jid}\tepair0b\n"));
    let list = root.ok(&["net", "list"]);
    let line = format!("  epair0b up host vnet0.{jid} bridge bridge0 192.0.2.30/24 2001:db8::30/64 fe80::");
    assert!(list.starts_with(&format!("{jid} theirs\n")) && list.contains(&line), "{list}");
    assert!(list.contains("  default 192.0.2.1\n") && list.contains("  default 2001:db8::1\n"), "{list}");
    root.ok(&["net", "wait", "theirs"]);
    root.ok(&["net", "detach", "theirs", "epair0b"]);
    root.settles(&before, "after detach");
}

#[test]
fn answers_are_json_if_asked_for() {
    let root = Root::new();
    let jid = theirs(&root);
    let number = jid.to_string();
    let words = ["--json", "net", "attach", &number, "--name", "eth0", "--host-name", "theirs.eth0"];
    let answer = root.ok(&[&words[..], &["--mac", "02:00:00:00:00:01", "02:00:00:00:00:02"][..]].concat());
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(
        answer,
        serde_json::json!({
            "jid": jid.get(), "name": "theirs", "host_mac": "02:00:00:00:00:01", "routes": [],
            "interface": {
                "name": "eth0", "type": "ethernet", "up": true, "mtu": 1500, "mac": "02:00:00:00:00:02",
                "addresses": [], "host_end": "theirs.eth0", "bridge": null, "port": null,
            },
        })
    );
    let list: serde_json::Value =
        serde_json::from_str(&root.ok(&["--json", "net", "list", "theirs"])).unwrap();
    let interface = &list[0]["interfaces"][1];
    assert_eq!((&interface["name"], &interface["host_end"]), (&"eth0".into(), &"theirs.eth0".into()));
    let gone = root.ok(&["--json", "net", "detach", "theirs", "--all"]);
    let gone: serde_json::Value = serde_json::from_str(&gone).unwrap();
    assert_eq!(gone["detached"][0]["host_end"], "theirs.eth0");
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_changed() {
    let root = Root::new();
    theirs(&root);
    jail::create(&root.kernel(), &JailParameters::new("shared")).expect("a jail");
    let before = root.kernel_state();
    for (words, told) in [
        (&["net", "attach", "nobody", "--bridge", "bridge0"][..], "there is no jail nobody"),
        (&["net", "attach", "shared", "--bridge", "bridge0"], "no network stack of its own"),
        (&["net", "attach", "theirs", "--bridge", "em0"], "em0 is not a bridge"),
        (&["net", "attach", "theirs", "--address", "192.0.2.300/24"], "an address cannot be read"),
        (&["net", "attach", "theirs", "--router", "192.0.2.1"], "is in no subnet of the jail's addresses"),
        (&["net", "attach", "theirs", "--host-name", "em0"], "the host has an interface em0 already"),
        (&["net", "attach", "theirs", "--name", "lo0"], "the jail has an interface lo0 already"),
        (&["net", "detach", "theirs", "epair0b"], "theirs has no epair epair0b"),
        (&["net", "wait", "theirs", "epair0b"], "has no interface epair0b"),
        (&["net", "lend", "em9", "theirs"], "em9"),
        (&["net", "reclaim", "em0", "theirs"], "em0"),
        (&["net", "list", "shared"], "no network stack of its own"),
    ] {
        let said = root.fails(words, 1);
        assert!(said.contains(told), "{words:?}: {said}");
        root.settles(&before, &words.join(" "));
    }
    root.fails(&["net", "detach", "theirs"], 2);
    root.fails(&["net"], 2);
}

#[test]
fn an_interface_is_lent_and_reclaimed() {
    let root = Root::new();
    theirs(&root);
    let answer = root.ok(&[
        "net",
        "lend",
        "--force",
        "em0",
        "theirs",
        "--name",
        "wan0",
        "--address",
        "198.51.100.2/24",
    ]);
    assert_eq!(answer, "em0\twan0\n");
    assert!(!root.ok(&["show"]).contains("em0"));
    assert!(root.ok(&["net", "list", "theirs"]).contains("  wan0 up 198.51.100.2/24\n"));
    assert_eq!(root.ok(&["net", "reclaim", "wan0", "theirs", "--name", "em0"]), "em0\n");
    assert!(root.ok(&["show"]).contains("em0"));
}

#[test]
fn the_jail_may_have_an_interface_of_the_old_name() {
    let root = Root::new();
    theirs(&root);
    root.ok(&["net", "attach", "theirs", "--name", "em0"]);
    let said = root.fails(&["net", "lend", "--force", "em0", "theirs"], 1);
    assert!(said.contains("theirs has an interface em0 already: choose another name"), "{said}");
    root.ok(&["net", "lend", "--force", "em0", "theirs", "--name", "wan0", "--address", "198.51.100.2/24"]);
    let inside = root.ok(&["net", "list", "theirs"]);
    assert!(inside.contains("  em0 up") && inside.contains("  wan0 up 198.51.100.2/24\n"), "{inside}");
    assert_eq!(root.ok(&["net", "reclaim", "wan0", "theirs", "--name", "em0"]), "em0\n");
}

#[test]
fn lending_that_fails_gives_the_interface_back() {
    let root = Root::new();
    theirs(&root);
    let words = ["net", "lend", "--force", "em0", "theirs", "--name", "wan0", "--router", "203.0.113.1"];
    let said = root.fails(&words, 1);
    assert!(said.contains("203.0.113.1"), "{said}");
    assert!(root.ok(&["show"]).contains("  em0 "));
    assert_eq!(root.ok(&["net", "list", "theirs"]).lines().count(), 2, "lo0 alone");
}

#[test]
fn lending_that_fails_leaves_another_interface_of_the_new_name_alone() {
    let root = Root::new();
    theirs(&root);
    root.ok(&["net", "attach", "theirs", "--host-name", "wan0"]);
    let said = root
        .fails(&["net", "lend", "--force", "em0", "theirs", "--name", "wan0", "--router", "203.0.113.1"], 1);
    assert!(said.contains("203.0.113.1"), "{said}");
    let host = root.ok(&["show"]);
    assert!(host.contains("  em0 ") && host.contains("  wan0 "), "{host}");
}

#[test]
fn a_dry_run_of_lending_names_things_when_lending_does() {
    let root = Root::new();
    theirs(&root);
    let words = ["net", "lend", "--force", "em0", "theirs", "--name", "wan0", "--dry-run"];
    let before = |plan: &str, first: &str, then: &str| {
        let place = |words| plan.find(words).unwrap_or_else(|| panic!("no {words} in {plan}"));
        assert!(place(first) < place(then), "{plan}");
    };
    before(&root.ok(&words), "name em0 wan0", "lend wan0 to theirs");
    // If the host has another interface with the name, the interface is renamed inside the jail.
    root.ok(&["net", "attach", "theirs", "--host-name", "wan0"]);
    before(&root.ok(&words), "lend em0 to theirs", "name it wan0");
}

#[test]
fn waiting_ends_when_the_time_is_over() {
    let root = Root::new();
    theirs(&root);
    root.ok(&["net", "attach", "theirs", "--name", "eth0", "--address", "192.0.2.30/24"]);
    let sim = root.kernel();
    let jid = jail::find(&sim, "theirs").unwrap().unwrap();
    let inside = jailwire::Vnet::enter(std::sync::Arc::new(sim), jid).unwrap();
    inside.down(&"eth0".parse().unwrap()).unwrap();
    drop(inside);
    let said = root.fails(&["net", "wait", "theirs", "--timeout", "3"], 1);
    assert!(said.contains("eth0 of jail 1 is not up after 3 seconds"), "{said}");
}

#[test]
fn nobody_is_in_the_way_of_the_next_one_when_attaching_is_killed() {
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--name", "eth0", "--host-name", "outer0"];
    let words = [&words[..], &["--address", "192.0.2.30/24"][..]].concat();
    // All calls take a quarter of a minute.
    let every = std::env::var_os("JAILWIRE_EVERY_CALL").is_some();
    let step = if every { 1 } else { 5 };
    let killed = at_every_call(step, |call| {
        let root = Root::new();
        root.ok(&["net", "list"]);
        let before = root.kernel_state();
        let jid = theirs(&root);
        let output = root.run_with_fault(&words, Some(&format!("{call}:kill")));
        if output.status.success() {
            return false;
        }
        // The kernel takes a moment to remove what ended with the process. The next attempt finds the rest.
        let again = root.run(&words);
        let said = text(&again.stderr);
        // If the command was killed at the very end, the attachment is complete.
        assert!(again.status.success() || said.contains("already"), "killed at call {call}: {said}");
        root.ok(&["net", "detach", "theirs", "eth0"]);
        let sim = root.kernel();
        jail::remove(&sim, jid).unwrap();
        jail::wait_gone(&sim, jid, std::time::Duration::from_secs(10)).unwrap();
        sim.sleep(std::time::Duration::from_secs(2));
        root.settles(&before, &format!("killed at call {call}"));
        true
    });
    println!("killed at {killed} calls, every {step}. of all");
    assert!(killed * step > 30, "{killed}");
}

#[test]
fn nat_and_published_ports_are_shown_and_cleared_up() {
    let root = Root::new();
    let jid = theirs(&root);
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--address", "10.0.0.2/24", "--nat"];
    let publish = ["--publish", "8080:80", "--publish", "5353:53/udp"];
    let all = [&words[..], &publish[..]].concat();
    assert!(root.fails(&all, 1).contains("pf is not loaded: run `kldload pf`"));
    jailwire::wiring::nat::prepare_simulated(&Wiring::on(Arc::new(root.kernel())).unwrap()).unwrap();
    let before = root.kernel_state();
    assert!(
        root.ok(&[&all[..], &["--dry-run"]].concat()).contains("translate what it sends, publish 8080:80")
    );
    root.settles(&before, "a preview");
    assert_eq!(root.ok(&all), format!("vnet0.{jid}\tepair0b\n"));
    let list = root.ok(&["net", "list"]);
    for line in ["  nat 10.0.0.2 as 192.0.2.10 on em0\n", "  published 192.0.2.10:8080 to 10.0.0.2:80/tcp\n"]
    {
        assert!(list.contains(line), "{list}");
    }
    let list: serde_json::Value = serde_json::from_str(&root.ok(&["--json", "net", "list"])).unwrap();
    assert_eq!(list[0]["published"][1], "192.0.2.10:5353 to 10.0.0.2:53/udp");
    assert!(root.fails(&all, 1).contains("has NAT or published ports already"));
    assert_eq!(root.ok(&["gc"]), "Nothing is left over.\n");
    // Another program removes the jail.
    jail::remove(&root.kernel(), jid).unwrap();
    assert!(root.ok(&["gc", "--dry-run"]).contains("would be removed: theirs: anchor jailwire/theirs of pf"));
    assert!(root.ok(&["gc"]).contains("removed: theirs: anchor jailwire/theirs of pf"));
    assert!(!root.kernel_state().contains("jailwire/theirs"));
}

/// The unit of a renamed epair is in use, and its old name is free.
#[test]
fn one_epair_after_the_other_is_attached_whatever_they_are_called() {
    let root = Root::new();
    theirs(&root);
    root.ok(&["net", "attach", "theirs", "-n", "lan0", "-a", "10.0.0.1/24"]);
    for number in 0..3 {
        let answer = root.ok(&["net", "attach", "theirs"]);
        assert!(answer.ends_with(&format!("\tepair{number}b\n")), "{answer}");
    }
    root.ok(&["net", "detach", "theirs", "lan0"]);
    assert!(root.ok(&["net", "attach", "theirs"]).ends_with("\tepair3b\n"));
}

/// The first NIC has unit 0, and the second NIC has the name of unit 0.
#[test]
fn a_nic_with_a_name_of_its_own_may_come_before_vnet0() {
    let root = Root::new();
    let config = r#"{"vnet":1,"interfaces":"lan:bridge0,vnet0:bridge1","ip4_addr":"lan|10.0.0.2/24,vnet0|192.0.2.20/24"}"#;
    std::fs::write(root.jail("web").join("config.json"), config).unwrap();
    root.ok(&["start", "web"]);
    let shown = root.ok(&["show", "web"]);
    assert!(shown.contains("  lan ") && shown.contains("  epair0b "), "{shown}");
}

#[test]
fn an_address_is_read_as_the_jails_properties_are() {
    let root = Root::new();
    theirs(&root);
    let before = root.quiet_state();
    for (address, told) in [
        ("192.0.2.22", "no prefix length: give one, such as 192.0.2.22/24"),
        ("0.0.0.0/24", "the unspecified address"),
        ("224.0.0.1/24", "a multicast address"),
        ("ff02::1/64", "a multicast address"),
        ("192.0.2.22/0", "prefix length"),
    ] {
        for words in [
            &["net", "attach", "theirs", "--bridge", "bridge0", "--address", address][..],
            &["net", "lend", "--force", "em0", "theirs", "--address", address],
        ] {
            let said = root.fails(words, 1);
            assert!(said.contains(told), "{words:?}: {said}");
            root.settles(&before, address);
        }
    }
    let words = [
        "net",
        "attach",
        "theirs",
        "--bridge",
        "bridge0",
        "--address",
        "2001:db8::5",
        "--router",
        "2001:db8::1",
    ];
    root.ok(&words);
    assert!(root.ok(&["net", "list", "theirs"]).contains(" 2001:db8::5/64"));
    let output = root.run(&["net", "attach", "theirs", "--address", "192.0.2.0/24"]);
    assert!(text(&output.stderr).contains("the address of the network itself"), "{}", text(&output.stderr));
}

/// The old route would not come back when the NIC is removed.
#[test]
fn a_route_that_the_jail_has_is_not_replaced() {
    let root = Root::new();
    root.ok(&["start", "web"]);
    let before = root.quiet_state();
    let nic = ["net", "attach", "web", "--bridge", "bridge1", "--address", "198.51.100.2/24"];
    let said = root.fails(&[&nic[..], &["--router", "198.51.100.1"]].concat(), 1);
    assert!(said.contains("has a route to default already, via 192.0.2.1"), "{said}");
    let lend = ["net", "lend", "--force", "em0", "web", "--address", "198.51.100.2/24"];
    let said = root.fails(&[&lend[..], &["--router", "198.51.100.1"]].concat(), 1);
    assert!(said.contains("has the default router 192.0.2.1 already"), "{said}");
    root.settles(&before, "after what was refused");
    // A route of another family, to another network, or the same route replaces nothing.
    root.ok(&[&nic[..], &["--router", "192.0.2.1", "--route", "203.0.113.0/24=198.51.100.1"]].concat());
    let said = root.fails(
        &["net", "attach", "web", "--address", "10.9.0.2/24", "--route", "203.0.113.0/24=10.9.0.1"],
        1,
    );
    assert!(said.contains("a route to 203.0.113.0/24 already"), "{said}");
    assert!(root.ok(&["show", "web"]).contains("203.0.113.0/24"));
}

#[test]
fn what_cannot_be_a_route_is_told() {
    let root = Root::new();
    theirs(&root);
    let before = root.quiet_state();
    for (route, told) in [
        ("10.0.0.0/8=203.0.113.1", "is in no subnet"),
        ("10.0.0.0/8=2001:db8::1", "of the other address family"),
        ("10.0.0.0/40=192.0.2.1", "the destination of a route cannot be read"),
        ("10.0.0.0/8=gateway", "the router of a route cannot be read"),
    ] {
        let said = root.fails(&["net", "attach", "theirs", "--address", "192.0.2.2/24", "--route", route], 1);
        assert!(said.contains(told), "{route}: {said}");
        root.settles(&before, route);
    }
    root.fails(&["net", "attach", "theirs", "--route", "10.0.0.0/8"], 2);
}

/// A start writes iocage's name for the jail into descriptions, and `net attach` writes the kernel's name.
#[test]
fn epairs_of_jails_that_start_made_are_listed_and_detached() {
    let root = Root::new();
    root.ok(&["start", "web"]);
    root.ok(&["net", "attach", "web", "--bridge", "bridge0", "--name", "lan0", "--address", "10.0.0.2/24"]);
    for word in ["web", "ioc-web", "2"] {
        let list = root.ok(&["net", "list", word]);
        assert!(list.contains("epair0b up host vnet0.2 bridge bridge0"), "{word}: {list}");
        assert!(list.contains("lan0 up host vnet1.2 bridge bridge0"), "{word}: {list}");
    }
    let map = root.ok(&["map"]);
    assert_eq!(map.matches("jid 2").count(), 2, "once for each NIC: {map}");
    assert!(map.contains("vnet1.2 ── lan0 ── web"), "{map}");
    root.ok(&["net", "detach", "web", "epair0b"]);
    let list = root.ok(&["net", "list", "web"]);
    assert!(!list.contains("epair0b") && list.contains("lan0"), "{list}");
    root.ok(&["net", "detach", "web", "--all"]);
    assert!(!root.ok(&["net", "list", "web"]).contains("host "));
    root.ok(&["stop", "web"]);
}

/// Two jails: the kernel's name of one is iocage's name of the other.
#[test]
fn a_jail_is_not_taken_for_another_of_the_same_word() {
    let root = Root::new();
    root.ok(&["start", "web"]);
    let jid = jail::create(&root.kernel(), &JailParameters::new("web").vnet()).expect("a jail");
    root.ok(&["net", "attach", "web", "--name", "eth0"]);
    let (theirs, ours) = (root.ok(&["net", "list", "web"]), root.ok(&["net", "list", "ioc-web"]));
    assert!(
        theirs.contains(&format!("eth0 up host vnet0.{jid}")) && !theirs.contains("vnet0.2 "),
        "{theirs}"
    );
    assert!(ours.contains("epair0b up host vnet0.2 ") && !ours.contains("eth0"), "{ours}");
    root.ok(&["net", "detach", "web", "--all"]);
    assert_eq!(root.ok(&["net", "list", "ioc-web"]), ours);
}

/// em0 has the host's address and the host's default route.
#[test]
fn what_the_host_lives_on_is_lent_with_force_only() {
    let root = Root::new();
    theirs(&root);
    let before = root.quiet_state();
    for words in [&["net", "lend", "em0", "theirs"][..], &["net", "lend", "--dry-run", "em0", "theirs"]] {
        let said = root.fails(words, 1);
        assert!(
            said.contains("has 192.0.2.10/24") && said.contains("leads to the default router 192.0.2.1"),
            "{said}"
        );
        assert!(said.contains("--force"), "{said}");
        root.settles(&before, "after what was refused");
    }
    let said = text(&root.run(&["net", "lend", "--force", "em0", "theirs"]).stderr);
    assert!(said.contains("em0 has 192.0.2.10/24: the host has lost that until"), "{said}");
    root.ok(&["net", "reclaim", "em0", "theirs"]);
    // If another program has lent the interface, there is no record.
    let host = jailwire::Vnet::host(Arc::new(root.kernel()));
    let jid = jail::find(&root.kernel(), "theirs").unwrap().unwrap();
    host.lend(&"em0".parse().unwrap(), jid).unwrap();
    let said = text(&root.run(&["net", "reclaim", "em0", "theirs"]).stderr);
    assert!(said.contains("em0 is down and without addresses: `service netif start em0"), "{said}");
}

#[test]
fn an_uplink_of_jails_is_lent_with_force_only() {
    let root = Root::new();
    theirs(&root);
    root.ok(&["set", "vnet_default_interface=em0", "web"]);
    root.ok(&["start", "web"]);
    let said = root.fails(&["net", "lend", "em0", "theirs"], 1);
    assert!(said.contains("is on bridge0, where jail web is"), "{said}");
    let said = root.fails(&["net", "lend", "em7", "theirs"], 1);
    assert!(said.contains("the host has no interface em7"), "{said}");
}

/// Each router is shown at the NIC that leads to it.
#[test]
fn the_map_shows_a_router_at_its_nic_alone() {
    let root = Root::new();
    let config = r#"{"vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.20/24,vnet1|10.0.0.2/24","defaultrouter":"192.0.2.1"}"#;
    std::fs::write(root.jail("web").join("config.json"), config).unwrap();
    root.ok(&["start", "web"]);
    let map = root.ok(&["map"]);
    let line = |address: &str| map.lines().find(|line| line.contains(address)).unwrap().to_owned();
    assert!(line("192.0.2.20/24").contains("via 192.0.2.1"), "{map}");
    assert!(!line("10.0.0.2/24").contains("via"), "{map}");
}

#[test]
fn an_address_is_waited_for_if_it_is_asked_for() {
    let root = Root::new();
    let jid = theirs(&root);
    root.ok(&["net", "attach", "theirs", "--bridge", "bridge0"]);
    assert_eq!(root.ok(&["net", "wait", "theirs"]), "");
    let told = root.fails(&["net", "wait", "theirs", "--inet", "--timeout", "3"], 1);
    assert!(
        told.contains("epair0b of jail")
            && told.contains("no IPv4 address after 3 seconds: see whether dhclient"),
        "{told}"
    );
    let inside = jailwire::Vnet::enter(std::sync::Arc::new(root.kernel()), jid).unwrap();
    let nic = "epair0b".parse().unwrap();
    inside.add_ipv4(&nic, "192.0.2.30/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    root.ok(&["net", "wait", "theirs", "--inet"]);
    let told = root.fails(&["net", "wait", "theirs", "--inet", "--inet6", "--timeout", "3"], 1);
    assert!(
        told.contains("no IPv6 address after 3 seconds: see whether a router is on its bridge"),
        "{told}"
    );
    inside.add_ipv6(&nic, "2001:db8::30/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
    root.ok(&["net", "wait", "theirs", "--inet", "--inet6"]);
}

//! `net`: wiring jails that somebody else made.

use std::sync::Arc;

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Kernel as _;
use jailwire::sim::Sim;
use jailwire::types::Jid;
use jailwire::wiring::Wiring;

use crate::support::{Root, at_every_call, text};

/// The simulated kernel of a root, as somebody else uses it.
fn kernel(root: &Root) -> Sim {
    Sim::open(&root.path().join(".sim")).expect("the simulated kernel")
}

/// A jail as jail(8) makes one from `vnet; persist;`.
fn theirs(root: &Root) -> Jid {
    jail::create(&kernel(root), &JailParameters::new("theirs").vnet()).expect("a jail")
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
            "jid": jid.get(), "name": "theirs", "host": "theirs.eth0", "jail": "eth0",
            "host_mac": "02:00:00:00:00:01", "jail_mac": "02:00:00:00:00:02",
            "mtu": 1500, "bridge": null, "addresses": [], "routers": [],
        })
    );
    let list: serde_json::Value =
        serde_json::from_str(&root.ok(&["--json", "net", "list", "theirs"])).unwrap();
    let interface = &list[0]["interfaces"][1];
    assert_eq!((&interface["jail"], &interface["host"]), (&"eth0".into(), &"theirs.eth0".into()));
    let gone = root.ok(&["--json", "net", "detach", "theirs", "--all"]);
    let gone: serde_json::Value = serde_json::from_str(&gone).unwrap();
    assert_eq!(gone["detached"][0]["host"], "theirs.eth0");
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_changed() {
    let root = Root::new();
    theirs(&root);
    jail::create(&kernel(&root), &JailParameters::new("shared")).expect("a jail");
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
    let answer = root.ok(&["net", "lend", "em0", "theirs", "--name", "wan0", "--address", "198.51.100.2/24"]);
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
    let said = root.fails(&["net", "lend", "em0", "theirs"], 1);
    assert!(said.contains("EEXIST"), "{said}");
    root.ok(&["net", "lend", "em0", "theirs", "--name", "wan0", "--address", "198.51.100.2/24"]);
    let inside = root.ok(&["net", "list", "theirs"]);
    assert!(inside.contains("  em0 up") && inside.contains("  wan0 up 198.51.100.2/24\n"), "{inside}");
    assert_eq!(root.ok(&["net", "reclaim", "wan0", "theirs", "--name", "em0"]), "em0\n");
}

#[test]
fn lending_that_fails_gives_the_interface_back() {
    let root = Root::new();
    theirs(&root);
    let words = ["net", "lend", "em0", "theirs", "--name", "wan0", "--router", "203.0.113.1"];
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
    let said = root.fails(&["net", "lend", "em0", "theirs", "--name", "wan0", "--router", "203.0.113.1"], 1);
    assert!(said.contains("203.0.113.1"), "{said}");
    let host = root.ok(&["show"]);
    assert!(host.contains("  em0 ") && host.contains("  wan0 "), "{host}");
}

#[test]
fn a_dry_run_of_lending_names_things_when_lending_does() {
    let root = Root::new();
    theirs(&root);
    let words = ["net", "lend", "em0", "theirs", "--name", "wan0", "--dry-run"];
    let before = |plan: &str, first: &str, then: &str| {
        let place = |words| plan.find(words).unwrap_or_else(|| panic!("no {words} in {plan}"));
        assert!(place(first) < place(then), "{plan}");
    };
    before(&root.ok(&words), "name em0 wan0", "lend wan0 to theirs");
    // Where the host has another of that name, the jail is where it gets its own.
    root.ok(&["net", "attach", "theirs", "--host-name", "wan0"]);
    before(&root.ok(&words), "lend em0 to theirs", "name it wan0");
}

#[test]
fn waiting_ends_when_the_time_is_over() {
    let root = Root::new();
    theirs(&root);
    root.ok(&["net", "attach", "theirs", "--name", "eth0", "--address", "192.0.2.30/24"]);
    let sim = kernel(&root);
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
    // All of them take a quarter of a minute.
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
        // What died with the process takes the kernel a moment; the next attempt finds what was left.
        let again = root.run(&words);
        let said = text(&again.stderr);
        // Killed at the very end, all of it is there.
        assert!(again.status.success() || said.contains("already"), "killed at call {call}: {said}");
        root.ok(&["net", "detach", "theirs", "eth0"]);
        let sim = kernel(&root);
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
    assert!(root.fails(&all, 1).contains("pf is not loaded: `kldload pf`"));
    jailwire::wiring::nat::prepare_simulated(&Wiring::on(Arc::new(kernel(&root))).unwrap()).unwrap();
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
    // The jail goes, and nobody has said so.
    jail::remove(&kernel(&root), jid).unwrap();
    assert!(root.ok(&["gc", "--dry-run"]).contains("would be removed: theirs: anchor jailwire/theirs of pf"));
    assert!(root.ok(&["gc"]).contains("removed: theirs: anchor jailwire/theirs of pf"));
    assert!(!root.kernel_state().contains("jailwire/theirs"));
}

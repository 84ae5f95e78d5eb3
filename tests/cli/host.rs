//! `host`: the program moves the host's own addresses, and the watcher process undoes a move.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jailwire::carp::{VirtualHost, VirtualHostKey, VirtualHostState};
use jailwire::kernel::Kernel;
use jailwire::route::{Gateway, Route, Via};
use jailwire::types::{Fib, InterfaceName};
use jailwire::vnet::Vnet;

use crate::points::at_every_call;
use crate::support::{Root, assert_same, text};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// em0 on bridge0, with the addresses that it has from the start.
fn host(root: &Root) -> Vnet {
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    kernel.load_module("if_bridge").unwrap();
    let host = Vnet::host(kernel);
    let bridge = host.create("bridge0").unwrap();
    host.add_member(&bridge, &name("em0")).unwrap();
    host
}

fn addresses(host: &Vnet, interface: &str) -> Vec<String> {
    let addresses = host.ipv4_addresses(&name(interface)).unwrap();
    addresses.iter().map(|address| address.network.to_string()).collect()
}

/// Waits until there is no record of a move, because the watcher has finished.
fn wait_for_the_watcher(root: &Root) {
    let record = root.path().join(".sim/run/jailwire/%addresses");
    let deadline = Instant::now() + Duration::from_secs(60);
    while record.exists() {
        assert!(Instant::now() < deadline, "the watcher does nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_move_that_is_confirmed_stays_and_one_that_is_not_is_undone() {
    let root = Root::new();
    let host = host(&root);
    let before = root.quiet_state();
    let said = root.ok(&["host", "move-address", "em0", "bridge0", "--confirm-within", "1s"]);
    assert!(said.starts_with("Moved 192.0.2.10/24 from em0 to bridge0.\n"), "{said}");
    assert!(said.contains("undone in 1 seconds, unless you run: jailwire host confirm\n"), "{said}");
    for line in [
        "cloned_interfaces=\"bridge0\"",
        "ifconfig_em0=\"up\"",
        "ifconfig_bridge0=\"inet 192.0.2.10/24 addm em0 up\"",
    ] {
        assert!(said.contains(&format!("\n    {line}\n")), "{line}: {said}");
    }
    wait_for_the_watcher(&root);
    root.settles(&before, "not confirmed");
    assert!(root.fails(&["host", "confirm"], 1).contains("was undone"));

    root.ok(&["host", "move-address", "em0", "bridge0", "--confirm-within", "1h"]);
    let pending = root.fails(&["host", "move-address", "bridge0", "em0"], 1);
    assert!(pending.contains("host confirm"), "{pending}");
    assert_eq!(root.ok(&["host", "confirm"]), "Confirmed: 192.0.2.10/24 from em0 to bridge0.\n");
    assert_eq!(
        (addresses(&host, "bridge0"), addresses(&host, "em0")),
        (vec!["192.0.2.10/24".into()], vec![])
    );

    let back = root.ok(&["host", "move-address", "bridge0", "em0", "--confirmed"]);
    assert!(!back.contains("host confirm"), "{back}");
    assert!(
        back.contains("    ifconfig_bridge0=\"addm em0 up\"\n    ifconfig_em0=\"inet 192.0.2.10/24 up\"\n"),
        "{back}"
    );
    host.down(&name("bridge0")).unwrap();
    root.settles(&before, "and back");
}

#[test]
fn a_move_is_undone_at_once_when_its_mover_is_killed() {
    let fresh = Root::new();
    host(&fresh);
    let before = fresh.quiet_state();
    let killed = at_every_call(3, |call| {
        use std::os::unix::process::ExitStatusExt as _;

        let root = Root::new();
        host(&root);
        // The time is longer than the test, so a move is undone only because the mover has ended.
        let arguments = ["host", "move-address", "em0", "bridge0", "--confirm-within", "10m"];
        let output = root.run_with_fault(&arguments, Some(&format!("{call}:kill")));
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "call {call}: {}", text(&output.stderr));
            root.ok(&["host", "undo"]);
            root.settles(&before, "undone by hand");
            return false;
        }
        // After the last change, the move waits to be confirmed.
        let deadline = Instant::now() + Duration::from_secs(30);
        let record = root.path().join(".sim/run/jailwire/%addresses");
        while std::fs::read_to_string(&record).is_ok_and(|text| !text.contains(" done")) {
            assert!(Instant::now() < deadline, "killed at call {call}: the watcher does nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        if record.exists() {
            root.ok(&["host", "undo"]);
        }
        root.settles(&before, &format!("killed at call {call}"));
        true
    });
    println!("killed at {killed} points");
    assert!(killed > 10, "{killed}");
}

#[test]
fn a_move_that_fails_tells_why_and_changes_nothing() {
    let root = Root::new();
    let host = host(&root);
    let before = root.quiet_state();
    let calls = |fault: &str| {
        let arguments = ["host", "move-address", "em0", "bridge0", "--confirm-within", "10m"];
        root.run_with_fault(&arguments, Some(fault))
    };
    let mut failed = 0;
    for call in (20..60).step_by(4) {
        let output = calls(&format!("{call}:ENOBUFS"));
        if output.status.success() {
            root.ok(&["host", "undo"]);
        } else {
            failed += 1;
            assert!(text(&output.stderr).contains("ENOBUFS"), "{}", text(&output.stderr));
        }
        wait_for_the_watcher(&root);
        root.settles(&before, &format!("failed at call {call}"));
    }
    assert!(failed > 3, "{failed}");
    assert_eq!(addresses(&host, "em0"), ["192.0.2.10/24"]);
}

#[test]
fn a_lease_moves_with_the_mac_and_the_lines_ask_for_it_again() {
    let root = Root::new();
    let host = host(&root);
    let rc = root.path().join("rc.conf");
    std::fs::write(
        &rc,
        "cloned_interfaces=\"lo1\"\nifconfig_em0=\"SYNCDHCP mtu 9000 -tso\"\nifconfig_em0_alias0=\"inet 198.51.100.7/32\"\nifconfig_bridge0=\"addm em0 stp em0 up\"\n",
    )
    .unwrap();
    let own = host.mac(&name("bridge0")).unwrap().unwrap();
    let mac = host.mac(&name("em0")).unwrap().unwrap();
    let arguments = ["host", "move-address", "em0", "bridge0", "--rc-conf", rc.to_str().unwrap()];
    let dry = root.ok(&[&arguments[..], &["--dry-run"]].concat());
    assert!(dry.contains(&format!("set the MAC address of bridge0 to {mac}")), "{dry}");
    assert!(dry.contains("SIOCDIFADDR, SIOCAIFADDR"), "{dry}");
    assert_eq!(host.mac(&name("bridge0")).unwrap(), Some(own), "nothing is done");
    let said = root.ok(&[&arguments[..], &["--confirmed"]].concat());
    for line in [
        "    cloned_interfaces=\"lo1 bridge0\"\n",
        "    ifconfig_em0=\"mtu 9000 -tso up\"\n",
        &format!("    ifconfig_bridge0=\"ether {mac} SYNCDHCP stp em0 addm em0 up\"\n"),
        "    # and without ifconfig_em0_alias0\n",
        "To renew the lease from now on: service dhclient start bridge0\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(host.mac(&name("bridge0")).unwrap(), Some(mac));
    let json: serde_json::Value =
        serde_json::from_str(&root.ok(&["host", "move-address", "bridge0", "em0", "--confirmed", "--json"]))
            .unwrap();
    assert_eq!(json["addresses"][0]["address"], "192.0.2.10", "{json}");
    assert_eq!(json["mac"], own.to_string(), "the bridge has its own again");
    assert_eq!(host.mac(&name("bridge0")).unwrap(), Some(own));
}

#[test]
fn a_virtual_host_moves_and_the_lines_say_how_to_make_it() {
    let root = Root::new();
    let host = host(&root);
    host.kernel().load_module("carp").unwrap();
    let key = VirtualHostKey([7; 20]);
    let shared = VirtualHost::new(7)
        .with_interval(1)
        .with_skew(100)
        .with_key(key)
        .with_state(VirtualHostState::Master);
    host.set_virtual_host(&name("em0"), &shared).unwrap();
    for address in ["192.0.2.77/32", "192.0.2.78/32"] {
        host.add_ipv4_of(&name("em0"), address.parse::<ipnetwork::Ipv4Network>().unwrap(), 7).unwrap();
    }
    let told = root.ok(&["host", "move-address", "--dry-run", "em0", "bridge0"]);
    assert!(told.contains("make the virtual host 7 on bridge0"), "{told}");
    let told = root.ok(&["host", "move-address", "em0", "bridge0", "--confirmed"]);
    for line in [
        "=\"inet 192.0.2.77/32 vhid 7 advbase 1 advskew 100 pass PASSWORD\"",
        "=\"inet 192.0.2.78/32 vhid 7\"",
        "# with the password of vhid 7 for PASSWORD",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let found = host.carp_addresses(&name("bridge0")).unwrap();
    assert!(found.len() == 2 && found.iter().all(|(_, vhid)| *vhid == 7), "{found:?}");
}

/// In rc.conf(5), routes that name the interface have to name the other interface. Routes to a router are not
/// changed.
#[test]
fn the_lines_have_the_routes_that_name_the_interface() {
    let root = Root::new();
    let host = host(&root);
    host.set_sysctl_int("net.fibs", 2).unwrap();
    host.set_sysctl_int("net.add_addr_allfibs", 1).unwrap();
    let rc = root.path().join("rc.conf");
    let text = "ifconfig_em0=\"inet 192.0.2.10/24\"\nstatic_routes=\"far lan:em0\"\nroute_far=\"-net 10.0.0.0/8 192.0.2.254\"\nroute_lan=\"-net 203.0.113.0/24 -iface em0 -mtu 1400\"\n";
    std::fs::write(&rc, text).unwrap();
    host.add_ipv6(&name("em0"), "2001:db8::10/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
    let index = host.index(&name("em0")).unwrap();
    let network = |text: &str| text.parse::<ipnetwork::IpNetwork>().unwrap();
    let fib = Fib::new(1).unwrap();
    let router = Gateway::scoped("fe80::1".parse().unwrap(), index.into());
    for route in [
        Route::new(network("10.0.0.0/8"), Via::Gateway("192.0.2.254".parse().unwrap())),
        Route::new(network("203.0.113.0/24"), Via::Interface(index)),
        Route::new(network("10.5.0.0/16"), Via::Interface(index)).in_fib(fib),
        Route::new(network("2001:db8:5::/48"), Via::Gateway(router)),
        Route::default_via(router),
        Route::default_via(router).in_fib(fib),
    ] {
        host.add_route(&route).unwrap();
    }
    let arguments = ["host", "move-address", "em0", "bridge0", "--rc-conf", rc.to_str().unwrap()];
    let said = root.ok(&[&arguments[..], &["--dry-run"]].concat());
    let (_, lines) = said.split_once("in /etc/rc.conf:\n").expect(&said);
    for line in [
        "route_lan=\"-net 203.0.113.0/24 -iface bridge0 -mtu 1400\"",
        "route_moved0=\"-net 10.5.0.0/16 -iface bridge0 -fib 1\"",
        "ipv6_route_moved0=\"-net 2001:db8:5::/48 fe80::1%bridge0\"",
        "ipv6_defaultrouter=\"fe80::1%bridge0\"",
        "ipv6_defaultrouter_fib1=\"fe80::1%bridge0\"",
        "static_routes=\"far lan:bridge0 moved0\"",
        "ipv6_static_routes=\"moved0\"",
    ] {
        assert!(lines.contains(&format!("    {line}\n")), "{line}: {lines}");
    }
    assert!(!lines.contains("route_far"), "{lines}");
}

/// When a terminal is closed, its process groups end. The watcher is in a session of its own.
#[test]
fn the_watcher_outlives_the_session_of_the_mover() {
    use std::os::unix::process::CommandExt as _;

    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;

    let root = Root::new();
    host(&root);
    let before = root.quiet_state();
    let mover = ["host", "move-address", "em0", "bridge0", "--confirm-within", "2s"];
    let child = root.command(&mover).process_group(0).stdout(std::process::Stdio::null()).spawn().unwrap();
    let group = Pid::from_raw(child.id().try_into().unwrap());
    assert!(child.wait_with_output().unwrap().status.success());
    assert!(root.path().join(".sim/run/jailwire/%addresses").exists(), "the move waits");
    // The group has no processes any more.
    assert_eq!(killpg(group, Signal::SIGKILL), Err(nix::errno::Errno::ESRCH));
    wait_for_the_watcher(&root);
    root.settles(&before, "not confirmed");
}

/// No process remains that could undo the killed move. The next commands report the move, and the remedy.
#[test]
fn gc_leaves_an_interrupted_move_alone_and_tells_of_it() {
    let mut told = 0;
    for call in (1..).step_by(4) {
        let root = Root::new();
        host(&root);
        let before = root.quiet_state();
        let arguments = ["host", "move-address", "em0", "bridge0", "--confirmed"];
        let output = root.run_with_fault(&arguments, Some(&format!("{call}:kill")));
        if output.status.success() {
            break;
        }
        let record = root.path().join(".sim/run/jailwire/%addresses");
        let is_begun = std::fs::read_to_string(&record).is_ok_and(|text| text.contains(" begun"));
        let line = "left alone: the move of 192.0.2.10/24 from em0 to bridge0 was interrupted: `jailwire host undo` undoes it\n";
        let state = root.kernel_state();
        for words in [&["gc", "--dry-run"][..], &["gc"]] {
            let said = root.ok(words);
            let is_done = std::fs::read_to_string(&record).is_ok_and(|text| text.contains(" done"));
            assert_eq!(said.contains(line), is_begun && !is_done, "killed at call {call}: {said}");
        }
        assert_same(&root.kernel_state(), &state, "gc leaves it alone");
        if is_begun {
            told += 1;
            assert!(root.ok(&["host", "undo"]).starts_with("Undone: 192.0.2.10/24 from em0 to bridge0."));
            root.settles(&before, &format!("killed at call {call}"));
            assert!(!root.ok(&["gc"]).contains("the move of"));
        }
    }
    assert!(told > 3, "{told}");
}

#[test]
fn what_cannot_be_moved_and_times_that_are_none_are_told() {
    let root = Root::new();
    host(&root);
    let before = root.kernel_state();
    let told = root.fails(&["host", "move-address", "em0", "lo0"], 1);
    assert!(told.contains("em0 and lo0 are no bridge and its member"), "{told}");
    for time in ["0s", "25h", "soon", "", "-1"] {
        let option = format!("--confirm-within={time}");
        let told = root.fails(&["host", "move-address", "em0", "bridge0", &option], 2);
        assert!(told.contains("1s to 24h"), "{time}: {told}");
    }
    assert_same(&root.kernel_state(), &before, "nothing is changed");
}

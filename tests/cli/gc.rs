//! `gc`: removes what no jail owns, and keeps what only looks like it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jailwire::bridge::MemberFlags;
use jailwire::jail::devfs::{Devfs, DevfsRule};
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Clock as _, Kernel};
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;
use jailwire::wiring::Wiring;

use crate::points::at_every_call;
use crate::support::{Root, text};

fn vnet(root: &Root) -> Vnet {
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    Vnet::host(kernel)
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// An epair on the host with this name and description on one end.
fn epair(host: &Vnet, called: &str, described: &str) {
    let pair = host.create_epair().unwrap();
    host.rename(&pair.a, &name(called)).unwrap();
    host.set_description(&name(called), described).unwrap();
}

#[test]
fn there_is_nothing_where_jails_are_up_and_down() {
    let root = Root::new();
    assert_eq!(root.ok(&["gc"]), "Nothing is left over.\n");
    root.ok(&["start", "ALL"]);
    let state = root.quiet_state();
    assert_eq!(root.ok(&["gc", "--dry-run"]), "Nothing is left over.\n");
    assert_eq!(root.ok(&["gc"]), "Nothing is left over.\n");
    root.settles(&state, "after gc with jails that are up");
}

/// A start is killed at every tenth call. Then gc does what a stop would do.
#[test]
fn what_a_killed_start_left_is_listed_and_removed() {
    let mut points = 0;
    for jail in ["db", "proxy"] {
        let fresh = Root::new();
        fresh.ok(&["list"]);
        let before = fresh.kernel_state();
        points += at_every_call(10, |call| {
            let root = Root::new();
            let files = root.files();
            let output = root.run_with_fault(&["start", jail], Some(&format!("{call}:kill")));
            if output.status.success() {
                return false;
            }
            let left = root.kernel_state();
            let listed = root.ok(&["gc", "-n"]);
            // Things that no process holds go by themselves, whether they are listed or not. Nothing else has
            // changed.
            assert!(root.kernel_state().len() <= left.len());
            let up = root.ok(&["get", "-s", jail]) == "up\n";
            let removed = root.ok(&["gc"]);
            // Shared things are needed until the jail is gone.
            let of_jails = |said: &str| -> Vec<String> {
                let lines = said.lines().filter_map(|line| Some(line.split_once(": ")?.1.to_owned()));
                lines.filter(|line| line.starts_with("ioc-")).collect()
            };
            assert_eq!(of_jails(&removed), of_jails(&listed), "{call}");
            if up {
                // A running jail is not removed: its next start or stop removes its remains.
                root.ok(&["stop", jail]);
            }
            root.settles(&before, &format!("{jail} killed at call {call}, then gc"));
            assert_eq!(root.files(), files, "{jail} killed at call {call}, then gc: files");
            true
        });
    }
    println!("gc: after {points} kills of a start");
    assert!(points > 15);
}

#[test]
fn a_leaked_epair_is_removed_and_look_alikes_are_not() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let host = vnet(&root);
    let jid = jail::find(&**host.kernel(), "ioc-db").unwrap().unwrap();
    // By then duplicate address detection has ended, because the removal gives epairs time to go by themselves.
    host.kernel().sleep(std::time::Duration::from_secs(10));
    let before = root.kernel_state();
    let ours = "associated with jail: web as nic: epair0b";
    epair(&host, "vnet0.99", ours);
    epair(&host, "vnet1.99", "associated with jail: long_gone as nic: epair1b");
    let said = root.ok(&["gc", "--dry-run"]);
    assert_eq!(
        said,
        "would be removed: ioc-web: interface vnet0.99\n   1. destroy vnet0.99\n      SIOCIFDESTROY\nwould be removed: ioc-long_gone: interface vnet1.99\n   1. destroy vnet1.99\n      SIOCIFDESTROY\n"
    );
    root.ok(&["gc"]);
    root.settles(&before, "the epairs are gone");

    // Interfaces of other programs: with another name, with no or another description, with a jid that a jail has,
    // or no epair.
    epair(&host, "vnet0.98", "");
    epair(&host, "vnet0.97", "mine");
    epair(&host, "lan0", ours);
    epair(&host, &format!("vnet7.{jid}"), ours);
    epair(&host, "vnet0.096", ours);
    host.create("bridge9").unwrap();
    host.rename(&name("bridge9"), &name("vnet0.95")).unwrap();
    host.set_description(&name("vnet0.95"), ours).unwrap();
    // A member of another program's bridge, an alias, a ruleset, and a mount.
    let other = host.create_epair().unwrap();
    host.create("bridge8").unwrap();
    host.add_member(&name("bridge8"), &other.a).unwrap();
    host.change_member_flags(&name("bridge8"), &other.a, MemberFlags::PRIVATE, MemberFlags::empty()).unwrap();
    host.add_ipv4(&name("em0"), "192.0.2.99/32".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    let devfs = Devfs::open(host.kernel().clone(), "/dev".as_ref()).unwrap();
    devfs.add(1234, &DevfsRule::unhide("null")).unwrap();
    let dev = root.jail("web").join("root");
    host.kernel().mount(&jail::mount::devfs(&dev, "dev".as_ref(), 0)).unwrap();
    drop(devfs);

    let before = root.kernel_state();
    let said = root.ok(&["gc"]);
    assert!(!said.contains("removed:"), "{said}");
    for left in ["lan0", "vnet0.096", "vnet0.95", "devfs ruleset 1234", "devfs on "] {
        assert!(said.contains("left alone:") && said.contains(left), "{left} is reported: {said}");
    }
    root.settles(&before, "nothing was touched");
}

#[test]
fn a_journal_of_a_jail_that_was_destroyed_by_other_means_is_cleared_up() {
    let root = Root::new();
    root.ok(&["list"]);
    let before = root.kernel_state();
    root.ok(&["start", "proxy"]);
    let host = vnet(&root);
    let jid = jail::find(&**host.kernel(), "ioc-proxy").unwrap().unwrap();
    jail::remove(&**host.kernel(), jid).unwrap();
    std::fs::remove_dir_all(root.jail("proxy")).unwrap();
    let said = root.ok(&["--json", "gc"]);
    assert!(said.contains("192.0.2.40/24 on em0") && said.contains("devfs ruleset 1000"), "{said}");
    root.settles(&before, "after gc");
    assert!(!root.path().join(".sim/run/jailwire").exists());
    assert_eq!(text(&root.run(&["gc"]).stdout), "Nothing is left over.\n");
}

/// An attach is killed at every third call. Then gc removes what the next attach would remove.
#[test]
fn what_a_killed_attach_left_is_listed_and_removed() {
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--host-name", "outer0"];
    let words = [&words[..], &["--address", "192.0.2.30/24"][..]].concat();
    let listed = AtomicUsize::new(0);
    let points = at_every_call(3, |call| {
        let root = Root::new();
        root.ok(&["net", "list"]);
        let host = vnet(&root);
        let jid = jail::create(&**host.kernel(), &jail::JailParameters::new("theirs").vnet()).unwrap();
        let before = root.kernel_state();
        let output = root.run_with_fault(&words, Some(&format!("{call}:kill")));
        if output.status.success() {
            return false;
        }
        let is_odd = call % 2 == 1;
        let journal = root.path().join(".sim/run/jailwire/theirs.attaching");
        let left = journal.exists();
        let state = root.kernel_state();
        let said = root.ok(&["gc", "--dry-run"]);
        let doubt = root.ok(&["doctor"]).contains("was attached to jail theirs, in part");
        assert_eq!(root.kernel_state(), state, "{call}: looking changed something");
        // In every second round the jail is gone before the removal.
        if !is_odd {
            jail::remove(&**host.kernel(), jid).unwrap();
        }
        let removed = root.ok(&["gc"]);
        let line = "theirs: interface outer0, attached in part\n";
        assert_eq!(said.contains(&format!("would be removed: {line}")), left, "{call}: {said}");
        assert_eq!(removed.contains(&format!("removed: {line}")), left, "{call}: {removed}");
        assert_eq!(doubt, left, "{call}: doctor");
        listed.fetch_add(usize::from(left), Ordering::Relaxed);
        assert!(!journal.exists(), "{call}");
        assert_eq!(root.ok(&["gc", "--dry-run"]), "Nothing is left over.\n", "{call}");
        if is_odd && !host.has_interface(&name("outer0")).unwrap() {
            let inside = Vnet::enter(host.kernel().clone(), jid).unwrap();
            for interface in inside.interfaces().unwrap() {
                // An epair that was not named yet goes with the jail.
                assert!(
                    matches!(interface.name.as_str(), "lo0" | "epair0a" | "epair0b"),
                    "{call}: {}",
                    interface.name
                );
                if interface.name.as_str() == "epair0a" {
                    inside.destroy(&interface.name).unwrap();
                }
            }
            drop(inside);
            root.settles(&before, &format!("killed at call {call}, then gc"));
        }
        true
    });
    let listed = listed.into_inner();
    println!("gc: after {points} kills of an attach, {listed} of which left a journal");
    assert!(points > 10 && listed > 5, "{points} {listed}");
}

/// The next command that changes the jail removes an unfinished attachment.
#[test]
fn a_killed_attach_is_cleared_up_by_the_next_start_or_stop() {
    let words = ["net", "attach", "ioc-db", "--bridge", "bridge0", "--host-name", "outer0", "--name", "eth7"];
    let left = AtomicUsize::new(0);
    let fresh = Root::new();
    fresh.ok(&["list"]);
    let before = fresh.kernel_state();
    let points = at_every_call(3, |call| {
        let root = Root::new();
        root.ok(&["start", "db"]);
        let output = root.run_with_fault(&words, Some(&format!("{call}:kill")));
        if output.status.success() {
            return false;
        }
        let journal = root.path().join(".sim/run/jailwire/ioc-db.attaching");
        left.fetch_add(usize::from(journal.exists()), Ordering::Relaxed);
        // Every other time.
        if call / 4 % 2 == 1 {
            let host = vnet(&root);
            let jid = jail::find(&**host.kernel(), "ioc-db").unwrap().unwrap();
            jail::remove(&**host.kernel(), jid).unwrap();
            root.ok(&["start", "db"]);
            assert!(!journal.exists(), "{call}: start");
        }
        root.ok(&["stop", "db"]);
        assert!(!journal.exists(), "{call}: stop");
        root.settles(&before, &format!("killed at call {call}, then stop"));
        true
    });
    let left = left.into_inner();
    println!("start and stop: after {points} kills of an attach, {left} of which left a journal");
    assert!(points > 8 && left > 3, "{points} {left}");
}

#[test]
fn a_reader_that_has_gone_is_no_reason_to_panic() {
    use std::process::Stdio;

    let root = Root::new();
    for words in [&["gc"][..], &["gc", "-n"], &["list"], &["--json", "gc"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output =
            root.command(words).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output();
        let output = output.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {}", text(&output.stderr));
    }
}

/// Runs a command that fails. Returns its time on the simulated kernel's clock, and its output.
fn time_of_failure(root: &Root, words: &[&str]) -> (u64, String) {
    let sim = root.kernel();
    let begin = sim.now();
    let said = root.fails(words, 1);
    ((sim.now() - begin).as_secs(), said)
}

/// A lent interface that was renamed inside the jail comes back only when the jail ends.
#[test]
fn what_comes_back_with_the_end_of_a_jail_is_waited_for_as_long_as_was_said() {
    let commands = [
        &["gc"][..],
        &["doctor", "--fix", "--strict"],
        &["stop", "db"],
        &["start", "db"],
        &["restart", "db"],
    ];
    for words in commands {
        for seconds in [3, 45] {
            let root = Root::new();
            root.ok(&["net", "list"]);
            let sim = root.kernel();
            let wiring = Wiring::on(Arc::new(sim.clone())).expect("a simulated host");
            let pair = wiring.host().create_epair().unwrap();
            let up = wiring.jail("ioc-db", "/").nic_alone().lend(pair.a).start().unwrap();
            let inside = Vnet::enter(wiring.kernel().clone(), up.jid).unwrap();
            inside.rename(&pair.a, &name("outside0")).unwrap();
            drop(inside);
            sim.connect(up.jid.get(), std::time::Duration::from_secs(600));
            jail::remove(&**wiring.kernel(), up.jid).unwrap();
            // The default is ten seconds.
            let wait = seconds.to_string();
            let (waited, said) = time_of_failure(&root, &[words, &["--wait", &wait]].concat());
            assert!(said.contains(&format!("interface {}", pair.a)), "{words:?}: {said}");
            assert!((seconds..seconds + 5).contains(&waited), "{words:?}, --wait {seconds}: {waited} s");
        }
    }
}

/// An epair of an unknown jail may have been made in any dying jail.
#[test]
fn the_end_of_jails_that_may_have_made_an_epair_is_waited_for_as_long_as_was_said() {
    for seconds in [3, 45] {
        let root = Root::new();
        root.ok(&["net", "list"]);
        let sim = root.kernel();
        let host = vnet(&root);
        let pair = host.create_epair().unwrap();
        host.set_description(&pair.a, "associated with jail: past as nic: epair0b").unwrap();
        let other = jail::create(&sim, &JailParameters::new("other").vnet()).unwrap();
        sim.connect(other.get(), std::time::Duration::from_secs(600));
        jail::remove(&sim, other).unwrap();
        let wait = seconds.to_string();
        let (waited, said) =
            time_of_failure(&root, &["net", "detach", "past", pair.a.as_str(), "--wait", &wait]);
        assert!(said.contains("dying jails that may have made"), "{said}");
        assert!((seconds..seconds + 5).contains(&waited), "--wait {seconds}: {waited} s");
        assert!(host.has_interface(&pair.a).unwrap());
        sim.sleep(std::time::Duration::from_secs(600));
        root.ok(&["net", "detach", "past", pair.a.as_str()]);
        assert!(!host.has_interface(&pair.a).unwrap());
    }
}

/// Another tool removes a started jail, and leaves its journal. Nothing in the journal exists any more.
fn stopped_by_another_tool(jail: &str) -> (Root, std::path::PathBuf) {
    let root = Root::new();
    root.ok(&["start", jail]);
    let journal = root.path().join(format!(".sim/run/jailwire/ioc-{jail}.journal"));
    let kept = std::fs::read(&journal).unwrap();
    root.ok(&["stop", jail]);
    std::fs::create_dir_all(journal.parent().unwrap()).unwrap();
    std::fs::write(&journal, kept).unwrap();
    (root, journal)
}

#[test]
fn of_a_journal_that_another_tools_stop_has_made_stale_nothing_is_said() {
    for jail in ["db", "proxy"] {
        let (root, journal) = stopped_by_another_tool(jail);
        assert!(!root.ok(&["doctor"]).contains("left behind"), "{jail}");
        assert_eq!(root.ok(&["gc", "--dry-run"]), "Nothing is left over.\n", "{jail}");
        assert!(journal.exists(), "looking removes nothing");
        let output = root.run(&["gc"]);
        assert_eq!(text(&output.stdout), "Nothing is left over.\n", "{jail}");
        assert!(!text(&output.stderr).contains(jail), "{jail}: {}", text(&output.stderr));
        assert!(!journal.exists(), "{jail}");
        // The same holds for a jail that was destroyed since.
        let (root, journal) = stopped_by_another_tool(jail);
        std::fs::remove_dir_all(root.jail(jail)).unwrap();
        assert!(!root.ok(&["doctor"]).contains("journal"), "{jail}");
        assert_eq!(root.ok(&["gc"]), "Nothing is left over.\n", "{jail}");
        assert!(!journal.exists(), "{jail}");
        // `gc` reports what is still there.
        let (root, journal) = stopped_by_another_tool(jail);
        let conf = root.path().join(format!(".sim/run/jail.ioc-{jail}.conf"));
        std::fs::write(&conf, "").unwrap();
        assert!(root.ok(&["doctor"]).contains("left behind"), "{jail}");
        let said = root.ok(&["gc"]);
        assert!(said.contains(&format!("removed: ioc-{jail}: ")), "{said}");
        assert!(!journal.exists() && !conf.exists(), "{jail}");
    }
}

/// After a start by another tool, an older journal is not reported.
#[test]
fn of_a_journal_from_before_another_tools_start_nothing_is_said() {
    let (root, journal) = stopped_by_another_tool("db");
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    let parameters = jail::JailParameters::new("ioc-db").path(&root.jail("db").join("root")).vnet();
    let jid = jail::create(&*kernel, &parameters).unwrap();
    let conf = root.path().join(".sim/run/jail.ioc-db.conf");
    std::fs::write(&conf, "ioc-db {}\n").unwrap();
    assert_eq!(root.ok(&["gc"]), "Nothing is left over.\n");
    assert!(journal.exists() && conf.exists());
    jail::remove(&*kernel, jid).unwrap();
    std::fs::remove_file(conf).unwrap();
    assert_eq!(root.ok(&["gc"]), "Nothing is left over.\n");
    assert!(!journal.exists());
}

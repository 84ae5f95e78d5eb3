//! Starting, looking and stopping.

use crate::support::{Root, text};

#[test]
fn all_jails_come_up_as_their_configurations_say() {
    let root = Root::new();
    root.ok(&["start", "ALL"]);

    for (jail, ip4, ip6) in
        [("web", "192.0.2.20/24", "2001:db8::20/64"), ("db", "192.0.2.21/24", "2001:db8::21/64")]
    {
        let shown = root.ok(&["show", jail]);
        assert!(shown.contains("epair0b"), "{shown}");
        assert!(shown.contains(&format!("inet  {ip4}")), "{shown}");
        assert!(shown.contains(&format!("inet6 {ip6}")), "{shown}");
        assert!(shown.contains("inet  127.0.0.1/8") && shown.contains("inet6 ::1/128"), "{shown}");
        for router in ["192.0.2.1", "2001:db8::1"] {
            let route = shown.lines().find(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some("default") && words.next() == Some(router)
            });
            assert!(route.is_some_and(|line| line.ends_with("epair0b")), "{shown}");
        }
    }
    let shown = root.ok(&["show", "proxy"]);
    assert!(shown.contains("inet  192.0.2.40/24") && shown.contains("inet6 2001:db8::40/64"), "{shown}");
    assert!(!shown.contains("192.0.2.10/24"), "the host's own address is not the jail's: {shown}");

    let host = root.ok(&["show"]);
    // Which jail gets which jid depends on which start is faster.
    let ends = host.lines().filter(|line| line.trim_start().starts_with("vnet0."));
    assert!(host.contains("bridge0") && ends.count() == 2, "{host}");
}

#[test]
fn stop_takes_away_exactly_what_start_added() {
    let root = Root::new();
    root.ok(&["list"]);
    let (kernel, files) = (root.kernel_state(), root.files());
    root.ok(&["start", "ALL"]);
    assert_ne!(root.kernel_state(), kernel);
    root.ok(&["stop", "ALL"]);
    root.settles(&kernel, "after stop ALL");
    assert_eq!(root.files(), files);
}

#[test]
fn the_bridge_goes_with_the_last_jail_on_it() {
    let root = Root::new();
    root.ok(&["start", "web", "db"]);
    root.ok(&["stop", "web"]);
    assert!(root.ok(&["show"]).contains("bridge0"));
    root.ok(&["stop", "db"]);
    assert!(!root.ok(&["show"]).contains("bridge0"));
}

#[test]
fn an_address_the_host_has_already_is_not_taken_from_it() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=em0|192.0.2.10/24", "proxy"]);
    root.ok(&["start", "proxy"]);
    root.ok(&["stop", "proxy"]);
    assert!(root.ok(&["show"]).contains("inet  192.0.2.10/24"));
}

#[test]
fn starting_twice_is_said_and_changes_nothing() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let before = root.quiet_state();
    assert!(root.fails(&["start", "db"], 1).contains("db is already running!"));
    root.ok(&["start", "ALL"]);
    root.ok(&["stop", "web", "proxy"]);
    root.settles(&before, "after stopping the others");
}

#[test]
fn a_jail_that_is_down_can_be_stopped() {
    let root = Root::new();
    let output = root.run(&["stop", "web"]);
    assert!(output.status.success());
    assert!(crate::support::text(&output.stderr).contains("web is not running!"));
}

#[test]
fn list_shows_what_is_up() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let list = root.ok(&["list"]);
    let row = |name: &str| {
        let line =
            list.lines().find(|line| line.contains(&format!(" {name} "))).unwrap_or_else(|| panic!("{list}"));
        line.split('|').map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(row("db"), ["1", "db", "up", "15.1-RELEASE", "192.0.2.21"]);
    assert_eq!(row("web"), ["None", "web", "down", "15.1-RELEASE", "192.0.2.20"]);
}

#[test]
fn properties_are_set_and_read_back() {
    let root = Root::new();
    assert_eq!(
        root.ok(&["set", "ip4_addr=vnet0|192.0.2.77/24", "web"]),
        "ip4_addr: vnet0|192.0.2.20/24 -> vnet0|192.0.2.77/24\n"
    );
    assert_eq!(root.ok(&["get", "ip4_addr", "web"]), "vnet0|192.0.2.77/24\n");
    assert_eq!(root.ok(&["get", "vnet", "web"]), "1\n");
    let all = root.ok(&["get", "all", "web"]);
    assert!(all.contains("\nip4_addr:vnet0|192.0.2.77/24\n") && all.contains("\nstate:down\n"), "{all}");
    root.ok(&["start", "web"]);
    assert!(root.ok(&["show", "web"]).contains("192.0.2.77/24"));
}

#[test]
fn defaults_are_for_jails_that_do_not_say_otherwise() {
    let root = Root::new();
    root.ok(&["set", "vnet_default_mtu=1400", "default"]);
    assert_eq!(root.ok(&["get", "vnet_default_mtu", "default"]), "1400\n");
    root.ok(&["start", "web"]);
    let shown = root.ok(&["show", "web"]);
    assert!(shown.lines().any(|line| line.contains("epair0b") && line.contains("mtu 1400")), "{shown}");
}

#[test]
fn a_jail_that_is_up_does_not_keep_those_that_need_it_down() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert!(root.fails(&["start", "web", "db"], 1).contains("db is already running!"));
    assert!(root.ok(&["show", "web"]).contains("192.0.2.20/24"));
}

/// iocage's stop has removed everything, and the journal of jailwire's start is left.
#[test]
fn a_journal_that_another_tools_stop_has_made_stale_goes_without_a_word() {
    for jail in ["db", "proxy"] {
        let root = Root::new();
        root.ok(&["start", jail]);
        let journal = std::fs::read_dir(root.path().join(".sim/run/jailwire"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().ends_with(&format!("ioc-{jail}.journal")))
            .expect("a journal");
        let text = std::fs::read(&journal).unwrap();
        root.ok(&["stop", jail]);
        for command in ["stop", "start"] {
            std::fs::create_dir_all(journal.parent().unwrap()).unwrap();
            std::fs::write(&journal, &text).unwrap();
            let output = root.run(&[command, jail]);
            let said = crate::support::text(&output.stdout) + &crate::support::text(&output.stderr);
            assert!(output.status.success(), "{jail}: {said}");
            assert!(
                !said.contains("to the end") && !said.contains("Clearing up"),
                "{command} {jail}: {said}"
            );
        }
        root.ok(&["stop", jail]);
        assert!(!journal.exists());
    }
}

/// No line of a table is wider than the terminal. Each of several addresses has a line of its own.
#[test]
fn a_table_is_as_wide_as_the_terminal_at_most() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=vnet0|192.0.2.20/24,vnet0|192.0.2.200/24,vnet0|192.0.2.201/24", "web"]);
    for columns in [80, 100, 120] {
        let output = root.command(&["list", "-l"]).env("COLUMNS", columns.to_string()).output().unwrap();
        let table = crate::support::text(&output.stdout);
        let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns, "{widest} of {columns}:\n{table}");
    }
    let wide = root.command(&["list", "-l"]).env("COLUMNS", "200").output().unwrap();
    let table = crate::support::text(&wide.stdout);
    assert!(table.contains("vnet0|192.0.2.20/24, ") && !table.contains("192.0.2.20/24,vnet0"), "{table}");
    // The output for scripts is not changed.
    assert!(root.ok(&["list", "-l"]).contains("vnet0|192.0.2.20/24,vnet0|192.0.2.200/24"));
}

/// The simulated kernel is announced once for each root.
#[cfg(not(target_os = "freebsd"))]
#[test]
fn the_simulated_kernel_is_announced_once_for_each_root() {
    let root = Root::new();
    let list = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_jailwire"));
        let output = command.env_clear().arg("--root").arg(root.path()).arg("list").output().unwrap();
        crate::support::text(&output.stderr)
    };
    assert!(list().contains("no FreeBSD kernel here"));
    assert_eq!(list(), "");
}

/// `ALL` means the jails that can run. A named jail without a userland is an error.
#[test]
fn a_jail_without_a_userland_does_not_keep_all_from_success() {
    let root = Root::new();
    root.ok(&["create", "-e", "-n", "bare"]);
    for command in ["start", "restart"] {
        for words in [&[command, "--dry-run", "ALL"][..], &[command, "ALL"]] {
            let output = root.run(words);
            let said = text(&output.stderr);
            assert!(output.status.success(), "{words:?}: {said}");
            assert!(said.contains("bare has no userland, and is not started"), "{words:?}: {said}");
        }
        assert!(root.ok(&["--json", command, "ALL"]).contains("\"result\": \"no userland\""));
        assert!(root.fails(&[command, "bare"], 1).contains("bare cannot be started"), "{command}");
    }
    root.ok(&["restart", "-s", "ALL"]);
    root.ok(&["stop", "ALL"]);
    // A jail with files, or made from a release or template, counts as a jail with a userland.
    std::fs::write(root.jail("bare").join("root/file"), "").unwrap();
    assert!(root.fails(&["start", "ALL"], 1).contains("bare cannot be started"));
}

//! Names.

use super::{add_jail, addressed, host, name};
use crate::support::Root;

/// The host's end of a jail's epair is named `vnet0.JID`, as iocage names it, and the host has other interfaces with the
/// names that the next two jails would need.
#[test]
fn a_jail_does_not_get_a_jid_whose_name_is_taken() {
    let root = Root::new();
    let host = host(&root);
    let jid = || -> i32 { root.ok(&["get", "jid", "web"]).trim().parse().unwrap() };
    root.ok(&["start", "web"]);
    let first = jid();
    root.ok(&["stop", "web"]);
    for more in [1, 2] {
        let taken = host.create_epair().unwrap().a;
        host.rename(&taken, &name(&format!("vnet0.{}", first + more))).unwrap();
    }
    root.ok(&["list"]);
    let before = root.quiet_state();
    root.ok(&["start", "web"]);
    assert_eq!(jid(), first + 3);
    assert!(host.has_interface(&name(&format!("vnet0.{}", first + 3))).unwrap());
    root.ok(&["stop", "web"]);
    root.settles(&before, "after the stop");
}

/// The letters ALL in a name meant every jail.
#[test]
fn all_is_a_whole_word() {
    let root = Root::new();
    add_jail(&root, "WALLET", &addressed(60));
    root.ok(&["start", "WALLET"]);
    assert_eq!(root.ok(&["get", "-s", "WALLET"]), "up\n");
    for other in ["web", "db", "proxy"] {
        assert_eq!(root.ok(&["get", "-s", other]), "down\n");
    }
    root.ok(&["start", "db"]);
    root.ok(&["stop", "WALLET"]);
    assert_eq!(root.ok(&["get", "-s", "db"]), "up\n");
    assert!(root.fails(&["create", "-e", "-n", "ALL"], 1).contains("ALL"));
}

/// #1226, fork #62: all jails whose names began with the name were destroyed too.
#[test]
fn destroy_takes_one_jail_and_no_other() {
    let root = Root::new();
    for other in ["web2", "weber"] {
        add_jail(&root, other, &addressed(60));
    }
    root.ok(&["destroy", "-f", "web"]);
    for other in ["web2", "weber", "db", "proxy"] {
        assert!(root.jail(other).join("config.json").exists(), "{other}");
    }
    assert!(!root.jail("web").exists());
    // A command that cannot be undone does not accept the beginning of a name.
    assert!(root.fails(&["destroy", "-f", "pro"], 1).contains("not found"));
    assert!(root.jail("proxy").exists());
}

/// #588, #1155, fork #57: a jail with a dot in its name could not be stopped.
#[test]
fn dots_are_letters_like_others() {
    let root = Root::new();
    add_jail(&root, "www.example.org", &addressed(60));
    root.ok(&["list"]);
    let before = root.kernel_state();
    assert!(root.ok(&["start", "www.example.org"]).starts_with("* Starting www_example_org\n"));
    assert_eq!(root.ok(&["get", "devfs_ruleset", "www.example.org"]), "4\n");
    assert_eq!(root.ok(&["get", "-s", "www.example.org"]), "up\n");
    assert!(root.ok(&["exec", "www.example.org", "ifconfig"]).contains("192.0.2.60"));
    root.ok(&["restart", "www.example.org"]);
    root.ok(&["stop", "www.example.org"]);
    root.settles(&before, "after the stop");
    // Both have the same kernel name.
    assert!(root.fails(&["create", "-e", "-n", "www_example.org"], 1).contains("already exists"));
}

/// #1213, fork #3: `list -h` crashed on a jail that was down.
#[test]
fn list_for_scripts_has_jails_that_are_down() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert_eq!(
        root.ok(&["list", "-h"]),
        "1\tdb\tup\t15.1-RELEASE\t192.0.2.21\nNone\tproxy\tdown\t15.1-RELEASE\t192.0.2.40\nNone\tweb\tdown\t15.1-RELEASE\t192.0.2.20\n"
    );
}

/// #717: the colon in `vnet0:7` broke rc.d's netif. Each host's end is also named after the NIC in the jail.
#[test]
fn interfaces_are_called_as_rc_can_read_it() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let host = host(&root);
    let end = name("vnet0.1");
    assert!(host.has_interface(&end).unwrap());
    assert_eq!(host.description(&end).unwrap().as_deref(), Some("associated with jail: db as nic: epair0b"));
}

//! A stop removes everything that a start has added.

use std::fs;
use std::process::Stdio;

use jailwire::jail;

use super::{add_jail, add_nic, addressed, host};
use crate::support::{Root, text};

/// If addresses or the list of NICs were changed while the jail ran, the stop left the epair.
#[test]
fn a_stop_goes_by_the_kernel_and_not_by_the_configuration_of_now() {
    for change in [
        &["ip4_addr=none", "ip6_addr=none"][..],
        &["interfaces=vnet7:bridge9", "ip4_addr=none", "ip6_addr=none"],
        &["vnet=off", "ip4_addr=none", "ip6_addr=none"],
    ] {
        let root = Root::new();
        root.ok(&["list"]);
        let before = root.kernel_state();
        root.ok(&["start", "db"]);
        root.ok(&[&["set"], change, &["db"]].concat());
        root.ok(&["stop", "db"]);
        root.settles(&before, &format!("{change:?}, then the stop"));
    }
}

/// If another program had removed the jail, its epair, its mounts and its ruleset were left for ever.
#[test]
fn a_stop_clears_up_after_a_jail_that_is_gone() {
    let root = Root::new();
    root.ok(&["list"]);
    let before = root.kernel_state();
    root.ok(&["start", "db"]);
    {
        let host = host(&root);
        let kernel = &**host.kernel();
        jail::remove(kernel, jail::find(kernel, "ioc-db").unwrap().unwrap()).unwrap();
    }
    assert_ne!(root.kernel_state(), before);
    let said = root.ok(&["stop", "db"]);
    assert!(said.contains("Clearing up after db"), "{said}");
    // Loaded modules stay.
    let after = root.kernel_state();
    assert!(!after.contains("vnet0.1") && !after.contains("ioc-db"), "{after}");
    root.ok(&["start", "db"]);
    root.ok(&["stop", "db"]);
}

/// Of several `vnet_interfaces` only the last reached the jail; #1299, fork #59: they did not come back.
#[test]
fn all_lent_interfaces_reach_the_jail_and_come_back() {
    let root = Root::new();
    let host = host(&root);
    let nics = [add_nic(&host, 90), add_nic(&host, 91)];
    root.ok(&["set", &format!("vnet_interfaces={} {}", nics[0], nics[1]), "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show", "db"]);
    for nic in &nics {
        assert!(shown.contains(nic.as_str()) && !host.has_interface(nic).unwrap(), "{nic}: {shown}");
    }
    root.ok(&["stop", "db"]);
    for nic in &nics {
        assert!(host.has_interface(nic).unwrap(), "{nic} did not come back");
    }
}

/// legacy #30, #359, #193: stop took away an address that the host had before.
#[test]
fn a_stop_does_not_take_the_hosts_own_address() {
    for address in ["em0|192.0.2.10/24", "192.0.2.10/24", "192.0.2.10"] {
        let root = Root::new();
        root.ok(&["set", &format!("ip4_addr={address}"), "proxy"]);
        let before = root.ok(&["show"]);
        root.ok(&["start", "proxy"]);
        assert!(root.ok(&["show", "proxy"]).contains("192.0.2.10"), "{address}");
        root.ok(&["stop", "proxy"]);
        assert_eq!(root.ok(&["show"]), before, "{address}");
    }
}

/// #807: an address that the start added is removed.
#[test]
fn an_address_without_an_interface_goes_where_the_default_route_goes() {
    let root = Root::new();
    let before = root.ok(&["show"]);
    root.ok(&["set", "ip4_addr=192.0.2.44/32", "ip6_addr=none", "proxy"]);
    root.ok(&["start", "proxy"]);
    let host = root.ok(&["show"]);
    assert!(host.split("em0").nth(1).is_some_and(|em0| em0.contains("192.0.2.44/32")), "{host}");
    root.ok(&["stop", "proxy"]);
    assert_eq!(root.ok(&["show"]), before);
}

/// Two starts at once took the same devfs ruleset.
#[test]
fn jails_that_start_at_once_have_rulesets_of_their_own() {
    let root = Root::new();
    let jails: Vec<String> = (0..4).map(|number| format!("j{number}")).collect();
    for (number, jail) in jails.iter().enumerate() {
        add_jail(&root, jail, &addressed(60 + number as u8));
        fs::create_dir_all(root.jail(jail).join("root/dev")).unwrap();
        root.ok(&["set", "mount_devfs=1", jail]);
    }
    let starts: Vec<_> = jails
        .iter()
        .map(|jail| root.command(&["start", jail]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut rulesets: Vec<String> = starts
        .into_iter()
        .map(|start| {
            let output = start.wait_with_output().unwrap();
            assert!(output.status.success());
            let said = text(&output.stdout);
            said.split("devfs_ruleset: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned()
        })
        .collect();
    rulesets.sort();
    rulesets.dedup();
    assert_eq!(rulesets.len(), jails.len(), "{rulesets:?}");
}

//! A link-local address is valid on one link only.

use super::{empty, jail, refused, right, try_to};
use crate::support::Root;

/// A jail on two bridges.
fn on_two_bridges(root: &Root, members: &str) {
    let two = r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1","defaultrouter":"none","mount_devfs":0,"mount_fdescfs":0"#;
    jail(root, "a", &format!("{two},{members}"));
}

#[test]
fn a_router_is_on_the_nic_that_its_zone_names() {
    for zone in ["epair1b", "vnet1"] {
        let root = empty();
        on_two_bridges(
            &root,
            &format!(
                r#""ip6_addr":"vnet0|2001:db8:8::5/64,vnet1|2001:db8:9::5/64","defaultrouter6":"fe80::1%{zone}""#
            ),
        );
        right(&root, &["start", "a"], &[]);
        let shown = right(&root, &["show", "a"], &[]);
        assert!(shown.contains("fe80::1%epair1b"), "{shown}");
    }
}

#[test]
fn a_router_without_a_zone_is_on_the_nic_with_ipv6() {
    let root = empty();
    on_two_bridges(
        &root,
        r#""ip4_addr":"vnet0|192.0.2.31/24","ip6_addr":"vnet1|2001:db8:7::5/64","defaultrouter6":"fe80::1""#,
    );
    let said = right(&root, &["start", "a"], &[]);
    assert!(!said.contains("defaultrouter6"), "there is one NIC it can be on: {said}");
    right(&root, &["show", "a"], &["fe80::1%epair1b"]);
}

#[test]
fn of_several_nics_that_a_router_may_be_on_it_is_said_which_is_taken() {
    let root = empty();
    on_two_bridges(
        &root,
        r#""ip6_addr":"vnet0|2001:db8:8::5/64,vnet1|2001:db8:9::5/64","defaultrouter6":"fe80::1""#,
    );
    right(&root, &["start", "a"], &["defaultrouter6=fe80::1%epair0b"]);
    right(&root, &["show", "a"], &["fe80::1%epair0b"]);
}

#[test]
fn a_zone_that_is_no_nic_of_the_jail_is_told_of() {
    let root = empty();
    // Only one NIC has IPv6, so the router is on its link.
    on_two_bridges(&root, r#""ip6_addr":"vnet1|2001:db8:9::5/64","defaultrouter6":"fe80::1%em0""#);
    right(&root, &["start", "a"], &["the jail has no em0", "set defaultrouter6=fe80::1%epair1b"]);
    right(&root, &["show", "a"], &["fe80::1%epair1b"]);
    let root = empty();
    on_two_bridges(
        &root,
        r#""ip6_addr":"vnet0|2001:db8:8::5/64,vnet1|2001:db8:9::5/64","defaultrouter6":"fe80::1%epair3b""#,
    );
    refused(&root, &["start", "a"], &["the jail has no epair3b", "fe80::1%epair0b"]);
    let root = empty();
    on_two_bridges(&root, r#""ip6_addr":"vnet0|2001:db8:8::5/64","defaultrouter6":"fe80::1%epair1b""#);
    refused(&root, &["start", "a"], &["epair1b has no IPv6 address"]);
    let root = empty();
    on_two_bridges(
        &root,
        r#""vnet_interfaces":"ix0","ip6_addr":"vnet0|2001:db8:8::5/64","defaultrouter6":"fe80::1%ix0""#,
    );
    refused(&root, &["start", "a"], &["ix0 is lent to the jail", "ipv6_defaultrouter"]);
}

#[test]
fn an_address_with_a_zone_is_the_zones() {
    let root = empty();
    on_two_bridges(&root, r#""ip6_addr":"fe80::5%epair1b/64""#);
    right(&root, &["start", "a"], &[]);
    let shown = right(&root, &["show", "a"], &[]);
    let second = shown.split("epair1b").nth(1).unwrap_or_default();
    assert!(second.contains("fe80::5"), "{shown}");
    let root = empty();
    on_two_bridges(&root, r#""ip6_addr":"vnet0|fe80::5%epair1b/64""#);
    refused(&root, &["start", "a"], &["leave out %epair1b"]);
    // The test for a shared-IP jail.
    let root = empty();
    jail(&root, "s", r#""ip6_addr":"fe80::5%em0/64","mount_devfs":0,"mount_fdescfs":0"#);
    right(&root, &["start", "s"], &[]);
    jail(&root, "t", r#""ip6_addr":"em0|fe80::5%em1/64","mount_devfs":0,"mount_fdescfs":0"#);
    refused(&root, &["start", "t"], &["leave out %em1"]);
}

/// fe80::1 is the router of many hosting providers, and also an address of lo0 on every FreeBSD host.
#[test]
fn a_link_local_router_is_not_taken_for_the_host() {
    let root = empty();
    jail(
        &root,
        "a",
        r#""vnet":1,"ip6_addr":"vnet0|2001:db8::5/64","defaultrouter6":"fe80::1","mount_devfs":0,"mount_fdescfs":0"#,
    );
    for command in [["start", "a"], ["doctor", "a"]] {
        let (status, said) = try_to(&root, &command);
        assert!(status == 0 && !said.contains("forward"), "{said}");
        assert!(!said.contains("route add -6") && !said.contains("route -6 add"), "{said}");
    }
}

/// The same link-local address on two links belongs to two hosts.
#[test]
fn link_local_addresses_are_compared_link_by_link() {
    let root = empty();
    let of = |bridge: &str| {
        format!(
            r#""vnet":1,"interfaces":"vnet0:{bridge}","ip6_addr":"vnet0|fe80::1/64","defaultrouter":"none""#
        )
    };
    jail(&root, "a", &of("bridge0"));
    jail(&root, "b", &of("bridge1"));
    let said = right(&root, &["doctor"], &[]);
    assert!(!said.contains("the same address") && !said.contains("is the host's"), "{said}");
    jail(&root, "b", &of("bridge0"));
    right(&root, &["doctor"], &["a, b have the same address, fe80::1"]);
}

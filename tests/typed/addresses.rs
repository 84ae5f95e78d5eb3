use super::host::{SOON, host, ip4, ip6, net4, net6};
use jailwire::ErrorKind;
use jailwire::address::{Ensured, Ipv4Address, Ipv6Address, Ipv6Flags, Lifetime};
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;

#[test]
fn an_ipv4_address_is_added_found_and_removed() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    host.add_ipv4(&pair.a, net4("198.51.100.1/24")).unwrap();
    assert!(host.interface(&pair.a).unwrap().is_up(), "an address brings the interface up");
    let found = host.find_ipv4(&pair.a, ip4("198.51.100.1")).unwrap().unwrap();
    assert_eq!(found.network, net4("198.51.100.1/24"));
    assert_eq!(found.broadcast, Some(ip4("198.51.100.255")));
    host.add_ipv4(&pair.a, net4("198.51.100.2/32")).unwrap();
    let all: Vec<_> = host.ipv4_addresses(&pair.a).unwrap().iter().map(|found| found.network).collect();
    assert_eq!(all, [net4("198.51.100.1/24"), net4("198.51.100.2/32")]);
    let dumped: Vec<_> =
        host.interface(&pair.a).unwrap().addresses.iter().map(|found| found.network.to_string()).collect();
    assert_eq!(dumped, ["198.51.100.1/24", "198.51.100.2/32"]);
    host.remove_ipv4(&pair.a, ip4("198.51.100.1")).unwrap();
    assert_eq!(host.find_ipv4(&pair.a, ip4("198.51.100.1")).unwrap(), None);
    let error = host.remove_ipv4(&pair.a, ip4("198.51.100.1")).unwrap_err();
    assert_eq!((error.errno(), error.kind()), (Some(Errno::EADDRNOTAVAIL), ErrorKind::NotFound));
}

#[test]
fn ensuring_an_ipv4_address_changes_only_what_differs() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let address = net4("198.51.100.1/24");
    assert_eq!(host.ensure_ipv4(&pair.a, address).unwrap(), Ensured::Added);
    assert_eq!(host.ensure_ipv4(&pair.a, address).unwrap(), Ensured::Present);
    assert_eq!(host.ensure_ipv4(&pair.a, net4("198.51.100.1/25")).unwrap(), Ensured::Replaced);
    let unusual = Ipv4Address::from(net4("198.51.100.1/25")).with_broadcast(Some(ip4("198.51.100.0")));
    assert_eq!(host.ensure_ipv4(&pair.a, unusual).unwrap(), Ensured::Replaced);
    assert_eq!(host.ensure_ipv4(&pair.a, unusual).unwrap(), Ensured::Present);
    assert_eq!(host.ipv4_addresses(&pair.a).unwrap(), [unusual]);
}

#[test]
fn every_prefix_length_comes_back() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    for length in 1..=32 {
        let network = ipnetwork::Ipv4Network::new(ip4("203.0.113.85"), length).unwrap();
        host.add_ipv4(&pair.a, network).unwrap();
        let found = host.find_ipv4(&pair.a, network.ip()).unwrap().unwrap();
        assert_eq!(found.network, network);
        let ensured = host.ensure_ipv4(&pair.a, Ipv4Address::from(network).with_broadcast(found.broadcast));
        assert_eq!(ensured.unwrap(), Ensured::Present);
    }
}

#[test]
fn the_routes_of_a_subnet_belong_to_one_interface() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    host.add_ipv4(&pair.a, net4("198.51.100.1/24")).unwrap();
    let error = host.add_ipv4(&pair.b, net4("198.51.100.1/32")).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EEXIST));
    assert_eq!(
        error.to_string(),
        format!("add address 198.51.100.1/32 to {}: SIOCAIFADDR: File exists (EEXIST)", pair.b)
    );
    assert!(error.advice().unwrap().contains("route"));
}

#[test]
fn ipv6_addresses_are_checked_for_duplicates() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    assert!(host.nd6_flags(&pair.a).unwrap().contains(Nd6Flags::DISABLED));
    host.add_ipv6(&pair.a, net6("2001:db8:1::1/64")).unwrap();
    assert!(!host.nd6_flags(&pair.a).unwrap().contains(Nd6Flags::DISABLED));
    // The link of a new epair comes up a moment after the epair was made, and starts duplicate address detection.
    host.wait_for_dad(&pair.a, SOON).unwrap();
    let first = host.find_ipv6(&pair.a, ip6("2001:db8:1::1")).unwrap().unwrap();
    assert_eq!(first, Ipv6Address::from(net6("2001:db8:1::1/64")));

    host.add_ipv6(&pair.a, net6("2001:db8:1::2/64")).unwrap();
    assert!(host.ipv6_flags(&pair.a, ip6("2001:db8:1::2")).unwrap().contains(Ipv6Flags::TENTATIVE));
    host.wait_for_dad(&pair.a, SOON).unwrap();
    let after = host.ipv6_addresses(&pair.a).unwrap();
    assert!(after.iter().all(|address| !address.flags.contains(Ipv6Flags::TENTATIVE)), "{after:?}");
    assert!(after.iter().any(|address| address.network.ip().is_unicast_link_local()), "{after:?}");
    assert_eq!(after.len(), 3);
}

#[test]
fn waiting_for_addresses_has_a_limit() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    host.add_ipv6(&pair.a, net6("2001:db8:1::1/64")).unwrap();
    host.wait_for_dad(&pair.a, SOON).unwrap();
    host.down(&pair.a).unwrap();
    host.add_ipv6(&pair.a, net6("2001:db8:1::2/64")).unwrap();
    let begun = host.kernel.now();
    let error = host.wait_for_dad(&pair.a, std::time::Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "on an interface that is down no check begins");
    assert!(host.kernel.now() - begun >= std::time::Duration::from_millis(300));
}

#[test]
fn without_duplicate_detection_all_are_usable_at_once() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let flags = host.change_nd6_flags(&pair.a, Nd6Flags::NO_DAD, Nd6Flags::DISABLED).unwrap();
    assert_eq!(host.nd6_flags(&pair.a).unwrap(), flags);
    for address in ["2001:db8:1::1/64", "2001:db8:1::2/64"] {
        host.add_ipv6(&pair.a, net6(address)).unwrap();
        assert_eq!(host.ipv6_flags(&pair.a, net6(address).ip()).unwrap(), Ipv6Flags::empty());
    }
}

#[test]
fn an_ipv6_address_that_was_not_added_is_an_error_on_every_release() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    host.add_ipv6(&pair.a, net6("2001:db8:1::1/64")).unwrap();
    let elsewhere = host.add_ipv6(&pair.b, net6("2001:db8:1::1/64")).unwrap_err();
    let shorter = host.add_ipv6(&pair.a, net6("2001:db8:1::1/48")).unwrap_err();
    if host.is_15() {
        assert_eq!((elsewhere.errno(), elsewhere.request()), (Some(Errno::EEXIST), "SIOCAIFADDR_IN6"));
        assert_eq!((shorter.errno(), shorter.request()), (Some(Errno::EINVAL), "SIOCAIFADDR_IN6"));
    } else {
        assert_eq!(
            (elsewhere.errno(), elsewhere.request()),
            (Some(Errno::EADDRNOTAVAIL), "SIOCGIFAFLAG_IN6")
        );
        assert_eq!((shorter.errno(), shorter.request()), (Some(Errno::EINVAL), "SIOCGIFAFLAG_IN6"));
    }
    let nothing = Ipv6Address::from(net6("2001:db8:2::1/64"))
        .with_valid(Lifetime::Seconds(10))
        .with_preferred(Lifetime::Seconds(20));
    assert!(host.add_ipv6(&pair.a, nothing).is_err());
}

#[test]
fn ensuring_an_ipv6_address_changes_only_what_differs() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    assert_eq!(host.ensure_ipv6(&pair.a, net6("2001:db8:1::1/64")).unwrap(), Ensured::Added);
    assert_eq!(host.ensure_ipv6(&pair.a, net6("2001:db8:1::1/64")).unwrap(), Ensured::Present);
    assert_eq!(host.ensure_ipv6(&pair.a, net6("2001:db8:1::1/48")).unwrap(), Ensured::Replaced);
    let found = host.find_ipv6(&pair.a, ip6("2001:db8:1::1")).unwrap().unwrap();
    assert_eq!(found.network.prefix(), 48);
    host.remove_ipv6(&pair.a, ip6("2001:db8:1::1")).unwrap();
    let error = host.remove_ipv6(&pair.a, ip6("2001:db8:1::1")).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EADDRNOTAVAIL));
}

#[test]
fn lifetimes_and_link_local_addresses_come_back() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let wanted = Ipv6Address::from(net6("2001:db8:1::1/64"))
        .with_valid(Lifetime::Seconds(3600))
        .with_preferred(Lifetime::Seconds(1800));
    host.add_ipv6(&pair.a, wanted).unwrap();
    assert_eq!(host.find_ipv6(&pair.a, ip6("2001:db8:1::1")).unwrap(), Some(wanted));
    host.add_ipv6(&pair.a, net6("fe80::5/64")).unwrap();
    let all = host.ipv6_addresses(&pair.a).unwrap();
    assert!(all.iter().any(|address| address.network == net6("fe80::5/64")), "{all:?}");
    let index = u32::from(host.index(&pair.a).unwrap());
    let dumped = host.interface(&pair.a).unwrap().addresses;
    let dumped = dumped.iter().find(|address| address.network.ip() == ip6("fe80::5")).unwrap();
    assert_eq!(dumped.scope, index);
    host.remove_ipv6(&pair.a, ip6("fe80::5")).unwrap();
    assert_eq!(host.find_ipv6(&pair.a, ip6("fe80::5")).unwrap(), None);
}

/// The simulated kernel receives no router advertisements, so the test adds the address as an advertisement would.
#[test]
fn an_address_of_a_routers_advertisement_is_waited_for() {
    use jailwire::kernel::Clock as _;

    let sim = jailwire::sim::Sim::new();
    let host = jailwire::Vnet::host(std::sync::Arc::new(sim.clone()));
    let em0 = "em0".parse().unwrap();
    let begin = sim.now();
    let limit = std::time::Duration::from_secs(10);
    assert_eq!(host.wait_for_autoconf(&em0, limit).unwrap(), None);
    assert!(sim.now() >= begin + limit);
    let network: ipnetwork::Ipv6Network = "2001:db8::5/64".parse().unwrap();
    host.add_ipv6(&em0, network).unwrap();
    assert_eq!(host.wait_for_autoconf(&em0, limit).unwrap(), None, "it was given by hand");
    let advertised: ipnetwork::Ipv6Network = "2001:db8:1::5/64".parse().unwrap();
    let flags = jailwire::address::Ipv6Flags::AUTOCONF;
    host.add_ipv6(&em0, jailwire::address::Ipv6Address::from(advertised).with_flags(flags)).unwrap();
    assert_eq!(host.wait_for_autoconf(&em0, limit).unwrap().unwrap().network, advertised);
}

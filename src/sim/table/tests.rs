//! The rules of one table.

use super::*;

const RULES: Rules = Rules { multipath: true, replace: true };

fn net(text: &str, length: u32) -> Destination<Ipv4Addr> {
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    Destination::new(text.parse().unwrap(), Ipv4Addr::from_bits(mask))
}

fn via(gateway: &str) -> Nexthop {
    let address = SourceAddress::Inet(Ipv4Addr::new(10, 0, 0, 1));
    Nexthop {
        flags: sys::RTF_GATEWAY | sys::RTF_STATIC,
        gateway: Gateway::Inet(gateway.parse().unwrap()),
        interface: 2,
        source: Source { interface: 2, address },
        mtu: 1500,
        expire: 0,
    }
}

fn link(flags: i32) -> Nexthop {
    Nexthop { flags, gateway: Gateway::Link { index: 2, kind: 6 }, ..via("10.0.0.1") }
}

fn gateway(text: &str) -> Gateway {
    Gateway::Inet(text.parse().unwrap())
}

fn matching(gateway: Gateway) -> impl Fn(&Nexthop) -> bool {
    move |nexthop| nexthop.matches(&gateway)
}

#[test]
fn the_longest_mask_wins() {
    let mut table = Table::default();
    for (destination, gateway) in [
        (net("0.0.0.0", 0), "10.0.0.1"),
        (net("10.0.0.0", 8), "10.0.0.2"),
        (net("10.1.0.0", 16), "10.0.0.3"),
        (net("10.1.0.7", 32), "10.0.0.4"),
    ] {
        table.add(destination, via(gateway), 1, RULES).unwrap();
    }
    let best = |address: [u8; 4]| table.best(address.into()).unwrap().1[0].nexthop.gateway;
    assert_eq!(best([10, 1, 0, 7]), gateway("10.0.0.4"));
    assert_eq!(best([10, 1, 0, 8]), gateway("10.0.0.3"));
    assert_eq!(best([10, 2, 0, 8]), gateway("10.0.0.2"));
    assert_eq!(best([8, 8, 8, 8]), gateway("10.0.0.1"));
}

#[test]
fn a_dump_goes_by_address_and_from_long_masks_to_short_ones() {
    let mut table = Table::default();
    let wanted = [net("0.0.0.0", 0), net("10.0.0.0", 32), net("10.0.0.0", 24), net("10.0.0.0", 8)];
    for destination in [2, 0, 3, 1].map(|at| wanted[at]) {
        table.add(destination, via("10.0.0.2"), 1, RULES).unwrap();
    }
    assert_eq!(table.iter().map(|(destination, _)| *destination).collect::<Vec<_>>(), wanted);
}

#[test]
fn a_second_gateway_is_a_second_path() {
    let mut table = Table::default();
    let default = net("0.0.0.0", 0);
    table.add(default, via("10.0.0.2"), 1, RULES).unwrap();
    let second = table.add(default, via("10.0.0.3"), 1, RULES).unwrap();
    assert_eq!(second.path.unwrap().nexthop, via("10.0.0.3"));
    // The same gateway is refused, whatever its weight is, and so is any second gateway if multipath is off.
    assert_eq!(table.add(default, via("10.0.0.3"), 20, RULES), Err(Errno::EEXIST));
    let single = Rules { multipath: false, ..RULES };
    assert_eq!(table.add(default, via("10.0.0.4"), 1, single), Err(Errno::EEXIST));
    assert_eq!(table.exact(&default).unwrap().len(), 2);
}

#[test]
fn only_gateways_share_a_destination() {
    let mut table = Table::default();
    let there = net("10.9.0.0", 16);
    table.add(there, link(sys::RTF_STATIC), 1, RULES).unwrap();
    assert_eq!(table.add(there, via("10.0.0.3"), 1, RULES), Err(Errno::EEXIST));
    let there = net("10.8.0.0", 16);
    table.add(there, via("10.0.0.3"), 1, RULES).unwrap();
    assert_eq!(table.add(there, link(sys::RTF_STATIC), 1, RULES), Err(Errno::EEXIST));
}

#[test]
fn of_several_paths_the_gateway_says_which_goes() {
    let mut table = Table::default();
    let default = net("0.0.0.0", 0);
    table.add(default, via("10.0.0.2"), 1, RULES).unwrap();
    table.add(default, via("10.0.0.3"), 1, RULES).unwrap();
    assert_eq!(table.delete(&default, false, None), Err(Errno::ESRCH));
    assert_eq!(table.delete(&default, true, None), Err(Errno::ESRCH));
    let absent = matching(gateway("10.0.0.4"));
    assert_eq!(table.delete(&default, false, Some(&absent)), Err(Errno::ESRCH));
    let first = matching(gateway("10.0.0.2"));
    assert!(table.delete(&default, false, Some(&first)).unwrap().linked);
    assert!(!table.delete(&default, false, None).unwrap().linked);
    assert_eq!(table.delete(&default, false, None), Err(Errno::ESRCH));
}

#[test]
fn a_new_gateway_is_refused_where_there_are_several() {
    let mut table = Table::default();
    let default = net("0.0.0.0", 0);
    table.add(default, via("10.0.0.2"), 1, RULES).unwrap();
    let new = gateway("10.0.0.9");
    assert!(table.change(&default, Some(&new), None, |_| Ok(via("10.0.0.9"))).is_ok());
    table.add(default, via("10.0.0.3"), 1, RULES).unwrap();
    let newer = gateway("10.0.0.8");
    let refused = table.change(&default, Some(&newer), None, |_| Ok(via("10.0.0.8")));
    assert_eq!(refused, Err(Errno::ESRCH));
    let changed = table.change(&default, Some(&new), Some(7), |old| Ok(old.clone())).unwrap();
    assert_eq!(changed.path.unwrap().weight, 7);
    let same = table.change(&default, Some(&new), None, |old| Ok(old.clone())).unwrap();
    assert_eq!(same.path, None);
}

#[test]
fn pinned_routes_replace_and_stay() {
    let mut table = Table::default();
    let there = net("10.9.0.0", 16);
    table.add(there, via("10.0.0.2"), 1, RULES).unwrap();
    table.add(there, via("10.0.0.3"), 1, RULES).unwrap();
    let old = Rules { replace: false, ..RULES };
    assert_eq!(table.add(there, link(sys::RTF_PINNED), 1, old), Err(Errno::EEXIST));
    let change = table.add(there, link(sys::RTF_PINNED), 1, RULES).unwrap();
    assert_eq!(change.path.unwrap().nexthop, link(sys::RTF_PINNED));
    assert_eq!(table.exact(&there).unwrap().len(), 1);
    assert_eq!(table.add(there, via("10.0.0.2"), 1, RULES), Err(Errno::EEXIST));
    let again = Nexthop { interface: 3, ..link(sys::RTF_PINNED) };
    assert_eq!(table.add(there, again, 1, RULES), Err(Errno::EEXIST));
    assert_eq!(table.delete(&there, false, None), Err(Errno::EADDRINUSE));
    assert!(table.delete(&there, true, None).is_ok());
}

#[test]
fn a_sweep_leaves_pinned_routes_and_other_paths() {
    let mut table = Table::default();
    let default = net("0.0.0.0", 0);
    table.add(default, via("10.0.0.2"), 1, RULES).unwrap();
    table.add(default, Nexthop { interface: 3, ..via("10.1.0.2") }, 1, RULES).unwrap();
    table.add(net("10.0.0.0", 24), link(sys::RTF_PINNED), 1, RULES).unwrap();
    table.add(net("10.9.0.0", 16), via("10.0.0.2"), 1, RULES).unwrap();
    let gone = table.remove_where(|nexthop| nexthop.interface == 2);
    assert_eq!(gone.len(), 1);
    assert_eq!(table.exact(&default).unwrap()[0].nexthop.interface, 3);
    assert!(table.exact(&net("10.0.0.0", 24)).is_some());
}

#[test]
fn equal_next_hops_have_one_number_and_the_lowest_free_one_is_next() {
    let mut table = Table::default();
    let index = |table: &Table<_>, at: &Destination<_>| table.exact(at).unwrap()[0].index;
    let [a, b, c] = [net("10.1.0.0", 16), net("10.2.0.0", 16), net("10.3.0.0", 16)];
    table.add(a, via("10.0.0.2"), 1, RULES).unwrap();
    table.add(b, via("10.0.0.3"), 1, RULES).unwrap();
    table.add(c, via("10.0.0.3"), 1, RULES).unwrap();
    assert_eq!([a, b, c].map(|at| index(&table, &at)), [1, 2, 2]);
    table.delete(&a, false, None).unwrap();
    table.add(a, via("10.0.0.4"), 1, RULES).unwrap();
    assert_eq!(index(&table, &a), 1);
}

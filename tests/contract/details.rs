//! Interfaces with all their details.

use jailwire::interface::InterfaceFlags;
use jailwire::{Fib, Mtu};

use crate::support::{World, n, net4};

#[test]
fn everything_of_an_interface_is_listed() {
    let world = World::new();
    world.create_epair().unwrap();
    let (a, b) = (n("epair0a"), n("epair0b"));
    world.set_mtu(&a, Mtu::new(9000).unwrap()).unwrap();
    world.set_description(&a, "to the bridge").unwrap();
    world.add_group(&a, &n("jails")).unwrap();
    world.add_ipv4(&a, net4("10.0.0.1/24")).unwrap();
    let all = world.interface_details().unwrap();
    let names: Vec<_> = all.iter().map(|found| found.interface.name.to_string()).collect();
    assert_eq!(names, ["lo0", "epair0a", "epair0b"]);
    let found = &all[1];
    assert_eq!(found.interface, world.interface(&a).unwrap());
    assert_eq!(found.interface.mtu, 9000);
    assert!(found.interface.flags.contains(InterfaceFlags::UP));
    assert_eq!(found.description.as_deref(), Some("to the bridge"));
    assert_eq!(found.groups, [n("all"), n("epair"), n("jails")]);
    assert_eq!(found.fib, Fib::DEFAULT);
    assert_eq!((found.capabilities, found.enabled), world.capabilities(&a).unwrap());
    let other = &all[2];
    assert_eq!(other.description, None);
    assert_eq!(other.groups, [n("all"), n("epair")]);
    assert_eq!((other.capabilities, other.enabled), world.capabilities(&b).unwrap());
}

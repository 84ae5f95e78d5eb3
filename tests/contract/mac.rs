//! Link addresses.

use jailwire::MacAddr;
use jailwire::kernel::Errno;
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, net4, with};

const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 10]);

/// Sends SIOCSIFLLADDR with any length, family and address.
fn write(world: &World, name: &str, length: u8, family: u8, mac: [u8; 6]) -> jailwire::kernel::Result<()> {
    let request = with(ask(sys::SIOCSIFLLADDR, name), 16, &[length, family]);
    world.ioctl(&mut with(request, 18, &mac))
}

#[test]
fn a_mac_is_set_and_told_to_nobody() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.up(&pair.b).unwrap();
    let listener = world.listen();
    listener.forget();
    world.set_mac(&pair.a, MAC).unwrap();
    world.set_mac(&pair.b, MacAddr([2, 0, 0, 0, 0, 11])).unwrap();
    assert_eq!(world.mac(&pair.a).unwrap(), Some(MAC));
    assert_eq!(world.interface(&pair.a).unwrap().mac, Some(MAC));
    assert_eq!(listener.heard_later(), Vec::<String>::new());
}

#[test]
fn it_survives_renaming_and_addresses_survive_it() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.set_mac(&pair.a, MAC).unwrap();
    world.rename(&pair.a, &n("web")).unwrap();
    assert_eq!(world.mac(&n("web")).unwrap(), Some(MAC));
    assert_eq!(world.ipv4_addresses(&n("web")).unwrap().len(), 1);
}

#[test]
fn the_family_is_not_looked_at_and_any_address_is_taken() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for family in [0, 2, 18, 255] {
        write(&world, "epair0a", 6, family, MAC.0).unwrap();
    }
    for mac in [[0; 6], [255; 6], [1, 0, 0, 0, 0, 1]] {
        write(&world, "epair0a", 6, 18, mac).unwrap();
        assert_eq!(world.mac(&pair.a).unwrap(), Some(MacAddr(mac)));
        world.set_mac(&pair.a, MacAddr(mac)).refused(Errno::EINVAL);
    }
}

#[test]
fn lo0_has_none() {
    let world = World::new();
    assert_eq!(world.mac(&n("lo0")).unwrap(), None);
    // The kernel compares the length first, and the length of lo0's address is 0.
    world.set_mac(&n("lo0"), MAC).refused(Errno::EINVAL);
    write(&world, "lo0", 0, 18, [0; 6]).refused(Errno::ENODEV);
    world.mac(&n("epair9a")).refused(Errno::ENXIO);
}

#[test]
fn the_permanent_mac_stays() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let first = world.mac(&pair.a).unwrap().unwrap();
    world.set_mac(&pair.a, MAC).unwrap();
    let mut request = ask(sys::SIOCGHWADDR, "epair0a");
    world.ioctl(&mut request).unwrap();
    assert_eq!(request.argument().get::<6>(18), first.0);
    world.create_bridge().unwrap();
    world.ioctl(&mut ask(sys::SIOCGHWADDR, "bridge0")).refused(Errno::ENODEV);
}

#[test]
fn a_bridge_takes_a_mac_too() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    world.set_mac(&bridge, MAC).unwrap();
    assert_eq!(world.mac(&bridge).unwrap(), Some(MAC));
}

#[test]
fn a_new_epair_has_macs_of_its_kernels_making() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let macs =
        |pair: &jailwire::epair::Epair| [pair.a, pair.b].map(|end| world.mac(&end).unwrap().unwrap().0);
    let [a, b] = macs(&pair);
    if !world.is_15() {
        // The address is made of a hash of a counter, and one byte that differs between the ends.
        assert_eq!((a[0], a[5], b[5]), (0x02, 0x0a, 0x0b));
        assert_eq!(a[..5], b[..5]);
        return;
    }
    let uuid = jailwire::Vnet::host(world.kernel.clone()).sysctl("kern.hostuuid").unwrap();
    let zero = uuid.starts_with(b"00000000-0000-0000-0000-000000000000");
    if zero || uuid[0] == 0 {
        // The address is random, and locally administered.
        assert_eq!((a[0] & 3, b[0] & 3), (2, 2));
    } else {
        // The address is a digest of the caller's host and the name, so the same name gets the same address again.
        assert_eq!((&a[..4], &b[..4]), (&[0x58, 0x9c, 0xfc, 0x10][..], &[0x58, 0x9c, 0xfc, 0x10][..]));
        world.destroy(&pair.a).unwrap();
        assert_eq!(macs(&world.create_epair().unwrap()), [a, b]);
    }
}

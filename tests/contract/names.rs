//! Renaming.

use jailwire::kernel::{self, Block, Errno};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, net4};

/// The offset of the union in an `ifreq`.
const IFRU: usize = 16;

/// Sends SIOCSIFNAME with any bytes.
fn rename(world: &World, name: &str, new: &[u8]) -> kernel::Result<()> {
    let mut request = ask(sys::SIOCSIFNAME, name);
    request.argument_mut().point(IFRU, Block::new(new));
    world.ioctl(&mut request)
}

#[test]
fn any_name_of_15_bytes_will_do() {
    let world = World::new();
    world.create_bridge().unwrap();
    let mut name = "bridge0";
    for new in ["a b/c", "0", "epair7a", "\u{7}", "fifteen_letters"] {
        rename(&world, name, format!("{new}\0").as_bytes()).unwrap();
        world.ioctl(&mut ask(sys::SIOCGIFINDEX, new)).unwrap();
        name = new;
    }
    assert_eq!(world.links().unwrap().len(), 2);
}

#[test]
fn names_without_an_end_or_without_letters_are_refused() {
    let world = World::new();
    world.create_bridge().unwrap();
    rename(&world, "bridge0", b"\0").refused(Errno::EINVAL);
    rename(&world, "bridge0", b"sixteen_letters_").refused(Errno::ENAMETOOLONG);
    rename(&world, "bridge0", b"lan\0").unwrap();
    assert!(world.has_interface(&n("lan")).unwrap());
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.rename(&pair.a, &pair.b).refused(Errno::EEXIST);
    world.rename(&pair.a, &n("lo0")).refused(Errno::EEXIST);
    world.rename(&n("epair9a"), &n("x")).refused(Errno::ENXIO);
    assert!(world.has_interface(&pair.a).unwrap());
}

#[test]
fn the_same_name_is_fine_and_nothing_happens() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    let listener = world.listen();
    world.rename(&bridge, &bridge).unwrap();
    assert_eq!(listener.heard_later(), Vec::<String>::new());
}

#[test]
fn a_renamed_interface_departs_and_arrives() {
    let world = World::new();
    world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.rename(&n("epair0a"), &n("web")).unwrap();
    assert_eq!(listener.heard_later(), ["-epair0a", "+web"]);
}

#[test]
fn everything_stays_but_the_name() {
    let world = World::new();
    let (pair, bridge) = (world.create_epair().unwrap(), world.create_bridge().unwrap());
    world.add_ipv4(&pair.b, net4("10.0.0.1/24")).unwrap();
    world.add_member(&bridge, &pair.a).unwrap();
    world.set_description(&pair.a, "of web").unwrap();
    world.add_group(&pair.a, &n("webs")).unwrap();
    let (index, mac, flags) =
        (world.index(&pair.b).unwrap(), world.mac(&pair.a).unwrap(), world.flags(&pair.a).unwrap());
    world.rename(&pair.a, &n("a")).unwrap();
    world.rename(&pair.b, &n("b")).unwrap();
    world.rename(&bridge, &n("lan")).unwrap();
    assert_eq!(world.index(&n("b")).unwrap(), index);
    assert_eq!(world.mac(&n("a")).unwrap(), mac);
    assert_eq!(world.flags(&n("a")).unwrap(), flags);
    assert_eq!(world.members(&n("lan")).unwrap()[0].name, n("a"));
    assert_eq!(world.description(&n("a")).unwrap().as_deref(), Some("of web"));
    assert!(world.groups(&n("a")).unwrap().contains(&n("webs")));
    let addresses = world.ipv4_addresses(&n("b")).unwrap();
    assert_eq!(addresses[0].network, net4("10.0.0.1/24"));
    assert_eq!(world.routes(jailwire::Fib::DEFAULT).unwrap().len(), 2);
}

#[test]
fn the_driver_keeps_the_first_name() {
    // {CTL_NET, PF_LINK, NETLINK_GENERIC, IFMIB_IFDATA, index, IFDATA_DRIVERNAME}
    let world = World::new();
    let pair = world.create_epair_unit(4).unwrap();
    world.rename(&pair.a, &n("web")).unwrap();
    let index = i32::from(world.index(&n("web")).unwrap());
    let oid = jailwire::kernel::Oid::Numbers(vec![4, 18, 0, 2, index, 3]);
    let name = world.sysctl(oid).unwrap();
    assert_eq!(name.split(|byte| *byte == 0).next().unwrap(), b"epair4");
}

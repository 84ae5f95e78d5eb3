//! Tunnel interfaces, and tunnel interfaces on bridges.

use jailwire::interface::InterfaceType;
use jailwire::kernel::Errno;
use jailwire::types::Mtu;

use crate::support::{Refused, World, n};

/// The kernel GENERIC has gif(4), tun(4) and tap(4).
const MODELS: [(&str, InterfaceType, u32, bool); 3] = [
    ("gif", InterfaceType::GIF, 1280, false),
    ("tun", InterfaceType::PPP, 1500, false),
    ("tap", InterfaceType::ETHERNET, 1500, true),
];

#[test]
fn tunnels_have_their_types_and_mtus() {
    let world = World::new();
    for (cloner, kind, mtu, has_mac) in MODELS {
        let name = world.create(cloner).unwrap();
        assert_eq!(name, n(&format!("{cloner}0")));
        let seen = world.interface(&name).unwrap();
        assert_eq!((seen.kind, seen.mtu, seen.mac.is_some()), (kind, mtu, has_mac), "{cloner}");
        world.destroy(&name).unwrap();
    }
}

#[test]
fn a_bridge_takes_gif_and_tap_and_no_other_tunnel() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    let (gif, tun, tap) =
        (world.create("gif").unwrap(), world.create("tun").unwrap(), world.create("tap").unwrap());
    world.add_member(&bridge, &tun).refused(Errno::EINVAL);
    world.add_member(&bridge, &gif).unwrap();
    // The first member gives the bridge its MTU.
    assert_eq!(world.mtu(&bridge).unwrap(), 1280);
    world.add_member(&bridge, &tap).unwrap();
    assert_eq!(world.mtu(&tap).unwrap(), 1280);
    assert_eq!(world.members(&bridge).unwrap().len(), 2);
}

#[test]
fn a_gif_takes_no_mtu_below_1280() {
    let world = World::new();
    let gif = world.create("gif").unwrap();
    world.set_mtu(&gif, Mtu::new(1279).unwrap()).refused(Errno::EINVAL);
    world.set_mtu(&gif, Mtu::new(1400).unwrap()).unwrap();
    assert_eq!(world.mtu(&gif).unwrap(), 1400);
}

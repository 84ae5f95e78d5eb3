//! Interface groups.

use jailwire::kernel::{Block, Errno};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, with};

const LENGTH: usize = 16;
const GROUP: usize = 24;

#[test]
fn everyone_is_in_all_and_in_that_of_its_cloner() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let bridge = world.create_bridge().unwrap();
    assert_eq!(world.groups(&pair.a).unwrap(), [n("all"), n("epair")]);
    assert_eq!(world.groups(&bridge).unwrap(), [n("all"), n("bridge")]);
    assert_eq!(world.groups(&n("lo0")).unwrap(), [n("all"), n("lo")]);
    let all = world.group_members(&n("all")).unwrap().unwrap();
    assert_eq!(all, [n("lo0"), pair.a, pair.b, bridge]);
    // The second end of an epair enters the cloner's group first.
    assert_eq!(world.group_members(&n("epair")).unwrap().unwrap(), [pair.b, pair.a]);
}

#[test]
fn a_group_comes_with_its_first_member_and_goes_with_its_last() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    assert_eq!(world.group_members(&n("webs")).unwrap(), None);
    world.add_group(&pair.b, &n("webs")).unwrap();
    world.add_group(&pair.a, &n("webs")).unwrap();
    assert_eq!(world.groups(&pair.a).unwrap(), [n("all"), n("epair"), n("webs")]);
    assert_eq!(world.group_members(&n("webs")).unwrap().unwrap(), [pair.b, pair.a]);
    world.delete_group(&pair.b, &n("webs")).unwrap();
    world.delete_group(&pair.a, &n("webs")).unwrap();
    assert_eq!(world.group_members(&n("webs")).unwrap(), None);
    world.add_group(&pair.a, &n("webs")).unwrap();
    world.destroy(&pair.a).unwrap();
    assert_eq!(world.group_members(&n("webs")).unwrap(), None);
}

#[test]
fn refusals() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_group(&pair.a, &n("web1")).refused(Errno::EINVAL);
    world.add_group(&pair.a, &n("epair")).refused(Errno::EEXIST);
    world.delete_group(&pair.a, &n("webs")).refused(Errno::ENOENT);
    world.add_group(&n("epair1a"), &n("webs")).refused(Errno::ENXIO);
    world.groups(&n("epair1a")).refused(Errno::ENXIO);
}

#[test]
fn a_group_name_without_an_end() {
    // Confirmed: 14.2 takes it, 15.1 does not.
    let world = World::new();
    world.create_epair().unwrap();
    let mut request = with(ask(sys::SIOCAIFGROUP, "epair0a"), GROUP, b"sixteen_letters_");
    if world.is_15() {
        world.ioctl(&mut request).refused(Errno::EINVAL);
    } else {
        world.ioctl(&mut request).unwrap();
    }
}

#[test]
fn all_and_the_cloners_group_can_be_left() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.delete_group(&pair.a, &n("all")).unwrap();
    world.delete_group(&pair.a, &n("epair")).unwrap();
    assert!(world.groups(&pair.a).unwrap().is_empty());
    assert_eq!(world.group_members(&n("epair")).unwrap().unwrap(), [pair.b]);
    world.destroy(&pair.a).unwrap();
}

#[test]
fn a_list_needs_its_whole_length() {
    let world = World::new();
    world.create_epair().unwrap();
    for (number, name) in [(sys::SIOCGIFGROUP, "epair0a"), (sys::SIOCGIFGMEMB, "epair")] {
        let mut request = ask(number, name);
        world.ioctl(&mut request).unwrap();
        assert_eq!(request.argument().u32_at(LENGTH), 32);
        let mut request = with(ask(number, name), LENGTH, &16_u32.to_ne_bytes());
        request.argument_mut().point(GROUP, Block::zeroed(16));
        world.ioctl(&mut request).refused(Errno::EINVAL);
        let mut request = with(ask(number, name), LENGTH, &64_u32.to_ne_bytes());
        request.argument_mut().point(GROUP, Block::zeroed(64));
        world.ioctl(&mut request).unwrap();
        assert_eq!(request.argument().u32_at(LENGTH), 64, "left at the caller's");
        assert_ne!(request.argument().child(GROUP).unwrap().bytes()[16], 0);
        assert_eq!(request.argument().child(GROUP).unwrap().bytes()[32..], [0; 32]);
    }
}

#[test]
fn a_renamed_interface_stays_in_its_groups() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_group(&pair.a, &n("webs")).unwrap();
    world.rename(&pair.a, &n("web")).unwrap();
    assert_eq!(world.groups(&n("web")).unwrap(), [n("all"), n("epair"), n("webs")]);
    assert_eq!(world.group_members(&n("webs")).unwrap().unwrap(), [n("web")]);
}

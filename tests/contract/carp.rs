//! Virtual hosts of carp(4).

use jailwire::carp::{VirtualHost, VirtualHostKey, VirtualHostState};
use jailwire::kernel::Errno;

use crate::support::{Refused, World, n, net4};

#[test]
fn a_virtual_host_goes_with_its_last_address() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let key = VirtualHostKey([7; 20]);
    let wanted =
        VirtualHost::new(7).with_interval(2).with_skew(100).with_key(key).with_state(VirtualHostState::Init);
    assert_eq!(world.virtual_host(&pair.a, 7).unwrap(), None);
    world.virtual_host(&n("epair9a"), 0).refused(Errno::EINVAL);
    if world.sysctl("net.inet.carp.allow").is_err() && world.kernel().load_module("carp").is_err() {
        return world.set_virtual_host(&pair.a, &wanted).refused(Errno::EPROTONOSUPPORT);
    }
    world.add_ipv4_of(&pair.a, net4("10.0.0.7/24"), 7).refused(Errno::ENOPROTOOPT);
    world.set_virtual_host(&pair.a, &wanted).unwrap();
    assert_eq!(world.virtual_host(&pair.a, 7).unwrap(), Some(wanted));
    world.add_ipv4_of(&pair.a, net4("10.0.0.8/24"), 8).refused(Errno::ENOENT);
    world.add_ipv4_of(&pair.a, net4("10.0.0.7/24"), 7).unwrap();
    // The virtual host waits for a master, or is told to be the master itself.
    let state = |world: &World| world.virtual_host(&n("epair0a"), 7).unwrap().unwrap().state;
    assert_eq!(state(&world), VirtualHostState::Backup);
    world.set_virtual_host(&pair.a, &wanted.with_state(VirtualHostState::Master)).unwrap();
    assert_eq!(state(&world), VirtualHostState::Master);
    assert_eq!(world.carp_addresses(&pair.a).unwrap(), [("10.0.0.7".parse().unwrap(), 7)]);
    world.remove_ipv4(&pair.a, "10.0.0.7".parse().unwrap()).unwrap();
    assert_eq!(world.virtual_host(&pair.a, 7).unwrap(), None);
}

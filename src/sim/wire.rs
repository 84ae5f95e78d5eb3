//! Which nodes reach each other on the links of epairs, bridges and vlans.
//!
//! No packets are sent in a simulation. This module finds out the one thing that packets would show: whether
//! another node of the same link has an IPv6 address. Filters and learned addresses of bridges are left out, and so
//! is the spanning tree.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use jailwire_sys as sys;

use super::world::{Address6, Interface, Kind, World};

/// A frame at an interface: its VLAN tag, and whether it arrived or is to be sent.
type Frame = (u16, Option<u16>, Way);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    In,
    Out,
}

impl World {
    /// Whether another node of the link has an IPv6 address, and answers for it.
    pub fn is_heard(&self, index: u16, address: Ipv6Addr) -> bool {
        let answers =
            |theirs: &Address6| theirs.address == address && theirs.flags & sys::IN6_IFF_DUPLICATED == 0;
        let answering: BTreeSet<u16> = self
            .interfaces
            .values()
            .filter(|other| other.index != index && other.nd6_flags & sys::ND6_IFF_IFDISABLED == 0)
            .filter(|other| other.inet6.iter().any(answers))
            .map(|other| other.index)
            .collect();
        !answering.is_empty() && !answering.is_disjoint(&self.hearers(index))
    }

    /// The interfaces that receive a broadcast of an interface, without that interface.
    fn hearers(&self, index: u16) -> BTreeSet<u16> {
        let mut heard = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut frames: Vec<Frame> = vec![(index, None, Way::Out)];
        while let Some(frame) = frames.pop() {
            let (at, tag, way) = frame;
            let Some(interface) = self.interfaces.get(&at).filter(|i| i.has(sys::IFF_UP)) else { continue };
            if !seen.insert(frame) {
                continue;
            }
            match way {
                Way::Out => frames.extend(self.sent(interface, tag)),
                Way::In => {
                    if tag.is_none() {
                        heard.insert(at);
                    }
                    frames.extend(self.received(interface, tag));
                }
            }
        }
        heard.remove(&index);
        heard
    }

    /// The interfaces that a frame reaches when it leaves by an interface.
    fn sent(&self, interface: &Interface, tag: Option<u16>) -> Vec<Frame> {
        match &interface.kind {
            Kind::Epair { peer, .. } => vec![(*peer, tag, Way::In)],
            Kind::Bridge(bridge) => {
                bridge.members.indexes().rev().map(|member| (member, tag, Way::Out)).collect()
            }
            Kind::Vlan { parent: Some(parent), tag: ours, .. } if tag.is_none() => {
                vec![(*parent, Some(*ours), Way::Out)]
            }
            _ => Vec::new(),
        }
    }

    /// The interfaces to which a frame is forwarded when it arrives at an interface.
    fn received(&self, interface: &Interface, tag: Option<u16>) -> Vec<Frame> {
        let index = interface.index;
        let mut frames = Vec::new();
        for other in self.interfaces.values() {
            if let Kind::Vlan { parent: Some(parent), tag: theirs, .. } = other.kind
                && parent == index
                && tag == Some(theirs)
            {
                frames.push((other.index, None, Way::In));
            }
        }
        let bridge = interface.bridge.and_then(|bridge| self.interfaces.get(&bridge));
        if let Some(Interface { index: bridge, kind: Kind::Bridge(state), .. }) = bridge {
            frames.push((*bridge, tag, Way::In));
            let others = state.members.indexes().rev().filter(|member| *member != index);
            frames.extend(others.map(|member| (member, tag, Way::Out)));
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::world::{Bridge, Member};
    use super::*;

    fn member(index: u16) -> Member {
        Member {
            index,
            flags: 0,
            tree_flags: 0,
            path_cost: 2000,
            priority: 128,
            address_limit: 0,
            address_exceeded: 0,
            pvid: 0,
            vlan_protocol: 0x8100,
            vlans: Vec::new(),
            saved_capabilities: 0,
        }
    }

    fn raise(world: &mut World) {
        for interface in world.interfaces.values_mut() {
            interface.flags |= sys::IFF_UP as u32;
        }
    }

    #[test]
    fn a_bridge_joins_its_members_and_a_cable_its_ends() {
        let mut world = pair();
        let first = add(&mut world, "epair1a", Kind::Epair { peer: 5, is_a: true }, [2, 0, 0, 0, 1, 1]);
        let second = add(&mut world, "epair1b", Kind::Epair { peer: 4, is_a: false }, [2, 0, 0, 0, 1, 2]);
        let bridge = Bridge { members: [member(2), member(first)].into_iter().collect(), ..Bridge::new() };
        let bridge = add(&mut world, "bridge0", Kind::Bridge(bridge), [2, 0, 0, 0, 2, 1]);
        for index in [2, first] {
            world.interfaces.get_mut(&index).unwrap().bridge = Some(bridge);
        }
        assert!(world.hearers(3).is_empty());
        raise(&mut world);
        assert_eq!(world.hearers(3), BTreeSet::from([2, second, bridge]));
        assert_eq!(world.hearers(bridge), BTreeSet::from([3, second]));
        world.interfaces.get_mut(&first).unwrap().flags &= !(sys::IFF_UP as u32);
        assert_eq!(world.hearers(3), BTreeSet::from([2, bridge]));
    }

    #[test]
    fn a_vlan_hears_its_own_tag() {
        let mut world = pair();
        let vlan = |parent, tag| Kind::Vlan {
            parent: Some(parent),
            tag,
            protocol: 0x8100,
            priority: 0,
            promiscuous_parent: false,
        };
        let near = add(&mut world, "vlan0", vlan(2, 7), [2, 0, 0, 0, 1, 1]);
        let far = add(&mut world, "vlan1", vlan(3, 7), [2, 0, 0, 0, 1, 2]);
        add(&mut world, "vlan2", vlan(3, 8), [2, 0, 0, 0, 1, 3]);
        raise(&mut world);
        assert_eq!(world.hearers(near), BTreeSet::from([far]));
        assert_eq!(world.hearers(2), BTreeSet::from([3]));
    }
}

//! Who hears whom: the links that epairs, bridges and vlans make.
//!
//! No packets are sent in a simulation. This answers the one question that packets would: whether an
//! IPv6 address is in use by another node of the same link. Filters and learned addresses of bridges
//! are left out, and so is the spanning tree.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use jailwire_sys as sys;

use super::world::{Interface, Kind, World};

/// A frame at an interface: the vlan tag it carries, and whether it came from outside or is to go out.
type Frame = (u16, Option<u16>, Way);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    In,
    Out,
}

impl World {
    /// Whether another node of the link has an IPv6 address, and answers for it.
    pub fn is_heard(&self, index: u16, address: Ipv6Addr) -> bool {
        self.hearers(index).into_iter().filter_map(|other| self.interfaces.get(&other)).any(|other| {
            other.nd6_flags & sys::ND6_IFF_IFDISABLED == 0
                && other
                    .inet6
                    .iter()
                    .any(|theirs| theirs.address == address && theirs.flags & sys::IN6_IFF_DUPLICATED == 0)
        })
    }

    /// The interfaces that hear what is sent to all by one, without that one.
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

    /// Where a frame goes that leaves by an interface.
    fn sent(&self, interface: &Interface, tag: Option<u16>) -> Vec<Frame> {
        match &interface.kind {
            Kind::Epair { peer, .. } => vec![(*peer, tag, Way::In)],
            Kind::Bridge(bridge) => {
                bridge.members.iter().map(|member| (member.index, tag, Way::Out)).collect()
            }
            Kind::Vlan { parent: Some(parent), tag: ours, .. } if tag.is_none() => {
                vec![(*parent, Some(*ours), Way::Out)]
            }
            _ => Vec::new(),
        }
    }

    /// Where a frame goes on to that arrives at an interface.
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
            let others = state.members.iter().filter(|member| member.index != index);
            frames.extend(others.map(|member| (member.index, tag, Way::Out)));
        }
        frames
    }
}

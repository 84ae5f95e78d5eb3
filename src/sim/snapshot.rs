//! A whole world as bytes, so that a log need not contain all calls that led to it.
//!
//! Each table writes its own fields. Data that can be derived from them, such as an index, are not written.

use super::caller::{Caller, Owner};
use super::carp::VirtualHost;
use super::codec::{Wire, enums, structs};
use super::connections::Connection;
use super::protocol_state::{
    InterfaceProtocols, Membership, Neighbour, NeighbourDiscovery, Prefix6, StackProtocols,
};
use super::table::{Gateway, Nexthop, Path, Source, SourceAddress};
use super::world::{
    Address4, Address6, Bridge, Interface, Kind, Learned, Member, Pending, Process, Programs, RouteQueue,
    Socket, SocketKind, Stack, StackId, World,
};
use crate::kernel::Program;

/// The number of recorded programs that are kept when a log is replaced.
const PROGRAMS: usize = 100;

impl World {
    /// Writes the world, except the oldest recorded programs.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    /// Reads a world. Returns `None` if the bytes are no world.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<World> {
        let mut world = World::take(&mut bytes).filter(|_| bytes.is_empty())?;
        world.set_timers();
        Some(world)
    }
}

structs! {
    World {
        release, vimage, boot_id, now, slept, pending, stacks, interfaces, next_stack, jails, processes,
        next_process, mounts, devfs, modules, sysctls, sockets, next_handle, drawn, programs, connections,
        panics, timers
    }
    Connection { jid, lasts, ending }
    Process { jid, owner, zombie }
    Owner { pid, start }
    Caller { pid, start, jid, root }
    Stack { id, order, fibs, inet, inet6, protocols, sysctls, units, groups, pf, ipfw }
    Bridge {
        members, offers, spans, priority, hello_time, forward_delay, max_age, hold_count, protocol, cache_size,
        cache_time, flags, default_pvid, addresses, exceeded
    }
    Learned { mac, vlan, index, flags, expires }
    Member {
        index, flags, tree_flags, path_cost, priority, address_limit, address_exceeded, pvid, vlan_protocol, vlans,
        saved_capabilities
    }
    Address4 { address, mask, mask_given, broadcast, holds_route, order }
    Address6 {
        address, prefix_length, destination, flags, valid_lifetime, preferred_lifetime, since, tentative_until,
        self_route, groups, order
    }
    Interface {
        index, name, driver, unit, kind, stack, home, flags, mtu, metric, mac, permanent_mac, description, groups,
        fib, capabilities, enabled_capabilities, link_state, promiscuous, bridge, nd6_flags, inet, inet6, protocols
    }
    Socket { owner, jid, stack, kind, fib }
    RouteQueue { family, messages, limit, use_loopback, report_loss, lost }
    InterfaceProtocols { groups, neighbours, nd6, carp }
    VirtualHost { vhid, base, skew, key, state, until, addresses }
    Membership { group, users }
    Neighbour { address, mac, expire, published }
    NeighbourDiscovery { link_mtu, max_mtu, base_reachable, retransmit, hop_limit }
    StackProtocols { prefixes, next_order, last_tick }
    Prefix6 { interface, prefix, length, valid_lifetime, preferred_lifetime, since, on_link }
    Nexthop { flags, gateway, interface, source, mtu, expire }
    Source { interface, address }
    Path { nexthop, weight, index }
}

enums! {
    Pending {
        0 = StackGone(stack);
        1 = ConnectionEnds(jid);
        2 = NoMaster(index, vhid);
    }
    Kind {
        0 = Loopback;
        1 = Hardware { lagg_port };
        2 = Epair { peer, is_a };
        3 = Bridge(bridge);
        4 = Vlan { parent, tag, protocol, priority, promiscuous_parent };
        5 = Tunnel { link };
    }
    SocketKind {
        0 = Inet;
        1 = Inet6;
        2 = Local;
        3 = Route(queue);
        4 = Path(path);
        5 = Holder(process);
        6 = Descriptor(descriptor);
        7 = Notes(notes);
        8 = Value(name, old, set);
        9 = Pf { writable };
        10 = Raw;
    }
    Gateway {
        0 = Link { index, kind };
        1 = Inet(address);
        2 = Inet6(address);
    }
    SourceAddress {
        0 = Link;
        1 = Inet(address);
        2 = Inet6(address);
    }
}

impl Wire for Programs {
    fn put(&self, out: &mut Vec<u8>) {
        let newest = &self.0[self.0.len().saturating_sub(PROGRAMS)..];
        (newest.len() as u32).put(out);
        Program::put_all(newest, out);
    }
    fn take(input: &mut &[u8]) -> Option<Programs> {
        Wire::take(input).map(Programs)
    }
}

impl Wire for StackId {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<StackId> {
        u64::take(input).map(StackId)
    }
}

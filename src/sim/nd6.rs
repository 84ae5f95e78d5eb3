//! Neighbour discovery: its settings of an interface, duplicate addresses, and lifetimes
//! (`sys/netinet6/nd6.c`, `nd6_nbr.c`).

use std::mem::offset_of;
use std::net::Ipv6Addr;
use std::time::Duration;

use jailwire_sys as sys;

use super::address6::{DELAY, identifier};
use super::protocol_state::NeighbourDiscovery;
use super::world::{Address6, Interface, Kind, StackId, World};
use crate::kernel::{Block, Errno, Request, Result};

const INFO: usize = offset_of!(sys::in6_ndireq, ndi);
const FLAGS: usize = INFO + offset_of!(sys::nd_ifinfo, flags);
/// The least MTU of IPv6 (`IPV6_MMTU`).
const LEAST_MTU: u32 = 1280;
/// How long to wait for the answer to a probe (`RETRANS_TIMER`).
const PROBE: Duration = Duration::from_millis(1000);

impl World {
    /// Sets the settings of an interface that arrives in a stack (`nd6_ifattach`).
    pub fn protocols_arrive(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let (stack, loops) = (interface.stack, interface.has(sys::IFF_LOOPBACK));
        let bridge = matches!(interface.kind, Kind::Bridge(_));
        let on = |name: &str| self.stack_int(stack, name) != 0;
        let mut flags = sys::ND6_IFF_PERFORMNUD;
        if !loops {
            flags |= sys::ND6_IFF_IFDISABLED;
        }
        if loops || (on("net.inet6.ip6.auto_linklocal") && !bridge) {
            flags |= sys::ND6_IFF_AUTO_LINKLOCAL;
        }
        if on("net.inet6.ip6.accept_rtadv") && !loops && !bridge {
            flags |= sys::ND6_IFF_ACCEPT_RTADV;
            flags &= !sys::ND6_IFF_IFDISABLED;
        }
        if on("net.inet6.ip6.no_radr") && !loops {
            flags |= sys::ND6_IFF_NO_RADR;
        }
        if on("net.inet6.ip6.use_stableaddr") && !loops {
            flags |= sys::ND6_IFF_STABLEADDR;
        }
        if let Some(interface) = self.interfaces.get_mut(&index) {
            interface.nd6_flags = flags;
            interface.protocols.nd6 = NeighbourDiscovery { max_mtu: interface.mtu, ..Default::default() };
        }
    }

    /// `nd6_ioctl`. The privilege is checked already.
    pub fn nd6_ioctl(&mut self, index: u16, request: &mut Request) -> Result<()> {
        match request.number {
            sys::SIOCGIFINFO_IN6 => self.read_info(index, &mut request.argument)?,
            sys::SIOCSIFINFO_IN6 => {
                self.set_info(index, &request.argument)?;
                self.set_nd6_flags(index, request.argument.u32_at(FLAGS));
            }
            sys::SIOCSIFINFO_FLAGS => self.set_nd6_flags(index, request.argument.u32_at(FLAGS)),
            sys::SIOCGNBRINFO_IN6 => self.read_neighbour(index, &mut request.argument)?,
            sys::SIOCGDEFIFACE_IN6 => {
                request.argument.put(offset_of!(sys::in6_ndifreq, ifindex), &[0; size_of::<u64>()]);
            }
            // The simulation has no routers to forget, and no default interface.
            _ => {}
        }
        Ok(())
    }

    fn read_info(&self, index: u16, argument: &mut Block) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let nd6 = &interface.protocols.nd6;
        // A real kernel uses a random value from 0.5 to 1.5 times this time, in seconds.
        let reachable = nd6.base_reachable / 1000;
        for (offset, value) in [
            (offset_of!(sys::nd_ifinfo, linkmtu), nd6.link_mtu),
            (offset_of!(sys::nd_ifinfo, maxmtu), nd6.max_mtu),
            (offset_of!(sys::nd_ifinfo, basereachable), nd6.base_reachable),
            (offset_of!(sys::nd_ifinfo, reachable), reachable),
            (offset_of!(sys::nd_ifinfo, retrans), nd6.retransmit),
            (offset_of!(sys::nd_ifinfo, flags), interface.nd6_flags),
            (offset_of!(sys::nd_ifinfo, recalctm), 0),
        ] {
            argument.put(INFO + offset, &value.to_ne_bytes());
        }
        argument.put(INFO + offset_of!(sys::nd_ifinfo, chlim), &[nd6.hop_limit]);
        argument.put(INFO + offset_of!(sys::nd_ifinfo, initialized), &[1]);
        Ok(())
    }

    /// Sets the values of SIOCSIFINFO_IN6 other than the flags. Zero does not change a value.
    fn set_info(&mut self, index: u16, argument: &Block) -> Result<()> {
        let interface = self.interfaces.get_mut(&index).ok_or(Errno::ENXIO)?;
        let value = |offset| argument.u32_at(INFO + offset);
        let link_mtu = value(offset_of!(sys::nd_ifinfo, linkmtu));
        if link_mtu != 0 && !(LEAST_MTU..=interface.mtu6()).contains(&link_mtu) {
            return Err(Errno::EINVAL.into());
        }
        let nd6 = &mut interface.protocols.nd6;
        for (ours, theirs) in [
            (&mut nd6.link_mtu, link_mtu),
            (&mut nd6.base_reachable, value(offset_of!(sys::nd_ifinfo, basereachable))),
            (&mut nd6.retransmit, value(offset_of!(sys::nd_ifinfo, retrans))),
        ] {
            if theirs != 0 {
                *ours = theirs;
            }
        }
        let [hop_limit] = argument.get::<1>(INFO + offset_of!(sys::nd_ifinfo, chlim));
        if hop_limit != 0 {
            nd6.hop_limit = hop_limit;
        }
        Ok(())
    }

    /// Replaces all flags of an interface, with the effects of ND6_IFF_IFDISABLED and ND6_IFF_AUTO_LINKLOCAL.
    pub fn set_nd6_flags(&mut self, index: u16, mut flags: u32) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        let disabled = interface.nd6_flags & sys::ND6_IFF_IFDISABLED != 0;
        let detects = interface.nd6_flags & sys::ND6_IFF_NO_DAD == 0;
        let stack = interface.stack;
        let duplicated = interface
            .inet6
            .iter()
            .any(|ours| ours.address.is_unicast_link_local() && ours.flags & sys::IN6_IFF_DUPLICATED != 0);
        if disabled && flags & sys::ND6_IFF_IFDISABLED == 0 {
            if duplicated {
                // RFC 4862, 5.4.5: the interface stays disabled, and the call succeeds.
                flags |= sys::ND6_IFF_IFDISABLED;
            } else {
                interface.nd6_flags &= !sys::ND6_IFF_IFDISABLED;
                if interface.has(sys::IFF_UP) {
                    self.inet6_up(index);
                }
            }
        } else if !disabled && flags & sys::ND6_IFF_IFDISABLED != 0 {
            interface.nd6_flags |= sys::ND6_IFF_IFDISABLED;
            if detects && self.probes(stack) > 0 {
                self.each_inet6(index, |ours| ours.flags |= sys::IN6_IFF_TENTATIVE);
            }
        }
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        let automatic = interface.nd6_flags & sys::ND6_IFF_AUTO_LINKLOCAL != 0;
        if flags & sys::ND6_IFF_AUTO_LINKLOCAL != 0 && !automatic {
            interface.nd6_flags |= sys::ND6_IFF_AUTO_LINKLOCAL;
            self.attach_inet6(index);
        }
        if let Some(interface) = self.interfaces.get_mut(&index) {
            interface.nd6_flags = flags;
        }
    }

    /// A first address makes IPv6 work on an interface: the end of `in6_addifaddr`.
    pub fn enable_inet6(&mut self, index: u16) {
        let Some(flags) = self.interfaces.get(&index).map(|interface| interface.nd6_flags) else { return };
        if flags & sys::ND6_IFF_IFDISABLED != 0 {
            self.set_nd6_flags(index, flags & !sys::ND6_IFF_IFDISABLED);
        }
    }

    /// The interface is up: duplicate address detection begins for its addresses, and it gets its link-local
    /// address (`in6_if_up`).
    pub fn inet6_up(&mut self, index: u16) {
        for address in self.tentative(index) {
            self.start_detection(index, address, self.now + DELAY);
        }
        self.attach_inet6(index);
    }

    /// Looks for another node with the address from some moment on, or takes the address as unique at once if the
    /// interface does no detection (`nd6_dad_start`). An address of an interface that is down waits until the
    /// interface is up.
    pub fn start_detection(&mut self, index: u16, address: Ipv6Addr, begin: Duration) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let probes = self.probes(interface.stack);
        let detects = interface.nd6_flags & sys::ND6_IFF_NO_DAD == 0;
        let ready = interface.has(sys::IFF_UP)
            && interface.has(sys::IFF_RUNNING)
            && interface.nd6_flags & sys::ND6_IFF_IFDISABLED == 0;
        let end = begin + PROBE * probes;
        let Some(ours) = self.inet6_at_mut(index, address) else { return };
        if ours.flags & sys::IN6_IFF_ANYCAST != 0 || probes == 0 || !detects {
            ours.flags &= !sys::IN6_IFF_TENTATIVE;
        } else if ready && ours.tentative_until.is_none() {
            ours.tentative_until = Some(end);
            self.note_detection(end, index, address);
        }
    }

    fn probes(&self, stack: StackId) -> u32 {
        self.stack_int(stack, "net.inet6.ip6.dad_count").try_into().unwrap_or(0)
    }

    fn tentative(&self, index: u16) -> Vec<Ipv6Addr> {
        let Some(interface) = self.interfaces.get(&index) else { return Vec::new() };
        let tentative = |ours: &&Address6| ours.flags & sys::IN6_IFF_TENTATIVE != 0;
        interface.inet6.iter().filter(tentative).map(|ours| ours.address).collect()
    }

    fn each_inet6(&mut self, index: u16, change: impl Fn(&mut Address6)) {
        if let Some(interface) = self.interfaces.get_mut(&index) {
            interface.inet6.iter_mut().for_each(change);
        }
    }

    /// Handles the events of a time that has passed, in their order: ends of duplicate address detection, and of
    /// lifetimes.
    pub fn time_passed(&mut self) {
        while let Some(end) = self.next_detection().filter(|end| *end <= self.now) {
            self.tick_until(end);
            self.end_detections(end);
        }
        self.tick_until(self.now);
    }

    fn tick_until(&mut self, moment: Duration) {
        if moment.as_secs() <= self.timers.ticked {
            return;
        }
        self.timers.ticked = moment.as_secs();
        for id in self.stacks.keys().copied().collect::<Vec<StackId>>() {
            let Some(stack) = self.stacks.get_mut(&id) else { continue };
            if stack.protocols.last_tick < moment.as_secs() {
                stack.protocols.last_tick = moment.as_secs();
                self.tick(id, moment);
            }
        }
    }

    /// Ends duplicate address detection for addresses that no other node has (`nd6_dad_timer`). There is no message
    /// about that.
    fn end_detections(&mut self, moment: Duration) {
        let ended = |ours: &&Address6| ours.tentative_until.is_some_and(|until| until <= moment);
        let interfaces = self.take_detections(moment);
        let ended: Vec<(u16, Ipv6Addr, bool)> = interfaces
            .iter()
            .filter_map(|index| self.interfaces.get(index))
            .flat_map(|interface| interface.inet6.iter().filter(ended).map(|ours| (interface.index, ours)))
            // If two nodes check the same address at the same time, both detect the duplicate.
            .map(|(index, ours)| (index, ours.address, self.is_heard(index, ours.address)))
            .collect();
        for (index, address, duplicate) in ended {
            let Some(interface) = self.interfaces.get_mut(&index) else { continue };
            let disabled = interface.nd6_flags & sys::ND6_IFF_IFDISABLED != 0;
            let own = duplicate && is_of_hardware(interface, address);
            let Some(ours) = interface.inet6.iter_mut().find(|ours| ours.address == address) else {
                continue;
            };
            ours.tentative_until = None;
            if disabled || ours.flags & sys::IN6_IFF_TENTATIVE == 0 {
                continue;
            }
            ours.flags &= !sys::IN6_IFF_TENTATIVE;
            if duplicate {
                ours.flags |= sys::IN6_IFF_DUPLICATED;
            }
            if own {
                // Another node has the same MAC address: IPv6 is disabled on this interface (`nd6_dad_duplicated`).
                interface.nd6_flags |= sys::ND6_IFF_IFDISABLED;
            }
        }
    }

    /// Runs once a second (`nd6_timer`): lifetimes of addresses and prefixes end, addresses get deprecated, and
    /// addresses of an interface that is down have to be checked again.
    fn tick(&mut self, stack: StackId, moment: Duration) {
        let second = moment.as_secs();
        let indices: Vec<u16> = self.interfaces_of(stack).map(|interface| interface.index).collect();
        for index in indices {
            let Some(interface) = self.interfaces.get(&index) else { continue };
            let sleeping = interface.nd6_flags & sys::ND6_IFF_NO_DAD == 0
                && (!interface.has(sys::IFF_UP)
                    || !interface.has(sys::IFF_RUNNING)
                    || interface.nd6_flags & sys::ND6_IFF_IFDISABLED != 0);
            for ours in interface.inet6.clone() {
                let over = |lifetime: u32| {
                    lifetime != sys::ND6_INFINITE_LIFETIME
                        && second.saturating_sub(ours.since.as_secs()) >= u64::from(lifetime)
                };
                let address = ours.address;
                if over(ours.valid_lifetime) {
                    self.purge_inet6(index, address);
                    self.leave_groups6(index, &ours);
                    continue;
                }
                let preferred = ours.preferred_lifetime;
                let tentative = ours.flags & sys::IN6_IFF_TENTATIVE != 0;
                let Some(ours) = self.inet6_at_mut(index, address) else { continue };
                if over(preferred) {
                    ours.flags |= sys::IN6_IFF_DEPRECATED;
                } else if tentative {
                    self.start_detection(index, address, moment + DELAY);
                } else {
                    if sleeping {
                        ours.flags &= !sys::IN6_IFF_DUPLICATED;
                        ours.flags |= sys::IN6_IFF_TENTATIVE;
                    }
                    ours.flags &= !sys::IN6_IFF_DEPRECATED;
                }
            }
        }
        self.expire_prefixes6(stack, second);
        self.expire_routes(stack, second);
    }
}

/// Whether an address was made from an interface's MAC, which should be unique. Only network cards, and interfaces
/// that look like network cards, count.
fn is_of_hardware(interface: &Interface, address: Ipv6Addr) -> bool {
    let card = matches!(interface.kind, Kind::Hardware { .. } | Kind::Epair { .. });
    let made = identifier(interface).map(|id| u128::from(id) | 0xfe80 << 112);
    card && made == Some(address.to_bits())
}

#[cfg(test)]
mod tests;

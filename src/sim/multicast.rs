//! Multicast groups: the memberships of interfaces, and the messages about them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::protocol_state::Membership;
use super::sockaddr;
use super::world::World;

/// 224.0.0.1, which the first IPv4 address of an interface joins.
pub(crate) const ALL_HOSTS: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1));

/// The groups an IPv6 address needs, in the order of joining (`in6_update_ifa_join_mc`). A host without a name
/// joins no node information groups.
pub(crate) fn groups_of(address: Ipv6Addr, index: u16, hostname: &str) -> Vec<IpAddr> {
    let low = address.to_bits() as u32;
    let solicited = 0xff02_0000_0000_0000_0000_0001_ff00_0000 | u128::from(low & 0xff_ffff);
    let all_nodes = 0xff02_0000_0000_0000_0000_0000_0000_0001;
    let own_node = 0xff01_0000_0000_0000_0000_0000_0000_0001;
    let mut groups = vec![solicited, all_nodes];
    let label = hostname.split('.').next().unwrap_or_default();
    if (1..=63).contains(&label.len()) {
        let hash = node_information_hash(label);
        groups.push(0xff02_0000_0000_0000_0000_0002_ff00_0000 | u128::from(hash >> 8));
        groups.push(0xff02_0000_0000_0000_0000_0002_0000_0000 | u128::from(hash));
    }
    groups.push(own_node);
    let embed = |bits| IpAddr::V6(sockaddr::embed(Ipv6Addr::from_bits(bits), index));
    groups.into_iter().map(embed).collect()
}

/// The bits of the node information groups that are derived from the host's name (`in6_nigroup0`). The kernel uses
/// the beginning of an MD5 sum. Here it is FNV-1a, which no caller can tell from an MD5 sum.
fn node_information_hash(label: &str) -> u32 {
    let label = label.to_ascii_lowercase();
    label.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl World {
    /// Joins a group, or counts one more user of it (`if_addmulti`).
    pub fn join_group(&mut self, index: u16, group: IpAddr) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        let groups = &mut interface.protocols.groups;
        match groups.iter_mut().find(|membership| membership.group == group) {
            Some(membership) => membership.users += 1,
            None => {
                groups.insert(0, Membership { group, users: 1 });
                self.post_group(sys::RTM_NEWMADDR, index, group);
            }
        }
    }

    /// Counts one user less, and leaves the group after the last user (`if_delmulti_locked`). The kernel does this
    /// a moment later, so the order of its messages and other messages is not defined.
    pub fn leave_group(&mut self, index: u16, group: IpAddr) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        let groups = &mut interface.protocols.groups;
        let Some(at) = groups.iter().position(|membership| membership.group == group) else { return };
        groups[at].users -= 1;
        if groups[at].users == 0 {
            groups.remove(at);
            self.post_group(sys::RTM_DELMADDR, index, group);
        }
    }

    /// Leaves all groups, also those that are in use (`if_purgemaddrs`).
    pub fn leave_all_groups(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        for membership in std::mem::take(&mut interface.protocols.groups) {
            self.post_group(sys::RTM_DELMADDR, index, membership.group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_joins_the_groups_of_its_node() {
        let groups = groups_of("fd00::12:3456".parse().unwrap(), 2, "Host.example.org");
        assert_eq!(groups[0], "ff02:2::1:ff12:3456".parse::<IpAddr>().unwrap());
        assert_eq!(groups[1], "ff02:2::1".parse::<IpAddr>().unwrap());
        assert_eq!(groups[4], "ff01:2::1".parse::<IpAddr>().unwrap());
        assert_eq!(groups, groups_of("fd00::12:3456".parse().unwrap(), 2, "host"));
        assert_eq!(groups_of("fd00::12:3456".parse().unwrap(), 2, "").len(), 3);
    }
}

//! Bridges and their members.

use super::*;
use crate::kernel::{Calls, Failure, Sysctl};
use crate::sim::Release;

/// A host with two pairs and a bridge.
fn host() -> Host {
    let host = Host::new();
    host.create("epair").unwrap();
    host.create("epair").unwrap();
    host.create("bridge").unwrap();
    host
}

fn text(result: Result<impl std::fmt::Debug>) -> (Errno, String) {
    let Failure { errno, text } = result.unwrap_err();
    (errno, text.unwrap_or_default())
}

#[test]
fn members_come_newest_first() {
    let host = host();
    host.heard();
    host.add_member("bridge0", "epair0a").unwrap();
    // One message is about the bridge, whose link comes up, and one about the member, which becomes promiscuous.
    assert_eq!(host.heard(), [sys::RTM_IFINFO, sys::RTM_IFINFO]);
    host.add_member("bridge0", "epair1a").unwrap();
    assert_eq!(host.members("bridge0"), ["epair1a", "epair0a"]);
    assert_eq!(host.flags("epair0a"), 0x8942);
    host.rename("epair0a", "renamed").unwrap();
    assert_eq!(host.members("bridge0"), ["epair1a", "renamed"]);
    host.delete_member("bridge0", "renamed").unwrap();
    assert_eq!(host.flags("renamed"), 0x8842);
    host.destroy("bridge0").unwrap();
    assert_eq!(host.flags("epair1a"), 0x8842);
}

#[test]
fn refusals_have_the_kernels_words_on_15() {
    let host = host();
    host.create("bridge").unwrap();
    host.add_member("bridge0", "epair0a").unwrap();
    let add = |bridge: &str, name: &str| text(host.add_member(bridge, name));
    assert_eq!(add("bridge0", "nosuch"), (Errno::ENOENT, "No such interface".into()));
    assert_eq!(add("bridge0", "lo0"), (Errno::EINVAL, "Unsupported interface type".into()));
    assert_eq!(add("bridge0", "bridge1"), (Errno::EINVAL, "Unsupported interface type".into()));
    let here = "Interface is already a member of this bridge";
    assert_eq!(add("bridge0", "epair0a"), (Errno::EEXIST, here.into()));
    let elsewhere = "Interface is already a member of another bridge";
    assert_eq!(add("bridge1", "epair0a"), (Errno::EBUSY, elsewhere.into()));
    let not_one = (Errno::ENOENT, "Interface is not a bridge member".to_owned());
    assert_eq!(text(host.delete_member("bridge0", "epair1a")), not_one);
    let user = Host::of(host.sim.unprivileged());
    assert_eq!(
        text(user.add_member("bridge0", "epair1a")),
        (Errno::EPERM, "PRIV_NET_BRIDGE required".into())
    );
    assert_eq!(user.members("bridge0"), ["epair0a"]);

    let older = Host::with(Options { release: Release::V14_2, ..Options::default() });
    older.create("bridge").unwrap();
    assert_eq!(text(older.add_member("bridge0", "nosuch")), (Errno::ENOENT, String::new()));
    let pvid = older.bridge("bridge0", sys::BRDGSIFPVID, member_request("em0"));
    assert_eq!(errno(pvid), Some(Errno::EINVAL), "the table ends before it");
}

/// Traps 29 and 30.
#[test]
fn the_channel_is_strict() {
    let host = host();
    host.add_member("bridge0", "epair0a").unwrap();
    let ask = member_request("epair0a");
    let wrong_way = text(host.bridge("bridge0", sys::BRDGGIFFLGS, ask.clone()));
    assert_eq!(wrong_way.1, "Inappropriate ioctl for command (expected SIOCGDRVSPEC)");
    let wrong_way = text(host.ask_bridge("bridge0", sys::BRDGADD, ask.clone()));
    assert_eq!(wrong_way.1, "Inappropriate ioctl for command (expected SIOCSDRVSPEC)");
    for command in [39, 1000] {
        let answer = text(host.bridge("bridge0", command, ask.clone()));
        assert_eq!(answer, (Errno::EINVAL, "Invalid control command".into()));
    }
    for length in [0, 79, 81] {
        let answer = text(host.ask_bridge("bridge0", sys::BRDGGIFFLGS, Block::zeroed(length)));
        assert_eq!(answer, (Errno::EINVAL, "Invalid argument size".into()));
    }
    let mut request = named(sys::SIOCGDRVSPEC, "bridge0");
    request.argument.put(16, &sys::BRDGGIFFLGS.to_ne_bytes());
    request.argument.put(24, &80u64.to_ne_bytes());
    assert_eq!(errno(host.sim.ioctl(host.inet, &mut request)), Some(Errno::EFAULT));
    assert_eq!(errno(host.ask_bridge("epair0a", sys::BRDGGIFFLGS, ask)), Some(Errno::EINVAL));
}

#[test]
fn a_members_record_is_the_real_kernels() {
    let host = host();
    host.add_member("bridge0", "epair0a").unwrap();
    let record = host.ask_bridge("bridge0", sys::BRDGGIFFLGS, member_request("epair0a")).unwrap();
    let mut wanted = Vec::new();
    wanted.extend_from_slice(b"epair0a\0\0\0\0\0\0\0\0\0");
    // The bytes are from FreeBSD 15.1, where the interface had index 2. Here it has index 3.
    let rest = "4301000030000000d007000003800200050000000000000000000000000000000000008100000000";
    wanted.extend((0..rest.len()).step_by(2).map(|at| u8::from_str_radix(&rest[at..at + 2], 16).unwrap()));
    wanted.resize(80, 0);
    assert_eq!(record.bytes, wanted);
    let parameters = host.ask_bridge("bridge0", sys::BRDGPARAM, Block::zeroed(56)).unwrap();
    assert_eq!(parameters.bytes[..8], [6, 20, 2, 15, 2, 0, 0, 0x80]);
}

/// Trap 19.
#[test]
fn the_first_member_sets_the_mtu() {
    let host = host();
    host.set(sys::SIOCSIFMTU, "epair0a", 9000).unwrap();
    host.add_member("bridge0", "epair0a").unwrap();
    assert_eq!(host.get(sys::SIOCGIFMTU, "bridge0"), Ok(9000));
    host.add_member("bridge0", "epair1a").unwrap();
    assert_eq!(host.get(sys::SIOCGIFMTU, "epair1a"), Ok(9000));
    assert_eq!(host.get(sys::SIOCGIFMTU, "epair1b"), Ok(1500));
    assert_eq!(errno(host.set(sys::SIOCSIFMTU, "epair0a", 1500)), Some(Errno::EOPNOTSUPP));
    host.set(sys::SIOCSIFMTU, "bridge0", 1400).unwrap();
    assert_eq!(host.get(sys::SIOCGIFMTU, "epair0a"), Ok(1400));
    assert_eq!(errno(host.set(sys::SIOCSIFMTU, "bridge0", 71)), Some(Errno::EINVAL));
    // If a member's driver refuses the MTU, all members get the old MTU back.
    host.add_member("bridge0", "em0").unwrap();
    assert_eq!(errno(host.set(sys::SIOCSIFMTU, "bridge0", 65000)), Some(Errno::EINVAL));
    assert_eq!(host.get(sys::SIOCGIFMTU, "epair0a"), Ok(1400));
}

/// Trap 18.
#[test]
fn addresses_on_members_can_be_forbidden() {
    let host = host();
    let mask = [255, 255, 255, 0];
    host.alias("epair0a", [10, 0, 0, 1], mask).unwrap();
    host.add_member("bridge0", "epair0a").unwrap();
    host.delete_member("bridge0", "epair0a").unwrap();
    host.add_member("bridge0", "epair1a").unwrap();
    host.alias("epair1a", [10, 1, 0, 1], mask).unwrap();
    host.sim.sysctl(&Sysctl::write_int("net.link.bridge.member_ifaddrs", 0)).unwrap();
    let refusal = text(host.add_member("bridge0", "epair0a"));
    assert_eq!(refusal, (Errno::EINVAL, "Member interface may not have an IP address assigned".into()));
    assert_eq!(errno(host.alias("epair1a", [10, 2, 0, 1], mask)), Some(Errno::EINVAL));
}

/// Trap 20.
#[test]
fn a_member_that_moves_away_keeps_its_promiscuous_mode() {
    let host = host();
    let jid = host.vnet("j");
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x8843).unwrap();
    host.add_member("bridge0", "epair0a").unwrap();
    assert_eq!(host.flags("epair0a"), 0x8943);
    host.lend("epair0a", jid).unwrap();
    assert!(host.members("bridge0").is_empty());
    assert_eq!(host.inside(jid).flags("epair0a"), 0x8942);
    host.reclaim("epair0a", jid).unwrap();
    assert_eq!(host.flags("epair0a"), 0x8942);
    // If the member is removed properly, it is as before.
    host.add_member("bridge0", "epair1a").unwrap();
    host.delete_member("bridge0", "epair1a").unwrap();
    host.lend("epair1a", jid).unwrap();
    assert_eq!(host.inside(jid).flags("epair1a"), 0x8842);
}

#[test]
fn members_share_what_they_can() {
    let host = host();
    let enabled = |name: &str| {
        let mut request = named(sys::SIOCGIFCAP, name);
        host.sim.ioctl(host.inet, &mut request).unwrap();
        request.argument.u32_at(20)
    };
    host.set(sys::SIOCSIFCAP, "epair1a", 0x20_0019).unwrap();
    host.add_member("bridge0", "epair0a").unwrap();
    assert_eq!(enabled("epair0a"), 0x60_001b);
    host.add_member("bridge0", "epair1a").unwrap();
    assert_eq!(enabled("epair0a"), 0x20_0019);
    assert_eq!(enabled("epair0b"), 0x20_0019, "the other end too");
    host.delete_member("bridge0", "epair1a").unwrap();
    assert_eq!(enabled("epair0a"), 0x60_001b);
    // If the member moves away, its capabilities stay switched off.
    host.add_member("bridge0", "epair1a").unwrap();
    let jid = host.vnet("j");
    host.lend("epair0a", jid).unwrap();
    host.reclaim("epair0a", jid).unwrap();
    assert_eq!(enabled("epair0a"), 0x20_0019);
}

#[test]
fn a_bridge_that_moves_drops_its_members() {
    let host = host();
    host.add_member("bridge0", "epair0a").unwrap();
    let jid = host.vnet("j");
    host.lend("bridge0", jid).unwrap();
    assert_eq!(host.flags("epair0a"), 0x8842);
    let inside = host.inside(jid);
    assert!(inside.members("bridge0").is_empty());
    assert_eq!(errno(inside.add_member("bridge0", "epair0a")), Some(Errno::ENOENT));
}

#[test]
fn numbers_have_limits() {
    let host = host();
    host.add_member("bridge0", "epair0a").unwrap();
    let set =
        |command: u64, value: u32| errno(host.bridge("bridge0", command, Block::new(value.to_ne_bytes())));
    let get = |command: u64| host.ask_bridge("bridge0", command, Block::zeroed(4)).unwrap().u32_at(0);
    assert_eq!((get(sys::BRDGGCACHE), get(sys::BRDGGTO)), (2000, 1200));
    assert_eq!(set(sys::BRDGSPRI, 61441), Some(Errno::EINVAL));
    assert_eq!(set(sys::BRDGSPRI, 5000), None);
    assert_eq!(get(sys::BRDGGPRI), 4096);
    assert_eq!(set(sys::BRDGSHT, 1), Some(Errno::EPERM), "not in the new protocol");
    assert_eq!(set(sys::BRDGSFD, 3), Some(Errno::EINVAL));
    assert_eq!(set(sys::BRDGSFLAGS, 0x81), None);
    assert_eq!(get(sys::BRDGGFLAGS), 0x81, "unknown bits are kept");
    assert_eq!(set(sys::BRDGSDEFPVID, 4095), Some(Errno::EINVAL));
    assert_eq!(set(sys::BRDGSDEFPVID, 12), None);

    let mut member = member_request("epair0a");
    member.put(offset_of!(sys::ifbreq, ifbr_pvid), &4095u16.to_ne_bytes());
    let refusal = text(host.bridge("bridge0", sys::BRDGSIFPVID, member.clone()));
    assert_eq!(refusal, (Errno::EINVAL, "Invalid VLAN ID".into()));
    member.put(offset_of!(sys::ifbreq, ifbr_ifsflags), &sys::IFBIF_PRIVATE.to_ne_bytes());
    host.bridge("bridge0", sys::BRDGSIFFLGS, member.clone()).unwrap();
    let flags = host.ask_bridge("bridge0", sys::BRDGGIFFLGS, member.clone()).unwrap().u32_at(16);
    assert_eq!(flags, 0x800, "the word replaces all flags");
    member.put(16, &sys::IFBIF_SPAN.to_ne_bytes());
    let refusal = text(host.bridge("bridge0", sys::BRDGSIFFLGS, member));
    assert_eq!(refusal.1, "Span interface cannot be modified");
    // Later members have the default.
    host.add_member("bridge0", "epair1a").unwrap();
    let later = host.ask_bridge("bridge0", sys::BRDGGIFFLGS, member_request("epair1a")).unwrap();
    assert_eq!(later.u16_at(offset_of!(sys::ifbreq, ifbr_pvid)), 12);
}

#[test]
fn sets_of_tags() {
    let host = host();
    host.add_member("bridge0", "epair0a").unwrap();
    let set = offset_of!(sys::ifbif_vlan_req, bv_set);
    let change = |operation: u8, tags: &[usize]| {
        let mut request = Block::zeroed(size_of::<sys::ifbif_vlan_req>());
        request.put(0, b"epair0a");
        request.put(offset_of!(sys::ifbif_vlan_req, bv_op), &[operation]);
        for tag in tags {
            request.bytes[set + tag / 8] |= 1 << (tag % 8);
        }
        host.bridge("bridge0", sys::BRDGSIFVLANSET, request)
    };
    let present = || {
        let mut request = Block::zeroed(size_of::<sys::ifbif_vlan_req>());
        request.put(0, b"epair0a");
        let answer = host.ask_bridge("bridge0", sys::BRDGGIFVLANSET, request).unwrap();
        (0..4096).filter(|tag| answer.bytes[set + tag / 8] >> (tag % 8) & 1 == 1).collect::<Vec<usize>>()
    };
    assert!(present().is_empty());
    change(sys::BRDG_VLAN_OP_SET, &[2, 100]).unwrap();
    change(sys::BRDG_VLAN_OP_ADD, &[4094]).unwrap();
    change(sys::BRDG_VLAN_OP_DEL, &[2, 3]).unwrap();
    assert_eq!(present(), [100, 4094]);
    for wrong in [0, 4095] {
        assert_eq!(text(change(1, &[wrong])).1, "Invalid VLAN ID in set");
    }
    assert_eq!(text(change(9, &[5])).1, "Unsupported BRDGSIFVLANSET operation");
}

#[test]
fn addresses_by_hand() {
    let host = host();
    host.add_member("bridge0", "epair0a").unwrap();
    let address = |mac: [u8; 6], vlan: u16| {
        let mut request = Block::zeroed(size_of::<sys::ifbareq>());
        request.put(0, b"epair0a");
        request.put(offset_of!(sys::ifbareq, ifba_flags), &[sys::IFBAF_STATIC]);
        request.put(offset_of!(sys::ifbareq, ifba_dst), &mac);
        request.put(offset_of!(sys::ifbareq, ifba_vlan), &vlan.to_ne_bytes());
        request
    };
    let set = |mac, vlan| host.bridge("bridge0", sys::BRDGSADDR, address(mac, vlan));
    assert_eq!(text(set([0; 6], 0)).1, "Zero address not permitted");
    assert_eq!(text(set([1, 0, 0, 0, 0, 1], 0)).1, "Multicast address not permitted");
    set([2, 0, 0, 0, 0, 1], 0).unwrap();
    set([2, 0, 0, 0, 0, 1], 7).unwrap();
    let list = |room: usize| {
        let mut argument = Block::zeroed(16);
        argument.put(0, &(room as u32).to_ne_bytes());
        argument.point(8, Block::zeroed(room));
        host.ask_bridge("bridge0", sys::BRDGRTS, argument).unwrap().u32_at(0)
    };
    assert_eq!(list(400), 80);
    assert_eq!(list(79), 40, "whole records only");
    host.bridge("bridge0", sys::BRDGFLUSH, Block::zeroed(80)).unwrap();
    assert_eq!(list(400), 80, "those set by hand stay");
    host.bridge("bridge0", sys::BRDGDADDR, address([2, 0, 0, 0, 0, 1], 0)).unwrap();
    assert_eq!(list(400), 0, "tag 0 stands for all");
    let again = host.bridge("bridge0", sys::BRDGDADDR, address([2, 0, 0, 0, 0, 1], 0));
    assert_eq!(text(again), (Errno::ENOENT, String::new()));
}

#[test]
fn span_ports() {
    let host = host();
    let span = |command: u64, name: &str| host.bridge("bridge0", command, member_request(name));
    span(sys::BRDGADDS, "epair0a").unwrap();
    assert_eq!(text(span(sys::BRDGADDS, "epair0a")).1, "Interface is already a span port");
    assert_eq!(text(host.add_member("bridge0", "epair0a")).1, "Span interface cannot be a member");
    host.add_member("bridge0", "epair1a").unwrap();
    assert_eq!(text(span(sys::BRDGADDS, "epair1a")).0, Errno::EEXIST);
    assert_eq!(host.members("bridge0"), ["epair1a", "epair0a"]);
    assert_eq!(text(span(sys::BRDGDELS, "epair1a")).1, "Interface is not a span port");
    span(sys::BRDGDELS, "epair0a").unwrap();
    assert_eq!(host.members("bridge0"), ["epair1a"]);
}

#[test]
fn a_bridge_with_a_link_local_address_takes_those_of_members_away() {
    let host = host();
    let inet6 = host.sim.socket(Domain::Inet6).unwrap();
    let alias = |name: &str, address: [u8; 16]| {
        let mut request = named(sys::SIOCAIFADDR_IN6, name);
        request.argument.put(offset_of!(sys::in6_aliasreq, ifra_addr), &[28, sys::AF_INET6 as u8]);
        request.argument.put(offset_of!(sys::in6_aliasreq, ifra_addr) + 8, &address);
        let mask = offset_of!(sys::in6_aliasreq, ifra_prefixmask);
        request.argument.put(mask, &[28, sys::AF_INET6 as u8]);
        request.argument.put(mask + 8, &[0xff; 8]);
        let lifetimes = offset_of!(sys::in6_aliasreq, ifra_lifetime);
        request.argument.put(lifetimes + 16, &[0xff; 8]);
        host.sim.ioctl(inet6, &mut request)
    };
    let mut link_local = [0; 16];
    (link_local[0], link_local[1], link_local[15]) = (0xfe, 0x80, 9);
    alias("bridge0", link_local).unwrap();
    let mut global = [0; 16];
    (global[0], global[15]) = (0xfd, 1);
    // The first address of an interface also adds its link-local address.
    alias("epair0a", global).unwrap();
    assert!(host.sim.describe().contains("fd00::1"));
    host.add_member("bridge0", "epair0a").unwrap();
    assert!(!host.sim.describe().contains("fd00::1"));
}

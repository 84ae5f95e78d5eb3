//! Dumps of any size, made from messages of a running kernel.

/// Bytes that a FreeBSD 15.1 kernel sent, by name.
const VECTORS: &str = include_str!("../../src/testdata/freebsd-15.1.txt");

fn vector(name: &str) -> Vec<u8> {
    let mut lines = VECTORS.lines().skip_while(|line| line.strip_prefix("== ") != Some(name));
    assert!(lines.next().is_some(), "there is no vector {name}");
    let digits: String = lines.take_while(|line| !line.starts_with("== ")).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

/// The offset of the first address in a message of NET_RT_DUMP.
const ADDRESSES: usize = size_of::<jailwire_sys::rt_msghdr>();

/// NET_RT_DUMP of a table with this number of routes. Each route leads to a different network through a gateway.
pub fn routes(count: u32) -> Vec<u8> {
    let route = vector("dump default");
    let mut dump = Vec::with_capacity(route.len() * count as usize);
    for number in 0..count {
        let start = dump.len();
        dump.extend_from_slice(&route);
        dump[start + ADDRESSES + 4..][..4].copy_from_slice(&(0x0a00_0000 + (number << 8)).to_be_bytes());
    }
    dump
}

/// NET_RT_IFLISTL of a host with this number of interfaces, each with one IPv4 address and two IPv6 addresses. They
/// have the same index, which does not matter here.
pub fn interfaces(count: u32) -> Vec<u8> {
    let mut interface = vector("iflistl ifinfo");
    for address in ["iflistl newaddr", "iflistl newaddr inet6", "iflistl newaddr link-local"] {
        interface.extend_from_slice(&vector(address));
    }
    interface.repeat(count as usize)
}

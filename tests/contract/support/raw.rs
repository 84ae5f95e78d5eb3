//! Requests as bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire::kernel::{self, Block, Request};
use jailwire_sys as sys;

use super::World;

/// A request about the interface of this name. The name may be any 16 bytes.
pub fn ask(number: u64, name: &str) -> Request {
    let mut request = Request::new(number);
    if !name.is_empty() {
        request.argument_mut().put(0, name.as_bytes());
    }
    request
}

/// Puts bytes into a request, at an offset.
pub fn with(mut request: Request, offset: usize, bytes: &[u8]) -> Request {
    request.argument_mut().put(offset, bytes);
    request
}

/// A `sockaddr_in`.
pub fn sockaddr_in(address: Ipv4Addr) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&[16, 2]);
    bytes[4..8].copy_from_slice(&address.octets());
    bytes
}

/// A `sockaddr_in6`.
pub fn sockaddr_in6(address: Ipv6Addr, scope: u32) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[..2].copy_from_slice(&[28, 28]);
    bytes[8..24].copy_from_slice(&address.octets());
    bytes[24..].copy_from_slice(&scope.to_ne_bytes());
    bytes
}

/// Sends a bridge the command of this number, in the direction that the kernel's table says.
pub fn command(
    world: &World,
    bridge: &str,
    number: u64,
    argument: impl Into<Vec<u8>>,
) -> kernel::Result<Vec<u8>> {
    let known = sys::bridge::command(number).unwrap();
    let mut argument = argument.into();
    argument.resize(known.size_of_argument, 0);
    let direction = if known.answers { sys::SIOCGDRVSPEC } else { sys::SIOCSDRVSPEC };
    let (answer, _) = driver(world, direction, bridge, number, Block::new(argument), known.size_of_argument)?;
    Ok(answer.bytes().to_vec())
}

/// As [`command`], without any check. The caller gives the request, the length, and the argument, which is filled
/// up with zeroes to that length.
pub fn driver(
    world: &World,
    direction: u64,
    bridge: &str,
    number: u64,
    argument: Block,
    length: usize,
) -> kernel::Result<(Block, Request)> {
    const COMMAND: usize = 16;
    const LENGTH: usize = 24;
    const DATA: usize = 32;
    let mut request = with(ask(direction, bridge), COMMAND, &number.to_ne_bytes());
    request.argument_mut().put(LENGTH, &(length as u64).to_ne_bytes());
    let longer = argument.bytes().len().max(length);
    let data = request.argument_mut().point(DATA, Block::zeroed(longer));
    data.put(0, argument.bytes());
    for (at, child) in argument.children() {
        data.point(at, child.clone());
    }
    world.ioctl(&mut request)?;
    Ok((request.argument().child(DATA).cloned().unwrap_or_default(), request))
}

/// An `ifbreq` about a member, with a 32-bit word at an offset.
pub fn of_member(member: &str, offset: usize, word: u32) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<sys::ifbreq>()];
    bytes[..member.len()].copy_from_slice(member.as_bytes());
    if offset > 0 {
        bytes[offset..offset + 4].copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// Fails the test unless the bytes match a pattern. The pattern has hexadecimal digits, and `..` for any byte. A
/// name in braces, such as `{i}`, stands for an interface's index, as two bytes.
#[track_caller]
pub fn assert_bytes(bytes: &[u8], pattern: &str, indices: &[(&str, u16)]) {
    let mut pattern: String = pattern.split_whitespace().collect();
    for (word, index) in indices {
        let [low, high] = index.to_le_bytes();
        pattern = pattern.replace(&format!("{{{word}}}"), &format!("{low:02x}{high:02x}"));
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let same = hex.len() == pattern.len()
        && hex.bytes().zip(pattern.bytes()).all(|(seen, wanted)| wanted == b'.' || seen == wanted);
    assert!(same, "bytes differ\n  seen: {}\nwanted: {}", grouped(&hex), grouped(&pattern));
}

fn grouped(hex: &str) -> String {
    let words: Vec<_> = hex.as_bytes().chunks(8).map(|word| String::from_utf8_lossy(word)).collect();
    words.chunks(8).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n        ")
}

/// A routing message: its type, flags and sequence number, and its addresses with their bits in rising order.
///
/// Each address is padded to a multiple of eight bytes. An address without bytes takes eight bytes, too.
pub fn route_message(kind: u8, flags: i32, sequence: i32, addresses: &[(i32, &[u8])]) -> Vec<u8> {
    let mut message = vec![0; size_of::<sys::rt_msghdr>()];
    let mut present = 0;
    for (bit, address) in addresses {
        present |= bit;
        message.extend_from_slice(address);
        message.resize(message.len().max(1).next_multiple_of(8), 0);
        if address.is_empty() {
            message.extend_from_slice(&[0; 8]);
        }
    }
    let length = u16::try_from(message.len()).unwrap();
    message[..2].copy_from_slice(&length.to_ne_bytes());
    message[2..4].copy_from_slice(&[sys::RTM_VERSION, kind]);
    message[8..12].copy_from_slice(&flags.to_ne_bytes());
    message[12..16].copy_from_slice(&present.to_ne_bytes());
    message[20..24].copy_from_slice(&sequence.to_ne_bytes());
    message
}

/// A `sockaddr_dl` with an index and nothing else.
pub fn sockaddr_dl(index: u16) -> [u8; 54] {
    let mut bytes = [0; 54];
    bytes[..2].copy_from_slice(&[54, 18]);
    bytes[2..4].copy_from_slice(&index.to_ne_bytes());
    bytes
}

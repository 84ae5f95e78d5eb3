//! Calls and worlds as bytes, for the log. Numbers are little-endian, and lengths have 32 bits.
//!
//! postcard and bincode would need serde in the feature `sim`, for types that the feature `serde` writes in another
//! form.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Buf, BufMut};

use super::call::{Call, Place};
use super::options::{Hardware, Options, Release, Setting};
use crate::kernel::{
    Block, Domain, Entry, Errno, FsId, Handle, MountRequest, Oid, Output, Parameter, Program, Request,
    SocketOption, Sysctl, Target, Value, Watched,
};

/// A value with a form in bytes.
pub(crate) trait Wire: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads a value from the front. Returns `None` when the bytes are no such value.
    fn take(input: &mut &[u8]) -> Option<Self>;
    /// Appends several values, without their number.
    fn put_all(values: &[Self], out: &mut Vec<u8>) {
        for value in values {
            value.put(out);
        }
    }
    /// Reads `count` values from the front.
    fn take_all(count: u32, input: &mut &[u8]) -> Option<Vec<Self>> {
        // Reserve no memory for the count: a damaged count must not use all memory.
        (0..count).map(|_| Self::take(input)).collect()
    }
}

macro_rules! numbers {
    ($($kind:ty: $put:ident $take:ident;)*) => {
        $(impl Wire for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                out.$put(*self);
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                input.$take().ok()
            }
        })*
    };
}

numbers! {
    u16: put_u16_le try_get_u16_le;
    u32: put_u32_le try_get_u32_le;
    u64: put_u64_le try_get_u64_le;
    i32: put_i32_le try_get_i32_le;
}

/// Bytes are copied as a whole, because most of a log is bytes. Most long values are buffers for answers, and have only
/// zeroes. So a long value is written as runs: the number of zeroes, the number of other bytes, and these bytes.
impl Wire for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(*self);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        input.try_get_u8().ok()
    }
    fn put_all(values: &[u8], out: &mut Vec<u8>) {
        if values.len() < LONG {
            return out.put_slice(values);
        }
        let mut rest = values;
        while !rest.is_empty() {
            let zeroes = zeroes(rest);
            rest = &rest[zeroes..];
            let others = until_zeroes(rest);
            out.put_u32_le(zeroes as u32);
            out.put_u32_le(others as u32);
            out.put_slice(&rest[..others]);
            rest = &rest[others..];
        }
    }
    fn take_all(count: u32, input: &mut &[u8]) -> Option<Vec<u8>> {
        let count = count as usize;
        if count < LONG {
            return Some(take_slice(count, input)?.to_vec());
        }
        let mut bytes = Vec::new();
        while bytes.len() < count.min(LONGEST) {
            let (zeroes, others) = (u32::take(input)? as usize, u32::take(input)? as usize);
            if zeroes + others == 0 || zeroes + others > count.min(LONGEST) - bytes.len() {
                return None;
            }
            bytes.resize(bytes.len() + zeroes, 0);
            bytes.extend_from_slice(take_slice(others, input)?);
        }
        (bytes.len() == count).then_some(bytes)
    }
}

/// A value with at least this number of bytes is written as runs.
const LONG: usize = 64;

/// The longest record of a log. Jail parameters have at most 64 KiB, and requests and messages are shorter.
pub(crate) const LONGEST: usize = 16 << 20;

/// Fewer zeroes than these are written as other bytes: the two numbers of a run would be as long.
const RUN: usize = 16;

/// The number of zeroes at the beginning.
fn zeroes(bytes: &[u8]) -> usize {
    let (runs, _) = bytes.as_chunks::<RUN>();
    let whole = RUN * runs.iter().take_while(|run| **run == [0; RUN]).count();
    whole + bytes[whole..].iter().take_while(|byte| **byte == 0).count()
}

/// The number of bytes before the next run of zeroes.
fn until_zeroes(bytes: &[u8]) -> usize {
    let mut run = 0;
    for (at, byte) in bytes.iter().enumerate() {
        run = if *byte == 0 { run + 1 } else { 0 };
        if run == RUN {
            return at + 1 - RUN;
        }
    }
    bytes.len()
}

fn take_slice<'a>(length: usize, input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(bytes)
}

/// Structs, field by field. The fields have to be listed again here. A forgotten field does not compile.
macro_rules! structs {
    ($($kind:ident { $($field:ident),* })*) => {
        $(impl Wire for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                let $kind { $($field),* } = self;
                $($field.put(out);)*
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                $(let $field = Wire::take(input)?;)*
                Some($kind { $($field),* })
            }
        })*
    };
}

/// Enums: a number for each variant, and then its fields. The meaning of a number must never change.
macro_rules! enums {
    ($($kind:ident { $($tag:literal = $variant:ident $(($($part:ident),*))? $({ $($field:ident),* })?;)* })*) => {
        $(impl Wire for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $($kind::$variant $(($($part),*))? $({ $($field),* })? => {
                        let tag: u8 = $tag;
                        tag.put(out);
                        $($($part.put(out);)*)?
                        $($($field.put(out);)*)?
                    })*
                }
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                Some(match u8::take(input)? {
                    $($tag => {
                        $($(let $part = Wire::take(input)?;)*)?
                        $($(let $field = Wire::take(input)?;)*)?
                        $kind::$variant $(($($part),*))? $({ $($field),* })?
                    })*
                    _ => return None,
                })
            }
        })*
    };
}

pub(crate) use {enums, structs};

structs! {
    Parameter { name, value }
    Entry { target, sockets, sysctls, hold, deadline }
    Program { jail, fib, arguments, environment, user, host_user, stdin, terminal, output, timeout }
    MountRequest { fstype, from, root, beneath, options, flags }
    Sysctl { oid, new }
    Block { bytes, children }
    Request { number, argument }
    Options { release, vimage, modules, hardware, bare, sysctls, privileged, boot_id }
    Hardware { driver, unit, mac, lagg_port }
}

enums! {
    Domain {
        0 = Inet;
        1 = Inet6;
        2 = Local;
        3 = Route(family);
        4 = Raw;
    }
    SocketOption {
        0 = Fib;
        1 = ReceiveBuffer;
        2 = UseLoopback;
        3 = ReportLoss;
    }
    Oid {
        0 = Name(name);
        1 = Numbers(numbers);
    }
    IpAddr {
        0 = V4(address);
        1 = V6(address);
    }
    Value {
        0 = Bytes(bytes);
        1 = Ask;
        2 = Length(length);
    }
    Target {
        0 = Existing(jid);
        1 = New(parameters);
        2 = Descriptor(handle);
    }
    Watched {
        0 = Jid(jid);
        1 = Descriptor(handle);
    }
    Output {
        0 = Inherit;
        1 = Append(path);
        2 = Capture;
    }
    Place {
        0 = Unseen;
        1 = Directory(path);
        2 = Nowhere(errno);
        3 = File(path);
    }
    Release {
        0 = V14_2;
        1 = V15_1;
    }
    Setting {
        0 = Int(value);
        1 = Text(value);
    }
    Call {
        0 = Socket(domain);
        1 = Open { path, place };
        2 = Close(handle);
        3 = SetOption { handle, option, value };
        4 = Ioctl { handle, request };
        5 = Send { handle, message };
        6 = Receive { handle, length };
        7 = Wait { handle, timeout };
        8 = Sysctl(sysctl);
        9 = JailSet { parameters, flags, place };
        10 = JailGet { parameters, flags };
        11 = JailRemove(jid);
        12 = Enter { entry, place };
        13 = Run(program);
        14 = LoadModule(name);
        15 = Mount { request, place, from };
        16 = Unmount { id, force };
        17 = Mounts;
        18 = Sleep(duration);
        19 = Checkpoint { operation, path };
        20 = Death { pid, start };
        21 = JailSetJd { parameters, flags, descriptor, place };
        22 = JailGetJd { parameters, flags, descriptor };
        23 = JailRemoveJd(handle);
        24 = JailNotes;
        25 = JailWatch { queue, jail, notes };
        26 = JailNote(queue);
        27 = HoldSysctl { name, value };
        28 = SendTo { handle, to };
        29 = OpenDevice(path);
        30 = Connect { jid, lasts };
        31 = Firewall { handle, message };
        32 = MountedAt { path, place };
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(*self));
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(u8::take(input)? != 0)
    }
}

impl Wire for usize {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u64_le(*self as u64);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        u64::take(input)?.try_into().ok()
    }
}

impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_secs().put(out);
        self.subsec_nanos().put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        let (seconds, nanoseconds) = (u64::take(input)?, u32::take(input)?);
        (nanoseconds < 1_000_000_000).then(|| Duration::new(seconds, nanoseconds))
    }
}

impl Wire for Errno {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        i32::take(input).map(Errno)
    }
}

impl Wire for Handle {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        u64::take(input).map(Handle)
    }
}

impl Wire for FsId {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(FsId(i32::take(input)?, i32::take(input)?))
    }
}

impl Wire for SocketAddr {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        String::take(input)?.parse().ok()
    }
}

impl<const N: usize> Wire for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_slice(self);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        let mut value = [0; N];
        input.try_copy_to_slice(&mut value).ok()?;
        Some(value)
    }
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.put_u32_le(bytes.len() as u32);
    out.put_slice(bytes);
}

fn take_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::take(input)? as usize;
    take_slice(length, input)
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(std::str::from_utf8(take_bytes(input)?).ok()?.to_owned())
    }
}

impl Wire for OsString {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(OsStr::as_bytes(self), out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(OsString::from_vec(take_bytes(input)?.to_vec()))
    }
}

impl Wire for PathBuf {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_os_str().as_bytes(), out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        OsString::take(input).map(PathBuf::from)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(input)? { Some(T::take(input)?) } else { None })
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        T::put_all(self, out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        T::take_all(u32::take(input)?, input)
    }
}

impl<T: Wire> Wire for VecDeque<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        for value in self {
            value.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Vec::take(input).map(VecDeque::from)
    }
}

impl<T: Wire + Ord> Wire for BTreeSet<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        for value in self {
            value.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        (0..u32::take(input)?).map(|_| T::take(input)).collect()
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        (0..u32::take(input)?).map(|_| Some((K::take(input)?, V::take(input)?))).collect()
    }
}

/// A name from the program's own text. Any other name stays in memory for ever; there are few.
impl Wire for &'static str {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        use std::sync::{Mutex, PoisonError};
        static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let name = std::str::from_utf8(take_bytes(input)?).ok()?;
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Some(known);
        }
        let name: &'static str = String::from(name).leak();
        known.insert(name);
        Some(name)
    }
}

impl Wire for Ipv4Addr {
    fn put(&self, out: &mut Vec<u8>) {
        self.octets().put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        <[u8; 4]>::take(input).map(Ipv4Addr::from)
    }
}

impl Wire for Ipv6Addr {
    fn put(&self, out: &mut Vec<u8>) {
        self.octets().put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        <[u8; 16]>::take(input).map(Ipv6Addr::from)
    }
}

impl<A: Wire, B: Wire, C: Wire, D: Wire> Wire for (A, B, C, D) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
        self.3.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some((A::take(input)?, B::take(input)?, C::take(input)?, D::take(input)?))
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        Some((A::take(input)?, B::take(input)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Wire + PartialEq + std::fmt::Debug>(value: T) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        let mut input = &bytes[..];
        assert_eq!(T::take(&mut input).as_ref(), Some(&value));
        assert!(input.is_empty(), "{} bytes left of {value:?}", input.len());
        for length in 0..bytes.len() {
            assert_eq!(
                T::take(&mut &bytes[..length]),
                None,
                "{value:?} from {length} bytes of {}",
                bytes.len()
            );
        }
    }

    #[test]
    fn calls_come_back_as_they_went() {
        let mut request = Request::new(0xc028_697b);
        request.argument.point(32, Block::zeroed(8)).point(0, Block::new(*b"child"));
        there_and_back(Call::Ioctl { handle: Handle(7), request });
        there_and_back(Call::Enter {
            entry: Entry {
                target: Target::New(vec![Parameter::string("name", "j"), Parameter::ask("x")]),
                sockets: true,
                sysctls: vec![Sysctl::read("net.fibs"), Sysctl::write_int("net.fibs", -1)],
                hold: false,
                deadline: Duration::from_millis(1500),
            },
            place: Place::Nowhere(Errno::ENOENT),
        });
        there_and_back(Call::Run(Program {
            jail: Some(3),
            fib: 1,
            arguments: vec!["/bin/sh".into(), "-c".into()],
            environment: vec![("A".into(), "b c".into())],
            host_user: true,
            user: None,
            terminal: true,
            stdin: true,
            output: Output::Append("/var/log/x".into()),
            timeout: Some(Duration::from_secs(60)),
        }));
        there_and_back(Call::Socket(Domain::Route(2)));
        there_and_back(Call::JailGetJd {
            parameters: vec![Parameter::int("jid", 3)],
            flags: 0x40,
            descriptor: Some(Handle(9)),
        });
        there_and_back(Call::JailWatch { queue: Handle(2), jail: Watched::Jid(7), notes: 1 << 31 });
    }

    #[test]
    fn buffers_for_answers_take_no_room() {
        let mut buffer = vec![0_u8; 16 << 10];
        let put = |buffer: &Vec<u8>| {
            let mut bytes = Vec::new();
            buffer.put(&mut bytes);
            bytes.len()
        };
        assert_eq!(put(&buffer), 12);
        // Runs at the beginning, in the middle, and at the end; long and short ones; and none at all.
        let places = [(0, 1), (5000, 5003), (5010, 5020), (9000, 9070), (16_383, 16_384), (0, 16_384)];
        for (begin, end) in places {
            buffer[begin..end].fill(7);
            there_and_back_whole(buffer.clone());
        }
        for length in [LONG - 1, LONG, LONG + 1, LONG + RUN] {
            there_and_back(vec![0_u8; length]);
            there_and_back(vec![1_u8; length]);
        }
        // More than it says, and nothing at all.
        for runs in [[1000_u32, 0, 0], [64, 100, 0], [64, 0, 0]] {
            let mut bytes = Vec::new();
            runs.iter().for_each(|number| number.put(&mut bytes));
            assert_eq!(Vec::<u8>::take(&mut &bytes[..]), None, "{runs:?}");
        }
    }

    /// Without a try of every length that is too short.
    fn there_and_back_whole(value: Vec<u8>) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        assert!(Vec::<u8>::take(&mut &bytes[..]).as_ref() == Some(&value));
    }

    #[test]
    fn unknown_calls_are_refused() {
        assert_eq!(Call::take(&mut &[200u8, 0, 0, 0, 0][..]), None);
    }
}

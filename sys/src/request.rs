//! ioctl request numbers: how FreeBSD makes them, the requests for jails and their networks, and the meaning of a
//! number.
//!
//! A request says four things in 32 bits: the direction its argument travels in, the argument's size, a group
//! (`'i'` for interfaces, `'D'` for devfs) and a number within the group:
//!
//! ```text
//!  31 29 28             16 15      8 7       0
//! | dir |      size       |  group  | number  |
//! ```
//!
//! The size is part of the number, so a structure of the wrong size makes a request that the kernel does not
//! know. C hides this in macros that bindgen cannot evaluate; here they are [`const fn`s](iowr) over Rust's
//! own structures, and the tests compare every result with C's.

use core::ffi::c_ulong;

use crate::{IOC_DIRMASK, IOC_IN, IOC_INOUT, IOC_OUT, IOC_VOID, IOCPARM_MASK};

pub(crate) mod numbers;
mod pointers;

pub use pointers::{Field, Inside, Length, Pointer, pointers};

/// Returns a request without an argument: C's `_IO`.
#[doc(alias = "_IO")]
pub const fn io(group: u8, number: u8) -> c_ulong {
    encode(IOC_VOID, group, number, 0)
}

/// Returns a request that the kernel fills a `T` for: C's `_IOR`.
#[doc(alias = "_IOR")]
pub const fn ior<T>(group: u8, number: u8) -> c_ulong {
    encode(IOC_OUT, group, number, size_of::<T>())
}

/// Returns a request that gives the kernel a `T`, and gets nothing back in it: C's `_IOW`.
#[doc(alias = "_IOW")]
pub const fn iow<T>(group: u8, number: u8) -> c_ulong {
    encode(IOC_IN, group, number, size_of::<T>())
}

/// Returns a request that gives the kernel a `T`, which it may change: C's `_IOWR`.
///
/// The kernel copies the argument back only when the call succeeds.
#[doc(alias = "_IOWR")]
pub const fn iowr<T>(group: u8, number: u8) -> c_ulong {
    encode(IOC_INOUT, group, number, size_of::<T>())
}

const fn encode(direction: c_ulong, group: u8, number: u8, size: usize) -> c_ulong {
    let size = size as c_ulong;
    assert!(size <= IOCPARM_MASK, "an ioctl argument has at most 8191 bytes");
    direction | size << 16 | (group as c_ulong) << 8 | number as c_ulong
}

/// The direction of a request's argument. The names are those of C, and are from the kernel's view.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// There is no argument.
    #[doc(alias = "IOC_VOID")]
    Void,
    /// The kernel writes it.
    #[doc(alias = "IOC_OUT")]
    Out,
    /// The kernel reads it.
    #[doc(alias = "IOC_IN")]
    In,
    /// The kernel reads it, and writes it when the call succeeds.
    #[doc(alias = "IOC_INOUT")]
    InOut,
}

/// Returns the direction that `request` says, or `None` if it says none that FreeBSD has.
pub const fn direction(request: c_ulong) -> Option<Direction> {
    match request & IOC_DIRMASK {
        IOC_VOID => Some(Direction::Void),
        IOC_OUT => Some(Direction::Out),
        IOC_IN => Some(Direction::In),
        IOC_INOUT => Some(Direction::InOut),
        _ => None,
    }
}

/// Returns the number of bytes that `request` says its argument has.
#[doc(alias = "IOCPARM_LEN")]
pub const fn size_of_argument(request: c_ulong) -> usize {
    (request >> 16 & IOCPARM_MASK) as usize
}

/// Returns the group that `request` belongs to, such as `b'i'`.
#[doc(alias = "IOCGROUP")]
pub const fn group(request: c_ulong) -> u8 {
    (request >> 8) as u8
}

/// Returns the C name of `request`, if it is one of this crate's.
///
/// Some numbers have two names in C. The answer is then the one that says more: `SIOCSETVLAN` rather than
/// `SIOCSIFGENERIC`.
pub fn name_of(request: c_ulong) -> Option<&'static str> {
    all().find(|&(_, number)| number == request).map(|(name, _)| name)
}

/// Every request of this crate: its C name and its number.
pub fn all() -> impl Iterator<Item = (&'static str, c_ulong)> {
    numbers::TABLE.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    #[test]
    fn numbers_are_freebsds() {
        assert_eq!(SIOCIFCREATE2, 0xc020_697c);
        assert_eq!(SIOCAIFADDR, 0x8044_692b);
        assert_eq!(SIOCAIFADDR_IN6, 0x8088_691b);
        assert_eq!(SIOCGDRVSPEC, 0xc028_697b);
        assert_eq!(io(b's', 1), 0x2000_7301);
        assert_eq!(ior::<u32>(b's', 7), 0x4004_7307);
    }

    #[test]
    fn a_request_says_what_it_carries() {
        assert_eq!(direction(SIOCIFDESTROY), Some(Direction::In));
        assert_eq!(direction(SIOCIFCREATE), Some(Direction::InOut));
        assert_eq!(direction(io(b'D', 1)), Some(Direction::Void));
        assert_eq!(direction(ior::<u8>(b'D', 1)), Some(Direction::Out));
        assert_eq!(direction(0), None);
        assert_eq!(size_of_argument(SIOCGIFADDR_IN6), 288);
        assert_eq!(group(DEVFSIO_SUSE), b'D');
    }

    #[test]
    fn names_are_found() {
        assert_eq!(name_of(SIOCSIFVNET), Some("SIOCSIFVNET"));
        assert_eq!(name_of(SIOCGSCOPE6DEF), Some("SIOCGSCOPE6DEF"));
        assert_eq!(name_of(SIOCSIFGENERIC), Some("SIOCSETVLAN"));
        assert_eq!(name_of(0), None);
    }

    #[test]
    fn a_name_stands_for_one_number() {
        for (name, number) in all() {
            assert_eq!(all().filter(|&(other, _)| other == name).count(), 1, "{name} is there twice");
            assert!(name_of(number).is_some());
        }
    }
}

//! Addresses of interfaces, of both families.

mod inet;
mod inet6;

pub use inet::Ipv4Address;
pub use inet6::{Ipv6Address, Ipv6Flags, Lifetime};

/// What an operation did that makes sure of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ensured {
    /// The thing existed already.
    Present,
    /// The thing was added.
    Added,
    /// The thing existed with other properties, and was replaced.
    Replaced,
}

impl Ensured {
    /// Returns whether anything changed.
    pub fn changed(self) -> bool {
        self != Ensured::Present
    }
}

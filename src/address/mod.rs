//! Addresses of interfaces, of both families.

mod inet;
mod inet6;

pub use inet::Ipv4Address;
pub use inet6::{Ipv6Address, Ipv6Flags, Lifetime};

/// What making sure of something did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ensured {
    /// It was there already.
    Present,
    /// It was added.
    Added,
    /// It was there, but not so, and was replaced.
    Replaced,
}

impl Ensured {
    /// Returns whether anything changed.
    pub fn changed(self) -> bool {
        self != Ensured::Present
    }
}

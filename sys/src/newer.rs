//! Names that came after FreeBSD 15.0, whose headers the bindings are made from. The proofs compare them
//! with the headers of the releases that have them.

/// Make interface identifiers as RFC 7217 describes: stable, but not derived from the MAC.
///
/// A flag of [`nd_ifinfo`](crate::nd_ifinfo) since FreeBSD 15.1.
pub const ND6_IFF_STABLEADDR: u32 = 0x800;

/// Each of them, for the proofs.
#[doc(hidden)]
pub const NEWER: &[(&str, i64)] = &[("ND6_IFF_STABLEADDR", ND6_IFF_STABLEADDR as i64)];

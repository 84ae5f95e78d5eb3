// `expect` is for cases that cannot happen, with the reason. A closed output must not cause a panic.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::todo, clippy::print_stdout, clippy::print_stderr)
)]
// Modules of `kernel` that need unsafe code allow it by name.
#![deny(unsafe_code)]
// A caller can write down the type of each value that the library returns.
#![warn(unnameable_types)]
#![doc = include_str!("../docs/crate.md")]

mod abi;
pub mod address;
pub mod bridge;
pub mod carp;
mod checksum;
pub mod epair;
pub mod error;
pub mod files;
pub mod group;
pub mod guide;
pub mod interface;
#[cfg(feature = "iocage")]
pub mod iocage;
pub mod jail;
pub mod kernel;
pub mod nd6;
pub mod neighbour;
pub mod packet_filter;
pub mod route;
#[cfg(feature = "sim")]
pub mod sim;
mod snapshot;
#[doc = include_str!("../docs/surface.md")]
pub mod surface {}
#[cfg(feature = "serde")]
mod spelling;
#[cfg(test)]
mod testdata;
pub mod types;
pub mod vlan;
pub mod vnet;
pub mod wiring;

pub use ipnetwork;

pub use error::{Error, ErrorKind, OptionalExtension, Result};
pub use interface::Interface;
pub use route::{Gateway, Route, Via};
pub use snapshot::Snapshot;
pub use types::{Fib, InterfaceName, Jid, MacAddr, Mtu, VlanId};
pub use vnet::Vnet;

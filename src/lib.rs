//! Wire FreeBSD jails to the network by talking to the kernel directly.

mod checksum;
pub mod files;
#[cfg(feature = "cli")]
pub mod iocage;
pub mod kernel;
pub mod types;

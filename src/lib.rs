//! Wire FreeBSD jails to the network by talking to the kernel directly.

mod checksum;
pub mod files;
pub mod kernel;
pub mod types;

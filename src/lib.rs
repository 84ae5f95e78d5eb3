//! jailwire.

pub mod files;
#[cfg(feature = "cli")]
pub mod iocage;
pub mod types;

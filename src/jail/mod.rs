//! Jails: parameters, creating, reading, removing, and what lies around them: devfs rules and mounts.

mod create;
pub mod devfs;
pub mod mount;
mod parameters;
mod query;
mod remove;

pub use create::{HeldJail, create, create_held, update};
pub use parameters::{JailParameters, JailSystem, JailValue};
pub use query::{
    JailInfo, JailKey, addresses, find, find_even_dying, get, list, read, read_int, read_string,
};
pub use remove::{remove, wait_for_interfaces, wait_gone};

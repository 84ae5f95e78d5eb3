//! Jails: parameters, creating, reading, removing, descriptors, events, and what lies around them: devfs
//! rules and mounts.

mod create;
pub mod devfs;
mod events;
pub mod mount;
mod parameters;
mod query;
mod reference;
mod remove;
mod value;

pub use create::{HeldJail, create, create_held, update};
pub use events::{JailEvent, JailEvents};
pub use parameters::{JailParameters, JailSystem, JailValue};
pub use query::{
    JailInfo, JailKey, addresses, find, find_even_dying, get, list, read, read_int, read_string,
};
pub use reference::{JailReference, has_descriptors};
pub use remove::{remove, wait_for_interfaces, wait_gone};
pub use value::{JailType, read_value};

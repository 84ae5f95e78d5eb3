//! Jails: parameters, creating, reading, removing, descriptors, events, devfs rules and mounts.

mod create;
pub mod devfs;
mod events;
pub mod mount;
mod parameters;
mod query;
mod reference;
mod remove;
mod value;

pub(crate) use create::create_held_plain;
pub use create::{HeldJail, create, create_held, update};
pub use events::{JailEvent, JailEvents};
pub use parameters::{JailParameters, JailSystem, JailValue};
pub(crate) use query::{AddressUsers, Marks, marks};
pub use query::{
    JailInfo, JailKey, addresses, find, find_even_dying, get, get_even_dying, list, read, read_int,
    read_string, with_address,
};
pub use reference::{JailReference, has_descriptors};
pub use remove::{remove, wait_for_interfaces, wait_gone};
pub use value::{JailType, read_value};

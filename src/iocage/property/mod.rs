//! iocage's properties: their names, their values and their defaults.

mod kind;
mod set;
mod table;
mod value;

pub use kind::Kind;
pub use set::{Assignment, Change, Target};
pub(crate) use set::{all_refused, refused};
pub use table::{ALLOW, Builtin, Property, Scope, TABLE, canonical, find, is_of_others, nearest};
pub use value::{Stored, boolean};

//! iocage's properties: which there are, what they may be, and what they are when nobody says.

mod kind;
mod set;
mod table;
mod value;

pub use kind::{InvalidValue, Kind};
pub use set::{Assignment, Change, SetError, SetErrors, Target};
pub use table::{ALLOW, Builtin, Property, Scope, TABLE, canonical, find, is_of_others, nearest};
pub use value::{Stored, boolean};

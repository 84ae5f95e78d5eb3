//! Making, copying, renaming and destroying jails, and their snapshots.
//!
//! Each is worked out first, as a [`Recipe`]: all that can be wrong is found before anything is
//! changed, and what would be done can be shown without doing it. In a plain directory a jail is put
//! together under a hidden name and moved into place as a whole, and one that is destroyed is moved
//! away first: a process that is killed leaves no half of a jail. Where iocage's directory is a ZFS
//! dataset, jails are datasets too. They are put together beside the others, and renamed as a whole.

mod action;
mod clone;
mod contents;
mod create;
pub mod destroy;
mod errors;
mod fstab;
mod moved;
mod names;
pub mod rename;
pub mod snapshots;
mod storage;
pub mod template;
mod zfscall;

pub use action::{Action, Recipe};
pub use clone::CloneOf;
pub use create::{Base, Form, HostHas, NewJail};
pub use errors::no_base;
pub use fstab::FstabFile;
pub use names::NewName;
pub use storage::{Storage, leftovers, sweep};
pub use zfscall::{Expect, ZfsCall};

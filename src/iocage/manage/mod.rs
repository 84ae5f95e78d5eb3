//! Making, copying, renaming and destroying jails, and their snapshots.
//!
//! Each operation is first worked out as a [`Recipe`]: problems are found before anything is changed, and the
//! changes can be shown without making them. In a plain directory, a new jail is put together under a hidden name
//! and then renamed as a whole, and a jail that is destroyed is renamed first. So a killed process leaves no part
//! of a jail in the directory of jails. If iocage's directory is a ZFS dataset, jails are datasets too. They are
//! put together in another dataset, and renamed as a whole.

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

//! iocage's files: its directory, its configurations, its properties and their grammars.
//!
//! Everything here is files and strings to typed values and back; nothing talks to a kernel. What
//! depends on the host (which bridges there are, where the default route goes) is left open in the
//! types, for the caller to decide.
//!
//! * [`store`]: the directory, its jails, and how a word on the command line finds one
//! * [`document`]: config.json and defaults.json, written as iocage writes them
//! * [`property`]: the table of properties, their kinds and their defaults
//! * [`config`]: everything that starting a jail needs to know, and all that is wrong with it
//! * [`jailconf`]: the file that jail(8) reads while the jail runs
//!
//! and, one file each, the grammars of the values.

pub mod address;
pub mod addresses;
pub mod config;
pub mod document;
pub mod fstab;
pub mod hooks;
pub mod interfaces;
pub mod jailconf;
mod json;
mod lookup;
pub mod mac;
pub mod name;
pub mod nic;
pub mod order;
pub mod properties;
pub mod property;
pub mod rcconf;
pub mod resolver;
pub mod router;
pub mod store;

//! iocage's files: its directory, its configurations, its properties and their grammars.
//!
//! This module converts files and text to typed values, and back. Most of it makes no call to a kernel. What
//! depends on the host (which bridges exist, where the default route leads) is left open in the types, and the
//! caller decides it.
//!
//! * [`store`]: the directory, its jails, and finding a jail by a word of the command line
//! * [`document`]: config.json and defaults.json, written as iocage writes them
//! * [`property`]: the table of properties, their kinds and their defaults
//! * [`config`]: everything that a start needs to know, with all problems
//! * [`live`]: the effect of changed properties on a running jail
//! * [`manage`]: making, copying, renaming and destroying jails
//! * [`doctor`]: finding what prevents jails from working
//! * [`jailconf`]: the file that jail(8) reads while the jail runs
//!
//! and, one file each, the grammars of the values.
//!
//! ```
//! use jailwire::iocage::config::{JailConfig, Network};
//! use jailwire::iocage::store::Store;
//!
//! let store = Store::open("examples/iocage".as_ref())?;
//! let web = JailConfig::resolve(&store, &store.resolve("web")?)?;
//! assert_eq!(web.name.kernel_name(), "ioc-web");
//! if let Network::Vnet(network) = &web.network {
//!     assert_eq!(network.nics[0].ip4[0].to_string(), "192.0.2.20/24");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod address;
pub mod addresses;
pub mod config;
pub mod defaults;
pub mod doctor;
pub mod document;
pub mod fitness;
pub mod fstab;
pub mod hooks;
pub mod hostname;
pub mod interfaces;
pub mod jailconf;
mod json;
pub mod legacy;
pub mod lifecycle;
pub mod live;
mod lookup;
pub mod mac;
pub mod manage;
pub mod name;
pub mod nic;
pub mod order;
mod paths;
pub mod properties;
pub mod property;
pub mod rcconf;
pub mod resolver;
pub mod router;
pub mod store;
pub mod translate;
pub mod trust;
pub mod zfs;

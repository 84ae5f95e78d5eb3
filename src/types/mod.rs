//! The small types every layer speaks: checked where they are made, and never again.

mod fib;
mod interface_name;
mod mac_addr;
mod mtu;

pub use fib::{Fib, InvalidFib};
pub use interface_name::{InterfaceName, InvalidInterfaceName};
pub use mac_addr::{InvalidMacAddr, MacAddr};
pub use mtu::{InvalidMtu, Mtu};

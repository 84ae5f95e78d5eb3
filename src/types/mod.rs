//! The small types every layer speaks: checked where they are made, and never again.

mod fib;
mod interface_name;
mod jid;
mod mac_addr;
mod mtu;
mod vlan_id;

pub use fib::{Fib, InvalidFib};
pub use interface_name::{InterfaceName, InvalidInterfaceName};
pub use jid::{InvalidJid, Jid};
pub use mac_addr::{InvalidMacAddr, MacAddr};
pub use mtu::{InvalidMtu, Mtu};
pub use vlan_id::{InvalidVlanId, VlanId};

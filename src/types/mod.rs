//! Small types that all modules use. Their values are checked when they are made.

mod fib;
mod interface_name;
mod jid;
mod mac_addr;
mod mtu;
mod vlan_id;

pub use fib::Fib;
pub use interface_name::InterfaceName;
pub use jid::Jid;
pub use mac_addr::MacAddr;
pub use mtu::Mtu;
pub use vlan_id::VlanId;

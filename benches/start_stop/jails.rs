//! The jails that are measured. They differ only in their addresses.

use std::fmt;

use jailwire::jail::JailSystem;
use jailwire::wiring::{Alias, HostName, JailSpec, Network, Nic, Router, Shared, VnetSpec};
use jailwire::{InterfaceName, MacAddr};

/// The network of the jails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// Each is a VNET jail with an epair on a bridge, an IPv4 address and a default route.
    Vnet,
    /// Each is a shared-IP jail with an address on the host's lo0.
    Shared,
}

impl fmt::Display for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wiring::Vnet => "vnet",
            Wiring::Shared => "shared",
        })
    }
}

/// The router of all VNET jails.
pub const ROUTER: &str = "10.1.0.1";

/// The name of the jail with a number.
pub fn name(number: usize) -> String {
    format!("bench{number}")
}

/// The jail's address on the bridge. The first two addresses of the network are the network address and the
/// router's.
pub fn address(number: usize) -> String {
    let [high, low] = place(number);
    format!("10.1.{high}.{low}/16")
}

/// The jail's address on the host's lo0.
pub fn shared_address(number: usize) -> String {
    let [high, low] = place(number);
    format!("127.1.{high}.{low}/32")
}

/// The MAC addresses of the host's end and of the jail's end.
pub fn macs(number: usize) -> (MacAddr, MacAddr) {
    let [high, low] = place(number);
    let mac = |end| MacAddr([2, 0, end, 0, high, low]);
    (mac(1), mac(2))
}

fn place(number: usize) -> [u8; 2] {
    let [.., high, low] = (number as u32 + 2).to_be_bytes();
    [high, low]
}

/// The specification of the jail with a number.
pub fn specification(wiring: Wiring, number: usize, bridge: InterfaceName) -> JailSpec {
    let network = match wiring {
        Wiring::Vnet => Network::Vnet(vnet(number, bridge)),
        Wiring::Shared => {
            let mut shared = Shared::default();
            shared.ip4 = vec![Alias::new(
                Some("lo0".parse().expect("a name")),
                shared_address(number).parse().expect("an address"),
            )];
            shared.ip6_mode = JailSystem::Disable;
            Network::Shared(shared)
        }
    };
    JailSpec::new(name(number), "/", network)
}

fn vnet(number: usize, bridge: InterfaceName) -> VnetSpec {
    let mut nic = Nic::new(HostName::WithJid("vnet0.".to_owned()), "epair0b".parse().expect("a name"));
    nic.description = format!("associated with jail: {} as nic: epair0b", name(number));
    nic.macs = Some(macs(number));
    nic.bridge = Some(bridge);
    nic.inet = vec![address(number).parse().expect("a network")];
    let mut spec = VnetSpec::default();
    spec.nics = vec![nic];
    spec.default4 = Some(Router::new(ROUTER.parse().expect("an address")));
    spec
}

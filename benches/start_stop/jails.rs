//! The jails that are measured: all alike but for their addresses.

use std::fmt;

use jailwire::jail::{JailParameters, JailSystem};
use jailwire::wiring::{Alias, Devfs, HostName, JailSpec, Network, Nic, Router, Shared, VnetSpec};
use jailwire::{InterfaceName, MacAddr, Mtu};

/// How they are wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// With a network stack, an epair on a bridge, an IPv4 address and a default route each.
    Vnet,
    /// With an address each on the host's lo0.
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

/// The router of all jails with a network stack of their own.
pub const ROUTER: &str = "10.1.0.1";

/// The name of the jail of that number.
pub fn name(number: usize) -> String {
    format!("bench{number}")
}

/// Its address on the bridge; the first two are the network's and the router's.
pub fn address(number: usize) -> String {
    let [high, low] = place(number);
    format!("10.1.{high}.{low}/16")
}

/// Its address on the host's lo0.
pub fn shared_address(number: usize) -> String {
    let [high, low] = place(number);
    format!("127.1.{high}.{low}/32")
}

/// The MAC addresses of the host's end of its epair and of its own.
pub fn macs(number: usize) -> (MacAddr, MacAddr) {
    let [high, low] = place(number);
    let mac = |end| MacAddr([2, 0, end, 0, high, low]);
    (mac(1), mac(2))
}

fn place(number: usize) -> [u8; 2] {
    let [.., high, low] = (number as u32 + 2).to_be_bytes();
    [high, low]
}

/// The jail of that number.
pub fn specification(wiring: Wiring, number: usize, bridge: InterfaceName) -> JailSpec {
    let network = match wiring {
        Wiring::Vnet => Network::Vnet(vnet(number, bridge)),
        Wiring::Shared => Network::Shared(Shared {
            ip4: vec![Alias {
                interface: Some("lo0".parse().expect("a name")),
                network: shared_address(number).parse().expect("an address"),
            }],
            ip4_mode: JailSystem::New,
            ip6: Vec::new(),
            ip6_mode: JailSystem::Disable,
            ip4_source_selection: true,
            ip6_source_selection: true,
        }),
    };
    JailSpec {
        name: name(number),
        path: "/".into(),
        parameters: JailParameters::default(),
        devfs: Devfs::Existing(0),
        mounts: Vec::new(),
        network,
        nat: None,
    }
}

fn vnet(number: usize, bridge: InterfaceName) -> VnetSpec {
    let nic = Nic {
        host_name: HostName::WithJid("vnet0.".to_owned()),
        jail_name: "epair0b".parse().expect("a name"),
        description: format!("associated with jail: {} as nic: epair0b", name(number)),
        macs: Some(macs(number)),
        mtu: None,
        default_mtu: Mtu::new(1500).expect("an MTU"),
        bridge: Some(bridge),
        uplink: None,
        vlans: None,
        isolated: false,
        inet: vec![address(number).parse().expect("a network")],
        inet6: Vec::new(),
        accept_rtadv: false,
        stable_address: false,
    };
    VnetSpec {
        nics: vec![nic],
        default4: Some(Router { address: ROUTER.parse().expect("an address"), nic: None }),
        ..VnetSpec::default()
    }
}

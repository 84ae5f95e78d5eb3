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

/// The jail of that number.
pub fn specification(wiring: Wiring, number: usize, bridge: InterfaceName) -> JailSpec {
    let [.., high, low] = (number as u32 + 2).to_be_bytes();
    let network = match wiring {
        Wiring::Vnet => Network::Vnet(vnet(number, [high, low], bridge)),
        Wiring::Shared => Network::Shared(Shared {
            ip4: vec![Alias {
                interface: Some("lo0".parse().expect("a name")),
                network: format!("127.1.{high}.{low}/32").parse().expect("an address"),
            }],
            ip4_mode: JailSystem::New,
            ip6: Vec::new(),
            ip6_mode: JailSystem::Disable,
            ip4_source_selection: true,
            ip6_source_selection: true,
        }),
    };
    JailSpec {
        name: format!("bench{number}"),
        path: "/".into(),
        parameters: JailParameters::default(),
        devfs: Devfs::Existing(0),
        mounts: Vec::new(),
        network,
    }
}

fn vnet(number: usize, [high, low]: [u8; 2], bridge: InterfaceName) -> VnetSpec {
    let mac = |half| MacAddr([2, 0, half, 0, high, low]);
    let nic = Nic {
        host_name: HostName::WithJid("vnet0.".to_owned()),
        jail_name: "epair0b".parse().expect("a name"),
        description: format!("associated with jail: bench{number} as nic: epair0b"),
        macs: Some((mac(1), mac(2))),
        mtu: None,
        default_mtu: Mtu::new(1500).expect("an MTU"),
        bridge: Some(bridge),
        uplink: None,
        inet: vec![format!("10.1.{high}.{low}/16").parse().expect("a network")],
        inet6: Vec::new(),
        accept_rtadv: false,
    };
    VnetSpec {
        nics: vec![nic],
        default4: Some(Router { address: [10, 1, 0, 1].into(), nic: None }),
        ..VnetSpec::default()
    }
}

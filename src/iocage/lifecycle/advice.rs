//! Problems of wiring, in terms of iocage's properties.

use std::net::IpAddr;

use crate::iocage::config::{self, DefaultInterface, JailConfig, Level, Network, VnetNetwork};
use crate::iocage::nic::NicName;
use crate::iocage::router::Router;
use crate::types::InterfaceName;
use crate::wiring::Problem;

/// Converts a problem to one with the property that has to be changed.
pub(super) fn advised(config: &JailConfig, problem: &Problem) -> config::Problem {
    let message = match (problem, &config.network) {
        (Problem::UnreachableRouter { router }, Network::Vnet(network)) => out_of_reach(network, *router),
        (Problem::NoVimage, _) => {
            "this kernel was built without VIMAGE: set vnet=off, or boot a kernel with `options VIMAGE`"
                .to_owned()
        }
        (Problem::NotABridge { name }, _) => {
            format!("{name} is not a bridge: name a bridge in `interfaces`, or none")
        }
        (Problem::NoInterface { name }, _) => {
            format!("the host has no interface {name}: check the name against `show`")
        }
        // The host is to be changed, and the property says what for.
        _ if property(config, problem) == "host" && config.nat.is_some() => {
            format!("nat is on, and {problem}")
        }
        _ => problem.to_string(),
    };
    config.placed(config::Problem { level: Level::Error, about: property(config, problem), message })
}

/// The property of a problem.
fn property(config: &JailConfig, problem: &Problem) -> String {
    let of_nic = |nic: InterfaceName, property: fn(&NicName) -> String| {
        let nics = match &config.network {
            Network::Vnet(network) => network.nics.as_slice(),
            Network::Shared(_) => &[],
        };
        let found = nics.iter().find(|other| other.is_called(nic));
        found.map_or("interfaces".to_owned(), |nic| property(&nic.name))
    };
    let fixed = match problem {
        Problem::MtuMismatch { nic, .. } | Problem::NicMtu { nic, .. } => {
            return of_nic(*nic, NicName::mtu_property);
        }
        Problem::PortWithoutBridge { nic }
        | Problem::NoVlanFilter { nic, .. }
        | Problem::VlanBridgeName { nic, .. }
        | Problem::BridgeDoesNotFilter { nic, .. }
        | Problem::NoVlan { nic, .. }
        | Problem::VlanTwice { nic, .. }
        | Problem::NoUntagged { nic } => return of_nic(*nic, NicName::vlan_property),
        Problem::NoStableAddress { nic } => return of_nic(*nic, NicName::stable_property),
        Problem::DuplicateMac { second, .. } => return of_nic(*second, NicName::mac_property),
        Problem::NoInterface { name } => property_of(config, *name),
        Problem::AddressTwice { address, .. } if address.is_ipv4() => "ip4_addr",
        Problem::AddressTwice { .. } => "ip6_addr",
        Problem::UnreachableRouter { router } if router.is_ipv4() => "defaultrouter",
        Problem::UnreachableRouter { .. } => "defaultrouter6",
        Problem::NoUplink { .. }
        | Problem::UplinkType { .. }
        | Problem::UplinkElsewhere { .. }
        | Problem::UplinkIsSpan { .. }
        | Problem::UplinkLent { .. }
        | Problem::UplinkIsVlan { .. }
        | Problem::VlanName { .. }
        | Problem::ParentOnBridge { .. }
        | Problem::UplinkMtu { .. }
        | Problem::VlanTaken { .. }
        | Problem::AddressOnMember { .. } => "vnet_default_interface",
        Problem::NoBridge { .. } | Problem::NotABridge { .. } => "interfaces",
        Problem::NoVimage => "vnet",
        Problem::NoRoot { .. } => "root",
        _ => "host",
    };
    fixed.to_owned()
}

/// The property that names an interface of the host.
fn property_of(config: &JailConfig, name: InterfaceName) -> &'static str {
    match &config.network {
        Network::Vnet(network) if network.lent.contains(&name) => "vnet_interfaces",
        Network::Vnet(_) => "vnet_default_interface",
        Network::Shared(network) => {
            let is_in_ip4 = network.ip4.iter().any(|one| one.interface == Some(name));
            if is_in_ip4 { "ip4_addr" } else { "ip6_addr" }
        }
    }
}

/// The message for a router that is in no subnet of the jail's addresses. The router may come from a default.
fn out_of_reach(network: &VnetNetwork, router: IpAddr) -> String {
    let nics = network.nics.iter();
    let (property, networks, is_auto) = match router {
        IpAddr::V4(_) => (
            "defaultrouter",
            nics.flat_map(|nic| &nic.ip4).map(ToString::to_string).collect::<Vec<_>>(),
            network.router4 == Router::Auto,
        ),
        IpAddr::V6(_) => (
            "defaultrouter6",
            nics.flat_map(|nic| &nic.ip6).map(ToString::to_string).collect(),
            network.router6 == Router::Auto,
        ),
    };
    let networks = networks.join(", ");
    let whose = if is_auto { format!("{property}=auto is the host's own router, ") } else { String::new() };
    format!(
        "{whose}{router} is in none of the jail's networks ({networks}): set {property}=none, or to the address of a router in one of these"
    )
}

/// As [`advised`], for a jail that is not started now. Returns `None` if the problem is not about a property.
pub(super) fn noted(problem: &Problem) -> Option<config::Problem> {
    if let Problem::NoVlan { .. } | Problem::BridgePerVlan { .. } = problem {
        return None;
    }
    let message = format!(
        "nothing is put on the bridge: {problem}; set vnet_default_interface=none, or name an interface that can be put there"
    );
    Some(config::Problem {
        level: config::Level::Warning,
        about: "vnet_default_interface".to_owned(),
        message,
    })
}

/// The text of a note of a start: an uplink that it leaves out, or a NIC in no VLAN.
pub(super) fn note(config: &JailConfig, problem: &Problem) -> String {
    if let Problem::NoVlan { .. } | Problem::BridgePerVlan { .. } = problem {
        return format!("{}: {problem}", config.name);
    }
    let word = match &config.network {
        Network::Vnet(network) if network.default_interface == DefaultInterface::Auto => {
            "vnet_default_interface=auto"
        }
        _ => "vnet_default_interface",
    };
    format!("{}: {word} puts nothing on the bridge: {problem}", config.name)
}

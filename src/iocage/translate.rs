//! Makes the specification of a running jail from a jail's configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ipnetwork::{Ipv4Network, Ipv6Network};

use crate::error::{Error, ErrorKind};
use crate::iocage::config::{
    DefaultInterface, Devfs, JailConfig, Localhost, Nat, Network, SharedAddress, SharedNetwork, Sharing,
    VnetNetwork,
};
use crate::iocage::fstab::Mount;
use crate::iocage::mac::{MacPair, MacPrefix};
use crate::iocage::nic::NicName;
use crate::iocage::router::Router;
use crate::jail::devfs::DevfsRule;
use crate::jail::{JailParameters, JailSystem};
use crate::types::{InterfaceName, MacAddr};
use crate::wiring::nat::JailNat;
use crate::wiring::{self, Alias, HostName, JailSpec, MountSpec, Nic, Shared, Uplink, VnetSpec};

/// The values that a configuration takes from the host.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct HostFacts {
    /// The router of the host's IPv4 default route, and the route's interface.
    pub default4: Option<(Ipv4Addr, InterfaceName)>,
    /// The router of the host's IPv6 default route, and the route's interface.
    pub default6: Option<(Ipv6Addr, InterfaceName)>,
    /// The interface of the host's default route: of the IPv4 route, or else of the IPv6 route. A default route may
    /// lead to an interface without a router.
    pub default_interface: Option<InterfaceName>,
    /// The host's addresses, without those of interfaces that belong to jails.
    pub addresses: Vec<IpAddr>,
    /// The MAC address of the default route's interface.
    pub default_mac: Option<MacAddr>,
    /// An address of 127.0.0.0/8 that is not in use.
    pub free_loopback: Option<Ipv4Addr>,
    /// The addresses that the jail's host name stands for, where they are asked for.
    pub of_hostname: Vec<IpAddr>,
    /// Whether the kernel has System V's message queues, semaphores and shared memory, in this order.
    pub sysv: [bool; 3],
}

impl HostFacts {
    /// Returns the prefix of generated MAC addresses: the first bytes of the default route's interface. Without
    /// such an interface it is the prefix of legacy iocage.
    pub fn mac_prefix(&self) -> MacPrefix {
        const LEGACY: MacAddr = MacAddr([0x02, 0xff, 0x60, 0, 0, 0]);
        MacPrefix::from_address(self.default_mac.unwrap_or(LEGACY))
    }
}

/// The error for a property that needs something which the host lacks. The subject of the error is the property.
pub(super) fn lacks(property: &str, reason: impl std::fmt::Display, advice: impl std::fmt::Display) -> Error {
    Error::refused(ErrorKind::NotFound, property, reason, advice)
}

/// An address without an interface, on a host without a default route.
fn no_interface(address: &str) -> Error {
    let property = if address.contains(':') { "ip6_addr" } else { "ip4_addr" };
    let reason = format!("{address} names no interface, and the host has no default route to take it from");
    lacks(property, reason, format!("write em0|{address}"))
}

/// The generated values, which are to be recorded: the property, and its value.
pub type MadeUp = Vec<(String, String)>;

/// Returns the specification of a jail, and the values that were generated for it.
///
/// # Errors
///
/// The host lacks something that the configuration needs.
pub fn specification(config: &JailConfig, facts: &HostFacts) -> Result<(JailSpec, MadeUp), Error> {
    let mut made_up = Vec::new();
    let network = match &config.network {
        Network::Vnet(network) => wiring::Network::Vnet(vnet(config, network, facts, &mut made_up)?),
        Network::Shared(network) => wiring::Network::Shared(shared(config, network, facts, &mut made_up)?),
    };
    let spec = JailSpec {
        name: config.name.kernel_name(),
        path: config.root.clone(),
        parameters: parameters(config, facts),
        devfs: devfs(&config.devfs),
        mounts: mounts(config),
        nat: config.nat.as_ref().map(|nat| translation(config, nat, &network)),
        network,
    };
    Ok((spec, made_up))
}

/// NAT and published ports.
fn translation(config: &JailConfig, nat: &Nat, network: &wiring::Network) -> JailNat {
    let wanted = JailNat::of_network(config.name.kernel_name(), network).nat().by(nat.backend);
    let wanted = nat.interface.into_iter().fold(wanted, JailNat::through);
    nat.forwards.iter().copied().fold(wanted, JailNat::publish)
}

fn vnet(
    config: &JailConfig,
    network: &VnetNetwork,
    facts: &HostFacts,
    made_up: &mut MadeUp,
) -> Result<VnetSpec, Error> {
    let uplink = match &network.default_interface {
        DefaultInterface::None => None,
        DefaultInterface::Named(name) => Some(Uplink::from(*name)),
        // As in iocage, the jail starts without the uplink if the interface of the default route cannot be on the
        // bridge.
        DefaultInterface::Auto => {
            let interface = facts.default_interface.ok_or_else(|| {
                let reason = "vnet_default_interface is auto, but the host has no default route";
                lacks("vnet_default_interface", reason, "name an interface, or none")
            })?;
            Some(Uplink { interface, required: false })
        }
    };
    let mut nics = Vec::new();
    let router6_nic = network.router6_nic.map(|number| network.nics[number].name.jail_end());
    // As in iocage, an unused NIC is not made.
    for nic in network.nics.iter().filter(|nic| nic.is_used()) {
        let pair = nic.mac.unwrap_or_else(|| {
            let pair = make_up(config, network, facts, &nic.name);
            made_up.push((nic.name.mac_property(), pair.to_string()));
            pair
        });
        let jail_name = nic.name.jail_end();
        nics.push(Nic {
            host_name: HostName::WithJid(format!("{}.", nic.name)),
            jail_name,
            description: config.name.description(jail_name.as_str()),
            macs: Some((pair.host(), pair.jail())),
            mtu: nic.mtu,
            default_mtu: network.default_mtu,
            bridge: nic.bridge,
            // Only for the first bridge, because an interface cannot be on two bridges.
            uplink: if nics.is_empty() { uplink } else { None },
            vlans: nic.vlans.clone(),
            isolated: false,
            inet: nic.ip4.clone(),
            inet6: nic.ip6.clone(),
            host_addresses: nic.host_addresses.clone(),
            accept_rtadv: nic.accept_rtadv,
            stable_address: nic.stable_address && nic.accept_rtadv,
        });
    }
    Ok(VnetSpec {
        default4: router(&network.router4, facts.default4.map(|(address, _)| address), None),
        default6: router(
            &network.router6.map(|router| router.address),
            facts.default6.map(|(address, _)| address),
            nics.iter().position(|nic: &Nic| Some(nic.jail_name) == router6_nic),
        ),
        nics,
        routes: Vec::new(),
        lent: network.lent.clone(),
        loopback4: network.loopback4.clone(),
        loopback6: network.loopback6.clone(),
    })
}

/// The router of a jail. `auto` means the host's router, or no router if the host has no router. A link-local
/// router is on the link of `nic`.
fn router<A: Copy + Into<IpAddr>>(
    router: &Router<A>,
    hosts: Option<A>,
    nic: Option<usize>,
) -> Option<wiring::Router> {
    let address: IpAddr = match router {
        Router::None => return None,
        Router::Auto => hosts?.into(),
        Router::Address(address) => (*address).into(),
    };
    let local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    Some(wiring::Router { address, nic: nic.filter(|_| local) })
}

/// Generates MAC addresses by iocage's rule: the prefix, and digits of the MD5 of the jail's name and the NIC's
/// name.
fn make_up(config: &JailConfig, network: &VnetNetwork, facts: &HostFacts, nic: &NicName) -> MacPair {
    let prefix = network.mac_prefix.unwrap_or_else(|| facts.mac_prefix());
    MacPair::generate(prefix, &config.name, nic)
}

fn shared(
    config: &JailConfig,
    network: &SharedNetwork,
    facts: &HostFacts,
    made_up: &mut MadeUp,
) -> Result<Shared, Error> {
    let interface = |text: String, address: IpAddr, named: Option<InterfaceName>| match named {
        Some(name) => Ok(Some(name)),
        // The host has the address already, so a start does not add it, and a stop does not remove it.
        None if facts.addresses.contains(&address) => Ok(None),
        None => facts.default_interface.map(Some).ok_or_else(|| no_interface(&text)),
    };
    let mut shared = Shared {
        ip4: Vec::new(),
        ip6: Vec::new(),
        ip4_mode: mode(network.ip4_sharing),
        ip6_mode: mode(network.ip6_sharing),
        ip4_source_selection: network.ip4_saddrsel,
        ip6_source_selection: network.ip6_saddrsel,
    };
    if network.ip4_sharing == Sharing::New {
        for SharedAddress { interface: named, address } in &network.ip4 {
            let interface = interface(address.to_string(), address.address().into(), *named)?;
            shared.ip4.push(Alias { interface, network: address.network(32) });
        }
    }
    if network.ip6_sharing == Sharing::New {
        for SharedAddress { interface: named, address } in &network.ip6 {
            let interface = interface(address.to_string(), address.address().into(), *named)?;
            shared.ip6.push(Alias { interface, network: address.network(128) });
        }
    }
    if config.host.ip_hostname {
        add_hostname(&mut shared, config, facts)?;
    }
    let loopback = match network.localhost {
        Localhost::Off => None,
        Localhost::Address(address) => Some(address),
        Localhost::Choose => {
            let address = facts.free_loopback.ok_or_else(|| {
                let reason = "assign_localhost is on, but no address of 127.0.0.0/24 is free";
                lacks("assign_localhost", reason, "set localhost_ip")
            })?;
            made_up.push(("localhost_ip".to_owned(), address.to_string()));
            Some(address)
        }
    };
    if let Some(address) = loopback.filter(|_| shared.ip4_mode == JailSystem::New) {
        // Add the loopback address to lo0, and not to an interface that leads out.
        let interface = InterfaceName::new("lo0").ok();
        shared.ip4.push(Alias { interface, network: Ipv4Network::from(address) });
    }
    Ok(shared)
}

/// Works as `ip_hostname` of jail(8): the jail may use the addresses, and they are not added to the host.
fn add_hostname(shared: &mut Shared, config: &JailConfig, facts: &HostFacts) -> Result<(), Error> {
    if facts.of_hostname.is_empty() {
        let name = &config.host.hostname;
        let reason = format!("ip_hostname is on, but {name} stands for no address");
        return Err(lacks("ip_hostname", reason, "add it to DNS or /etc/hosts, or set ip_hostname=0"));
    }
    for address in &facts.of_hostname {
        match address {
            IpAddr::V4(address) if shared.ip4_mode == JailSystem::New => {
                let network = Ipv4Network::from(*address);
                if !shared.ip4.iter().any(|alias| alias.network.ip() == *address) {
                    shared.ip4.push(Alias { interface: None, network });
                }
            }
            IpAddr::V6(address) if shared.ip6_mode == JailSystem::New => {
                let network = Ipv6Network::from(*address);
                if !shared.ip6.iter().any(|alias| alias.network.ip() == *address) {
                    shared.ip6.push(Alias { interface: None, network });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn mode(sharing: Sharing) -> JailSystem {
    match sharing {
        Sharing::Disable => JailSystem::Disable,
        Sharing::New => JailSystem::New,
        Sharing::Inherit => JailSystem::Inherit,
    }
}

fn parameters(config: &JailConfig, facts: &HostFacts) -> JailParameters {
    let mut parameters = JailParameters::new(&config.name.kernel_name())
        .hostname(&config.host.hostname)
        .set("host.domainname", config.host.domainname.as_str())
        .set("host.hostuuid", config.host.uuid.as_str())
        .set("securelevel", config.securelevel)
        .set("enforce_statfs", config.enforce_statfs)
        .set("children.max", config.children_max);
    let sysv = [("sysvmsg", config.sysvmsg), ("sysvsem", config.sysvsem), ("sysvshm", config.sysvshm)];
    for ((name, sharing), present) in sysv.into_iter().zip(facts.sysv) {
        // A kernel without this feature refuses the parameter with any value.
        if present {
            parameters = parameters.set(name, mode(sharing));
        }
    }
    for (name, on) in config.allow.iter() {
        // New jails have all permissions off, except this one. A permission that is off is not set, because the
        // kernel may not know it.
        if on || name == "allow.set_hostname" {
            parameters = parameters.set(name, on);
        }
    }
    parameters
}

/// The devices that iocage shows in a jail's /dev.
const SHOWN: [&str; 14] = [
    "null", "zero", "crypto", "random", "urandom", "ptmx", "pts", "pts/*", "fd", "fd/*", "stdin", "stdout",
    "stderr", "zfs",
];

fn devfs(devfs: &Devfs) -> wiring::Devfs {
    let mut rules = Vec::new();
    match devfs.ruleset {
        0 => {}
        4 => {
            rules.push(DevfsRule::hide_all());
            rules.extend(SHOWN[..5].iter().map(|pattern| DevfsRule::unhide(pattern)));
            // The old BSD pseudo-terminals: sixteen letters for each side.
            for side in ["pty", "tty"] {
                for letter in "pqrsPQRSlmnoLMNO".chars() {
                    rules.push(DevfsRule::unhide(&format!("{side}{letter}*")));
                }
            }
            rules.extend(SHOWN[5..].iter().map(|pattern| DevfsRule::unhide(pattern)));
        }
        other => rules.push(DevfsRule::include(other)),
    }
    for (shown, pattern) in [(devfs.bpf, "bpf*"), (devfs.tun, "tun*"), (devfs.fuse, "fuse")] {
        if shown {
            rules.push(DevfsRule::unhide(pattern));
        }
    }
    if rules.is_empty() {
        return wiring::Devfs::Existing(0);
    }
    wiring::Devfs::Generate { first: devfs.first, rules }
}

/// The options of an fstab's line, without words that are only for mount(8).
pub(super) fn mount_options(line: &Mount) -> impl Iterator<Item = (String, Option<String>)> {
    let words = line.options.iter();
    let options = words.filter(|option| !matches!(option.as_str(), "rw" | "noauto" | "late" | "failok"));
    options.map(|option| match option.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (option.clone(), None),
    })
}

fn mounts(config: &JailConfig) -> Vec<MountSpec> {
    let mut mounts: Vec<MountSpec> = Vec::new();
    for (line, beneath) in &config.mounts.fstab {
        mounts.push(MountSpec {
            fstype: line.fstype.clone(),
            from: line.source.clone().into(),
            beneath: beneath.clone(),
            options: mount_options(line).collect(),
            ruleset: line.fstype == "devfs",
        });
    }
    let own = |fstype: &str, beneath: &str| MountSpec {
        fstype: fstype.to_owned(),
        from: fstype.into(),
        beneath: PathBuf::from(beneath),
        options: Vec::new(),
        ruleset: fstype == "devfs",
    };
    let wanted = [
        (config.mounts.devfs, "devfs", "dev"),
        (config.mounts.fdescfs, "fdescfs", "dev/fd"),
        (config.mounts.procfs, "procfs", "proc"),
        (config.mounts.linprocfs, "linprocfs", "compat/linux/proc"),
    ];
    mounts.extend(wanted.iter().filter(|(on, ..)| *on).map(|(_, fstype, beneath)| own(fstype, beneath)));
    mounts
}

//! `setup`: attaches a container to all its networks, or after an error to none.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jailwire::files::{Files, KernelGate};
use jailwire::jail::JailInfo;
use jailwire::types::{InterfaceName, MacAddr, Mtu, VlanId};
use jailwire::wiring::nat::Publication;
use jailwire::{OptionalExtension as _, Via};

use super::Cli;
use super::aardvark::{self, Aardvark, Entry};
use super::addresses::Addresses;
use super::create::INSTEAD;
use super::error::{Failure, Result};
use super::firewall::Driver;
use super::options::{self, BridgeOptions, Mode};
use super::types::{Connection, Container, Interface, Network, Route, Status};
use crate::host::{Attachment, BridgeWanted, Host, Key, Link, StaticRoute, forwarding};
use crate::say;

/// The DNS domain of containers' names.
const SEARCH_DOMAIN: &str = "dns.podman";

/// A network to which a container will be attached.
struct Planned {
    /// The network's name, which is the key in the answer.
    name: String,
    attachment: Attachment,
    addresses: Addresses,
    entry: Option<Entry>,
    dns_servers: Vec<IpAddr>,
    /// Whether the network leads outside, and netavark manages the bridge.
    open: bool,
}

/// Attaches a container to its networks. Returns the result for podman.
pub fn run(cli: &Cli, namespace: &str) -> Result<BTreeMap<String, Status>> {
    cli.require_root()?;
    let driver = Driver::named(cli.firewall_driver.as_deref())?;
    let port = aardvark::port()?;
    let config = cli.config_directory("setup")?;
    let container = Container::load(cli.file.as_deref())?;
    let host = Host::open(crate::kernel::chosen().map_err(Failure::new)?)?;
    let jail = host.jail(namespace).map_err(|failure| Failure::from(failure).during("invalid namespace"))?;
    let published = driver.published(&container)?;
    let gate = KernelGate(&**host.kernel());
    let server = Aardvark::new(gate.0, Files::through(&gate), config, cli.aardvark_binary.as_ref(), port);
    let mut planned = Vec::new();
    for connection in &container.networks {
        let network = container.network(connection)?;
        planned.push(plan(&host, driver, &server, &container, connection, network)?);
    }
    publish(&mut planned, &published)?;
    let attachments: Vec<Attachment> = planned.iter().map(|one| one.attachment.clone()).collect();
    let names: Vec<_> = attachments.iter().map(|one| (one.network.clone(), one.interface)).collect();
    let prepared = host.prepare(jail.clone(), &container.container_id, &names)?;
    let attached = host.attach(&prepared, &attachments)?;
    // Release the container's lock: detaching after a failure takes it again.
    drop(prepared);
    let entries: Vec<Entry> = planned.iter().filter_map(|one| one.entry.clone()).collect();
    if let Err(failure) = server.add(&entries) {
        undo(&host, &jail, &container, &attachments);
        return Err(failure.during("error while applying dns entries"));
    }
    let answer = planned.into_iter().zip(attached).map(|(one, nic)| {
        let mac = nic.jail_mac.map(|mac| mac.to_string()).unwrap_or_default();
        let interface = Interface { mac_address: mac, subnets: one.addresses.answer };
        let status = Status {
            dns_search_domains: one.entry.iter().map(|_| SEARCH_DOMAIN.to_owned()).collect(),
            dns_server_ips: one.dns_servers,
            interfaces: [(nic.jail.to_string(), interface)].into(),
        };
        (one.name, status)
    });
    Ok(answer.collect())
}

/// Undoes everything after a failure. The caller reports that failure.
fn undo(host: &Host, jail: &JailInfo, container: &Container, attachments: &[Attachment]) {
    for attachment in attachments {
        let key = Key::new(&container.container_id, &attachment.network, &attachment.interface);
        let _ = host.detach(Some(jail), &key);
    }
}

/// Checks everything about a network that can be checked before anything is changed.
fn plan(
    host: &Host,
    driver: Driver,
    server: &Aardvark<'_>,
    container: &Container,
    connection: &Connection,
    network: &Network,
) -> Result<Planned> {
    check_driver(network)?;
    let options = BridgeOptions::read(network.options.as_ref(), false)?;
    if options.vrf.is_some() {
        return Err(Failure::new(format!(
            "network {}: option vrf is not supported: FreeBSD has routing tables (fib) in place of VRF devices",
            network.name
        )));
    }
    let masquerade = driver.masquerade(network, &options)?;
    let isolation = driver.isolation(network, &options)?;
    let managed = options.mode == Mode::Managed;
    let addresses = Addresses::of(network, connection, managed)?;
    let bridge: InterfaceName = match network.network_interface.as_deref() {
        None | Some("") => return Err(Failure::new("no bridge interface name given")),
        Some(name) => interface_name(name)?,
    };
    if connection.interface_name.is_empty() {
        return Err(Failure::new("no container interface name given"));
    }
    let host_interface: Option<String> = options::read(connection.options.as_ref(), "host_interface_name")?;
    let mtu = options.mtu.map(|mtu| Mtu::new(mtu).map_err(|error| Failure::new(error.to_string())));
    let vlan = options.vlan.map(|vlan| VlanId::new(vlan).map_err(|error| Failure::new(error.to_string())));
    let forwards = managed && !network.internal;
    let routers: Vec<IpAddr> =
        addresses.gateways.iter().filter(|_| forwards).map(|gateway| gateway.0.ip()).collect();
    let attachment = Attachment {
        network: connection.name.clone(),
        interface: interface_name(&connection.interface_name)?,
        host_interface: host_interface
            .filter(|name| !name.is_empty())
            .map(|name| interface_name(&name))
            .transpose()?,
        mac: connection.static_mac.as_deref().filter(|mac| !mac.is_empty()).map(mac_address).transpose()?,
        mtu: mtu.transpose()?,
        link: Link::Bridge(BridgeWanted {
            name: bridge,
            make: managed,
            addresses: if managed { addresses.gateways.clone() } else { Vec::new() },
            addresses_always: false,
            replace_addresses: false,
            filter: options.vlan.is_some(),
            forwarding: forwarding::sysctls(&routers),
        }),
        vlan: vlan.transpose()?,
        apart: false,
        addresses: addresses.container.clone(),
        detect_duplicates: false,
        routers: if network.internal || options.no_default_route { Vec::new() } else { addresses.routers() },
        metric: options.metric,
        routes: network.routes().iter().map(static_route).collect::<Result<_>>()?,
        reservation: None,
        masquerade,
        isolation,
        published: Vec::new(),
    };
    let (entry, dns_servers) =
        names(host, server, container, connection, network, (!managed).then_some(bridge), &addresses)?;
    let open = managed && !network.internal;
    Ok(Planned { name: network.name.clone(), attachment, addresses, entry, dns_servers, open })
}

/// Publishes ports on each network that leads outside, so that they still work when the container leaves one of
/// these networks.
fn publish(planned: &mut [Planned], published: &[Publication]) -> Result<()> {
    let mut open: Vec<_> = planned.iter_mut().filter(|one| one.open).collect();
    if let (Some(first), true) = (published.first(), open.is_empty()) {
        return Err(Failure::new(format!(
            "cannot publish port {first}: the container is on no managed network that leads outside"
        )));
    }
    open.iter_mut().for_each(|one| one.attachment.published = published.to_owned());
    Ok(())
}

/// Refuses what is not a bridge network.
pub fn check_driver(network: &Network) -> Result<()> {
    match network.driver.as_str() {
        "bridge" => Ok(()),
        driver @ ("macvlan" | "ipvlan") => Err(Failure::new(format!(
            "network {}: driver {driver} is not supported: {INSTEAD}",
            network.name
        ))),
        driver => Err(Failure::new(format!(
            "network {}: driver {driver:?} is not supported: use driver bridge",
            network.name
        ))),
    }
}

/// Returns the DNS server's entry for a container, and the container's name servers. If aardvark-dns is missing, no server
/// answers at the gateway: the name servers are then those of the container or, without these, those of the network.
fn names(
    host: &Host,
    server: &Aardvark<'_>,
    container: &Container,
    connection: &Connection,
    network: &Network,
    unmanaged: Option<InterfaceName>,
    addresses: &Addresses,
) -> Result<(Option<Entry>, Vec<IpAddr>)> {
    if !network.dns_enabled {
        return Ok((None, container.dns_servers.clone()));
    }
    if !server.is_there() {
        say::warn(&format!(
            "network {}: aardvark-dns is not here (option --aardvark-binary): containers are not found by their names",
            network.name
        ));
        let of_network = network.network_dns_servers.clone().unwrap_or_default();
        let own = container.dns_servers.clone();
        return Ok((None, if own.is_empty() { of_network } else { own }));
    }
    let listen: Vec<IpAddr> = match unmanaged {
        None => addresses.gateways.iter().map(|gateway| gateway.0.ip()).collect(),
        Some(bridge) => usable_addresses(host, &bridge)?,
    };
    let all = std::iter::once(&container.container_name).chain(&connection.aliases);
    let entry = Entry {
        network: network.name.clone(),
        internal: network.internal,
        listen: listen.clone(),
        network_servers: network.network_dns_servers.clone().unwrap_or_default(),
        container: container.container_id.clone(),
        addresses: addresses.container.clone(),
        names: aardvark::names(all),
        container_servers: container.dns_servers.clone(),
    };
    Ok((Some(entry), listen))
}

/// The addresses of an unmanaged bridge on which the DNS server can listen.
fn usable_addresses(host: &Host, bridge: &InterfaceName) -> Result<Vec<IpAddr>> {
    let found = host.stack().interface(bridge).optional().map_err(|error| Failure::new(error.to_string()))?;
    let Some(found) = found else {
        return Err(Failure::new(format!(
            "in unmanaged mode, the bridge must already exist on the host: there is no {bridge}"
        )));
    };
    let addresses = found.addresses.iter().map(|address| address.network.ip());
    let usable: Vec<IpAddr> = addresses
        .filter(|address| !matches!(address, IpAddr::V6(local) if local.is_unicast_link_local()))
        .collect();
    if usable.is_empty() {
        return Err(Failure::new(format!(
            "bridge '{bridge}' in unmanaged mode has no usable IP addresses. Aardvark-dns requires at least one address (should not be an IPv6 link-local address) to bind to. Please add an IP address or disable DNS for this network (--disable-dns)."
        )));
    }
    Ok(usable)
}

fn interface_name(text: &str) -> Result<InterfaceName> {
    text.parse().map_err(|error| Failure::new(format!("interface name {text:?}: {error}")))
}

fn mac_address(text: &str) -> Result<MacAddr> {
    let mac: MacAddr =
        text.parse().map_err(|error| Failure::new(format!("unable to parse mac address {text}: {error}")))?;
    if !mac.is_usable() {
        return Err(Failure::new(format!(
            "mac address {mac} cannot be that of an interface: its first byte must be even, and it must not be zero"
        )));
    }
    Ok(mac)
}

/// A route of a network. FreeBSD's routes have no metric, so each destination has one route.
fn static_route(route: &Route) -> Result<StaticRoute> {
    let destination = route.destination;
    let via = match (route.route_type.as_deref().unwrap_or_default(), route.gateway) {
        ("" | "unicast", Some(gateway)) => Via::Gateway(gateway.into()),
        ("" | "unicast", None) => {
            return Err(Failure::new(format!("route {destination} requires a gateway for type unicast")));
        }
        ("blackhole", None) => Via::Blackhole,
        ("unreachable" | "prohibit", None) => Via::Reject,
        (kind @ ("blackhole" | "unreachable" | "prohibit"), Some(_)) => {
            return Err(Failure::new(format!("route {destination} must not have a gateway for type {kind}")));
        }
        (other, _) => return Err(Failure::new(format!("invalid route type {other:?}"))),
    };
    Ok(StaticRoute { destination, via })
}

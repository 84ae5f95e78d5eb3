//! `create`: completes and checks the configuration of a new network. Nothing is changed on the host.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jailwire::Vnet;
use jailwire::kernel::Kernel;

use super::error::{Failure, Result};
use super::firewall;
use super::options::{BridgeOptions, Mode};
use super::subnets;
use super::types::{CreateOptions, Network, NetworkCreate, Route, Used};

/// What podman uses instead of Linux's macvlan and ipvlan.
pub const INSTEAD: &str = "FreeBSD has no such interfaces: create a bridge with the physical interface on it, for example `ifconfig bridge0 create addm em0 up`, and a network on it with `podman network create --driver bridge --interface-name bridge0 --opt mode=unmanaged --disable-dns --subnet …`";

/// The largest number that is tried in an interface's name.
const LAST_NAME: u32 = 1_000_000;

/// Completes and checks a network.
pub fn new_network(kernel: &Arc<dyn Kernel>, input: NetworkCreate, plugins: &[PathBuf]) -> Result<Network> {
    let NetworkCreate { mut network, used, options } = input;
    check_name(&network.name, &used)?;
    check_id(&network.id)?;
    if let Some(name) = &network.network_interface {
        check_interface_name(name)?;
    }
    check_ipam(&network)?;
    let check_used = match network.driver.as_str() {
        "bridge" => bridge(kernel, &mut network, &used, &options)?,
        "macvlan" | "ipvlan" => {
            return Err(Failure::new(format!("driver {} is not supported: {INSTEAD}", network.driver)));
        }
        driver => return Err(no_plugin(driver, plugins)),
    };
    if network.ipam_driver() == Some("none") {
        network.dns_enabled = false;
    }
    if network.network_dns_servers.is_some() && !network.dns_enabled {
        return Err(Failure::new("cannot set NetworkDNSServers if DNS is not enabled for the network"));
    }
    subnets::check_apart(network.subnets())?;
    let needs_gateway = !network.internal || network.dns_enabled;
    let used_subnets: &[_] = if check_used { &used.subnets } else { &[] };
    for subnet in network.subnets.iter_mut().flatten() {
        subnets::complete(subnet, needs_gateway, used_subnets)?;
        network.ipv6_enabled |= subnet.subnet.0.is_ipv6();
    }
    network.routes().iter().try_for_each(check_route)?;
    network.created = Some(rfc3339(kernel.wall_clock()));
    Ok(network)
}

/// Whether a name has only characters that are allowed in names of files and interfaces.
fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    first && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn check_name(name: &str, used: &Used) -> Result<()> {
    if name.is_empty() {
        return Err(Failure::new("Network name must be supplied"));
    }
    if !is_name(name) {
        return Err(Failure::new(format!(
            "Invalid characters in network name {name:?}: must match [a-zA-Z0-9][a-zA-Z0-9_.-]*"
        )));
    }
    // podman searches for this text.
    if used.names.contains_key(name) {
        return Err(Failure::new(format!("network already exists {name}")));
    }
    Ok(())
}

fn check_id(id: &str) -> Result<()> {
    if id.is_empty() {
        return Err(Failure::new("Network id must be supplied"));
    }
    if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) || id.len() != 64 {
        return Err(Failure::new(format!("Network id must be a hexadecimal string {id:?} of 64 digits")));
    }
    Ok(())
}

fn check_interface_name(name: &str) -> Result<()> {
    if name.chars().count() > 15 {
        return Err(Failure::new(format!(
            "Interface name is too long: interface names must be 15 characters or less: {name}"
        )));
    }
    if matches!(name, "" | "." | "..") {
        return Err(Failure::new("Interface name cannot be . or .."));
    }
    match name.chars().find(|letter| matches!(letter, '/' | ':') || letter.is_whitespace()) {
        Some(letter) => Err(Failure::new(format!("Interface name cannot contain {letter:?}"))),
        None => Ok(()),
    }
}

fn check_ipam(network: &Network) -> Result<()> {
    match network.ipam_driver() {
        None | Some("" | "host-local" | "dhcp") => Ok(()),
        Some("none") if network.subnets().is_empty() => Ok(()),
        Some("none") => Err(Failure::new("None ipam driver is set but subnets are given")),
        Some(other) => Err(Failure::new(format!("Unsupported ipam driver: {other}"))),
    }
}

/// Completes a bridge network. Returns whether its subnets must be unused.
fn bridge(
    kernel: &Arc<dyn Kernel>,
    network: &mut Network,
    used: &Used,
    create: &CreateOptions,
) -> Result<bool> {
    if let Some(options) = &mut network.options {
        // Docker's names of these options.
        if let Some(mtu) = options.remove("com.docker.network.driver.mtu") {
            options.insert("mtu".to_owned(), mtu);
        }
        network.network_interface =
            options.remove("com.docker.network.bridge.name").or(network.network_interface.take());
    }
    let options = BridgeOptions::read(network.options.as_ref(), true)?;
    firewall::check_outbound(network, &options)?;
    // Several networks may be on one bridge if VLANs separate them, or if another program manages the bridge.
    let own_bridge = options.vlan.is_none() && options.mode == Mode::Managed;
    match &network.network_interface {
        Some(name) if own_bridge && used.interfaces.contains(name) => {
            return Err(Failure::new(format!("bridge name {name} already in use")));
        }
        Some(name) if !is_name(name) => {
            return Err(Failure::new(format!("bridge name {name} is invalid")));
        }
        Some(_) => {}
        None => network.network_interface = Some(free_name(kernel, used, create)?),
    }
    let check_used = own_bridge && create.check_used_subnets;
    if matches!(network.ipam_driver(), None | Some("" | "host-local")) {
        let all = network.subnets.get_or_insert_default();
        if all.is_empty() {
            all.push(subnets::free_ipv4(&used.subnets, &create.subnet_pools, check_used)?);
        }
        if network.ipv6_enabled {
            if !all.iter().any(|subnet| subnet.subnet.0.is_ipv4()) {
                all.push(subnets::free_ipv4(&used.subnets, &create.subnet_pools, check_used)?);
            }
            if !all.iter().any(|subnet| subnet.subnet.0.is_ipv6()) {
                all.push(subnets::free_ipv6(&used.subnets)?);
            }
        }
        network.ipam_options.get_or_insert_default().insert("driver".to_owned(), "host-local".to_owned());
    }
    Ok(check_used)
}

/// Returns the first name for a bridge that no interface and no network has.
fn free_name(kernel: &Arc<dyn Kernel>, used: &Used, create: &CreateOptions) -> Result<String> {
    let prefix = create
        .default_interface_name
        .as_deref()
        .ok_or_else(|| Failure::new("default interface name is not set"))?;
    let present = interfaces(kernel)?;
    let taken = |name: &String| {
        present.contains(name) || used.interfaces.contains(name) || used.names.contains_key(name)
    };
    let mut names = (1..LAST_NAME).map(|number| format!("{prefix}{number}"));
    names
        .find(|name| !taken(name))
        .ok_or_else(|| Failure::new(format!("Could not find a free device name after {LAST_NAME} attempts")))
}

/// The names of the host's interfaces.
fn interfaces(kernel: &Arc<dyn Kernel>) -> Result<BTreeSet<String>> {
    let links = Vnet::host(Arc::clone(kernel)).links().map_err(|error| Failure::new(error.to_string()))?;
    Ok(links.into_iter().map(|link| link.name.to_string()).collect())
}

/// netavark's plugins are programs for Linux network namespaces.
fn no_plugin(driver: &str, plugins: &[PathBuf]) -> Failure {
    let path = |directory: &PathBuf| Path::new(directory).join(driver);
    match plugins.iter().map(path).find(|path| path.is_file()) {
        Some(path) => Failure::new(format!(
            "driver {driver:?} is the plugin {}, and plugins are not supported: use driver bridge",
            path.display()
        )),
        None => Failure::new(format!(
            "plugin for driver {driver:?} not found in plugin directories, and plugins are not supported: use driver bridge"
        )),
    }
}

fn check_route(route: &Route) -> Result<()> {
    let destination = route.destination;
    if destination.0.ip() != destination.0.network() {
        return Err(Failure::new(format!(
            "route destination invalid: {destination} is an address, and its network is {}",
            destination.0.network()
        )));
    }
    match (route.route_type.as_deref().unwrap_or_default(), route.gateway) {
        ("" | "unicast", None) => {
            Err(Failure::new(format!("route {destination} requires a gateway for type unicast")))
        }
        (kind @ ("blackhole" | "unreachable" | "prohibit"), Some(_)) => {
            Err(Failure::new(format!("route {destination} must not have a gateway for type {kind}")))
        }
        ("" | "unicast" | "blackhole" | "unreachable" | "prohibit", _) => Ok(()),
        (other, _) => Err(Failure::new(format!("invalid route type {other:?}"))),
    }
}

/// A time in the form of RFC 3339, in UTC.
fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // The numbers of days in four centuries, in a century, in four years and in a year. Years are counted from
    // March 1.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}.{:09}Z",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_nanos()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_their_date() {
        let at = |seconds| rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59.000000000Z");
        assert_eq!(at(1_709_251_200), "2024-03-01T00:00:00.000000000Z");
        assert_eq!(at(4_107_542_399), "2100-02-28T23:59:59.000000000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000000000Z");
    }
}

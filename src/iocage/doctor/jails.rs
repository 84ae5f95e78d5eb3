//! Checks the jails: their configurations, and what two jails must not have in common.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;

use super::finding::{Finding, Kind, Level, list};
use super::remedies::each;
use super::{Scene, Subject};
use crate::files::Files;
use crate::interface::Interface;
use crate::iocage::config::{self, JailConfig, Network, VnetNetwork};
use crate::iocage::fitness;
use crate::iocage::lifecycle::Host;
use crate::iocage::name::JailName;
use crate::iocage::property::{Scope, find};
use crate::iocage::router::Router;
use crate::iocage::store::Entry;
use crate::iocage::trust::quoted;
use crate::types::{InterfaceName, MacAddr};
use crate::wiring::bulk::Limits;

/// The addresses of a jail's default routers, if the configuration names them.
pub(super) fn routers(network: &VnetNetwork) -> Vec<IpAddr> {
    let address4 = match network.router4 {
        Router::Address(address) => Some(IpAddr::V4(address)),
        _ => None,
    };
    let address6 = match network.router6 {
        Router::Address(router) => Some(IpAddr::V6(router.address)),
        _ => None,
    };
    address4.into_iter().chain(address6).collect()
}

/// An address. For a link-local address, also the interface of the host on its link: on another link, the same
/// address belongs to another host.
type Place = (IpAddr, Option<InterfaceName>);

/// All addresses of a configuration. A link-local address without a bridge is on a link of its own, and left out.
fn addresses(config: &JailConfig) -> Vec<Place> {
    let place = |address: IpAddr, link: Option<InterfaceName>| match is_link_local(address) {
        // Each network stack has its own loopback addresses.
        _ if address.is_loopback() && matches!(config.network, Network::Vnet(_)) => None,
        true => link.map(|link| (address, Some(link))),
        false => Some((address, None)),
    };
    match &config.network {
        Network::Vnet(network) => {
            let of_nic = |nic: &config::Nic| {
                let ip4 = nic.ip4.iter().map(|network| IpAddr::V4(network.ip()));
                let ip6 = nic.ip6.iter().map(|network| IpAddr::V6(network.ip()));
                ip4.chain(ip6).filter_map(|address| place(address, nic.bridge)).collect::<Vec<_>>()
            };
            network.nics.iter().flat_map(of_nic).collect()
        }
        Network::Shared(network) => {
            let ip4 = network.ip4.iter().map(|one| (IpAddr::V4(one.address.address()), one.interface));
            let ip6 = network.ip6.iter().map(|one| (IpAddr::V6(one.address.address()), one.interface));
            ip4.chain(ip6).filter_map(|(address, interface)| place(address, interface)).collect()
        }
    }
}

/// Whether an address is link-local.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

impl Scene<'_> {
    /// Reports the problems of configurations, for example routers outside of their subnets.
    pub(super) fn configurations(&self, found: &mut Vec<Finding>) {
        for subject in &self.jails {
            let name = subject.name();
            let problems = match &subject.config {
                Ok(config) => config.warnings.as_slice(),
                Err(error) if !error.config_problems().is_empty() => error.config_problems(),
                Err(error) => {
                    found.push(
                        Finding::new(Level::Error, Kind::Unreadable, format!("{name}: {error}"))
                            .because("the jail cannot be started, and is listed as CORRUPT")
                            .mend(format!("restore {}", subject.entry.config_path().display()))
                            .of([name]),
                    );
                    continue;
                }
            };
            for problem in problems {
                let (level, why) = severity(problem);
                found.push(
                    Finding::new(level, Kind::Configuration, format!("{name}: {problem}"))
                        .because(why)
                        .mend(remedy(problem, &subject.entry))
                        .of([name]),
                );
            }
        }
    }

    /// Reports the problems of defaults.json, once for all jails.
    pub(super) fn defaults(&self, found: &mut Vec<Finding>) {
        let Ok(defaults) = self.store.defaults() else { return };
        let document = defaults.document();
        for key in document.keys() {
            let Some(problem) = config::unknown_key(&defaults, document, key) else { continue };
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::UnknownDefault,
                    format!("{}: {problem}", key.escape_debug()),
                )
                .because("jails may not work as was meant")
                .mend(format!("write another key in {}, or take it out", document.path().display()))
                .of(self.jails.iter().map(|subject| subject.name())),
            );
        }
    }

    /// Reports what prevents jails that are down from being started on this host.
    pub(super) fn misfits(&self, found: &mut Vec<Finding>) {
        let files = Files::new();
        let Ok(mut host) = Host::look(self.vnet.kernel().clone(), self.store, files) else { return };
        host.begin_bulk(&Limits::ONE);
        for subject in self.jails.iter().filter(|subject| subject.jid.is_none()) {
            let Ok(config) = &subject.config else { continue };
            let mut problems = host.misfits(config).unwrap_or_default();
            if let Ok(properties) = self.store.properties(&subject.entry) {
                problems.extend(fitness::dependencies(self.store, &subject.entry, &properties));
            }
            let name = subject.name();
            // Leave out what other checks report with more details.
            let kinds: Vec<Kind> =
                found.iter().filter(|other| other.jails.contains(name)).map(|other| other.kind).collect();
            let told = |about: &str| match about {
                "root" => kinds.contains(&Kind::Configuration),
                "vnet" => kinds.contains(&Kind::NoVimage),
                "interfaces" => kinds.contains(&Kind::NotABridge) || kinds.contains(&Kind::NoBridge),
                "vnet_default_interface" => kinds.contains(&Kind::AddressOnUplink),
                mtu if mtu.ends_with("_mtu") => kinds.contains(&Kind::NicMtu),
                _ => false,
            };
            for problem in problems.iter().filter(|problem| !told(&problem.about)) {
                let (level, why) = severity(problem);
                found.push(
                    Finding::new(level, Kind::Misfit, format!("{name}: {problem}"))
                        .because(why)
                        .mend(remedy(problem, &subject.entry))
                        .of([name]),
                );
            }
        }
    }

    /// Reports IP and MAC addresses that more than one jail has.
    pub(super) fn duplicates(&self, found: &mut Vec<Finding>) {
        let mut by_address: BTreeMap<Place, Vec<(&Subject, bool)>> = BTreeMap::new();
        let mut by_mac: BTreeMap<MacAddr, Vec<&Subject>> = BTreeMap::new();
        for subject in &self.jails {
            let Ok(config) = &subject.config else { continue };
            let own_stack = subject.vnet().is_some();
            for address in addresses(config) {
                by_address.entry(address).or_default().push((subject, own_stack));
            }
            for mac in config.macs() {
                by_mac.entry(mac).or_default().push(subject);
            }
        }
        for (address, holders) in by_address {
            self.duplicate_address(address, &holders, found);
        }
        // If two jails share a pair of MAC addresses, report that once.
        let mut same: BTreeMap<Vec<&JailName>, (Vec<MacAddr>, Vec<&Subject>)> = BTreeMap::new();
        for (mac, subjects) in by_mac.into_iter().filter(|(_, subjects)| subjects.len() > 1) {
            let names = subjects.iter().map(|subject| subject.name()).collect();
            let (macs, _) = same.entry(names).or_insert((Vec::new(), subjects));
            macs.push(mac);
        }
        for (jails, (macs, subjects)) in same {
            let what = format!("{} have the same MAC address: {}", list(&jails), list(&macs));
            // The first jail keeps its addresses.
            let others = subjects[1..].iter().map(|subject| without_macs(subject, &macs));
            let mut mend = each(others);
            mend[0] = format!("give all but one a new pair at their next start: {}", mend[0]);
            found.push(
                Finding::new(Level::Error, Kind::DuplicateMac, what)
                    .because("a bridge sends what is for one of them to the other")
                    .mend_by(mend)
                    .of(jails),
            );
        }
    }

    /// The interface of the host that has the address of a jail's default router. A link-local address has to be on
    /// the router's link: every host has fe80::1 on lo0, too.
    pub(super) fn with_router(&self, network: &VnetNetwork, router: IpAddr) -> Option<InterfaceName> {
        if router.is_loopback() {
            return None;
        }
        let link = match is_link_local(router) {
            true => Some(network.nics.get(network.router6_nic?)?.bridge?),
            false => None,
        };
        Some(self.with_address((router, link))?.name)
    }

    /// The interface of the host that has an address, on its link.
    fn with_address(&self, (address, link): Place) -> Option<&Interface> {
        let on_link = |interface: &&Interface| {
            let is_member = |link: InterfaceName| {
                self.members.get(&link).is_some_and(|members| members.contains(&interface.name))
            };
            link.is_none_or(|link| link == interface.name || is_member(link))
        };
        let has = |interface: &&Interface| interface.addresses.iter().any(|one| one.network.ip() == address);
        self.interfaces.iter().filter(on_link).find(has)
    }

    fn duplicate_address(&self, place: Place, holders: &[(&Subject, bool)], found: &mut Vec<Finding>) {
        let (address, _) = place;
        let jails: Vec<_> = holders.iter().map(|(subject, _)| subject.name()).collect();
        let elsewhere = |(subject, _): &(&Subject, bool)| self.with_another_address(subject, address);
        let own_stack = holders.iter().any(|(_, own_stack)| *own_stack);
        // Shared-IP jails may share an address of the host.
        if jails.len() > 1 && own_stack {
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::DuplicateAddress,
                    format!("{} have the same address, {address}", list(&jails)),
                )
                .because("if both run, each receives some of the other's packets, and does not use the address if it is one of IPv6")
                .mend_by(each(holders[1..].iter().map(elsewhere)))
                .of(jails.clone()),
            );
        }
        if let (Some(interface), true) = (self.with_address(place), own_stack) {
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::AddressOfHost,
                    format!(
                        "{address}, which {} shall have, is the host's on {}",
                        list(&jails),
                        interface.name
                    ),
                )
                .because("both answer for it, and neither is reached reliably")
                .mend_by(each(holders.iter().map(elsewhere)))
                .of(jails),
            );
        }
    }

    /// The command that replaces an address of a jail with another address.
    fn with_another_address(&self, subject: &Subject, address: IpAddr) -> String {
        let property = property(address);
        let text = self.raw(subject, property);
        let piece = |piece: &str| {
            let (before, own) = piece.rsplit_once('|').map_or(("", piece), |(nic, own)| (nic, own));
            let bar = if before.is_empty() { "" } else { "|" };
            let end = own.find(['/', '%']).unwrap_or(own.len());
            match own[..end].trim().parse::<IpAddr>() {
                Ok(it) if it == address => format!("{before}{bar}ADDRESS{}", &own[end..]),
                _ => piece.to_owned(),
            }
        };
        let text = text.split(',').map(piece).collect::<Vec<_>>().join(",");
        format!("iocage set {property}=\"{text}\" {}", subject.name())
    }

    /// Reports directories that look like jails but have an impossible name.
    pub(super) fn names(&self, found: &mut Vec<Finding>) {
        let directory = self.store.root().join("jails");
        let mut flat: BTreeMap<String, JailName> = BTreeMap::new();
        let mut paths: Vec<_> =
            fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || !path.is_dir() {
                continue;
            }
            match JailName::new(&name) {
                Err(error) => found.push(
                    Finding::new(Level::Warning, Kind::NoJailName, error.to_string())
                        .because("the directory is passed over: nothing can be done with it as a jail")
                        .mend(format!("mv {} {}", quoted(&path), quoted(&directory.join("NAME")))),
                ),
                Ok(name) => {
                    if let Some(other) = flat.insert(name.flat(), name.clone()) {
                        found.push(
                            Finding::new(
                                Level::Error,
                                Kind::SameKernelName,
                                format!("{other} and {name} are the same to the kernel, {}", name.kernel_name()),
                            )
                            .because("each would be taken for the other: started, stopped and destroyed in its place")
                            .mend(format!("iocage rename {name} NAME"))
                            .of([&other, &name]),
                        );
                    }
                }
            }
        }
    }
}

/// The level of a problem in a configuration, and why it matters.
fn severity(problem: &config::Problem) -> (Level, &'static str) {
    match problem.level {
        config::Level::Error => (Level::Error, "the jail cannot be started"),
        config::Level::Warning => (Level::Warning, "the jail may not work as was meant"),
    }
}

/// The command that removes a jail's copied MAC addresses, so that the next start generates new ones.
fn without_macs(subject: &Subject, macs: &[MacAddr]) -> String {
    let nics = subject.vnet().into_iter().flat_map(|network| &network.nics);
    let has = |nic: &&config::Nic| {
        nic.mac.is_some_and(|pair| macs.contains(&pair.host()) || macs.contains(&pair.jail()))
    };
    let properties = nics.filter(has).map(|nic| format!("{}=none", nic.name.mac_property()));
    format!("iocage set {} {}", properties.collect::<Vec<_>>().join(" "), subject.name())
}

/// The remedy for a problem in a jail's files: a command, or a text and the file for it.
fn remedy(problem: &config::Problem, entry: &Entry) -> String {
    let is_property = find(&problem.about).is_some() || problem.about.ends_with("_mac");
    match problem.about.as_str() {
        "fstab" => format!("mend that line in {}", entry.fstab().display()),
        "root" => format!("restore {}", entry.root().display()),
        about if about.starts_with("mount_") && problem.message.contains("mkdir -p ") => {
            let command = problem.message.split("mkdir -p ").nth(1).unwrap_or_default();
            format!("mkdir -p {}", command.split(", or set").next().unwrap_or_default())
        }
        about if find(about).is_some_and(|property| property.scope == Scope::Host) => {
            format!("iocage set {} default", assignment(problem))
        }
        _ if is_property => format!("iocage set {} {}", assignment(problem), entry.name),
        // The problem is about the host, and not about a file.
        "host" => problem.message.split_once(": ").map_or(&*problem.message, |(_, how)| how).to_owned(),
        _ => format!("write another key in {}, or take it out", entry.config_path().display()),
    }
}

/// The assignment that the problem's text names, as in `vnet=1`. Without one, the property that the problem is
/// about. The result is one word for a shell.
fn assignment(problem: &config::Problem) -> String {
    let said = problem.message.split("set ").skip(1).find_map(said_value);
    said.map(|(name, value)| format!("{name}={}", for_shell(value))).unwrap_or_else(|| {
        match problem.message.ends_with("or none") {
            true => format!("{}=none", problem.about),
            false => format!("{}=VALUE", problem.about),
        }
    })
}

/// The property and the value at the beginning of a text: the value ends at a blank or a comma, or is in quotes.
fn said_value(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([' ', ',']).next()?.trim_end_matches([':', ';', '.']),
    };
    (is_name && !value.is_empty()).then_some((name, value))
}

/// Quotes a word for a shell, if that is needed.
fn for_shell(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:%@,+-".contains(&byte);
    match word.bytes().all(is_plain) {
        true => word.to_owned(),
        // The values in messages have no characters with a special meaning in these quotes.
        false => format!("\"{word}\""),
    }
}

fn property(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip4_addr" } else { "ip6_addr" }
}

//! A simulated host that begins from a description of `host describe`.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use jailwire::bridge::{BridgeFlags, MemberFlags, VlanSet};
use jailwire::ipnetwork::IpNetwork;
use jailwire::nd6::Nd6Flags;
use jailwire::route::{Gateway, Route, Via};
use jailwire::sim::{Hardware, Options, Release, Setting, Sim};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{Fib, InterfaceName, MacAddr, Mtu, OptionalExtension as _, VlanId, Vnet};
use serde_json::Value;

use crate::CommandError;

/// The sysctls with a number that commands read.
pub const NUMBERS: &[&str] = &[
    "kern.osreldate",
    "kern.features.vimage",
    "kern.racct.enable",
    "kern.securelevel",
    "net.fibs",
    "net.inet.ip.forwarding",
    "net.inet6.ip6.forwarding",
    "net.inet6.ip6.use_stableaddr",
    "net.link.bridge.member_ifaddrs",
    "net.link.bridge.allow_llz_overlap",
    "net.link.epair.ether_gen_addr",
];

/// The sysctls with a text that commands read.
pub const TEXTS: &[&str] = &["kern.osrelease", "kern.hostname", "kern.domainname", "kern.hostuuid"];

/// The copy of the description from which a simulated host was made.
const COPY: &str = "host.json";

/// Opens the simulated host in a directory. A new one begins from the description.
pub fn open(directory: &Path, file: &Path) -> Result<Sim, CommandError> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let copy = directory.join(COPY);
    if directory.exists() {
        if fs::read_to_string(&copy).is_ok_and(|begun| begun == text) {
            return Ok(Sim::open(directory)?);
        }
        let text = format!(
            "the simulated host in {} was not begun from {shown}: remove that directory to begin anew, or leave --sim-host out",
            directory.display()
        );
        return Err(text.into());
    }
    let described: Value = serde_json::from_str(&text)
        .map_err(|error| format!("{shown} is no description of `host describe`: {error}"))?;
    let made = begin(directory, &described).and_then(|sim| Ok(fs::write(&copy, &text).map(|()| sim)?));
    made.map_err(|error| {
        // Remove the incomplete host. If that fails, the next attempt reports it.
        let _ = fs::remove_dir_all(directory);
        format!("cannot begin a simulated host from {shown}: {error}").into()
    })
}

fn begin(directory: &Path, described: &Value) -> Result<Sim, CommandError> {
    let interfaces = list(described, "interfaces")?;
    let mut options = Options::default().with_bare(true).with_modules(texts(described, "modules")?);
    let mut sysctls = Vec::new();
    for (name, value) in described["sysctls"].as_object().ok_or("`sysctls` is missing")? {
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        match (name.as_str(), number, value.as_str()) {
            // kern.osreldate is not writable: it sets the release of the simulated host.
            ("kern.osreldate", Some(date), _) if date < 1_500_000 => {
                options = options.with_release(Release::V14_2);
            }
            ("kern.features.vimage", Some(vimage), _) => options = options.with_vimage(vimage != 0),
            (_, Some(number), _) => sysctls.push((name.clone(), Setting::Int(number))),
            (_, None, Some(text)) => sysctls.push((name.clone(), Setting::Text(text.to_owned()))),
            _ => return Err(format!("sysctl {name}: {value} is neither a number nor a text").into()),
        }
    }
    let mut cards = Vec::new();
    for one in interfaces.iter().filter(|one| one["cloner"].is_null()) {
        let (name, mac) = (text(one, "name")?, one["mac"].as_str().map(str::parse::<MacAddr>).transpose()?);
        let (driver, unit) = card(name);
        let mac = mac.map_or([0x58, 0x9c, 0xfc, 0, 0, 1], |mac| mac.0);
        // Descriptions of earlier versions do not tell whether a card is a port.
        let lagg_port = one["lagg_port"] == true;
        cards.push(Hardware::new(driver, unit, mac).with_lagg_port(lagg_port));
    }
    Sim::open_with(directory, options.with_sysctls(sysctls).with_hardware(cards))?;
    // The release and faults of the environment are for an existing host: set them now.
    let sim = Sim::open(directory)?;
    let host = Vnet::host(Arc::new(sim.clone()));
    for one in interfaces {
        make(&host, one).map_err(|error| format!("interface {}: {error}", one["name"]))?;
    }
    // Set references to other interfaces after all interfaces are made.
    for one in interfaces {
        connect(&host, one).map_err(|error| format!("interface {}: {error}", one["name"]))?;
    }
    for one in list(described, "routes")? {
        add_route(&host, one).map_err(|error| format!("route {}: {error}", one["to"]))?;
    }
    Ok(sim)
}

/// The driver and unit in the name of a network card. A renamed card gets unit 0.
fn card(name: &str) -> (&str, u16) {
    let driver = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    match name[driver.len()..].parse() {
        Ok(unit) if !driver.is_empty() => (driver, unit),
        _ => (name, 0),
    }
}

/// Makes an interface, with the settings that need no other interface.
fn make(host: &Vnet, one: &Value) -> Result<(), CommandError> {
    let name: InterfaceName = text(one, "name")?.parse()?;
    match one["cloner"].as_str() {
        None => {
            let (driver, unit) = card(name.as_str());
            let found: InterfaceName = format!("{driver}{unit}").parse()?;
            if found != name {
                host.rename(&found, &name)?;
            }
        }
        Some("vlan") => {
            let vlan = &one["vlan"];
            let parent = text(vlan, "parent")?.parse()?;
            let tag = VlanId::new(u16::try_from(number(vlan, "tag")?)?)?;
            host.create_vlan(&Vlan { parent, tag, protocol: VlanProtocol::Dot1q }, Some(&name), None)?;
        }
        Some(cloner) => {
            if !host.has_interface(&name)? {
                let numbered = name.as_str().strip_prefix(cloner);
                let usual = numbered.is_some_and(|unit| {
                    unit.trim_end_matches(['a', 'b']).bytes().all(|byte| byte.is_ascii_digit())
                });
                let asked = match (usual, cloner) {
                    (true, "epair") => name.as_str().trim_end_matches(['a', 'b']),
                    (true, _) => name.as_str(),
                    (false, _) => cloner,
                };
                let made = host.create(asked)?;
                if !host.has_interface(&name)? {
                    host.rename(&made, &name)?;
                }
            }
        }
    }
    if let Some(mac) = one["mac"].as_str() {
        let mac: MacAddr = mac.parse()?;
        let has = host.interface(&name)?.mac;
        if has != Some(mac) {
            host.set_mac(&name, mac)?;
        }
    }
    if let Some(description) = one["description"].as_str() {
        host.set_description(&name, description)?;
    }
    for group in texts(one, "groups")? {
        let group = group.parse()?;
        if !host.groups(&name)?.contains(&group) {
            host.add_group(&name, &group)?;
        }
    }
    let fib = Fib::new(u32::try_from(number(one, "fib")?)?)?;
    if fib != Fib::DEFAULT {
        host.set_interface_fib(&name, fib)?;
    }
    Ok(())
}

/// Puts members on a bridge, makes the settings that need the members, and adds the addresses.
fn connect(host: &Vnet, one: &Value) -> Result<(), CommandError> {
    let name: InterfaceName = text(one, "name")?.parse()?;
    let mtu = Mtu::new(u32::try_from(number(one, "mtu_bytes")?)?);
    if let Some(bridge) = one.get("bridge") {
        if bridge["vlan_filter"] == true {
            host.change_bridge_flags(&name, BridgeFlags::VLAN_FILTER, BridgeFlags::empty())?;
        }
        // The list has the newest member first.
        for member in list(bridge, "members")?.iter().rev() {
            let of: InterfaceName = text(member, "name")?.parse()?;
            if !host.has_interface(&of)? {
                // Skip the host's end of a jail's epair, which is not in the description.
                continue;
            }
            host.add_member(&name, &of)?;
            let flags = MemberFlags::from_bits_retain(u32::try_from(number(member, "flags")?)?);
            let has = host.member_flags(&name, &of)?;
            host.change_member_flags(&name, &of, flags - has, has - flags)?;
            if let Some(pvid) = member["pvid"].as_u64() {
                host.set_member_pvid(&name, &of, Some(VlanId::new(u16::try_from(pvid)?)?))?;
            }
            if let Some(vlans) = member["vlans"].as_str() {
                host.set_member_vlans(&name, &of, &vlans.parse::<VlanSet>()?)?;
            }
        }
    }
    // A bridge member has the bridge's MTU already, and lo0's MTU is above that of Ethernet.
    if let Ok(mtu) = mtu
        && host.mtu(&name)? != mtu.get()
    {
        host.set_mtu(&name, mtu)?;
    }
    if one["up"] == true {
        host.up(&name)?;
    }
    for address in texts(one, "addresses")? {
        let network: IpNetwork = address.parse().map_err(|_| format!("{address} is no address"))?;
        if host.interface(&name)?.addresses.iter().any(|has| has.network == network) {
            continue;
        }
        match network {
            IpNetwork::V4(network) => host.add_ipv4(&name, network)?,
            IpNetwork::V6(network) => host.add_ipv6(&name, network)?,
        }
    }
    if let Some(flags) = one["nd6"].as_u64() {
        let flags = Nd6Flags::from_bits_retain(u32::try_from(flags)?);
        let has = host.nd6_flags(&name)?;
        host.change_nd6_flags(&name, flags - has, has - flags)?;
    }
    if one["up"] == false {
        // Bring the interface down again: adding an address has brought it up.
        host.down(&name)?;
    }
    Ok(())
}

fn add_route(host: &Vnet, one: &Value) -> Result<(), CommandError> {
    let destination = text(one, "to")?;
    let destination: IpNetwork = destination.parse().map_err(|_| format!("{destination} is no network"))?;
    let index = |name: &Value| -> Result<u16, CommandError> {
        let name = name.as_str().ok_or("its interface is not described")?;
        Ok(host.index(&name.parse()?)?)
    };
    let via = if let Some(gateway) = one["gateway"].as_str() {
        let address: IpAddr = gateway.parse().map_err(|_| format!("{gateway} is no address"))?;
        let scope = if one["scope"].is_null() { 0 } else { index(&one["scope"])?.into() };
        match address {
            IpAddr::V6(address) if scope != 0 => Via::Gateway(Gateway::scoped(address, scope)),
            _ => Via::Gateway(address.into()),
        }
    } else if one["blackhole"] == true {
        Via::Blackhole
    } else if one["reject"] == true {
        Via::Reject
    } else {
        Via::Interface(index(&one["interface"])?)
    };
    let fib = Fib::new(u32::try_from(number(one, "fib")?)?)?;
    if host.route(destination, fib).optional()?.flatten().is_none_or(|has| has.destination != destination) {
        let mut route = Route::new(destination, via);
        route.fib = fib;
        host.add_route(&route)?;
    }
    Ok(())
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], CommandError> {
    value[name].as_array().map(Vec::as_slice).ok_or_else(|| format!("`{name}` is missing, or no list").into())
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>, CommandError> {
    let word = |one: &Value| one.as_str().map(str::to_owned);
    let words: Option<Vec<String>> = list(value, name)?.iter().map(word).collect();
    words.ok_or_else(|| format!("`{name}` is no list of texts").into())
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, CommandError> {
    value[name].as_str().ok_or_else(|| format!("`{name}` is missing, or no text").into())
}

fn number(value: &Value, name: &str) -> Result<u64, CommandError> {
    value[name].as_u64().ok_or_else(|| format!("`{name}` is missing, or no number").into())
}

//! One jail in the list, and its columns.

use ipnetwork::IpNetwork;
use jailwire::iocage::addresses::{Ip4Addresses, Ip6Addresses};
use jailwire::iocage::properties::Properties;
use jailwire::iocage::store::{Entry, Place};
use jailwire::types::{InterfaceName, Jid};
use serde_json::{Value, json};

use crate::commands::stack::{Stack, address_on_to_json};
use crate::environment::Environment;

/// The columns of `list`.
pub const SHORT: [&str; 5] = ["JID", "NAME", "STATE", "RELEASE", "IP4"];
/// The columns of `list -l`.
pub const LONG: [&str; 10] =
    ["JID", "NAME", "BOOT", "STATE", "TYPE", "RELEASE", "IP4", "IP6", "TEMPLATE", "BASEJAIL"];
/// The columns of `list -q`.
pub const QUICK: [&str; 2] = ["NAME", "IP4"];

/// The state of a jail whose configuration cannot be read.
const CORRUPT: &str = "CORRUPT";

/// The data of a jail that `list` prints.
pub struct Row {
    pub jid: Option<i32>,
    pub name: String,
    pub boot: bool,
    pub state: &'static str,
    pub kind: String,
    pub release: String,
    pub ip4: String,
    pub ip6: String,
    pub template: String,
    basejail: bool,
    dhcp: bool,
    /// The jids of the lingering jails with this name.
    pub dying: Vec<i32>,
    /// The addresses that DHCP has given the jail.
    leased: Vec<(InterfaceName, IpNetwork)>,
    /// The configured addresses, or the error if they cannot be read.
    addresses: Result<Configured, String>,
}

/// The configured addresses of a jail.
#[derive(Default)]
struct Configured {
    ip4: Ip4Addresses,
    ip6: Ip6Addresses,
}

impl Configured {
    fn read(ip4: &str, ip6: &str) -> Result<Configured, String> {
        // A jail with an unreadable configuration has an empty text.
        let given = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        Ok(Configured {
            ip4: given(ip4).parse().map_err(|error| format!("{error}"))?,
            ip6: given(ip6).parse().map_err(|error| format!("{error}"))?,
        })
    }

    /// The addresses in the form that all commands use in JSON. A prefix length that is not written is unknown.
    fn to_json(&self) -> Vec<Value> {
        let ip4 = self.ip4.iter().filter_map(|one| {
            let address = one.address?;
            let interface = one.interface.as_ref().map(InterfaceName::as_str);
            Some(address_on_to_json(address.address(), address.prefix(), interface))
        });
        let ip6 = self.ip6.iter().filter_map(|one| {
            let address = one.address?;
            let prefix = address.prefix();
            let address = match address.zone() {
                Some(zone) => format!("{}%{zone}", address.address()),
                None => address.address().to_string(),
            };
            Some(address_on_to_json(address, prefix, one.interface.as_ref().map(InterfaceName::as_str)))
        });
        ip4.chain(ip6).collect()
    }
}

impl Row {
    /// Makes the row of a jail. A jail without properties, because its configuration cannot be read, may be running
    /// all the same.
    pub fn new(entry: &Entry, properties: Option<&Properties>, jid: Option<i32>) -> Row {
        let property =
            |name: &str| properties.and_then(|properties| properties.get(name)).unwrap_or_default();
        let on = |name: &str| properties.is_some_and(|properties| properties.is_on(name));
        let ip4 = property("ip4_addr");
        Row {
            jid,
            name: entry.name.to_string(),
            boot: on("boot"),
            state: match (properties, jid) {
                (None, _) => CORRUPT,
                (_, Some(_)) => "up",
                (_, None) => "down",
            },
            kind: match entry.place {
                Place::Templates => "template".to_owned(),
                Place::Jails => property("type"),
            },
            release: property("release"),
            dhcp: on("dhcp") || ip4.to_ascii_uppercase().contains("DHCP"),
            leased: Vec::new(),
            addresses: Configured::read(&ip4, &property("ip6_addr")),
            ip4,
            ip6: property("ip6_addr"),
            template: property("source_template"),
            basejail: on("basejail"),
            dying: Vec::new(),
        }
    }

    /// Reads the address that DHCP has given the jail, from inside the jail.
    pub fn ask_for_address(&mut self, environment: &Environment) {
        if !self.dhcp {
            return;
        }
        let found = match self.jid.and_then(|jid| Jid::new(jid).ok()) {
            None => Some("DHCP (not running)".to_owned()),
            Some(_) if !environment.kernel.privileged() => {
                Some("DHCP (running -- address requires root)".to_owned())
            }
            Some(jid) => Stack::of_jail(environment, jid).ok().flatten().map(|stack| {
                self.leased = leased(&stack);
                let shown: Vec<_> =
                    self.leased.iter().map(|(nic, network)| format!("{nic}|{}", network.ip())).collect();
                if shown.is_empty() { "DHCP (no address)".to_owned() } else { shown.join(",") }
            }),
        };
        self.ip4 = found.unwrap_or_else(|| "DHCP".to_owned());
    }

    /// The cells of `list`.
    pub fn short(&self) -> Vec<String> {
        let ip4 = if self.dhcp { "DHCP".to_owned() } else { short_address(&self.ip4) };
        let release: Vec<_> = self.release.splitn(3, '-').take(2).collect();
        vec![self.jid(), short_name(&self.name), self.state.to_owned(), or_dash(&release.join("-")), ip4]
    }

    /// The cells of `list -l`.
    pub fn long(&self) -> Vec<String> {
        let word = |on: bool, yes: &str, no: &str| if on { yes } else { no }.to_owned();
        vec![
            self.jid(),
            self.name.clone(),
            word(self.boot, "on", "off"),
            self.state.to_owned(),
            or_dash(&self.kind),
            or_dash(&self.release),
            or_dash(&self.ip4),
            or_dash(&self.ip6),
            or_dash(&self.template),
            word(self.basejail, "yes", "no"),
        ]
    }

    /// The cells of `list -q`.
    pub fn quick(&self) -> Vec<String> {
        let ip4 = if self.dhcp { "DHCP" } else { &self.ip4 };
        vec![self.name.clone(), ip4.to_owned()]
    }

    /// The object for JSON.
    pub fn to_json(&self) -> Value {
        let value = |text: &String| Some(text.clone()).filter(|text| !matches!(text.as_str(), "" | "none"));
        let leased = self
            .leased
            .iter()
            .map(|(nic, network)| address_on_to_json(network.ip(), network.prefix(), Some(nic.as_str())));
        let configured = self.addresses.as_ref().map(Configured::to_json).unwrap_or_default();
        let addresses: Vec<_> = configured.into_iter().chain(leased).collect();
        let accept_rtadv = self.addresses.as_ref().is_ok_and(|addresses| addresses.ip6.is_automatic());
        json!({
            "jid": self.jid,
            "name": self.name,
            "boot": self.boot,
            "state": self.state,
            "type": value(&self.kind),
            "release": value(&self.release),
            "addresses": addresses,
            "addresses_error": self.addresses.as_ref().err(),
            "dhcp": self.dhcp,
            "accept_rtadv": accept_rtadv,
            "template": value(&self.template),
            "basejail": self.basejail,
            "dying": self.dying,
        })
    }

    /// The jid. For a jail that is down it is the text `None`, as in iocage, because scripts read it.
    fn jid(&self) -> String {
        match self.jid {
            Some(jid) => jid.to_string(),
            None if self.state == CORRUPT => "-".to_owned(),
            None => "None".to_owned(),
        }
    }
}

fn or_dash(text: &str) -> String {
    if matches!(text, "" | "none") { "-" } else { text }.to_owned()
}

/// The addresses without interfaces and prefix lengths.
pub fn short_address(value: &str) -> String {
    let short = |entry: &str| {
        let address = entry.rsplit_once('|').map_or(entry, |(_, address)| address);
        address.split('/').next().unwrap_or(address).trim().to_owned()
    };
    match or_dash(value) {
        dash if dash == "-" => dash,
        value => value.split(',').map(short).collect::<Vec<_>>().join(","),
    }
}

/// The first part of a UUID; any other name is not shortened.
fn short_name(name: &str) -> String {
    let dashes = [8, 13, 18, 23];
    let is_uuid = name.len() == 36
        && name.bytes().enumerate().all(|(at, byte)| match dashes.contains(&at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        });
    if is_uuid { name[..8].to_owned() } else { name.to_owned() }
}

/// The IPv4 addresses of a jail's NICs.
fn leased(stack: &Stack) -> Vec<(InterfaceName, IpNetwork)> {
    let nics = stack.interfaces.iter().filter(|interface| interface.name.as_str().starts_with("epair"));
    let given = |network: &IpNetwork| network.is_ipv4() && !network.ip().is_unspecified();
    nics.flat_map(|nic| {
        let networks = nic.addresses.iter().map(|address| address.network).filter(given);
        networks.map(|network| (nic.name, network))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{short_address, short_name};

    #[test]
    fn addresses_are_short() {
        assert_eq!(short_address("vnet0|192.0.2.1/24,192.0.2.2"), "192.0.2.1,192.0.2.2");
        assert_eq!((short_address("none"), short_address("")), ("-".into(), "-".into()));
    }

    #[test]
    fn uuids_are_short_and_names_are_not() {
        assert_eq!(short_name("9f7d1f0e-7d3f-11f0-8f0e-589cfc10ffff"), "9f7d1f0e");
        for name in ["web", "abcdefghijk", "9f7d1f0e-7d3f-11f0-8f0e-589cfc10fffg"] {
            assert_eq!(short_name(name), name);
        }
    }
}

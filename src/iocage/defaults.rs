//! defaults.json in iocage's form: every property that can have a default, and two properties of the host.
//!
//! iocage looks for each property there, and fails if a property is missing. So the file is always written with
//! all properties.

use super::document::Document;
use super::mac::MacPrefix;
use super::property::{Builtin, Kind, Stored, TABLE, boolean};

/// The properties that belong to one jail, and have no default.
pub(super) const OF_ONE_JAIL: [&str; 7] = [
    "cloned_release",
    "host_hostname",
    "host_hostuuid",
    "jail_zfs_dataset",
    "release",
    "source_template",
    "tag",
];

/// The properties that iocage does not have.
const UNKNOWN_TO_IOCAGE: [&str; 3] = ["vnetN_vlan", "vnetN_tagged", "vnetN_stableaddr"];

/// The number of NICs whose properties are in the file.
const NICS: usize = 4;

/// The values of defaults.json that depend on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostDefaults {
    /// The first three bytes of the MAC addresses that are made up.
    pub mac_prefix: MacPrefix,
    /// The host's UUID. `None` if the host has no UUID.
    pub hostid: Option<String>,
}

impl HostDefaults {
    /// Returns the values of a host.
    pub fn new(mac_prefix: MacPrefix, hostid: Option<String>) -> HostDefaults {
        HostDefaults { mac_prefix, hostid }
    }
}

impl HostDefaults {
    /// Adds missing properties to a defaults.json, with the values that iocage gives. Existing properties are not
    /// changed. Returns whether anything was missing.
    pub fn complete(&self, document: &mut Document) -> bool {
        let mut added = false;
        let mut add = |name: &str, value: Option<Stored>| {
            if !document.contains(name) {
                added = true;
                match value {
                    Some(value) => document.set(name, &value),
                    None => document.set_null(name),
                }
            }
        };
        let is_default = |name: &str| !OF_ONE_JAIL.contains(&name) && !UNKNOWN_TO_IOCAGE.contains(&name);
        for property in TABLE.iter().filter(|property| is_default(property.name)) {
            let value = match (property.name, property.builtin) {
                ("mac_prefix", _) => Some(Stored::Text(self.mac_prefix.to_string())),
                ("hostid", _) => self.hostid.clone().map(Stored::Text),
                (_, Builtin::Text(text)) => Some(stored(property.kind, text)),
                _ => continue,
            };
            match property.name.strip_prefix("vnetN_") {
                Some(rest) => (0..NICS).for_each(|nic| add(&format!("vnet{nic}_{rest}"), value.clone())),
                None => add(property.name, value),
            }
        }
        added
    }
}

fn stored(kind: Kind, text: &str) -> Stored {
    match (kind, boolean(text)) {
        (Kind::Boolean, Some(flag)) => Stored::Flag(flag),
        _ => Stored::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(hostid: Option<&str>) -> HostDefaults {
        HostDefaults { mac_prefix: "525600".parse().unwrap(), hostid: hostid.map(str::to_owned) }
    }

    #[test]
    fn a_new_file_has_what_iocages_own_has() {
        let mut document = Document::new("defaults.json");
        assert!(host(None).complete(&mut document));
        // Release 1.13 writes 140 properties in 3,569 bytes on a host without a UUID.
        assert_eq!(document.keys().count(), 140);
        let text = document.to_string();
        assert_eq!(text.len(), 3569, "{text}");
        for line in [
            "\"CONFIG_VERSION\": \"34\"",
            "\"type\": \"jail\"",
            "\"ip6_addr\": \"none\"",
            "\"vnet\": 0",
            "\"ip4_saddrsel\": 1",
            "\"vnet3_mtu\": \"auto\"",
            "\"hostid\": null",
            "\"priority\": \"99\"",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!host(None).complete(&mut document), "nothing is missing any more");
    }

    #[test]
    fn what_is_there_stays() {
        let text = br#"{"vnet":1,"mac_prefix":"02ff60","mine":[1]}"#;
        let mut document = Document::parse("defaults.json".as_ref(), text).unwrap();
        assert!(host(Some("1-2")).complete(&mut document));
        assert_eq!(document.text("vnet"), Ok(Some("1")));
        assert_eq!(document.text("mac_prefix"), Ok(Some("02ff60")));
        assert_eq!(document.text("hostid"), Ok(Some("1-2")));
        assert_eq!(document.printed("mine").as_deref(), Some("[1]"));
    }
}

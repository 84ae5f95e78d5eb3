//! The name of a jail's NIC, and the names of its two ends.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::types::InterfaceName;

/// With this length `NIC.JID` fits an interface name for every jid (999999 at most).
const LONGEST: usize = 8;

/// The name of a NIC in the property `interfaces`: `vnet0`, or any other word of up to eight small
/// letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NicName(String);

impl NicName {
    /// Returns the NIC of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): it is no word of small letters and digits that begins with a letter, has more than eight
    /// bytes, or is lo0, which every network stack has already.
    pub fn new(name: &str) -> Result<NicName, Error> {
        let word = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !word {
            let reason = format!("`{}` is not the name of a NIC", name.escape_debug());
            let advice = "use small letters and digits, such as vnet0";
            return Err(Error::of_value(name, format!("{reason}: {advice}")));
        }
        if name == "lo0" {
            let text =
                "lo0 is there in every VNET jail: leave it out of `interfaces` and just give it addresses";
            return Err(Error::of_value(name, text));
        }
        if name.len() > LONGEST {
            let advice = format!("{LONGEST} letters at most, so that `{name}.JID` can name an interface");
            return Err(Error::of_value(name, format!("`{name}` is too long for a NIC: {advice}")));
        }
        Ok(NicName(name.to_owned()))
    }

    /// Returns the NIC that an address without an interface goes to: `vnet0`.
    pub fn first() -> NicName {
        NicName("vnet0".to_owned())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the host's end of the NIC's epair: `vnet0.JID`.
    ///
    /// # Panics
    ///
    /// If FreeBSD cannot give out `jid`: the jids are 1 to 999999 (JAIL_MAX).
    pub fn host_end(&self, jid: i32) -> InterfaceName {
        assert!((1..=999_999).contains(&jid), "{jid} is not a jid");
        InterfaceName::new(&format!("{}.{jid}", self.0)).expect("a NIC's name leaves room for a jid")
    }

    /// Returns the jail's end: `epair0b` for `vnet0`, and other names as they are.
    #[expect(clippy::missing_panics_doc, reason = "a NIC's name is short enough")]
    pub fn jail_end(&self) -> InterfaceName {
        let name = match self.0.contains("vnet") {
            true => format!("{}b", self.0.replace("vnet", "epair")),
            false => self.0.clone(),
        };
        InterfaceName::new(&name).expect("a NIC's name is short enough")
    }

    /// Returns the property that holds the MAC addresses of the two ends: `vnet0_mac`.
    pub fn mac_property(&self) -> String {
        format!("{}_mac", self.0)
    }

    /// Returns the property that holds the VLAN of frames without a tag: `vnet0_vlan`.
    pub fn vlan_property(&self) -> String {
        format!("{}_vlan", self.0)
    }

    /// Returns the name of the property with the tagged VLANs: `vnet0_tagged`.
    pub fn tagged_property(&self) -> String {
        format!("{}_tagged", self.0)
    }

    /// Returns the property that asks for stable IPv6 addresses: `vnet0_stableaddr`.
    pub fn stable_property(&self) -> String {
        format!("{}_stableaddr", self.0)
    }

    /// Returns the property that holds the MTU: `vnet0_mtu`.
    pub fn mtu_property(&self) -> String {
        format!("{}_mtu", self.0)
    }
}

impl FromStr for NicName {
    type Err = Error;

    fn from_str(text: &str) -> Result<NicName, Error> {
        NicName::new(text)
    }
}

impl fmt::Display for NicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_both_ends() {
        let nic = NicName::new("vnet12").unwrap();
        assert_eq!(nic.host_end(7).as_str(), "vnet12.7");
        assert_eq!(nic.jail_end().as_str(), "epair12b");
        assert_eq!(NicName::new("lan").unwrap().jail_end().as_str(), "lan");
        assert_eq!(nic.mac_property(), "vnet12_mac");
    }

    #[test]
    fn every_name_fits_with_every_jid() {
        let nic = NicName::new("vnet1234").unwrap();
        assert_eq!(nic.host_end(999_999).as_str(), "vnet1234.999999");
        assert!(NicName::new("vnet12345").unwrap_err().to_string().contains("too long"));
        // The longest name of a jail's end.
        assert!(NicName::new("vnetvnet").unwrap().jail_end().as_str().len() <= 15);
    }

    #[test]
    fn refuses_other_words() {
        for text in ["", "VNET0", "0vnet", "vnet 0", "vnet0.1", "vnet0|", "lo0", "vnet:0"] {
            assert!(NicName::new(text).is_err(), "{text:?}");
        }
    }
}

//! The name of a jail's NIC, and the names of its two ends.

use std::fmt;
use std::str::FromStr;

use crate::types::InterfaceName;

/// So long that `NIC.JID` fits an interface name whatever the jid (999999 at most).
const LONGEST: usize = 8;

/// The name of a NIC in the property `interfaces`: `vnet0`, or any other word of up to eight small
/// letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NicName(String);

/// Text that cannot name a NIC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNicName {
    /// Something other than a word of small letters and digits.
    #[error("`{}` is not the name of a NIC: use small letters and digits, such as vnet0", .0.escape_debug())]
    Characters(String),
    /// More than eight bytes.
    #[error(
        "`{0}` is too long for a NIC: {LONGEST} letters at most, so that `{0}.JID` can name an interface"
    )]
    TooLong(String),
    /// The loopback interface, which every network stack has already.
    #[error("lo0 is there in every VNET jail: leave it out of `interfaces` and just give it addresses")]
    Loopback,
}

crate::error::value_error!(InvalidNicName);

impl NicName {
    /// Returns the NIC of this name.
    ///
    /// # Errors
    ///
    /// [`InvalidNicName`]: it is no word of small letters and digits that begins with a letter, has more than eight
    /// bytes, or is lo0, which every network stack has already.
    pub fn new(name: &str) -> Result<NicName, InvalidNicName> {
        let word = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !word {
            return Err(InvalidNicName::Characters(name.to_owned()));
        }
        if name == "lo0" {
            return Err(InvalidNicName::Loopback);
        }
        if name.len() > LONGEST {
            return Err(InvalidNicName::TooLong(name.to_owned()));
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

    /// Returns the host's end of its epair: `vnet0.JID`.
    ///
    /// # Panics
    ///
    /// If `jid` is not one that FreeBSD gives out: 1 to 999999 (JAIL_MAX).
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

    /// Returns the property that holds the VLANs whose frames have their tag: `vnet0_tagged`.
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
    type Err = InvalidNicName;

    fn from_str(text: &str) -> Result<NicName, InvalidNicName> {
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
        assert!(matches!(NicName::new("vnet12345"), Err(InvalidNicName::TooLong(_))));
        // The longest that a name can become on the inside.
        assert!(NicName::new("vnetvnet").unwrap().jail_end().as_str().len() <= 15);
    }

    #[test]
    fn refuses_other_words() {
        for text in ["", "VNET0", "0vnet", "vnet 0", "vnet0.1", "vnet0|", "lo0", "vnet:0"] {
            assert!(NicName::new(text).is_err(), "{text:?}");
        }
    }
}

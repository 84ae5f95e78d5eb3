//! The property `interfaces`: a jail's NICs and the bridges they are on.

use std::fmt;
use std::str::FromStr;

use super::nic::{InvalidNicName, NicName};
use crate::types::{InterfaceName, InvalidInterfaceName};

/// A NIC, and the bridge of the NIC's host end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The NIC.
    pub nic: NicName,
    /// The bridge. `None` for a NIC that is left to the administrator.
    pub bridge: Option<InterfaceName>,
}

/// The property `interfaces`: `vnet0:bridge0,vnet1:none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interfaces(Vec<Attachment>);

/// Text that does not describe a jail's NICs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInterfaces {
    /// Not a pair.
    #[error("`{}` is not a NIC and a bridge: write them as in vnet0:bridge0,vnet1:none", .0.escape_debug())]
    NotAPair(String),
    /// The part before the colon.
    #[error(transparent)]
    Nic(#[from] InvalidNicName),
    /// The part after the colon.
    #[error("the bridge of {nic}: {source}")]
    Bridge {
        /// Whose bridge.
        nic: NicName,
        /// The reason.
        source: InvalidInterfaceName,
    },
    /// The host's default interface, which legacy let one write where a bridge belongs.
    #[error("DEFAULT is no bridge: name the bridge that {0} goes on, or none")]
    Default(NicName),
    /// Two NICs would have the same name inside the jail.
    #[error("{0} and {1} would have the same name inside the jail: name each NIC once")]
    Duplicate(NicName, NicName),
}

crate::error::value_error!(InvalidInterfaces);

impl Interfaces {
    /// NICs with different names.
    ///
    /// # Errors
    ///
    /// [`InvalidInterfaces::Duplicate`]: two would be the same interface.
    pub fn new(attachments: Vec<Attachment>) -> Result<Interfaces, InvalidInterfaces> {
        for (index, one) in attachments.iter().enumerate() {
            let name = one.nic.jail_end();
            if let Some(other) = attachments[..index].iter().find(|other| other.nic.jail_end() == name) {
                return Err(InvalidInterfaces::Duplicate(other.nic.clone(), one.nic.clone()));
            }
        }
        Ok(Interfaces(attachments))
    }

    /// Returns the NICs, in the order they were written.
    pub fn iter(&self) -> std::slice::Iter<'_, Attachment> {
        self.0.iter()
    }
}

impl FromStr for Interfaces {
    type Err = InvalidInterfaces;

    fn from_str(text: &str) -> Result<Interfaces, InvalidInterfaces> {
        Interfaces::new(text.split(',').map(attachment).collect::<Result<_, _>>()?)
    }
}

fn attachment(text: &str) -> Result<Attachment, InvalidInterfaces> {
    let not_a_pair = || InvalidInterfaces::NotAPair(text.trim().to_owned());
    let (nic, bridge) = text.split_once(':').ok_or_else(not_a_pair)?;
    if bridge.contains(':') {
        return Err(not_a_pair());
    }
    let nic = NicName::new(nic.trim())?;
    let bridge = match bridge.trim() {
        "none" => None,
        "DEFAULT" => return Err(InvalidInterfaces::Default(nic)),
        name => match host_interface(name) {
            Ok(name) => Some(name),
            Err(source) => return Err(InvalidInterfaces::Bridge { nic, source }),
        },
    };
    Ok(Attachment { nic, bridge })
}

/// The name of one of the host's interfaces where a property names one: without the characters that
/// separate things in properties.
pub(super) fn host_interface(text: &str) -> Result<InterfaceName, InvalidInterfaceName> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !text.bytes().all(plain) || text.starts_with(['.', '-']) {
        return Err(InvalidInterfaceName::Characters(text.to_owned()));
    }
    InterfaceName::new(text)
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Attachment { nic, bridge }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match bridge {
                Some(bridge) => write!(f, "{comma}{nic}:{bridge}")?,
                None => write!(f, "{comma}{nic}:none")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_nics_and_bridges() {
        let interfaces: Interfaces = " vnet0 : bridge0 , vnet1:none,lan:vm-public".parse().unwrap();
        assert_eq!(interfaces.to_string(), "vnet0:bridge0,vnet1:none,lan:vm-public");
        assert_eq!(interfaces.iter().filter(|one| one.bridge.is_none()).count(), 1);
    }

    #[test]
    fn refuses_what_iocage_would_stumble_over() {
        for text in [
            "",
            "none",
            "vnet0",
            "vnet0:",
            ":bridge0",
            "vnet0:bridge0,",
            "vnet0:bridge0:1",
            "vnet0:bridge0,vnet0:bridge1",
            "vnet0:bridge0,epair0b:bridge1",
            "lo0:bridge0",
            "vnet0:bridge0 vnet1:bridge1",
            "vnet0:DEFAULT",
            "vnet0:../bridge0",
            "vnet0:abcdefghijklmnop",
        ] {
            assert!(text.parse::<Interfaces>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(pairs in prop::collection::vec(("[a-z][a-z0-9]{0,5}", "[a-z][a-z0-9._-]{0,9}"), 1..5)) {
            let text: Vec<_> = pairs.iter().map(|(nic, bridge)| format!("{nic}:{bridge}")).collect();
            if let Ok(interfaces) = text.join(",").parse::<Interfaces>() {
                prop_assert_eq!(interfaces.to_string().parse(), Ok(interfaces));
            }
        }

        #[test]
        fn no_text_is_too_strange(text in ".*", pieces in "([a-z0-9]{0,4}[:, ]?){0,8}") {
            let _ = (text.parse::<Interfaces>(), pieces.parse::<Interfaces>());
        }
    }
}

//! The property `interfaces`: a jail's NICs and their bridges.

use std::fmt;
use std::str::FromStr;

use super::nic::NicName;
use crate::error::Error;
use crate::types::InterfaceName;

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

impl Interfaces {
    /// NICs with different names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): two would be the same interface.
    pub fn new(attachments: Vec<Attachment>) -> Result<Interfaces, Error> {
        for (index, one) in attachments.iter().enumerate() {
            let name = one.nic.jail_end();
            if let Some(other) = attachments[..index].iter().find(|other| other.nic.jail_end() == name) {
                let (first, second) = (&other.nic, &one.nic);
                let reason = format!("{first} and {second} would have the same name inside the jail");
                return Err(Error::of_value(second, format!("{reason}: name each NIC once")));
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
    type Err = Error;

    fn from_str(text: &str) -> Result<Interfaces, Error> {
        Interfaces::new(text.split(',').map(attachment).collect::<Result<_, _>>()?)
    }
}

fn attachment(text: &str) -> Result<Attachment, Error> {
    let not_a_pair = || {
        let reason = format!("`{}` is not a NIC and a bridge", text.trim().escape_debug());
        Error::of_value(text.trim(), format!("{reason}: write them as in vnet0:bridge0,vnet1:none"))
    };
    let (nic, bridge) = text.split_once(':').ok_or_else(not_a_pair)?;
    if bridge.contains(':') {
        return Err(not_a_pair());
    }
    let nic = NicName::new(nic.trim())?;
    let bridge = match bridge.trim() {
        "none" => None,
        "DEFAULT" => {
            let reason = format!("DEFAULT is no bridge: name the bridge that {nic} goes on, or none");
            return Err(Error::of_value("DEFAULT", reason));
        }
        name => match host_interface(name) {
            Ok(name) => Some(name),
            Err(error) => return Err(Error::of_value(name, format!("the bridge of {nic}: {error}"))),
        },
    };
    Ok(Attachment { nic, bridge })
}

/// Reads the name of a host's interface in a property. The characters that separate values in properties are
/// refused.
pub(super) fn host_interface(text: &str) -> Result<InterfaceName, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !text.bytes().all(plain) || text.starts_with(['.', '-']) {
        return Err(InterfaceName::odd(text));
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

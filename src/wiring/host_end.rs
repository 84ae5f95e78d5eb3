//! The host's ends of jails' epairs, and how to tell them from other interfaces.

use crate::Result;
use crate::error::OptionalExtension;
use crate::interface::{Interface, InterfaceType};
use crate::jail::JailInfo;
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;

/// The beginning of a description, and the text between its two names, as iocage writes them.
const OF_JAIL: &str = "associated with jail: ";
const AS_NIC: &str = " as nic: ";

/// The prefix that iocage puts before its own name for a jail. The result is the kernel's name for the jail.
const OF_IOCAGE: &str = "ioc-";

/// The host's end of a jail's epair. Its description names the jail, in iocage's words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostEnd {
    /// The name of this end.
    pub name: InterfaceName,
    /// The jail, as its manager calls it.
    pub jail: String,
    /// The name that the other end got when the epair was made.
    pub nic: InterfaceName,
}

impl HostEnd {
    /// Returns the description of a jail's host end.
    pub fn description(jail: &str, nic: &str) -> String {
        format!("{OF_JAIL}{jail}{AS_NIC}{nic}")
    }

    /// Reads the description of an interface. Returns `None` when the interface is no host's end of a jail's
    /// epair, or has gone.
    ///
    /// # Errors
    ///
    /// As [`Vnet::description`], except ENXIO.
    pub fn read(host: &Vnet, name: InterfaceName) -> Result<Option<HostEnd>> {
        let description = host.description(&name).optional()?.flatten();
        Ok(description.and_then(|text| HostEnd::parse(name, &text)))
    }

    /// Returns the host's ends among these interfaces. An interface that goes away meanwhile is left out.
    ///
    /// # Errors
    ///
    /// As [`HostEnd::read`].
    pub fn among(host: &Vnet, interfaces: &[Interface]) -> Result<Vec<HostEnd>> {
        let ethernet = interfaces.iter().filter(|interface| interface.kind == InterfaceType::ETHERNET);
        ethernet.filter_map(|interface| HostEnd::read(host, interface.name).transpose()).collect()
    }

    /// Returns the jail that has the other end, from a list of running jails.
    ///
    /// The description has the jail's name as its manager writes it. Most managers write the kernel's name;
    /// iocage writes `web` for the jail `ioc-web`. If jails `web` and `ioc-web` both run, the jid in the
    /// end's own name, `vnet0.7`, tells which jail is meant.
    pub fn owner<'a>(&self, running: &'a [JailInfo]) -> Option<&'a JailInfo> {
        let number = self.name.as_str().rsplit_once('.').and_then(|(_, jid)| jid.parse::<i32>().ok());
        let named = || running.iter().filter(|jail| self.names(&jail.name));
        let by_number = named().find(|jail| number == Some(jail.jid.get()));
        by_number.or_else(|| named().find(|jail| jail.name == self.jail)).or_else(|| {
            // If the end's name has a jid, it is the jid of an earlier jail of this name.
            named().find(|_| number.is_none())
        })
    }

    /// Whether the description names the jail with this kernel name.
    pub(super) fn names(&self, jail: &str) -> bool {
        jail == self.jail || jail.strip_prefix(OF_IOCAGE) == Some(&self.jail)
    }

    fn parse(name: InterfaceName, description: &str) -> Option<HostEnd> {
        // A jail's name may contain the separator. An interface's name has no spaces, so the last separator
        // counts.
        let (jail, nic) = description.strip_prefix(OF_JAIL)?.rsplit_once(AS_NIC)?;
        let nic = nic.parse().ok()?;
        (!jail.is_empty()).then(|| HostEnd { name, jail: jail.to_owned(), nic })
    }
}

/// Returns the jid in `vnetN.JID`, the name that managers give the host's end of a jail's epair.
pub fn jid_of_host_end(name: &InterfaceName) -> Option<Jid> {
    let (nic, jid) = name.as_str().strip_prefix("vnet")?.split_once('.')?;
    let is_number = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'))
    };
    if !is_number(nic) || !is_number(jid) {
        return None;
    }
    Jid::new(jid.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_managers_give_have_a_jid() {
        let read = |name: &str| jid_of_host_end(&name.parse().unwrap()).map(Jid::get);
        assert_eq!(read("vnet0.7"), Some(7));
        assert_eq!(read("vnet12.345"), Some(345));
        for other in [
            "vnet0",
            "vnet.7",
            "vnet0.",
            "vnet0.x",
            "xvnet0.7",
            "vnet0.07",
            "vnet00.7",
            "vnet0.7.1",
            "epair0a",
            "vnet0.0",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_is_described_as_a_jails_is_one() {
        let name: InterfaceName = "vnet0.7".parse().unwrap();
        let read = |text: &str| HostEnd::parse(name, text).map(|end| (end.jail, end.nic.to_string()));
        for jail in ["web", "foo_bar", "a as nic: b", " as nic: "] {
            let described = HostEnd::description(jail, "epair0b");
            assert_eq!(read(&described), Some((jail.to_owned(), "epair0b".to_owned())));
        }
        for other in [
            "associated with jail: web",
            "associated with jail: web as nic: ",
            "associated with jail: web as nic: no interface",
            "associated with jail:  as nic: epair0b",
            "my associated with jail: web as nic: epair0b",
            "",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}

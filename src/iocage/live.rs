//! The effect of changed properties on a running jail. Some properties are parameters of the kernel, which can be
//! changed at once. Others take effect at the next start.

use super::config::{JailConfig, Network};
use super::property::ALLOW;
use super::translate;
use crate::jail::{self, JailParameters, JailValue};
use crate::kernel::Kernel;
use crate::types::Jid;

/// The properties that only a start reads. NICs' own properties are among them.
const AT_START: [&str; 26] = [
    "allow_tun",
    "assign_localhost",
    "bpf",
    "defaultrouter",
    "defaultrouter6",
    "devfs_ruleset",
    "dhcp",
    "host_time",
    "interfaces",
    "ip4",
    "ip4_addr",
    "ip6",
    "ip6_addr",
    "ip_hostname",
    "localhost_ip",
    "mac_prefix",
    "min_dyn_devfs_ruleset",
    "mount_devfs",
    "mount_fdescfs",
    "mount_linprocfs",
    "mount_procfs",
    "nat",
    "nat_forwards",
    "resolver",
    "rtsold",
    "vnet",
];

/// The effect of changed properties on a running jail.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Live {
    /// The changes that take effect at once: the property, and the kernel's parameter with its new value.
    pub now: Vec<(String, String, JailValue)>,
    /// The properties that count from the next start on.
    pub later: Vec<String>,
}

impl Live {
    /// Sorts the changed properties. `config` is the jail's configuration with the changes. A property that matters
    /// neither to the running jail nor to its next start is in neither list: `boot`, `notes`.
    pub fn of<'a>(config: &JailConfig, changed: impl IntoIterator<Item = &'a str>) -> Live {
        let mut live = Live::default();
        for property in changed {
            if let Some((parameter, value)) = parameter(config, property) {
                live.now.push((property.to_owned(), parameter.to_owned(), value));
            } else if AT_START.contains(&property) || property.starts_with("vnet") {
                live.later.push(property.to_owned());
            }
        }
        live
    }

    /// Changes the running jail, one parameter after the other. If the kernel refuses a parameter, the others are
    /// changed all the same. Returns the properties that were refused, and why.
    #[doc(alias = "jail_set")]
    pub fn apply(&self, kernel: &dyn Kernel, jid: Jid) -> Vec<(String, crate::Error)> {
        let change = |(property, parameter, value): &(String, String, JailValue)| {
            let parameters = JailParameters::default().set(parameter.as_str(), value.clone());
            Some((property.clone(), jail::update(kernel, jid, &parameters).err()?))
        };
        self.now.iter().filter_map(change).collect()
    }
}

/// The kernel's parameter for a property, if the parameter can be changed while the jail runs.
fn parameter(config: &JailConfig, property: &str) -> Option<(&'static str, JailValue)> {
    Some(match (property, &config.network) {
        ("host_hostname", _) => ("host.hostname", config.host.hostname.as_str().into()),
        ("host_domainname", _) => ("host.domainname", config.host.domainname.as_str().into()),
        ("securelevel", _) => ("securelevel", config.securelevel.into()),
        ("enforce_statfs", _) => ("enforce_statfs", config.enforce_statfs.into()),
        ("children_max", _) => ("children.max", config.children_max.into()),
        ("sysvmsg", _) => ("sysvmsg", translate::mode(config.sysvmsg).into()),
        ("sysvsem", _) => ("sysvsem", translate::mode(config.sysvsem).into()),
        ("sysvshm", _) => ("sysvshm", translate::mode(config.sysvshm).into()),
        ("ip4_saddrsel", Network::Shared(network)) => ("ip4.saddrsel", network.ip4_saddrsel.into()),
        ("ip6_saddrsel", Network::Shared(network)) => ("ip6.saddrsel", network.ip6_saddrsel.into()),
        _ => {
            let (_, parameter) = ALLOW.iter().find(|(name, _)| *name == property)?;
            (*parameter, config.allow.is_on(parameter).into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iocage::store::Store;

    #[test]
    fn what_the_kernel_can_change_is_told_from_what_a_start_does() {
        let store = Store::open("examples/iocage".as_ref()).unwrap();
        let web = JailConfig::resolve(&store, &store.resolve("web").unwrap()).unwrap();
        let changed =
            ["host_hostname", "ip4_addr", "vnet0_mtu", "boot", "allow_raw_sockets", "ip4_saddrsel", "notes"];
        let live = Live::of(&web, changed);
        let now: Vec<_> = live.now.iter().map(|(_, parameter, _)| parameter.as_str()).collect();
        assert_eq!(now, ["host.hostname", "allow.raw_sockets"]);
        assert_eq!(live.later, ["ip4_addr", "vnet0_mtu"]);
    }

    #[test]
    fn the_list_is_of_properties() {
        for property in AT_START {
            assert!(super::super::property::find(property).is_some(), "{property}");
        }
    }
}

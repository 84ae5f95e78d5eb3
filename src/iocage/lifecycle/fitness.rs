//! What keeps a jail from being started on this host, besides its wiring.

use std::path::Path;

use super::{Error, Host, step};
use crate::iocage::config::JailConfig;
use crate::jail::devfs::Devfs;

/// The ruleset that stands for iocage's usual rules, and need not exist.
const USUAL: u16 = 4;

impl Host<'_> {
    /// Refuses a jail that belongs to another host, or whose devfs ruleset does not exist. iocage says
    /// so too, and then reports success.
    pub(super) fn check_fitness(&self, config: &JailConfig) -> Result<(), Error> {
        let unfit = |why: String| Err(Error::Unfit { jail: config.name.clone(), why });
        if let Some(required) = &config.host.required_hostid {
            let own = self.vnet.sysctl("kern.hostuuid").map_err(|error| step(&config.name)(error.into()))?;
            let own = String::from_utf8_lossy(&own);
            let own = own.trim_end_matches('\0');
            if own != required {
                return unfit(format!(
                    "hostid is not matching and 'hostid_strict_check' is on! It belongs to {required}, and this host is {own}: set hostid={own}, or hostid_strict_check=0"
                ));
            }
        }
        let wanted = config.devfs.ruleset;
        if !matches!(wanted, 0 | USUAL) {
            let devfs = Devfs::open(self.kernel().clone(), Path::new("/dev"));
            let rulesets = devfs.and_then(|devfs| devfs.rulesets());
            let rulesets = rulesets.map_err(|error| step(&config.name)(error.into()))?;
            if !rulesets.contains(&wanted) {
                return unfit(format!(
                    "devfs_ruleset {wanted} does not exist on this host: define it in /etc/devfs.rules and run `service devfs restart`, or set devfs_ruleset=4 for the usual rules"
                ));
            }
        }
        Ok(())
    }
}

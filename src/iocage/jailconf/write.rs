//! Writes the file in iocage's form.

use std::fmt;
use std::str::FromStr;

use super::JailConf;
use crate::error::Error;
use crate::iocage::address::{Ip4, Ip6};
use crate::iocage::config::{JailConfig, Network, SharedAddress};
use crate::iocage::fstab;

/// The release of the host's FreeBSD. Which parameters its jail(8) has depends on the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostRelease {
    /// The 15 in `15.1-RELEASE`.
    pub major: u32,
    /// The 1 in `15.1-RELEASE`.
    pub minor: u32,
}

/// Reads the text of `kern.osrelease`.
impl FromStr for HostRelease {
    type Err = Error;

    fn from_str(text: &str) -> Result<HostRelease, Error> {
        let version = text.split('-').next().unwrap_or_default();
        let release = version.split_once('.').and_then(|(major, minor)| {
            Some(HostRelease { major: major.parse().ok()?, minor: minor.parse().ok()? })
        });
        release.ok_or_else(|| {
            let reason = format!("`{}` is not a release of FreeBSD", text.escape_debug());
            Error::of_value(text, format!("{reason}: it should be like 15.1-RELEASE"))
        })
    }
}

/// The first release with each parameter.
const SINCE: &[(&str, HostRelease)] = &[
    ("mount.fdescfs", HostRelease { major: 10, minor: 0 }),
    ("allow.mount.fdescfs", HostRelease { major: 10, minor: 0 }),
    ("allow.mount.tmpfs", HostRelease { major: 10, minor: 0 }),
    ("sysvmsg", HostRelease { major: 11, minor: 0 }),
    ("sysvsem", HostRelease { major: 11, minor: 0 }),
    ("sysvshm", HostRelease { major: 11, minor: 0 }),
    ("allow.mlock", HostRelease { major: 12, minor: 0 }),
    ("allow.mount.fusefs", HostRelease { major: 12, minor: 0 }),
    ("allow.vmm", HostRelease { major: 12, minor: 0 }),
    ("exec.created", HostRelease { major: 12, minor: 0 }),
    ("allow.nfsd", HostRelease { major: 13, minor: 3 }),
];

impl JailConf {
    /// Returns what iocage would write for a jail. `ruleset` is the devfs ruleset that was made for the jail. The
    /// addresses are those of a shared-IP jail, with the interface of each.
    pub fn new(
        config: &JailConfig,
        release: HostRelease,
        ruleset: u16,
        ip4: &[SharedAddress<Ip4>],
        ip6: &[SharedAddress<Ip6>],
    ) -> JailConf {
        let mut conf = JailConf { name: config.name.kernel_name(), parameters: Vec::new() };
        conf.network(config, ip4, ip6);
        conf.granted(config, release);
        let seconds = |time: Option<std::time::Duration>| time.map_or(0, |time| time.as_secs()).to_string();
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let parameters = [
            ("sysvmsg", config.sysvmsg.as_str().to_owned()),
            ("sysvsem", config.sysvsem.as_str().to_owned()),
            ("sysvshm", config.sysvshm.as_str().to_owned()),
            ("exec.created", config.commands.created.clone()),
            ("host.domainname", config.host.domainname.clone()),
            ("host.hostname", config.host.hostname.clone()),
            ("path", path(&config.root)),
            ("securelevel", config.securelevel.to_string()),
            ("host.hostuuid", config.host.uuid.clone()),
            ("devfs_ruleset", ruleset.to_string()),
            ("enforce_statfs", config.enforce_statfs.to_string()),
            ("children.max", config.children_max.to_string()),
            ("exec.clean", u8::from(config.commands.clean).to_string()),
            ("exec.timeout", seconds(config.commands.timeout)),
            ("stop.timeout", seconds(config.commands.stop_timeout)),
        ];
        for (name, value) in parameters {
            if known(name, release) {
                conf.push(name, value);
            }
        }
        if !config.mounts.fstab_is_for_all {
            // jail(8) refuses a mount point that is not absolute, and uses an absolute path unchanged, also if the
            // jail's directory has moved.
            for (mount, beneath) in &config.mounts.fstab {
                let mount = fstab::Mount { target: config.root.join(beneath), ..mount.clone() };
                conf.push("mount", mount.to_string().replace('\t', " "));
            }
        } else {
            conf.push("mount.fstab", path(&config.directory.join("fstab")));
        }
        conf.push("exec.consolelog", path(&config.console_log));
        if config.host.ip_hostname {
            conf.push("ip_hostname", "1");
        }
        conf.entry("persist");
        conf
    }

    fn network(&mut self, config: &JailConfig, ip4: &[SharedAddress<Ip4>], ip6: &[SharedAddress<Ip6>]) {
        match &config.network {
            Network::Vnet(network) => {
                self.entry("vnet");
                // iocage would write only the last of several interfaces.
                network.lent.iter().for_each(|name| self.push("vnet.interface", name.as_str()));
            }
            Network::Shared(network) => {
                ip4.iter().for_each(|address| self.push("ip4.addr", address.to_string()));
                ip6.iter().for_each(|address| self.push("ip6.addr", address.to_string()));
                self.push("ip4.saddrsel", u8::from(network.ip4_saddrsel).to_string());
                self.push("ip4", network.ip4_sharing.as_str());
                self.push("ip6.saddrsel", u8::from(network.ip6_saddrsel).to_string());
                self.push("ip6", network.ip6_sharing.as_str());
            }
        }
    }

    /// Writes the mounts and permissions that are on. Those that are off are not written.
    fn granted(&mut self, config: &JailConfig, release: HostRelease) {
        let mut granted = vec![("mount.fdescfs", config.mounts.fdescfs)];
        for (name, on) in config.allow.iter() {
            granted.push((name, on));
            if name == "allow.set_hostname" {
                granted.push(("mount.devfs", config.mounts.devfs));
            }
        }
        for (name, _) in granted.into_iter().filter(|(name, on)| *on && known(name, release)) {
            self.push(name, "1");
        }
    }
}

fn known(name: &str, release: HostRelease) -> bool {
    SINCE.iter().all(|(parameter, since)| *parameter != name || release >= *since)
}

/// The text of the file.
impl fmt::Display for JailConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {{", quoted(&self.name))?;
        for (name, values) in &self.parameters {
            let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            // Reading a written file gives the same parameters, also for unusual values.
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            let name = match !name.is_empty() && name.bytes().all(is_plain) {
                true => name.clone(),
                false => quoted(name),
            };
            match (name.as_str(), values.is_empty()) {
                (_, true) => writeln!(f, "\t{name};")?,
                ("ip4.addr" | "ip6.addr", _) => {
                    values.iter().try_for_each(|value| writeln!(f, "\t{name} += {value};"))?
                }
                _ => writeln!(f, "\t{name} = {};", values.join(", "))?,
            }
        }
        f.write_str("}\n")
    }
}

/// A string in double quotes. iocage writes values unchanged. Here, characters that would end the string, or begin
/// a variable or an escape, are escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\{:03o}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_releases() {
        assert_eq!("15.1-RELEASE-p1".parse(), Ok(HostRelease { major: 15, minor: 1 }));
        assert_eq!("14.2".parse(), Ok(HostRelease { major: 14, minor: 2 }));
        assert!("banana".parse::<HostRelease>().is_err());
        let release = |text: &str| text.parse::<HostRelease>().unwrap();
        assert!(release("9.3-RELEASE") < release("13.2-RELEASE"));
    }

    #[test]
    fn old_hosts_are_not_told_of_new_parameters() {
        let release = |text: &str| text.parse::<HostRelease>().unwrap();
        assert!(!known("exec.created", release("11.4-RELEASE")));
        assert!(known("exec.created", release("12.0-RELEASE")));
        assert!(!known("allow.nfsd", release("13.2-RELEASE")));
        assert!(known("persist", release("9.0-RELEASE")));
    }

    #[test]
    fn a_value_cannot_end_its_string() {
        assert_eq!(quoted("a\";}\n$x\\"), "\"a\\\";}\\n\\$x\\\\\"");
        assert_eq!(quoted("/bin/sh /etc/rc"), "\"/bin/sh /etc/rc\"");
    }
}

//! The files that a start writes into a jail: resolv.conf, localtime, rc.conf, hosts, and the socket of syslogd.
//!
//! All of them are beneath the jail's root. They are written without following symbolic links out of it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::{fs, io};

use super::{Host, Report, errors};
use crate::error::Error;
use crate::files::read_beneath;
use crate::iocage::config::JailConfig;
use crate::iocage::resolver::Resolver;
use crate::iocage::store::Entry;

const MODE: u32 = 0o644;
/// The files that are written.
const WRITTEN: [&str; 4] = ["etc/rc.conf", "etc/resolv.conf", "etc/localtime", "etc/hosts"];
/// The target of the jail's link /dev/log, at which programs find syslogd.
const SYSLOG: &str = "../var/run/log";

impl Host<'_> {
    /// Writes the files that differ from the configuration.
    ///
    /// If a jail lacks the directory for a file, the file is not written. If the jail prevents the host from
    /// writing a file, that is reported. For rc.conf it is an error, because the jail would not configure a NIC
    /// without it.
    pub(super) fn write_inside(
        &self,
        config: &JailConfig,
        localhost: Option<Ipv4Addr>,
        report: &mut dyn Report,
    ) -> Result<(), Error> {
        let text = read_text(&config.root, Path::new("etc/rc.conf")).unwrap_or_default();
        if let Some(text) = config.update_rc_conf(&text) {
            self.files
                .replace_beneath(&config.root, Path::new("etc/rc.conf"), text.as_bytes(), MODE)
                .map_err(errors::of(&config.name))?;
        }
        let results = [
            self.write_resolver(config),
            self.write_localtime(config),
            localhost.map_or(Ok(()), |address| self.write_hosts(config, address)),
            self.link_syslog(config),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            report.warn(&format!("{}: {error}", config.name));
        }
        Ok(())
    }

    /// Removes unfinished files of a killed process, in the store and in the jail.
    pub(super) fn finish_writing(&self, entry: &Entry, report: &mut dyn Report) {
        if let Err(error) = self.store.finish_writing(entry, &self.files) {
            report.warn(&format!("{}: {error}", entry.name));
        }
        let root = entry.root();
        for path in WRITTEN {
            if let Err(error) = self.files.finish_replacing_beneath(&root, Path::new(path)) {
                report.warn(&format!("{}: {error}", entry.name));
            }
        }
    }

    fn write_resolver(&self, config: &JailConfig) -> io::Result<()> {
        let contents = match &config.resolver {
            Resolver::Leave => return Ok(()),
            Resolver::Lines(_) => config.resolver.contents().unwrap_or_default().into_bytes(),
            Resolver::Host => match fs::read("/etc/resolv.conf") {
                // The host has no such file, so the jail gets none.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            },
        };
        self.write_if_different(config, "etc/resolv.conf", &contents)
    }

    /// Writes the host's time zone. On the host it is a file, or a symbolic link to a file.
    fn write_localtime(&self, config: &JailConfig) -> io::Result<()> {
        let (host, inside) = (Path::new("/etc/localtime"), Path::new("etc/localtime"));
        if !config.host_time || !config.root.join("etc").is_dir() {
            return Ok(());
        }
        match fs::read_link(host) {
            Ok(target) => {
                if fs::read_link(config.root.join(inside)).is_ok_and(|there| there == target) {
                    return Ok(());
                }
                self.files.remove_beneath(&config.root, inside).map_err(io::Error::other)?;
                self.files.symlink_beneath(&target, &config.root, inside).map_err(io::Error::other)
            }
            Err(_) => match fs::read(host) {
                // A host without the file uses UTC.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => self.write_if_different(config, "etc/localtime", &other?),
            },
        }
    }

    /// Writes the jail's own loopback address into /etc/hosts, in place of 127.0.0.1.
    fn write_hosts(&self, config: &JailConfig, address: Ipv4Addr) -> io::Result<()> {
        let Some(text) = read_text(&config.root, Path::new("etc/hosts")) else { return Ok(()) };
        self.write_if_different(config, "etc/hosts", with_localhost(&text, address).as_bytes())
    }

    /// Makes the link /dev/log. It is removed with the jail's devfs. A simulated devfs does not exist, so no link
    /// is made.
    fn link_syslog(&self, config: &JailConfig) -> io::Result<()> {
        let link = config.root.join("dev/log");
        if !config.mounts.devfs || self.kernel().simulated() || link.symlink_metadata().is_ok() {
            return Ok(());
        }
        self.files
            .symlink_beneath(Path::new(SYSLOG), &config.root, Path::new("dev/log"))
            .map_err(io::Error::other)
    }

    fn write_if_different(&self, config: &JailConfig, path: &str, contents: &[u8]) -> io::Result<()> {
        let path = Path::new(path);
        let directory = path.parent().unwrap_or(path);
        if !config.root.join(directory).is_dir() {
            return Ok(());
        }
        if read_beneath(&config.root, path).ok().flatten().is_some_and(|there| there == contents) {
            return Ok(());
        }
        self.files.replace_beneath(&config.root, path, contents, MODE).map_err(io::Error::other)
    }
}

fn read_text(root: &Path, path: &Path) -> Option<String> {
    let contents = read_beneath(root, path).ok().flatten()?;
    Some(String::from_utf8_lossy(&contents).into_owned())
}

/// Returns /etc/hosts with this address in place of 127.0.0.1, or of the address of 127.0.0.0/8 that an earlier
/// start has written.
fn with_localhost(hosts: &str, address: Ipv4Addr) -> String {
    let line = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        match first.parse::<Ipv4Addr>() {
            Ok(ip) if ip.is_loopback() => line.replacen(first, &address.to_string(), 1),
            _ => line.to_owned(),
        }
    };
    hosts.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::with_localhost;

    #[test]
    fn localhost_is_the_jails_own() {
        let hosts = "# 127.0.0.1\n::1 localhost\n127.0.0.1\t\tlocalhost web\n10.0.0.1 web";
        let own = with_localhost(hosts, "127.0.0.2".parse().unwrap());
        assert_eq!(own, "# 127.0.0.1\n::1 localhost\n127.0.0.2\t\tlocalhost web\n10.0.0.1 web");
        assert_eq!(
            with_localhost(&own, "127.0.0.3".parse().unwrap()).lines().nth(2),
            Some("127.0.0.3\t\tlocalhost web")
        );
    }
}

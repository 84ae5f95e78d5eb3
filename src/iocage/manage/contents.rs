//! The contents of a new jail's files.

use std::net::IpAddr;

use crate::iocage::addresses::{Addresses, Family, Ip4Addresses, Ip6Addresses};
use crate::iocage::name::JailName;
use crate::iocage::properties::Properties;

/// The default rc.conf of a new jail, as in iocage: `default_rc.conf`.
pub const RC_CONF: &str = r#"cron_flags="$cron_flags -J 15"

# Disable Sendmail by default
sendmail_enable="NO"
sendmail_submit_enable="NO"
sendmail_outbound_enable="NO"
sendmail_msp_queue_enable="NO"

# Run secure syslog
syslogd_flags="-c -ss"

# Enable IPv6
ipv6_activate_all_interfaces="YES"
"#;

/// Returns a jail's /etc/hosts: the file of the release, with the jail's name for 127.0.0.1 and for the jail's
/// addresses.
pub fn hosts(release: &str, name: &JailName, addresses: &[IpAddr]) -> String {
    let short = name.as_str().split('.').next().unwrap_or_default();
    let mut text = String::new();
    for line in release.lines() {
        let is_loopback = line.split_whitespace().next() == Some("127.0.0.1");
        match is_loopback {
            true => text.push_str(&format!("{} {short}\n", line.trim_end())),
            false => text.push_str(&format!("{line}\n")),
        }
    }
    text + &own_lines(name, addresses)
}

/// Returns the addresses that a configuration gives a jail.
pub fn addresses(properties: &Properties) -> Vec<IpAddr> {
    fn ips<A: Family>(addresses: Option<Addresses<A>>) -> Vec<IpAddr> {
        let addresses = addresses.iter().flat_map(|addresses| addresses.iter());
        addresses.filter_map(|one| Some(one.address?.ip())).collect()
    }
    let text = |name: &str| properties.get(name).unwrap_or_default();
    let mut all = ips(text("ip4_addr").parse::<Ip4Addresses>().ok());
    all.extend(ips(text("ip6_addr").parse::<Ip6Addresses>().ok()));
    all
}

/// Returns a text in which the name of one jail, as a word, is replaced with the name of another jail.
pub fn with_name(text: &str, old: &str, new: &str) -> String {
    let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, found) = rest.split_at(at);
        let after = &found[old.len()..];
        out.push_str(before);
        let whole = !out.ends_with(part_of_a_name) && !after.starts_with(part_of_a_name);
        out.push_str(if whole { new } else { old });
        rest = after;
    }
    out + rest
}

/// Returns the /etc/hosts of a clone: the source's file, with the clone's name and addresses in place of the
/// source's.
pub fn moved_hosts(text: &str, names: (&JailName, &JailName), old: &[IpAddr], new: &[IpAddr]) -> String {
    let renamed = with_name(text, names.0.as_str(), names.1.as_str());
    let address = |line: &str| line.split_whitespace().next().and_then(|field| field.parse::<IpAddr>().ok());
    let is_sources = |line: &&str| address(line).is_some_and(|ip| old.contains(&ip) && !new.contains(&ip));
    let mut moved: String = renamed.split_inclusive('\n').filter(|line| !is_sources(line)).collect();
    let missing: Vec<IpAddr> = {
        let known: Vec<IpAddr> = moved.lines().filter_map(address).collect();
        new.iter().filter(|ip| !known.contains(ip)).copied().collect()
    };
    if !missing.is_empty() && !moved.is_empty() && !moved.ends_with('\n') {
        moved.push('\n');
    }
    moved + &own_lines(names.1, &missing)
}

/// The lines of /etc/hosts for a jail's own addresses.
fn own_lines(name: &JailName, addresses: &[IpAddr]) -> String {
    let name = name.as_str();
    let short = name.split('.').next().unwrap_or(name);
    let names = if short == name { name.to_owned() } else { format!("{name}\t{short}") };
    addresses.iter().map(|address| format!("{address}\t{names}\n")).collect()
}

/// Returns the host name of a clone. If the first part of the old host name was the source's name, it is replaced
/// with the clone's name.
pub fn moved_hostname(hostname: &str, old: &JailName, new: &JailName) -> String {
    let (old, new) = (old.default_hostname(), new.default_hostname());
    match hostname.strip_prefix(&old) {
        Some("") => new,
        Some(domain) if domain.starts_with('.') => format!("{new}{domain}"),
        _ => hostname.to_owned(),
    }
}

/// Returns the version of a base system, from the text of its `/bin/freebsd-version`.
pub fn version(freebsd_version: &str) -> Option<String> {
    let value = freebsd_version.lines().find_map(|line| line.strip_prefix("USERLAND_VERSION="))?;
    let version = value.trim().trim_matches(['"', '\'']);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    (!version.is_empty() && version.chars().all(plain)).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> JailName {
        JailName::new(text).unwrap()
    }

    #[test]
    fn a_jail_knows_its_own_name() {
        let release = "# Host\n::1\t\t\tlocalhost localhost.my.domain\n127.0.0.1\t\tlocalhost\n";
        let own = hosts(release, &name("web.example.org"), &["192.0.2.20".parse().unwrap()]);
        assert_eq!(
            own,
            "# Host\n::1\t\t\tlocalhost localhost.my.domain\n127.0.0.1\t\tlocalhost web\n192.0.2.20\tweb.example.org\tweb\n"
        );
        assert_eq!(hosts("", &name("web"), &["2001:db8::1".parse().unwrap()]), "2001:db8::1\tweb\n");
    }

    #[test]
    fn a_clone_has_its_own_addresses_in_its_hosts() {
        let (web, shop) = (name("web"), name("shop"));
        let (old, new) = (["192.0.2.20".parse().unwrap()], ["192.0.2.50".parse().unwrap()]);
        let text = "127.0.0.1 localhost web\n192.0.2.20\tweb\n192.0.2.1 router";
        assert_eq!(
            moved_hosts(text, (&web, &shop), &old, &new),
            "127.0.0.1 localhost shop\n192.0.2.1 router\n192.0.2.50\tshop\n"
        );
        // Addresses that both jails have stay where they are.
        let both = moved_hosts(text, (&web, &shop), &old, &old);
        assert_eq!(both, "127.0.0.1 localhost shop\n192.0.2.20\tshop\n192.0.2.1 router");
    }

    #[test]
    fn names_are_replaced_where_they_are_whole() {
        let text = "127.0.0.1 localhost web web2 my-web\n192.0.2.20\tweb.example.org web";
        assert_eq!(
            with_name(text, "web", "shop"),
            "127.0.0.1 localhost shop web2 my-web\n192.0.2.20\tshop.example.org shop"
        );
        assert_eq!(with_name("aaa", "a", "b"), "aaa");
    }

    #[test]
    fn a_clone_has_a_host_name_of_its_own() {
        let moved = |hostname: &str| moved_hostname(hostname, &name("my_web"), &name("my_shop"));
        assert_eq!(moved("my-web"), "my-shop");
        assert_eq!(moved("my-web.example.org"), "my-shop.example.org");
        assert_eq!(moved("my-web2"), "my-web2");
        assert_eq!(moved("www"), "www");
    }

    #[test]
    fn a_base_system_says_what_it_is() {
        assert_eq!(version("#!/bin/sh\nUSERLAND_VERSION=\"15.1-RELEASE-p1\"\n").unwrap(), "15.1-RELEASE-p1");
        assert_eq!(version("USERLAND_VERSION=\"$(id)\"\n"), None);
        assert_eq!(version(""), None);
    }
}

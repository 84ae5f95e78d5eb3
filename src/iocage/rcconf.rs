//! A jail's /etc/rc.conf: the lines that iocage writes for DHCP and router advertisements.
//!
//! As with `sysrc(8)`, an existing assignment is changed in place, a new assignment is added at the end, and
//! everything else is kept.

use std::fmt;

use super::config::{JailConfig, Network};

/// The value of iocage for a NIC that accepts router advertisements.
const RTADV: &str = "inet6 auto_linklocal accept_rtadv autoconf";
/// The value for a NIC with addresses by RFC 7217.
const STABLE_RTADV: &str = "inet6 auto_linklocal accept_rtadv autoconf stableaddr";
/// The value of iocage for a NIC that uses DHCP. With SYNC, rc waits for the address.
const DHCP: &str = "SYNCDHCP";

/// The lines of an rc.conf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcConf {
    lines: Vec<String>,
}

impl RcConf {
    /// Reads a file.
    pub fn new(text: &str) -> RcConf {
        RcConf { lines: text.lines().map(str::to_owned).collect() }
    }

    /// Returns the value of a variable by its last assignment, without quotes.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().rev().find_map(|line| value(line, name))
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        let line = format!("{name}=\"{value}\"");
        match self.lines.iter().rposition(|line| assigns(line, name)) {
            Some(at) => self.lines[at] = line,
            None => self.lines.push(line),
        }
    }

    /// Takes a variable out.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !assigns(line, name));
    }

    /// Sets a variable if it is wanted. Otherwise removes it, if it has this value: any other value comes from the
    /// administrator.
    fn want(&mut self, wanted: bool, name: &str, value: &str) {
        let there = self.get(name) == Some(value);
        match (wanted, there) {
            (true, false) => self.set(name, value),
            (false, true) => self.remove(name),
            _ => {}
        }
    }
}

impl JailConfig {
    /// Returns what has to become of the jail's rc.conf, if anything.
    pub fn update_rc_conf(&self, text: &str) -> Option<String> {
        let Network::Vnet(network) = &self.network else { return None };
        let before = RcConf::new(text);
        let mut after = before.clone();
        for nic in &network.nics {
            let name = nic.name.jail_end();
            after.want(nic.dhcp, &format!("ifconfig_{name}"), DHCP);
            let variable = format!("ifconfig_{name}_ipv6");
            after.want(nic.accept_rtadv && !nic.stable_address, &variable, RTADV);
            after.want(nic.accept_rtadv && nic.stable_address, &variable, STABLE_RTADV);
        }
        if network.rtsold {
            after.want(true, "rtsold_enable", "YES");
        }
        (after != before).then(|| after.to_string())
    }
}

/// The text after the `=`, if the line assigns this variable.
fn assigned<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.trim_start().strip_prefix(name)?.strip_prefix('=')
}

fn assigns(line: &str, name: &str) -> bool {
    assigned(line, name).is_some()
}

/// The value that a line assigns to this variable.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let text = assigned(line, name)?;
    Some(match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].split(quote).next().unwrap_or_default(),
        _ => text.split([' ', '\t', '#', ';']).next().unwrap_or_default(),
    })
}

impl fmt::Display for RcConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn changes_one_variable_and_leaves_the_rest() {
        let mut conf = RcConf::new("# mine\nsshd_enable=YES # yes\nifconfig_epair0b='inet 10.0.0.1/24'\n");
        assert_eq!(conf.get("sshd_enable"), Some("YES"));
        assert_eq!(conf.get("ifconfig_epair0b"), Some("inet 10.0.0.1/24"));
        assert_eq!(conf.get("ifconfig_epair0"), None);
        conf.set("ifconfig_epair0b", "SYNCDHCP");
        conf.set("rtsold_enable", "YES");
        conf.remove("sshd_enable");
        assert_eq!(conf.to_string(), "# mine\nifconfig_epair0b=\"SYNCDHCP\"\nrtsold_enable=\"YES\"\n");
    }

    #[test]
    fn what_the_administrator_wrote_is_not_taken_out() {
        let mut conf = RcConf::new("ifconfig_epair0b=\"inet 10.0.0.1/24\"\nifconfig_epair1b=\"SYNCDHCP\"\n");
        conf.want(false, "ifconfig_epair0b", DHCP);
        conf.want(false, "ifconfig_epair1b", DHCP);
        assert_eq!(conf.to_string(), "ifconfig_epair0b=\"inet 10.0.0.1/24\"\n");
    }

    proptest! {
        #[test]
        fn what_is_set_is_there(text in ".*", lines in "([a-z_]{1,3}=[\"'a-z ]{0,5}\n){0,4}", value in "[A-Za-z0-9 ]{0,9}") {
            for text in [text, lines] {
                let mut conf = RcConf::new(&text);
                conf.set("a", &value);
                prop_assert_eq!(conf.get("a"), Some(value.as_str()));
                conf.remove("a");
                prop_assert_eq!(conf.get("a"), None);
            }
        }
    }
}

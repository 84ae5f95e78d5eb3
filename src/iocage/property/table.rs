//! The table of properties.

use std::sync::LazyLock;

use super::kind::Kind;

/// A property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Property {
    /// The property's name. `vnetN_mac`, `vnetN_mtu`, `vnetN_vlan`, `vnetN_tagged` and `vnetN_stableaddr` stand for
    /// every N. iocage does not have the last three, and keeps them in config.json as it keeps all unknown keys.
    pub name: &'static str,
    /// The value if neither config.json nor defaults.json has one.
    pub builtin: Builtin,
    /// The values that the property may have.
    pub kind: Kind,
    /// The command that may change the property, and the targets.
    pub scope: Scope,
}

/// A property's value when no file has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Builtin {
    /// The given text.
    Text(&'static str),
    /// The jail's name.
    Name,
    /// The jail's name as a host name: with `-` in place of `_`.
    Hostname,
    /// A value of the host, which this module does not read: it reads as `none`.
    Host,
}

/// The command that may change a property, and the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Users set it, for one jail or as a default.
    Jail,
    /// Users set it as a default only, because it is about the host.
    Host,
    /// `set` does not change it.
    Fixed,
}

use Builtin::Text as T;
use Kind::{Boolean, Choice, Command, Fib, Hook, Integer, Interface, Line, Mtu};
use Scope::{Fixed, Host, Jail};

const SHARING: Kind = Choice(&["new", "inherit", "disable"]);
const COUNT: i64 = i32::MAX as i64;

const fn p(name: &'static str, builtin: &'static str, kind: Kind) -> Property {
    Property { name, builtin: T(builtin), kind, scope: Jail }
}

const fn scoped(name: &'static str, builtin: Builtin, kind: Kind, scope: Scope) -> Property {
    Property { name, builtin, kind, scope }
}

const fn off(name: &'static str) -> Property {
    p(name, "0", Boolean)
}

const fn on(name: &'static str) -> Property {
    p(name, "1", Boolean)
}

/// A limit of rctl(8), or a property of a ZFS dataset: text that a start does not use.
const fn unused(name: &'static str, builtin: &'static str, scope: Scope) -> Property {
    Property { name, builtin: T(builtin), kind: Line, scope }
}

/// Every property, with iocage's default (that of its release 1.13).
#[rustfmt::skip]
pub static TABLE: &[Property] = &[
    // The network.
    off("vnet"),
    p("ip4_addr", "none", Kind::Ip4Addresses),
    p("ip6_addr", "none", Kind::Ip6Addresses),
    p("ip4", "new", SHARING),
    p("ip6", "new", SHARING),
    on("ip4_saddrsel"),
    on("ip6_saddrsel"),
    p("interfaces", "vnet0:bridge0", Kind::Interfaces),
    p("vnet_default_interface", "none", Interface(&["auto", "none"])),
    p("vnet_interfaces", "none", Kind::InterfaceList),
    p("vnetN_mac", "none", Kind::MacPair),
    p("vnetN_mtu", "auto", Mtu { auto: true }),
    p("vnetN_vlan", "none", Kind::Vlan),
    p("vnetN_tagged", "none", Kind::Vlans),
    p("vnetN_stableaddr", "0", Boolean),
    p("vnet_default_mtu", "1500", Mtu { auto: false }),
    scoped("mac_prefix", Builtin::Host, Kind::MacPrefix, Jail),
    p("defaultrouter", "auto", Kind::Router4),
    p("defaultrouter6", "auto", Kind::Router6),
    p("resolver", "/etc/resolv.conf", Kind::Resolver),
    off("dhcp"),
    off("bpf"),
    off("rtsold"),
    off("assign_localhost"),
    p("localhost_ip", "none", Kind::Loopback),
    off("ip_hostname"),
    off("nat"),
    p("nat_forwards", "none", Kind::NatForwards),
    scoped("nat_prefix", T("172.16"), Kind::NatPrefix, Host),
    scoped("nat_interface", T("none"), Interface(&["none"]), Host),
    scoped("nat_backend", T("ipfw"), Choice(&["ipfw", "pf"]), Host),
    p("exec_fib", "0", Fib),
    // Identity.
    scoped("host_hostname", Builtin::Hostname, Kind::Hostname, Jail),
    p("host_domainname", "", Kind::Hostname),
    scoped("host_hostuuid", Builtin::Name, Line, Fixed),
    scoped("hostid", Builtin::Host, Line, Jail),
    off("hostid_strict_check"),
    on("host_time"),
    // Permissions.
    p("devfs_ruleset", "4", Integer(0, 65535)),
    p("min_dyn_devfs_ruleset", "1000", Integer(0, 65535)),
    p("securelevel", "2", Integer(-1, 3)),
    p("enforce_statfs", "2", Choice(&["0", "1", "2"])),
    p("children_max", "0", Integer(0, 999_999)),
    p("sysvmsg", "new", SHARING),
    p("sysvsem", "new", SHARING),
    p("sysvshm", "new", SHARING),
    on("allow_set_hostname"),
    off("allow_raw_sockets"),
    off("allow_sysvipc"),
    off("allow_quotas"),
    off("allow_socket_af"),
    off("allow_chflags"),
    off("allow_mlock"),
    off("allow_mount"),
    off("allow_mount_devfs"),
    off("allow_mount_fdescfs"),
    off("allow_mount_fusefs"),
    off("allow_mount_nullfs"),
    off("allow_mount_procfs"),
    off("allow_mount_linprocfs"),
    off("allow_mount_linsysfs"),
    off("allow_mount_tmpfs"),
    off("allow_mount_zfs"),
    off("allow_nfsd"),
    off("allow_vmm"),
    off("allow_tun"),
    // Mounts.
    on("mount_devfs"),
    on("mount_fdescfs"),
    off("mount_procfs"),
    off("mount_linprocfs"),
    // Programs and times.
    p("exec_start", "/bin/sh /etc/rc", Command),
    p("exec_stop", "/bin/sh /etc/rc.shutdown", Command),
    p("exec_prestart", "/usr/bin/true", Hook),
    p("exec_poststart", "/usr/bin/true", Hook),
    p("exec_prestop", "/usr/bin/true", Hook),
    p("exec_poststop", "/usr/bin/true", Hook),
    p("exec_created", "/usr/bin/true", Line),
    on("exec_clean"),
    p("exec_timeout", "60", Integer(0, COUNT)),
    p("stop_timeout", "30", Integer(0, COUNT)),
    p("exec_jail_user", "root", Line),
    p("exec_system_user", "root", Line),
    p("exec_system_jail_user", "0", Line),
    p("login_flags", "-f root", Line),
    off("boot"),
    p("priority", "99", Integer(1, 99)),
    p("depends", "none", Kind::Depends),
    // Stored, but not used by a start.
    p("notes", "none", Kind::Text),
    p("comment", "none", Kind::Text),
    p("owner", "root", Line),
    off("jail_zfs"),
    p("jail_zfs_dataset", "none", Line),
    p("jail_zfs_mountpoint", "none", Line),
    p("plugin_name", "none", Line),
    p("plugin_repository", "none", Line),
    p("cpuset", "off", Line),
    p("rlimits", "off", Choice(&["off", "on"])),
    unused("memoryuse", "off", Jail),
    unused("memorylocked", "off", Jail),
    unused("vmemoryuse", "off", Jail),
    unused("maxproc", "off", Jail),
    unused("cputime", "off", Jail),
    unused("pcpu", "off", Jail),
    unused("datasize", "off", Jail),
    unused("stacksize", "off", Jail),
    unused("coredumpsize", "off", Jail),
    unused("openfiles", "off", Jail),
    unused("pseudoterminals", "off", Jail),
    unused("swapuse", "off", Jail),
    unused("nthr", "off", Jail),
    unused("msgqqueued", "off", Jail),
    unused("msgqsize", "off", Jail),
    unused("nmsgq", "off", Jail),
    unused("nsem", "off", Jail),
    unused("nsemop", "off", Jail),
    unused("nshm", "off", Jail),
    unused("shmsize", "off", Jail),
    unused("wallclock", "off", Jail),
    unused("readbps", "off", Jail),
    unused("writebps", "off", Jail),
    unused("readiops", "off", Jail),
    unused("writeiops", "off", Jail),
    // Users cannot set these.
    unused("CONFIG_VERSION", "34", Fixed),
    unused("available", "readonly", Fixed),
    scoped("basejail", T("0"), Boolean, Fixed),
    unused("cloned_release", "none", Fixed),
    unused("compression", "on", Fixed),
    unused("compressratio", "readonly", Fixed),
    unused("count", "1", Fixed),
    unused("dedup", "off", Fixed),
    unused("last_started", "none", Fixed),
    unused("mountpoint", "readonly", Fixed),
    unused("origin", "readonly", Fixed),
    unused("quota", "none", Fixed),
    unused("release", "none", Fixed),
    unused("reservation", "none", Fixed),
    unused("source_template", "none", Fixed),
    unused("sync_state", "none", Fixed),
    unused("sync_target", "none", Fixed),
    unused("sync_tgt_zpool", "none", Fixed),
    // iocage renames a jail whose config.json has a tag that differs from its name.
    unused("tag", "none", Fixed),
    scoped("template", T("0"), Boolean, Fixed),
    unused("type", "jail", Fixed),
    unused("used", "readonly", Fixed),
];

/// The properties that grant a jail something, and the kernel's parameters for them, in the order
/// in which iocage writes them.
#[rustfmt::skip]
pub static ALLOW: &[(&str, &str)] = &[
    ("allow_mlock", "allow.mlock"),
    ("allow_mount_tmpfs", "allow.mount.tmpfs"),
    ("allow_mount_fdescfs", "allow.mount.fdescfs"),
    ("allow_mount_fusefs", "allow.mount.fusefs"),
    ("allow_vmm", "allow.vmm"),
    ("allow_nfsd", "allow.nfsd"),
    ("allow_set_hostname", "allow.set_hostname"),
    ("allow_raw_sockets", "allow.raw_sockets"),
    ("allow_sysvipc", "allow.sysvipc"),
    ("allow_quotas", "allow.quotas"),
    ("allow_socket_af", "allow.socket_af"),
    ("allow_chflags", "allow.chflags"),
    ("allow_mount", "allow.mount"),
    ("allow_mount_devfs", "allow.mount.devfs"),
    ("allow_mount_nullfs", "allow.mount.nullfs"),
    ("allow_mount_procfs", "allow.mount.procfs"),
    ("allow_mount_linprocfs", "allow.mount.linprocfs"),
    ("allow_mount_linsysfs", "allow.mount.linsysfs"),
    ("allow_mount_zfs", "allow.mount.zfs"),
];

/// Returns the present name of a property: legacy said `hostname` for `host_hostname`.
pub fn canonical(name: &str) -> &str {
    if name == "hostname" { "host_hostname" } else { name }
}

/// Returns the property with this name. In `vnetN_mac` and similar names, N is any number.
pub fn find(name: &str) -> Option<&'static Property> {
    let name = canonical(name);
    let name = match name.strip_prefix("vnet").and_then(|rest| rest.split_once('_')) {
        Some((number, suffix @ ("mac" | "mtu" | "vlan" | "tagged" | "stableaddr")))
            if (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            of_nic(suffix)
        }
        _ if name.starts_with("vnetN_") => return None,
        _ => name,
    };
    let place = SORTED.binary_search_by(|property| sorted_by(property.name).cmp(&sorted_by(name)));
    place.ok().map(|at| SORTED[at])
}

/// The properties by the lengths of their names, and by their names: reading a jail looks up a hundred properties.
static SORTED: LazyLock<Vec<&Property>> = LazyLock::new(|| {
    let mut sorted: Vec<&Property> = TABLE.iter().collect();
    sorted.sort_by_key(|property| sorted_by(property.name));
    sorted
});

fn sorted_by(name: &str) -> (usize, &str) {
    (name.len(), name)
}

/// The name in the table for a NIC's property, by the part after the NIC's name.
fn of_nic(suffix: &str) -> &'static str {
    match suffix {
        "mac" => "vnetN_mac",
        "mtu" => "vnetN_mtu",
        "vlan" => "vnetN_vlan",
        "stableaddr" => "vnetN_stableaddr",
        _ => "vnetN_tagged",
    }
}

/// Keys that other versions of iocage have written, and that do not concern a jail's start.
const OF_OTHERS: [&str; 22] = [
    "CONFIG_TYPE",
    "branch",
    "children_cur",
    "exec_create",
    "ftpdir",
    "ftpfiles",
    "ftphost",
    "gitlocation",
    "hack88",
    "id",
    "ip4_autoend",
    "ip4_autostart",
    "ip4_autosubnet",
    "istemplate",
    "jail_zfs_create",
    "legacy",
    "pkglist",
    "plugin_version",
    "prebuilt",
    "prune",
    "state",
    "sync_stat",
];

/// Returns whether a key is one that other versions of iocage write.
pub fn is_of_others(key: &str) -> bool {
    OF_OTHERS.contains(&key)
}

/// Returns the property with the most similar name, if a similar name exists.
pub fn nearest(name: &str) -> Option<&'static str> {
    let furthest = (name.chars().count() / 3).clamp(1, 4);
    TABLE
        .iter()
        .map(|property| (distance(&name.to_lowercase(), property.name), property.name))
        .filter(|(distance, _)| *distance <= furthest)
        .min()
        .map(|(_, name)| name)
}

/// The Levenshtein distance: the number of letters to insert, remove or replace.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    // A very long name is similar to no property, so only its beginning is compared.
    for (above, a) in from.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (index, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_default_is_a_value() {
        for property in TABLE {
            if let Builtin::Text(text) = property.builtin {
                assert!(property.kind.check(text).is_ok(), "{}={text}", property.name);
            }
        }
    }

    #[test]
    fn every_name_is_there_once() {
        let names: BTreeSet<_> = TABLE.iter().map(|property| property.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for (property, _) in ALLOW {
            assert_eq!(find(property).map(|property| property.kind), Some(Boolean), "{property}");
        }
        let allowed = TABLE.iter().filter(|property| property.name.starts_with("allow_")).count();
        assert_eq!(ALLOW.len(), allowed - 1, "all but allow_tun, which is about devfs");
    }

    #[test]
    fn finds_any_nics_properties() {
        assert_eq!(find("vnet0_mac").unwrap().name, "vnetN_mac");
        assert_eq!(find("vnet17_mtu").unwrap().name, "vnetN_mtu");
        assert_eq!(find("vnet_default_mtu").unwrap().name, "vnet_default_mtu");
        assert_eq!(find("hostname").unwrap().name, "host_hostname");
        for name in ["vnetN_mac", "vnet_mac", "vnetx_mac", "vnet99999_mac", "", "VNET", "vnet0_foo"] {
            assert_eq!(find(name), None, "{name:?}");
        }
    }

    #[test]
    fn suggests_what_was_meant() {
        assert_eq!(nearest("ip4addr"), Some("ip4_addr"));
        assert_eq!(nearest("defaultroute"), Some("defaultrouter"));
        assert_eq!(nearest("VNET"), Some("vnet"));
        assert_eq!(nearest("zzzzzzzz"), None);
        assert_eq!(nearest(""), None);
        assert_eq!(nearest(&"x".repeat(100_000)), None);
    }
}

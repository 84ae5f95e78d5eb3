//! Hosts as people have shown them, and what random ones are made of: for the library and for the program.

use std::collections::BTreeMap;

const VNET: &str =
    r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#;

/// Where a host was shown (a thread or a repository on github.com), its jail's configuration, the defaults, the fstab, and
/// what becomes of a start: `start`, or words of the refusal. The configurations were written for this test: each is of
/// the kind that was shown there.
#[rustfmt::skip]
const HOSTS: [Row; 58] = [
    ("iocage/iocage/pull/843", r#""CONFIG_VERSION":"28","host_hostname":"nginx","host_hostuuid":"nginx","VNET,"release":"12.2-RELEASE-p6","jail_zfs_dataset":"iocage/jails/nginx/data","vnet0_mac":"0aabbccdd001 0aabbccdd002","last_started":"2021-03-04 10:11:12","interfaces":"vnet0:bridge0""#, "{}", "", "start"),
    ("iocage/iocage/issues/873", r#""VNET,"vnet0_mac":"02ff60b1c2d3,02ff60b1c2d4","boot":"on","allow_raw_sockets":"1""#, r#"{"CONFIG_VERSION":"14","vnet":"off"}"#, "", "start"),
    ("iocage/iocage/issues/741", r#""VNET,"type":"pluginv2","plugin_name":"plexmediaserver","plugin_repository":"https://example.org/plugins.git","allow_tun":"1","securelevel":"2""#, r#"{"CONFIG_VERSION":"25"}"#, "", "start"),
    ("iocage/iocage/issues/323", r#""vnet":"on","dhcp":"on","bpf":"yes","mac_prefix":"02ff60","interfaces":"vnet0:bridge0""#, "{}", "", "start"),
    ("iocage/iocage/issues/694", r#""vnet":"on","dhcp":"on","mac_prefix":"02ff60""#, "{}", "", "set bpf=1"),
    ("iocage/iocage/issues/193", r#""ip4_addr":"em0|192.0.2.70/24""#, "{}", "", "start"),
    ("danb35/freenas-iocage-nextcloud/issues/143", r#""ip4_addr":"em0|192.0.2.70/255.255.255.0,em0|192.0.2.71""#, "{}", "", "start"),
    ("iocage/iocage_legacy", r#""ip4_addr":"DEFAULT|192.0.2.72/24","tag":"www","hostname":"www.example.org""#, "{}", "", "start"),
    ("iocage/iocage/issues/193", r#""ip4_addr":"192.0.2.73","ip6_addr":"em0|2001:db8::73/64""#, "{}", "", "start"),
    ("iocage/iocage/issues/952", r#""ip4_addr":"lo1|127.0.1.5/32""#, "{}", "", "ip4_addr: the host has no interface lo1"),
    ("iocage/iocage/issues/180", r#""ip4_addr":"igb0|10.0.0.5/24","ip6":"inherit""#, "{}", "", "no interface igb0"),
    ("iocage/iocage/issues/193", r#""ip4":"inherit","ip6":"disable""#, "{}", "", "start"),
    ("iocage/iocage/pull/843", r#""ip4_addr":"none","assign_localhost":1"#, "{}", "", "start"),
    ("iocage/iocage/issues/1051", r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24","defaultrouter":"auto","mac_prefix":"02ff60""#, "{}", "", "start"),
    ("iocage/iocage/issues/952", r#""vnet":1,"interfaces":"vnet0:bridge1","ip4_addr":"vnet0|10.20.0.2/24","mac_prefix":"02ff60""#, "{}", "", "defaultrouter=auto"),
    ("iocage/iocage/issues/180", r#""vnet":1,"ip4_addr":"vnet0|10.20.0.2/24","defaultrouter":"10.21.0.1","mac_prefix":"02ff60""#, "{}", "", "set defaultrouter=none"),
    ("iocage/iocage/issues/682", r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.60/24,vnet1|10.1.0.2/16","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "{}", "", "start"),
    ("basilhendroff/truenas-iocage-letsencrypt/issues/5", r#""vnet":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet1|10.1.0.2/16","defaultrouter":"none","mac_prefix":"02ff60""#, "{}", "", "not in interfaces"),
    ("iocage/iocage/pull/954", r#""vnet":1,"ip6_addr":"vnet0|2001:db8::60/64","defaultrouter6":"fe80::1%epair0b","mac_prefix":"02ff60""#, "{}", "", "start"),
    ("freebsd/iocage/issues/10", r#""vnet":1,"ip6_addr":"vnet0|accept_rtadv","rtsold":"on","mac_prefix":"02ff60""#, "{}", "", "start"),
    ("freebsd/iocage/issues/46", r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24,lo0|127.1.1.1/8","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "{}", "", "start"),
    ("iocage/iocage_legacy/issues/288", r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "{}", "", "prefix length"),
    ("iocage/iocage/issues/1081", r#""vnet":1,"nat":1,"nat_forwards":"tcp(80:8080)","ip4_addr":"none""#, r#"{"nat_prefix":"172.16"}"#, "", "nat"),
    ("iocage/iocage/issues/1224", r#""vnet":1,"ip4_addr":"vnet0|192.0.2.60/24","defaultrouter":"192.0.2.1""#, r#"{"mac_prefix":"003048"}"#, "", "start"),
    ("iocage/iocage/issues/98", r#""VNET,"exec_fib":"1""#, "{}", "", "net.fibs"),
    ("iocage/iocage/issues/1293", r#""VNET,"exec_start":"/bin/sh /etc/rc && service x start""#, "{}", "", "start"),
    ("bsdci/libioc/issues/558", r#""VNET,"exec_prestart":"/bin/sleep 0.1","exec_poststart":"ifconfig bridge0 mtu 1500; true","exec_prestop":"/usr/bin/true","exec_poststop":"/usr/bin/true""#, "{}", "", "start"),
    ("jailmanager/jailman/issues/69", r#""VNET,"resolver":"nameserver 192.0.2.53;search example.org""#, "{}", "", "start"),
    ("iocage/iocage/pull/843", r#""VNET,"priority":"5","depends":"none","notes":"the web server","comment":"none","cpuset":"0-1","memoryuse":"8G:log","rlimits":"off""#, "{}", "", "start"),
    ("iocage/iocage/issues/539", r#""VNET,"ftpdir":"x","ftpfiles":"x","gitlocation":"https://example.org","hack88":"0","prune":"0","ip4_autostart":"none""#, "{}", "", "start"),
    ("iocage/iocage/issues/661", r#""VNET,"vnet0_mtu":"9000","vnet_default_mtu":"1500""#, "{}", "", "start"),
    ("iocage/iocage/issues/1187", r#""VNET,"allow_mount":"1","allow_mount_nullfs":"1","allow_mount_tmpfs":1,"enforce_statfs":"1","children_max":"10""#, "{}", "ROOT/data mnt nullfs ro 0 0", "start"),
    ("christian-moerz/eurobsdcon24", r#""VNET,"allow_mount_zfs":"1","jail_zfs":"1""#, "{}", "", "start"),
    ("iocage/iocage/pull/843", r#""VNET,"allow_mount":"1","allow_mount_linsysfs":"1""#, "{}", "", "kldload linsysfs"),
    ("BastilleBSD/bastille/issues/1491", r#""VNET,"allow_mount":"1","allow_mount_fusefs":"1""#, "{}", "", "kldload fusefs"),
    ("iocage/iocage/pull/843", r#""VNET,"mount_procfs":"1","mount_linprocfs":"on","mount_fdescfs":"0""#, "{}", "", "start"),
    ("iocage/iocage/issues/924", r#""ip4_addr":"none""#, "{}", "ROOT/data\tROOT/jails/a/root/mnt\tnullfs\tro\t0\t0 # Added by iocage on 2020-02-03 01:27:44\n", "start"),
    ("iocage/iocage/pull/917", r#""ip4_addr":"none""#, "{}", "ROOT/data /mnt/tank/iocage/jails/a/root/mnt nullfs rw 0 0\n", "start"),
    ("cbsd/cbsd/issues/383", r#""ip4_addr":"none""#, "{}", "ROOT/data /mnt/tank/media nullfs rw 0 0\n", "not beneath the jail's root"),
    ("bsdci/libioc/issues/122", r#""ip4_addr":"none""#, "{}", "ROOT/My Files\tROOT/jails/a/root/mnt\tnullfs\trw\t0\t0\n", "\\040"),
    ("cbsd/cbsd/issues/594", r#""ip4_addr":"none""#, "{}", "nas:/export ROOT/jails/a/root/mnt nfs rw 0 0\n", "mount_nfs"),
    ("iocage/iocage/issues/127", r#""ip4_addr":"none","basejail":1"#, "{}", "ROOT/releases/13.2-RELEASE/root/bin ROOT/jails/a/root/bin nullfs ro 0 0\n", "line 1: there is no"),
    ("iocage/iocage/issues/21", r#""ip4_addr":"none""#, "{}", "tmpfs ROOT/jails/a/root/tmp tmpfs rw,mode=1777,size=64m 0 0\nfdesc ROOT/jails/a/root/dev/fd fdescfs rw 0 0\n", "start"),
    ("iocage/iocage", r#""ip4_adr":"em0|192.0.2.9/32","ip4_addr":"none""#, r#"{"allow_raw_socket":1}"#, "", "start"),
    ("iocage/iocage/issues/1026", r#""host_hostname":"my-jail","devfs_ruleset":"4","min_dyn_devfs_ruleset":"1000","sysvmsg":"new","sysvsem":"inherit","sysvshm":"disable","ip4_addr":"none","securelevel":"-1""#, r#"{"CONFIG_VERSION":26,"sysvshm":"new"}"#, "", "start"),
    ("freebsd/iocage/issues/43", r#""ip4_addr":"none""#, "{}", "ROOT/data ROOT/jails/a/root/mnt nullfs noatime 0 0", "start"),
    ("iocage/iocage/issues/468", r#""ip4_addr":"none""#, "{}", "ROOT/data /iocage/jails/3ac0f00d-0000-4000-8000-00000000000a/root/mnt nullfs ro 0 0", "start"),
    ("iocage/iocage_legacy/issues/245", r#""ip4_addr":"none""#, "{}", "ROOT/data ROOT/jails/UUID/root/mnt nullfs ro 0 0", "start"),
    ("iocage/iocage/issues/1109", r#""VNET,"vnet_default_interface":"auto""#, "{}", "", "start"),
    ("basilhendroff/truenas-iocage-letsencrypt/issues/5", r#""vnet":1,"mac_prefix":"02ff60","interfaces":"vnet1:bridge0","ip4_addr":"vnet1|192.0.2.103/24","defaultrouter":"192.0.2.1""#, "{}", "", "start"),
    ("freebsd/iocage/issues/44", r#""VNET,"interfaces":"vnet0:none""#, "{}", "", "start"),
    ("danb35/freenas-iocage-nextcloud/issues/143", r#""vnet":"on","mac_prefix":"02ff60","vnet_default_interface":"em0","dhcp":"1""#, "{}", "", "set bpf=1"),
    ("iocage/iocage/issues/1187", r#""ip4_addr":"none""#, "{}", "ROOT/data ROOT/jails/a/root/mnt nullfs ro,union 0 0", "start"),
    ("iocage/iocage/issues/981", r#""VNET,"vnet_default_interface":"none""#, r#"{"vnet_default_interface":"auto"}"#, "", "start"),
    ("iocage/iocage/issues/702", r#""ip4_addr":"none""#, "{}", "/nonexisting ROOT/jails/a/root/mnt nullfs ro 0 0", "line 1: there is no /nonexisting"),
    ("iocage/iocage/issues/319", r#""tag":"gitlab","host_hostuuid":"a","ip4_addr":"none","basejail":"no""#, "{}", "", "start"),
    ("christian-moerz/eurobsdcon24", r#""VNET,"children_max":"10","enforce_statfs":"1","allow_mount":1,"allow_mount_tmpfs":1,"allow_vmm":1,"devfs_ruleset":"6""#, "{}", "", "devfs_ruleset 6 does not exist"),
    ("BastilleBSD/bastille/issues/1473", r#""VNET,"exec_prestart":"/usr/local/bin/jib addm a em0""#, "{}", "", "there is no /usr/local/bin/jib"),
];

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// A host with one jail, `a`.
pub struct Shown {
    pub source: &'static str,
    pub config: String,
    pub defaults: &'static str,
    pub fstab: &'static str,
    pub expected: &'static str,
}

/// All hosts that people have shown.
pub fn hosts() -> impl Iterator<Item = Shown> {
    HOSTS.iter().map(|(source, members, defaults, fstab, expected)| {
        let members = members.replace(r#""VNET"#, VNET);
        let resolver = if members.contains("resolver") { "" } else { r#""resolver":"/dev/null","# };
        let config = format!(r#"{{{resolver}"host_time":0,{members}}}"#);
        Shown { source, config, defaults, fstab, expected }
    })
}

/// Values of properties as people write them, right and wrong.
pub const VALUES: [(&str, &[&str]); 24] = [
    ("vnet", &["1", "on", "0", "off", "no"]),
    (
        "interfaces",
        &["vnet0:bridge0", "vnet0:bridge0,vnet1:bridge1", "vnet0:none", "vnet0:lan", "lan:bridge0"],
    ),
    (
        "ip4_addr",
        &[
            "none",
            "vnet0|192.0.2.60/24",
            "em0|192.0.2.61/32",
            "192.0.2.62/24",
            "vnet1|10.0.0.1/8",
            "lo0|127.0.0.9/32",
            "vnet0|DHCP",
            "em9|10.0.0.1",
            "vnet0|192.0.2.300/24",
        ],
    ),
    (
        "ip6_addr",
        &[
            "none",
            "vnet0|2001:db8::5/64",
            "em0|2001:db8::6/128",
            "vnet0|accept_rtadv",
            "fe80::5%epair0b/64",
            "vnet1|fe80::1/64",
        ],
    ),
    ("defaultrouter", &["auto", "none", "192.0.2.1", "10.0.0.254", "router"]),
    ("defaultrouter6", &["auto", "none", "fe80::1", "fe80::1%epair1b", "fe80::1%em0", "2001:db8::1"]),
    ("vnet_default_interface", &["none", "auto", "em0", "em7"]),
    ("vnet_interfaces", &["none", "em0", "ix3"]),
    ("vnet0_mac", &["none", "02ff60000001 02ff60000002", "02ff60000001"]),
    ("mac_prefix", &["02ff60", "003048", "01ff60", "xyz"]),
    ("dhcp", &["0", "on"]),
    ("bpf", &["0", "1"]),
    ("exec_fib", &["0", "1", "-1"]),
    ("exec_start", &["/bin/sh /etc/rc", "/bin/sh /etc/rc && x", "'open"]),
    ("exec_prestart", &["/usr/bin/true", "logger \"a; b\"", "/root/x;y"]),
    ("allow_mount_zfs", &["0", "1"]),
    ("allow_vmm", &["0", "1"]),
    ("devfs_ruleset", &["4", "0", "77", "x"]),
    ("enforce_statfs", &["2", "1", "3"]),
    ("securelevel", &["2", "-1", "9"]),
    ("assign_localhost", &["0", "1"]),
    ("mount_procfs", &["0", "1"]),
    ("depends", &["none", "nosuch", "../x"]),
    ("ip4_adr", &["x"]),
];

pub const SOURCES: [&str; 8] =
    ["ROOT/data", "/nowhere", "tmpfs", "ROOT/My\\040Files", "ROOT/My Files", "nas:/x", "caf\u{e9}", "/bin"];
pub const TARGETS: [&str; 9] = [
    "mnt",
    "ROOT/jails/a/root/mnt",
    "/mnt/pool/iocage/jails/a/root/tmp",
    "ROOT/jails/b/root/mnt",
    "/etc",
    "../x",
    "missing",
    "dev/fd",
    "",
];
pub const TYPES: [&str; 7] = [
    "nullfs ro",
    "nullfs",
    "tmpfs rw,size=1m",
    "nfs rw",
    "nulfs ro",
    "nullfs ro,bogus",
    "devfs rw,ruleset=4",
];

/// config.json, defaults.json and fstab of values that were chosen: of `VALUES` by number, and whether the value goes into
/// the defaults; of lines by the numbers of source, mount point and type.
pub fn made_of(
    chosen: &[(usize, proptest::sample::Index, bool)],
    lines: &[(usize, usize, usize)],
) -> (String, String, String) {
    let mut files = [BTreeMap::new(), BTreeMap::new()];
    for (property, value, in_defaults) in chosen {
        let (name, values) = VALUES[*property];
        files[usize::from(*in_defaults)].insert(name, *value.get(values));
    }
    let text = |values: &BTreeMap<&str, &str>| {
        let basics = [("resolver", "/dev/null"), ("host_time", "0")];
        let all: BTreeMap<_, _> = values.iter().map(|(name, value)| (*name, *value)).chain(basics).collect();
        serde_json::to_string(&all).unwrap()
    };
    let lines = lines.iter().map(|(source, target, kind)| {
        format!("{} {} {} 0 0\n", SOURCES[*source], TARGETS[*target], TYPES[*kind])
    });
    (text(&files[0]), text(&files[1]), lines.collect())
}

/// Whether an error names the file, and the property or the line that is to be changed.
fn names_what(error: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    has(&["/config.json", "defaults.json", "fstab"])
        && (has(&["fstab: line", "root", "_mac", "_mtu", "is empty", "JSON"])
            || jailwire::iocage::property::TABLE.iter().any(|property| error.contains(property.name)))
}

/// What an error has to say for itself: what is to be changed, and how.
#[track_caller]
pub fn assert_helps(error: &str, config: &str) {
    let remedies = [
        "set ",
        "write",
        "give",
        "use ",
        "name",
        "say ",
        "make",
        "take",
        "leave",
        "mend",
        "restore",
        "remove",
        "correct",
        "kldload",
        "mkdir",
        "stop",
        "add",
        "choose",
        "put ",
        "define",
        "create",
        "clone",
        "end the line",
        "close",
        "move",
    ];
    assert!(names_what(error) && remedies.iter().any(|word| error.contains(word)), "{error}\n{config}");
}

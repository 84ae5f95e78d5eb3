//! The problems of configurations, message by message: `doctor` reports all of them as two kinds of finding, so a
//! case for each kind would not be enough. Each row is a jail that shows a problem. The test carries out each
//! remedy of the row, with a shell if the remedy is a command. The finding has to go, and no other may come.
//!
//! The rows are complete: a message of the configuration, of its fitness or of its plan that no row shows fails the test.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jailwire::iocage::doctor::{Finding, Kind, Level};

use super::cases::options;
use super::host::Host;
use super::{command, ways};

/// Members of config.json, and of defaults.json after DEFAULTS; the jail's fstab, where EMPTY stands for an empty root; words of what is found, and what an operator chooses: for VALUE, or the
/// mended fstab.
type Row = (&'static str, &'static str, &'static str, &'static str);

const VNET: &str =
    r#""vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"none","mac_prefix":"02ff60""#;

/// The rows. `VNET` at the beginning of a row stands for the text of the constant [`VNET`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    (r#""vnet":"maybe""#, "", "`maybe` is neither on nor off", "0"),
    (r#"VNET,"priority":"soon""#, "", "is not a number from 1 to 99", "5"),
    (r#"VNET,"exec_timeout":"soon""#, "", "is not a whole number", "60"),
    (r#"VNET,"hostid":"a\u0001b""#, "", "has control characters", "none"),
    (r#"VNET,"enforce_statfs":"7""#, "", "is not 0, 1 or 2", "2"),
    (r#"VNET,"sysvmsg":"some""#, "", "new, inherit, disable", "new"),
    (r#"VNET,"jail_zfs":"1""#, "", "datasets are not handed to the jail", "0"),
    (r#"VNET,"cpuset":"0-1""#, "", "cpuset -j", "off"),
    (r#"VNET,"memoryuse":"8G:deny""#, "", "rctl -a", "off"),
    (r#"VNET,"nat_backend":"pf","nat":"1" DEFAULTS "nat_prefix":"172""#, "", "is no prefix of private addresses", "172.16"),
    (r#"VNET,"interfaces":"vnet0:bridge1","vnet_default_interface":"auto""#, "", "nothing is put on the bridge", ""),
    (r#"VNET,"mount_devfs":"1""#, "EMPTY", "mount its dataset with zfs mount", ""),
    (r#""vnet":1,"vnet_interfaces":"em1","ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"10.9.9.9","mac_prefix":"02ff60""#, "", "it may not be reachable", "none"),
    (r#"VNET,"depends":"nosuch""#, "", "depends on nosuch, which does not exist", "none"),
    (r#"VNET,"devfs_ruleset":"77""#, "", "devfs_ruleset 77 does not exist", ""),
    (r#"VNET,"exec_fib":"3""#, "", "net.fibs=4", ""),
    (r#"VNET,"hostid_strict_check":"1","hostid":"other""#, "", "hostid is not matching", ""),
    (r#"VNET,"exec_prestart":"logger \"a; b\"""#, "", "its quotes are taken off", "/usr/bin/true"),
    (r#"VNET,"exec_prestop":"/root/x;y""#, "", "one word is run as it is", "/usr/bin/true"),
    (r#"VNET,"exec_start":"/bin/sh /etc/rc && touch /x""#, "", "no shell reads it", ""),
    (r#"VNET,"exec_start":"/bin/sh '/etc/rc' && touch /x""#, "", "put the line into a script, and set", "\"/bin/sh /etc/rc\""),
    (r#"VNET,"exec_prestart":"/root/nosuch.sh""#, "", "there is no /root/nosuch.sh", ""),
    (r#"VNET,"exec_prestart":"/usr/local""#, "", "/usr/local is a directory", ""),
    (r#"VNET,"exec_poststart":"ROOT/jails/web/config.json""#, "", "is not executable: chmod +x", ""),
    (r#"VNET,"resolver":"/nonexistent""#, "", "is written into the jail's resolv.conf", "/dev/null"),
    (r#"VNET,"ip4_adr":"x""#, "", "there is no such property", ""),
    (r#"VNET,"quite_unknown":"x""#, "", "take it out", ""),
    (r#"VNET,"nat_backend":"pf","nat_forwards":"tcp(80:8080)""#, "", "no ports are forwarded, as nat is off", ""),
    (r#"VNET,"nat_backend":"pf","nat":"1","nat_forwards":"ftp""#, "", "is no list of ports", "none"),
    (r#""vnet":1,"nat":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet0|DHCP","bpf":1,"defaultrouter":"none""#, "", "needs an address in ip4_addr or ip6_addr", "0"),
    (r#""vnet":0,"dhcp":"1""#, "", "requires vnet", ""),
    (r#""vnet":1,"dhcp":"1","mac_prefix":"02ff60""#, "", "requires bpf: set bpf=1", ""),
    (r#"VNET,"rtsold":"1""#, "", "requires a NIC that hears router advertisements", ""),
    (r#"VNET,"vnet0_stableaddr":"1""#, "", "hears router advertisements", ""),
    (r#""vnet":1,"mac_prefix":"02ff60","ip4_addr":"vnet0|192.0.2.20""#, "", "has no prefix length", "\"vnet0|192.0.2.20/24\""),
    (r#""vnet":1,"mac_prefix":"02ff60","ip4_addr":"vnet0|192.0.2.0/24""#, "", "is the address of the network itself", "\"vnet0|192.0.2.20/24\""),
    (r#""vnet":1,"mac_prefix":"02ff60","ip4_addr":"vnet0|192.0.2.255/24""#, "", "is the broadcast address", "\"vnet0|192.0.2.20/24\""),
    (r#""vnet":1,"mac_prefix":"02ff60","ip4_addr":"vnet0|192.0.2.300/24""#, "", "is not an IPv4 address", "\"vnet0|192.0.2.20/24\""),
    (r#"VNET,"ip6_addr":"vnet0|::1/128""#, "", "no interface but lo0 can have ::1", "none"),
    (r#""vnet":1,"mac_prefix":"02ff60","defaultrouter":"none","ip4_addr":"lo0|DHCP""#, "", "lo0 cannot ask for an address", "none"),
    (r#"VNET,"ip6_addr":"lo0|accept_rtadv""#, "", "lo0 hears no router advertisements", "none"),
    (r#"VNET,"ip6_addr":"vnet0|fe80::5%em1/64""#, "", "goes on vnet0, and its zone names another", "none"),
    (r#""vnet":0,"ip6_addr":"em0|fe80::5%em1/64""#, "", "is for em0, and its zone names another", "none"),
    (r#""vnet":1,"mac_prefix":"02ff60","ip4_addr":"vnet1|192.0.2.20/24","interfaces":"vnet0:bridge0","defaultrouter":"none""#, "", "not in interfaces", "\"vnet0|192.0.2.20/24\""),
    (r#"VNET,"vnet_interfaces":"em1","ip6_addr":"em1|2001:db8::5/64""#, "", "is left to the jail's rc.conf", "none"),
    (r#"VNET,"vnet_interfaces":"lo0""#, "", "lo0 stays where it is", "none"),
    (r#"VNET,"vnet_interfaces":"em1 em1""#, "", "em1 is there twice", "em1"),
    (r#"VNET,"vnet_interfaces":"em7""#, "", "the host has no interface em7", "none"),
    (r#"VNET,"vnet_default_interface":"em1","vnet_interfaces":"em1""#, "", "is lent to the jail by vnet_interfaces: choose one", "none"),
    (r#"VNET,"vnet_default_interface":"em1","interfaces":"vnet0:none""#, "", "em1 is put nowhere", ""),
    (r#"VNET,"vnet_default_interface":"em7""#, "", "the host has no interface em7 to put on bridge0", ""),
    (r#"VNET,"vnet_default_interface":"lo0""#, "", "the uplink lo0 is of type loopback", ""),
    (r#""vnet":0,"ip4_addr":"vnet0|192.0.2.20/24""#, "", "is for a NIC of the jail's own, but vnet is off", ""),
    (r#""vnet":0,"ip4_addr":"vnet0|DHCP""#, "", "vnet0|DHCP requires vnet", ""),
    (r#""vnet":0,"ip4_addr":"em0|DHCP""#, "", "which no interface of the host does for a jail", ""),
    (r#""vnet":0,"ip4_addr":"em7|192.0.2.20/24""#, "", "the host has no interface em7", "none"),
    (r#""vnet":0,"ip4":"inherit","ip4_addr":"em0|192.0.2.20/32""#, "", "contradict each other", ""),
    (r#"VNET,"vnet0_mac":"02ff60000001 02ff60000001""#, "", "vnet0_mac", "none"),
    (r#"VNET,"interfaces":"vnet0:bridge0,vnet1:bridge0","vnet0_mac":"02ff60000001 02ff60000002","vnet1_mac":"02ff60000001 02ff60000002""#, "", "is another NIC's too", ""),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"none","mac_prefix":"003048""#, "", "is a vendor's", ""),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"none","mac_prefix":"01ff60""#, "", "mac_prefix", "02ff60"),
    (r#"VNET,"vnet3_vlan":"20""#, "", "the jail has no NIC vnet3", ""),
    (r#"VNET,"vnet0_mtu":"1200","ip6_addr":"vnet0|2001:db8::5/64""#, "", "is too small for IPv6", "auto"),
    (r#""vnet":1,"mac_prefix":"02ff60","dhcp":"1","bpf":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"none""#, "", "asks for its address by DHCP", "none"),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"10.9.9.9","mac_prefix":"02ff60""#, "", "is in none of the jail's networks", ""),
    (r#""vnet":1,"interfaces":"vnet0:bridge0","ip4_addr":"vnet0|10.20.0.2/24","mac_prefix":"02ff60""#, "", "defaultrouter=auto is the host's own router", ""),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"192.0.2.255","mac_prefix":"02ff60""#, "", "name a router's", "192.0.2.1"),
    (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"192.0.2.20","mac_prefix":"02ff60""#, "", "is the jail's own address", "192.0.2.1"),
    (r#""vnet":1,"ip4_addr":"none","ip6_addr":"vnet0|2001:db8::5/64","defaultrouter":"192.0.2.1","mac_prefix":"02ff60""#, "", "is not used", ""),
    (r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge0","ip6_addr":"vnet0|2001:db8:8::5/64,vnet1|2001:db8:9::5/64","defaultrouter":"none","defaultrouter6":"fe80::1","mac_prefix":"02ff60""#, "", "may be on the link of each NIC", ""),
    (r#"VNET,"ip6_addr":"vnet0|2001:db8:8::5/64","defaultrouter6":"fe80::1%em5""#, "", "the jail has no em5, and the router is looked for", ""),
    (r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge0","ip6_addr":"vnet0|2001:db8:8::5/64,vnet1|2001:db8:9::5/64","defaultrouter":"none","defaultrouter6":"fe80::1%em5","mac_prefix":"02ff60""#, "", "or name another of its NICs", ""),
    (r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge0","ip6_addr":"vnet0|2001:db8:8::5/64","defaultrouter":"none","defaultrouter6":"fe80::1%epair1b","mac_prefix":"02ff60""#, "", "has no IPv6 address", ""),
    (r#"VNET,"vnet_interfaces":"em1","ip6_addr":"vnet0|2001:db8:8::5/64","defaultrouter6":"fe80::1%em1""#, "", "is lent to the jail, and configured by its rc.conf", ""),
    (r#"VNET,"allow_vmm":"1""#, "", "kldload vmm", ""),
    (r#"VNET,"mount_procfs":"1""#, "", "mount_procfs: there is no", ""),
    (r#"VNET,"vnet0_vlan":"20""#, "", "vnet0_vlan", "none"),
    (r#"VNET,"interfaces":"vnet0:none","vnet0_vlan":"20""#, "", "is on no bridge", "none"),
    (r#"VNET"#, "/My Files\tmnt\tnullfs\tro\t0\t0", "a blank ends a path", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullfs", "it has 3 fields", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data a b nullfs ro 0 0 0", "a blank in a path as", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullfs ro x 0", "`x` is not a number", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT\\9 mnt nullfs ro 0 0", "has a backslash that is no escape", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt n\u{e9} ro 0 0", "there is no file system n", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "\"ROOT/data\" mnt nullfs ro 0 0", "is in quotes, which an fstab does not have", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data /etc/x nullfs ro 0 0", "is not beneath the jail's root", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt/../x nullfs ro 0 0", "goes upwards", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data ROOT/jails/db/root/mnt nullfs ro 0 0", "if the fstab was copied from there", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data ROOT/jails/old/root/mnt nullfs ro 0 0", "is taken for it", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data ROOT/jails/old/root/mnt nullfs ro 0 0\ntmpfs ROOT/jails/old/root/dev tmpfs rw 0 0", "line 1 and 1 more", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data ROOT/data/other/jails/db/root/mnt nullfs ro 0 0", "is in another iocage directory", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullfs ro,noauto 0 0", "noauto does nothing here", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullfs ro,failok 0 0", "failok does nothing here", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/missing mnt nullfs ro 0 0", "missing: make it, or take the line out", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "data mnt nullfs ro 0 0", "data is not absolute", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data none nullfs ro 0 0", "there is no", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/file nofile nullfs ro 0 0", "touch ", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data link nullfs ro 0 0", "is a symbolic link", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data out/data nullfs ro 0 0", "leads out of the jail", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data file nullfs ro 0 0", "is a directory, and", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/file mnt nullfs ro 0 0", "is a file, and", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/file twice nullfs ro 0 0", "has more than one name", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "tmpfs file tmpfs rw 0 0", "tmpfs is mounted on a directory", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullfs ro 0 0\nROOT/data mnt nullfs ro 0 0", "mounted there by an earlier line", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "nas:/x mnt nfs rw 0 0", "mount_nfs", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "x mnt fusefs rw 0 0", "mount_fusefs(8) and its daemon", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "x mnt fuse.sshfs rw 0 0", "the daemon of that file system", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "/dev/da0p2 none swap sw 0 0", "is no file system to mount", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullf ro 0 0", "write nullfs", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt foofs ro 0 0", "and no kernel module of that name", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data mnt nullfs ro,noatme 0 0", "has no option noatme", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET"#, "tmpfs mnt tmpfs rw,sise=1g 0 0", "or take it out", "tmpfs mnt tmpfs rw,size=1g 0 0"),
    (r#"VNET"#, "tmpfs mnt tmpfs rw,size=lots 0 0", "a number, as in size=64m", "tmpfs mnt tmpfs rw,size=1g 0 0"),
    (r#"VNET"#, "tmpfs mnt tmpfs rw,mode=rwx 0 0", "an octal number", "tmpfs mnt tmpfs rw 0 0"),
    (r#"VNET"#, "tmpfs mnt tmpfs rw,uid=www 0 0", "the number of a user or group", "tmpfs mnt tmpfs rw 0 0"),
    (r#"VNET"#, "devfs mnt devfs rw,ruleset=jail 0 0", "the number of a ruleset", "devfs mnt devfs rw,ruleset=4 0 0"),
    (r#"VNET"#, "da0p1 mnt msdosfs rw 0 0", "da0p1 is no path", "/dev/da0p1 mnt msdosfs rw 0 0"),
    (r#"VNET,"mount_linprocfs":"1""#, "", "is a file: make it a directory", ""),
    (r#""vnet":0,"rtsold":"1""#, "", "rtsold: requires vnet", ""),
    (r#""vnet":1,"ip4_addr":"vnet0|DHCP","mac_prefix":"02ff60","defaultrouter":"none""#, "", "ip4_addr: DHCP requires bpf", ""),
    (r#""vnet":0,"ip4_addr":"none","mac_prefix":"02ff60","defaultrouter":"none","vnet_interfaces":"em1""#, "", "is not lent to a jail without vnet", ""),
    (r#"VNET,"exec_jail_user":"www""#, "", "www runs nothing", ""),
    (r#""vnet":1,"mac_prefix":"02ff60","ip4_addr":"em0|192.0.2.20/24","defaultrouter":"none""#, "", "write vnet0|192.0.2.20/24", "\"vnet0|192.0.2.20/24\""),
    (r#"VNET"#, "ROOT/data compat/linux nullfs ro 0 0\nROOT/data compat nullfs ro 0 0", "line 2 covers what line 1 has mounted", "ROOT/data compat nullfs ro 0 0"),
    (r#"VNET"#, "ROOT/data out/nosuch nullfs ro 0 0", "by the symbolic link", "ROOT/data mnt nullfs ro 0 0"),
    (r#"VNET,"depends":"mould""#, "", "depends on mould, which is a template", "none"),
    (r#"VNET,"exec_start":"/opt/none""#, "", "there is no /opt/none in the jail", "/usr/bin/true"),
    (r#"VNET,"exec_stop":"/opt/none""#, "", "there is no /opt/none in the jail", "/usr/bin/true"),
    (r#"VNET,"exec_start":"/mnt""#, "", "/mnt is a directory in the jail", "/usr/bin/true"),
    (r#"VNET,"exec_start":"/opt/none","exec_prestart":"/bin/echo x""#, "", "exec_prestart or exec_created may make it", "/usr/bin/true"),
    (r#"VNET,"exec_prestart":"/bin/echo x""#, "ROOT/nosuch mnt nullfs ro 0 0", "exec_prestart may make it, and the start goes on", "ROOT/data mnt nullfs ro 0 0"),
];

/// Texts that occur in no finding of these kinds, with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    ("{name} has problems in its configuration, {}:{}", "begins the error of a start"),
    ("fstab line {line}", "begins the error of the library"),
    ("\\n  {}{problem}", "joins problems in an error"),
    ("{}: {word} puts nothing on the bridge: {problem}", "is what a start says"),
    ("nat is on, and {problem}", "has a kind of its own, with commands"),
    (
        "this kernel was built without VIMAGE: set vnet=off, or boot a kernel with `options VIMAGE`",
        "has a kind of its own",
    ),
    ("{name} is not a bridge: name a bridge in `interfaces`, or none", "has a kind of its own"),
    ("cannot read {}: {error}", "no file of the test's own user is unreadable"),
    ("{seen}: {error}", "no file of the test's own user is unreadable"),
    ("{}: {error}", "no file of the test's own user is unreadable"),
    ("{} is missing: the jail has no root directory; create it again", "the remedy is a backup"),
    ("{} leads to /: make it a directory with the jail's files", "the remedy is a backup"),
    ("there is no {shown}: correct the path, or take the line out", "the simulated host has no devices"),
    ("write it in ASCII", "the texts of this test are UTF-8"),
    ("`{}` is no type, and no option, of a file system", "the texts of this test are UTF-8"),
];

fn host(row: &Row) -> Host {
    let (members, fstab, ..) = row;
    let (members, defaults) = members.split_once(" DEFAULTS ").unwrap_or((members, ""));
    let config = |host: &Host| {
        let root = host.root().display().to_string();
        let basics = r#""mount_devfs":0,"mount_fdescfs":0,"host_time":0"#;
        let resolver = if members.contains("\"resolver\"") { "" } else { r#","resolver":"/dev/null""# };
        let members = match members.strip_prefix("VNET") {
            Some(more) => format!("{VNET}{more}"),
            None => members.to_owned(),
        };
        // A later value replaces an earlier one.
        let all: serde_json::Value =
            serde_json::from_str(&format!("{{{basics}{resolver},{}}}", members.replace("ROOT", &root)))
                .unwrap();
        all.to_string()
    };
    let host =
        Host::new(options(), &[("web", "{}"), ("db", r#"{"vnet":0,"mount_devfs":0,"mount_fdescfs":0}"#)]);
    host.bridge();
    if members.contains("nat_") {
        host.run("sysctl net.inet.ip.forwarding=1 && kldload pf && service pf reload");
    }
    let (root, inside) = (host.root(), host.jail("web").join("root"));
    fs::create_dir_all(root.join("data")).unwrap();
    for directory in ["mnt", "dev"] {
        fs::create_dir_all(inside.join(directory)).unwrap();
    }
    for file in [root.join("file"), inside.join("file"), inside.join("one")] {
        fs::write(file, "").unwrap();
    }
    fs::create_dir_all(root.join("data/other/jails/db/root/mnt")).unwrap();
    fs::create_dir_all(root.join("templates/mould/root")).unwrap();
    fs::write(root.join("templates/mould/config.json"), r#"{"template":1}"#).unwrap();
    fs::create_dir_all(inside.join("compat/linux")).unwrap();
    fs::write(inside.join("compat/linux/proc"), "").unwrap();
    fs::hard_link(inside.join("one"), inside.join("twice")).unwrap();
    std::os::unix::fs::symlink("mnt", inside.join("link")).unwrap();
    std::os::unix::fs::symlink(&root, inside.join("out")).unwrap();
    fs::write(host.jail("web").join("config.json"), config(&host)).unwrap();
    if !defaults.is_empty() {
        fs::write(root.join("defaults.json"), format!("{{{defaults}}}")).unwrap();
    }
    if *fstab == "EMPTY" {
        fs::remove_dir_all(&inside).unwrap();
        fs::create_dir(&inside).unwrap();
    } else {
        write_fstab(&host, fstab);
    }
    host
}

fn write_fstab(host: &Host, lines: &str) {
    let root = host.root().display().to_string();
    fs::write(host.jail("web").join("fstab"), lines.replace("ROOT", &root) + "\n").unwrap();
}

fn is_of_these(finding: &&Finding) -> bool {
    matches!(finding.kind, Kind::Configuration | Kind::Misfit)
}

/// Carries out a line of a remedy.
fn carry_out(host: &mut Host, line: &str, row: &Row) -> Result<(), String> {
    let chosen = row.3;
    let root = host.root().display().to_string();
    if line == format!("mend that line in {root}/jails/web/fstab") {
        write_fstab(host, chosen);
        return Ok(());
    }
    if line == format!("write another key in {root}/jails/web/config.json, or take it out") {
        fs::write(
            host.jail("web").join("config.json"),
            format!(
                "{{{VNET},\"mount_devfs\":0,\"mount_fdescfs\":0,\"resolver\":\"/dev/null\",\"host_time\":0}}"
            ),
        )
        .unwrap();
        return Ok(());
    }
    let line = command(line).ok_or(format!("{line:?} is no command"))?.replace("VALUE", chosen);
    let script = format!("iocage() {{ \"$PROGRAM\" --kernel sim --root \"$ROOT\" \"$@\"; }}\n{line}");
    if !line.starts_with("iocage ") {
        host.run(&line);
        return Ok(());
    }
    let output = Command::new("/bin/sh")
        .args(["-c", &script])
        .env_clear()
        .env("PROGRAM", env!("CARGO_BIN_EXE_jailwire"))
        .env("ROOT", root)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{line}: {said}")) }
}

/// Carries out all ways of mending the problem of a row. Returns all findings.
fn judge(row: &Row) -> Result<Vec<String>, String> {
    let before = host(row).findings();
    let root = host(row).root().display().to_string();
    drop(root);
    let texts = before.iter().filter(is_of_these).map(|one| one.what.clone()).collect();
    let found = before.iter().filter(is_of_these).find(|one| one.what.contains(row.2));
    let Some(finding) = found else { return Err(format!("it is not found: {before:#?}")) };
    for way in 0..ways(finding).len() {
        let mut host = host(row);
        let known = host.findings();
        let finding = known.iter().filter(is_of_these).find(|one| one.what.contains(row.2)).cloned().unwrap();
        for line in &ways(&finding)[way] {
            carry_out(&mut host, line, row)?;
        }
        let after = host.findings();
        let is_among = |all: &[Finding], one: &Finding| {
            all.iter().any(|other| (other.kind, &other.what) == (one.kind, &one.what))
        };
        if is_among(&after, &finding) {
            return Err(format!("{:?} does not help", ways(&finding)[way]));
        }
        let is_new = |one: &&Finding| one.level > Level::Note && !is_among(&known, one);
        let new: Vec<_> = after.iter().filter(is_new).collect();
        if !new.is_empty() {
            return Err(format!("{:?} brings other trouble: {new:#?}", ways(&finding)[way]));
        }
    }
    Ok(texts)
}

/// The texts of the configuration, of its fitness and of its plan, as the list of all messages has them.
fn texts() -> Vec<String> {
    texts_of(&[
        "src/iocage/config/",
        "src/iocage/fitness/",
        "src/iocage/lifecycle/advice",
        "src/iocage/fstab.rs",
    ])
}

/// The texts of these places, as they stand in the list of all messages.
pub fn texts_of(places: &[&str]) -> Vec<String> {
    let all = include_str!("../../messages.txt");
    let mut texts = Vec::new();
    let mut is_in = false;
    for line in all.lines() {
        match line.strip_prefix("    ") {
            Some(text) if is_in => texts.push(text.to_owned()),
            Some(_) => {}
            None => is_in = places.iter().any(|place| line.starts_with(place)),
        }
    }
    texts
}

/// Whether a text with places for values occurs in another text.
pub fn is_in(text: &str, whole: &str) -> bool {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        parts.push(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    parts.push(rest);
    let mut whole = whole;
    parts.iter().filter(|part| part.len() > 1).all(|part| {
        let part = part.replace("\\\\", "\\");
        whole.find(&*part).map(|at| whole = &whole[at + part.len()..]).is_some()
    })
}

#[test]
fn each_problem_of_a_configuration_goes_by_its_remedy() {
    let (next, wrong, seen) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let work = || {
        while let Some(row) = ROWS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = catch_unwind(AssertUnwindSafe(|| judge(row)));
            match verdict.unwrap_or_else(|_| Err("it cannot be carried out: see above".to_owned())) {
                Ok(found) => seen.lock().unwrap().extend(found),
                Err(reason) => {
                    wrong.lock().unwrap().push(format!("{} | {} | {}:\n  {reason}", row.0, row.1, row.2))
                }
            }
        }
    };
    std::thread::scope(|scope| (0..6).for_each(|_| drop(scope.spawn(work))));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    let seen = seen.into_inner().unwrap();
    let texts = texts();
    assert!(texts.len() > 100, "{}", texts.len());
    let is_elsewhere = |text: &String| ELSEWHERE.iter().any(|(other, _)| other == text);
    let is_seen = |text: &String| seen.iter().any(|what| is_in(text, what));
    let unseen: Vec<_> = texts.iter().filter(|text| !is_elsewhere(text) && !is_seen(text)).collect();
    assert!(unseen.is_empty(), "no row shows these texts: {unseen:#?}");
    let needless: Vec<_> =
        ELSEWHERE.iter().filter(|(text, _)| !texts.iter().any(|other| other == text)).collect();
    assert!(needless.is_empty(), "there are no such texts: {needless:#?}");
}

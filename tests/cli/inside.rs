//! The files that a start writes into a jail, and what prevents a start on this host.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jailwire::jail;
use jailwire::kernel::Kernel;
use jailwire::nd6::Nd6Flags;
use jailwire::vnet::Vnet;

use crate::support::Root;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn resolv_conf_is_what_the_property_says() {
    let root = Root::new();
    let resolv = root.jail("db").join("root/etc/resolv.conf");
    root.ok(&["set", "resolver=search example.org;nameserver 192.0.2.53", "db"]);
    root.ok(&["start", "db"]);
    assert_eq!(read(&resolv), "search example.org\nnameserver 192.0.2.53\n");
    root.ok(&["stop", "db"]);
    fs::write(&resolv, "mine").unwrap();
    root.ok(&["set", "resolver=/dev/null", "db"]);
    root.ok(&["start", "db"]);
    assert_eq!(read(&resolv), "mine");
}

#[test]
fn a_jail_cannot_make_the_host_write_elsewhere() {
    let root = Root::new();
    let outside = root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("resolv.conf"), "mine").unwrap();
    let etc = root.jail("db").join("root/etc");
    fs::remove_dir_all(&etc).unwrap();
    std::os::unix::fs::symlink("../../../outside", &etc).unwrap();
    root.ok(&["set", "resolver=nameserver 192.0.2.53", "db"]);
    let output = root.run(&["start", "db"]);
    assert!(output.status.success());
    assert!(crate::support::text(&output.stderr).contains("symbolic link"));
    assert_eq!(read(&outside.join("resolv.conf")), "mine");
}

#[test]
fn rc_conf_asks_for_what_the_nics_are_to_get_by_themselves() {
    let root = Root::new();
    let rc_conf = root.jail("db").join("root/etc/rc.conf");
    fs::write(&rc_conf, "sshd_enable=\"YES\"\n").unwrap();
    root.ok(&["set", "ip4_addr=vnet0|DHCP", "ip6_addr=vnet0|accept_rtadv", "bpf=1", "rtsold=1", "db"]);
    let said = root.ok(&["start", "db"]);
    assert!(said.contains("  + DHCP Address: none, as the simulated kernel"), "{said}");
    assert_eq!(
        read(&rc_conf),
        "sshd_enable=\"YES\"\nifconfig_epair0b=\"SYNCDHCP\"\nifconfig_epair0b_ipv6=\"inet6 auto_linklocal accept_rtadv autoconf\"\nrtsold_enable=\"YES\"\n"
    );
    root.ok(&["stop", "db"]);
    root.ok(&["set", "ip4_addr=vnet0|192.0.2.21/24", "ip6_addr=none", "rtsold=0", "db"]);
    root.ok(&["start", "db"]);
    assert!(!read(&rc_conf).contains("epair0b"), "what was written for DHCP is taken out again");
}

#[test]
fn assign_localhost_gives_an_address_on_lo0_and_takes_it_back() {
    let root = Root::new();
    let hosts = root.jail("proxy").join("root/etc/hosts");
    fs::write(&hosts, "127.0.0.1\tlocalhost\n").unwrap();
    root.ok(&["list"]);
    let before = root.kernel_state();
    root.ok(&["set", "assign_localhost=1", "proxy"]);
    root.ok(&["start", "proxy"]);
    assert_eq!(root.ok(&["get", "localhost_ip", "proxy"]), "127.0.0.2\n");
    assert_eq!(read(&hosts), "127.0.0.2\tlocalhost\n");
    let host = root.ok(&["show"]);
    let lo0 = host.split("  em0").next().unwrap();
    assert!(lo0.contains("inet  127.0.0.2/32"), "{host}");
    assert!(root.ok(&["show", "proxy"]).contains("127.0.0.2/32"));
    let conf = root.path().join(".sim/run/jail.ioc-proxy.conf");
    assert!(read(&conf).contains("\"lo0|127.0.0.2/32\""), "iocage has to take it back too");
    root.ok(&["stop", "proxy"]);
    root.settles(&before, "after the stop");
}

#[test]
fn a_devfs_ruleset_that_does_not_exist_is_refused() {
    let root = Root::new();
    root.ok(&["set", "devfs_ruleset=77", "db"]);
    let said = root.fails(&["start", "db"], 1);
    assert!(said.contains("devfs_ruleset 77 does not exist") && said.contains("/etc/devfs.rules"), "{said}");
    assert_eq!(root.ok(&["get", "-s", "db"]), "down\n");
}

#[test]
fn a_jail_of_another_host_is_refused_where_that_is_checked() {
    let root = Root::new();
    root.ok(&["set", "hostid=11111111-2222-3333-4444-555555555555", "db"]);
    root.ok(&["start", "db"]);
    root.ok(&["stop", "db"]);
    root.ok(&["set", "hostid_strict_check=1", "db"]);
    let said = root.fails(&["start", "db"], 1);
    assert!(said.contains("'hostid_strict_check' is on!"), "{said}");
    root.ok(&["set", "hostid=00112233-4455-6677-8899-aabbccddeeff", "db"]);
    root.ok(&["start", "db"]);
}

#[test]
fn services_start_when_all_addresses_can_be_bound_to() {
    let root = Root::new();
    let of = |said: &str, address: &str| said.lines().find(|line| line.contains(address)).map(str::to_owned);
    for (jail, addresses) in [
        ("db", "ip6_addr=vnet0|2001:db8::21/64,vnet0|2001:db8::22/64"),
        ("proxy", "ip6_addr=em0|2001:db8::40/64,em0|2001:db8::22/64"),
    ] {
        root.ok(&["set", addresses, jail]);
        // They are reported before the start.
        let plan = root.ok(&["start", "--dry-run", jail]);
        let (before, after) =
            plan.split_once("wait until its IPv6 addresses are checked for duplicates").expect(&plan);
        assert!(!before.contains("exec_start") && after.contains("exec_start"), "{plan}");
        root.ok(&["start", jail]);
        let shown = root.ok(&["exec", jail, "ifconfig"]);
        let second = of(&shown, "2001:db8::22").expect(&shown);
        assert!(!second.contains("tentative"), "{second}");
        root.ok(&["stop", jail]);
    }
    // A single address can be used at once.
    root.ok(&["set", "ip6_addr=vnet0|2001:db8::21/64", "db"]);
    assert!(!root.ok(&["start", "--dry-run", "db"]).contains("wait until"));
}

#[test]
fn addresses_of_a_running_jail_wait_for_its_next_start() {
    // iocage changes the addresses that the jail may use, but not those of the interface. Then the jail has neither
    // address.
    let root = Root::new();
    root.ok(&["start", "proxy"]);
    let before = root.kernel_state();
    let output = root.run(&["set", "ip4_addr=em0|192.0.2.41/24", "ip6_addr=none", "ip4_saddrsel=0", "proxy"]);
    assert!(output.status.success());
    let warned = crate::support::text(&output.stderr);
    let said = "proxy is running: the new value of ip4_addr, ip6_addr takes effect at its next start";
    assert!(warned.contains(said), "{warned}");
    let shown = root.ok(&["exec", "proxy", "ifconfig"]);
    assert!(shown.contains("192.0.2.40") && !shown.contains("192.0.2.41"), "{shown}");
    assert_ne!(root.kernel_state(), before, "ip4_saddrsel counts at once");
    // A stop removes what the start has added, and not what is configured now.
    root.ok(&["stop", "proxy"]);
    assert!(!root.kernel_state().contains("192.0.2.40"));
    root.ok(&["start", "proxy"]);
    let shown = root.ok(&["exec", "proxy", "ifconfig"]);
    assert!(shown.contains("192.0.2.41") && !shown.contains("inet6 2001"), "{shown}");
}

#[test]
fn a_directory_without_logs_is_given_one() {
    let root = Root::new();
    fs::remove_dir_all(root.path().join("log")).unwrap();
    root.ok(&["start", "db"]);
    assert!(root.path().join("log").is_dir(), "what exec_start writes goes there");
    fs::remove_dir(root.path().join("log")).unwrap();
    root.ok(&["stop", "db"]);
    assert!(root.path().join("log").is_dir());
}

/// RFC 7217: the kernel's flag is set before the first address, and rc.conf in the jail has the word for
/// ifconfig(8).
#[test]
fn stable_addresses_are_asked_for_in_the_kernel_and_in_rc_conf() {
    let root = Root::new();
    root.ok(&["set", "vnet0_stableaddr=1", "ip6_addr=none", "defaultrouter6=none", "db"]);
    let told = root.fails(&["start", "db"], 1);
    assert!(told.contains("vnet0_stableaddr") && told.contains("ip6_addr=vnet0|accept_rtadv"), "{told}");
    root.ok(&["set", "ip6_addr=vnet0|accept_rtadv", "db"]);
    root.ok(&["start", "db"]);
    let conf = read(&root.jail("db").join("root/etc/rc.conf"));
    assert!(
        conf.contains("ifconfig_epair0b_ipv6=\"inet6 auto_linklocal accept_rtadv autoconf stableaddr\""),
        "{conf}"
    );
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    let jid = jail::find(&*kernel, "ioc-db").unwrap().unwrap();
    let inside = Vnet::enter(kernel, jid).unwrap();
    let flags = inside.nd6_flags(&"epair0b".parse().unwrap()).unwrap();
    assert!(flags.contains(Nd6Flags::STABLE_ADDRESS | Nd6Flags::ACCEPT_RTADV), "{flags:?}");
    root.ok(&["stop", "db"]);
    root.ok(&["set", "vnet0_stableaddr=0", "db"]);
    root.ok(&["start", "db"]);
    let conf = read(&root.jail("db").join("root/etc/rc.conf"));
    assert!(!conf.contains("stableaddr") && conf.contains("accept_rtadv autoconf"), "{conf}");
}

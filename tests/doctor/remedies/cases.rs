//! The hosts, and what each remedy changes on them.

use jailwire::iocage::doctor::Kind;
use jailwire::sim::{Hardware, Options, Setting};

use super::host::{Host, name};
use super::{Case, ELSEWHERE};
use crate::world::{tuned, vnet};

/// The usual host, with a second network card that has nothing to do.
fn options() -> Options {
    let second = Hardware { driver: "em".to_owned(), unit: 1, mac: [0x58, 0x9c, 0xfc, 0, 0, 2] };
    // What would be found on every host is not.
    let quiet = tuned(&[("kern.racct.enable", 1), ("net.link.bridge.pfil_onlyip", 0)]);
    Options { hardware: vec![second], ..quiet }
}

fn with(more: &[(&str, i32)]) -> Options {
    let mut options = options();
    options.sysctls.extend(more.iter().map(|(name, value)| ((*name).to_owned(), Setting::Int(*value))));
    options
}

/// The configuration of a jail with more properties, or others.
fn but(address: &str, more: &str) -> String {
    vnet(address).replacen('{', &format!("{{{more},"), 1)
}

/// A host with one jail, web.
fn web(config: &str) -> Host {
    Host::new(options(), &[("web", config)])
}

/// The same with the bridge that it needs.
fn on_bridge(config: &str) -> Host {
    let host = web(config);
    host.bridge();
    host
}

fn started(host: Host) -> Host {
    host.run("iocage start web");
    host
}

fn routed(more: &str) -> String {
    but("192.0.2.20/24", more).replace(r#""defaultrouter":"none","#, "")
}

const USUAL: &str = "192.0.2.20/24";

pub const CASES: &[Case] = &[
    Case {
        kind: Kind::NotABridge,
        found: "em0 is not a bridge",
        host: || web(&but(USUAL, r#""interfaces":"vnet0:em0,vnet1:none""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
            "-jails/web/config.json: interfaces=\"vnet0:em0,vnet1:none\"",
            "+/etc/rc.conf: cloned_interfaces=bridge0",
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
            "+/etc/rc.conf: ifconfig_em0=up",
            "+host: bridge0 192.0.2.10/24",
            "+host: bridge0 has em0",
            "+host: bridge0 up mtu 1500",
            "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
            "+jails/web/config.json: interfaces=\"vnet0:bridge0,vnet1:none\"",
        ]],
    },
    Case {
        kind: Kind::NotABridge,
        found: "em1 is not a bridge",
        host: || on_bridge(&but(USUAL, r#""interfaces":"vnet0:em1""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: interfaces=\"vnet0:em1\"",
            "+jails/web/config.json: interfaces=\"vnet0:bridge0\"",
        ]],
    },
    Case {
        kind: Kind::NoBridge,
        found: "there is no bridge0",
        host: || web(&vnet(USUAL)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
            "+/etc/rc.conf: cloned_interfaces=bridge0",
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
            "+/etc/rc.conf: ifconfig_em0=up",
            "+host: bridge0 192.0.2.10/24",
            "+host: bridge0 has em0",
            "+host: bridge0 up mtu 1500",
            "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
        ]],
    },
    Case {
        kind: Kind::NoBridge,
        found: "there is no lan",
        host: || web(&but(USUAL, r#""interfaces":"vnet0:lan""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
            "+/etc/rc.conf: cloned_interfaces=bridge0",
            "+/etc/rc.conf: ifconfig_bridge0_name=lan",
            "+/etc/rc.conf: ifconfig_em0=up",
            "+/etc/rc.conf: ifconfig_lan=inet 192.0.2.10/24 addm em0 up",
            "+host: lan 192.0.2.10/24",
            "+host: lan has em0",
            "+host: lan up mtu 1500",
            "+host: route 0.0.0.0/0 via 192.0.2.1 lan",
        ]],
    },
    Case {
        kind: Kind::NoBridge,
        found: "there is no bridge7",
        host: || on_bridge(&but(USUAL, r#""interfaces":"vnet0:bridge7,vnet1:bridge0""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: interfaces=\"vnet0:bridge7,vnet1:bridge0\"",
            "+jails/web/config.json: interfaces=\"vnet0:bridge0,vnet1:bridge0\"",
        ]],
    },
    Case {
        kind: Kind::BridgeDown,
        found: "bridge0 is down",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig bridge0 down");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: bridge0 down mtu 1500",
            "+/etc/rc.conf: ifconfig_bridge0=up",
            "+host: bridge0 up mtu 1500",
        ]],
    },
    Case {
        kind: Kind::MemberDown,
        found: "em0, which is on bridge0, is down",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em0 down");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&["-host: em0 down mtu 1500", "+/etc/rc.conf: ifconfig_em0=up", "+host: em0 up mtu 1500"]],
    },
    Case {
        kind: Kind::LeadsNowhere,
        found: "bridge0 leads nowhere",
        host: || {
            let host = web(&vnet(USUAL));
            host.run("ifconfig bridge0 create up");
            host.run("ifconfig em0 inet6 2001:db8::10/64 && route -6 add default 2001:db8::1");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "-host: em0 2001:db8::10/64",
            "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
            "+/etc/rc.conf: ifconfig_bridge0_ipv6=inet6 2001:db8::10/64",
            "+/etc/rc.conf: ifconfig_em0=up",
            "+host: bridge0 192.0.2.10/24",
            "+host: bridge0 2001:db8::10/64",
            "+host: bridge0 has em0",
            "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
            "+host: route ::/0 via 2001:db8::1 bridge0",
        ]],
    },
    Case {
        kind: Kind::LeadsNowhere,
        found: "bridge7 leads nowhere",
        host: || {
            let host = on_bridge(&but(USUAL, r#""interfaces":"vnet0:bridge7""#));
            host.run("ifconfig bridge7 create up");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: interfaces=\"vnet0:bridge7\"",
            "+jails/web/config.json: interfaces=\"vnet0:bridge0\"",
        ]],
    },
    Case {
        kind: Kind::VlanWithParent,
        found: "em1.5 and its parent em1 are both on bridge0",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em1 up && ifconfig em1.5 create vlan 5 vlandev em1 up && ifconfig bridge0 addm em1 addm em1.5");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: bridge0 has em1",
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em1.5 addm em0 up",
        ]],
    },
    Case {
        kind: Kind::VlanWithoutParent,
        found: "em1.5 is on bridge0, and its parent em1 is not",
        host: || {
            let host = Host::new(with(&[("kern.osreldate", 1_104_000)]), &[("web", &vnet(USUAL))]);
            host.bridge();
            host.run("ifconfig em1 up && ifconfig em1.5 create vlan 5 vlandev em1 up && ifconfig bridge0 addm em1.5");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em1.5 addm em0 addm em1 up",
            "+/etc/rc.conf: ifconfig_em1=up",
            "+host: bridge0 has em1",
        ]],
    },
    Case {
        kind: Kind::VlanParentDown,
        found: "em1, the parent of em1.5, is down",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em1.5 create vlan 5 vlandev em1 up && ifconfig bridge0 addm em1.5 && ifconfig em1 down");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&["-host: em1 down mtu 1500", "+/etc/rc.conf: ifconfig_em1=up", "+host: em1 up mtu 1500"]],
    },
    Case {
        kind: Kind::AddressOnMember,
        found: "em0 has addresses (192.0.2.10/24), and is on bridge0",
        host: || {
            let host = web(&vnet(USUAL));
            host.run("ifconfig bridge0 create up addm em0");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
            "+/etc/rc.conf: ifconfig_em0=up",
            "+host: bridge0 192.0.2.10/24",
            "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
        ]],
    },
    Case {
        kind: Kind::AddressOnUplink,
        found: "em0 has addresses, and web wants it on bridge0",
        host: || {
            let config = but(USUAL, r#""vnet_default_interface":"em0""#);
            let host = Host::new(with(&[("net.link.bridge.member_ifaddrs", 0)]), &[("web", &config)]);
            host.run("ifconfig em1 up && ifconfig bridge0 create up addm em1");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[
            &[
                "-host: em0 192.0.2.10/24",
                "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
                "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em1 addm em0 up",
                "+/etc/rc.conf: ifconfig_em0=up",
                "+host: bridge0 192.0.2.10/24",
                "+host: bridge0 has em0",
                "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
            ],
            &[
                "-jails/web/config.json: vnet_default_interface=\"em0\"",
                "+jails/web/config.json: vnet_default_interface=\"none\"",
            ],
        ],
    },
    Case {
        kind: Kind::NicMtu,
        found: "web wants an MTU of 9000 on bridge0, which has 1500",
        host: || on_bridge(&but(USUAL, r#""vnet0_mtu":"9000""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: vnet0_mtu=\"9000\"",
            "+jails/web/config.json: vnet0_mtu=\"auto\"",
        ]],
    },
    Case {
        kind: Kind::DevdScript,
        found: "/etc/pccard_ether",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            let rule = r#"notify 0 { match "system" "IFNET"; match "type" "ATTACH"; action "/etc/pccard_ether $subsystem start"; };"#;
            std::fs::write(host.devd().join("devd.conf"), rule).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "+/etc/devd/jailwire.conf: notify 100 { match \"system\" \"IFNET\"; match \"subsystem\" \"(epair|vnet)[0-9].*\"; match \"type\" \"ATTACH\"; action \"true\"; };=",
        ]],
    },
    Case {
        kind: Kind::NoVimage,
        found: "this kernel has no network stacks for jails",
        host: || {
            let options = Options { vimage: false, ..options() };
            let host = Host::new(
                options,
                &[("web", &vnet(USUAL)), ("db", &but("10.9.0.5/24", r#""ip6_addr":"vnet0|2001:db8::5/64""#))],
            );
            host.bridge();
            host
        },
        chosen: &[],
        by_hand: &[("run GENERIC, or build a kernel with: options VIMAGE", |host| {
            host.restart(|options| options.vimage = true);
            host.bridge();
        })],
        changes: &[
            &["+kern.features.vimage=1"],
            &[
                "-jails/db/config.json: ip4_addr=\"vnet0|10.9.0.5/24\"",
                "-jails/db/config.json: ip6_addr=\"vnet0|2001:db8::5/64\"",
                "-jails/db/config.json: vnet=1",
                "-jails/web/config.json: ip4_addr=\"vnet0|192.0.2.20/24\"",
                "-jails/web/config.json: vnet=1",
                "+jails/db/config.json: ip4_addr=\"bridge0|10.9.0.5/24\"",
                "+jails/db/config.json: ip6_addr=\"bridge0|2001:db8::5/64\"",
                "+jails/db/config.json: vnet=0",
                "+jails/web/config.json: ip4_addr=\"bridge0|192.0.2.20\"",
                "+jails/web/config.json: ip6_addr=\"none\"",
                "+jails/web/config.json: vnet=0",
            ],
        ],
    },
    Case {
        kind: Kind::NoResourceLimits,
        found: "this kernel has no resource limits",
        host: || Host::new(with(&[("kern.features.racct", 0)]), &[]),
        chosen: &[],
        by_hand: &[("run GENERIC, or build a kernel with: options RACCT, options RCTL", |host| {
            host.restart(|options| options.sysctls.retain(|(name, _)| name != "kern.features.racct"));
        })],
        changes: &[&[]],
    },
    Case {
        kind: Kind::ResourceLimitsOff,
        found: "resource limits are switched off",
        host: || Host::new(with(&[("kern.racct.enable", 0)]), &[]),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-kern.racct.enable=0",
            "+/boot/loader.conf: kern.racct.enable=1",
            "+kern.racct.enable=1",
        ]],
    },
    Case {
        kind: Kind::NoModule,
        found: "if_epair",
        host: || {
            Host::new(
                Options { modules: vec!["if_bridge".to_owned()], ..options() },
                &[("web", &vnet(USUAL))],
            )
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&["+/boot/loader.conf: if_epair_load=\"YES\""]],
    },
    Case {
        kind: Kind::FilterOnBridge,
        found: "net.link.bridge.pfil_member is 1",
        host: || {
            let host = Host::new(with(&[("net.link.bridge.pfil_member", 1)]), &[]);
            host.bridge();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-net.link.bridge.pfil_member=1",
            "+/etc/sysctl.conf: net.link.bridge.pfil_member=0",
            "+net.link.bridge.pfil_member=0",
        ]],
    },
    Case {
        kind: Kind::NoForwarding,
        found: "net.inet.ip.forwarding=0",
        host: || {
            let host =
                web(&vnet("10.1.1.10/24")
                    .replace(r#""defaultrouter":"none""#, r#""defaultrouter":"10.1.1.1""#));
            host.run("ifconfig bridge0 create up && ifconfig bridge0 inet 10.1.1.1/24");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-net.inet.ip.forwarding=0",
            "+/etc/rc.conf: gateway_enable=YES",
            "+net.inet.ip.forwarding=1",
        ]],
    },
    Case {
        kind: Kind::NoForwarding,
        found: "net.inet6.ip6.forwarding=0",
        host: || {
            let host =
                on_bridge(&but(USUAL, r#""ip6_addr":"vnet0|fd00:1::10/64","defaultrouter6":"fd00:1::1""#));
            host.run("ifconfig bridge0 inet6 fd00:1::1/64");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-net.inet6.ip6.forwarding=0",
            "+/etc/rc.conf: ipv6_gateway_enable=YES",
            "+net.inet6.ip6.forwarding=1",
        ]],
    },
    Case {
        kind: Kind::OldRelease,
        found: "this is FreeBSD 13",
        host: || Host::new(with(&[("kern.osreldate", 1_302_000)]), &[]),
        chosen: &[],
        by_hand: &[("update the host", |host| {
            host.restart(|options| options.sysctls.retain(|(name, _)| name != "kern.osreldate"));
        })],
        changes: &[&["-kern.osreldate=1302000", "+kern.osreldate=1501000"]],
    },
    Case {
        kind: Kind::Unreadable,
        found: "web: ",
        host: || web("{"),
        chosen: &[],
        by_hand: &[("restore ROOT/jails/web/config.json", |host| {
            std::fs::write(host.jail("web").join("config.json"), r#"{"vnet":0}"#).unwrap();
        })],
        changes: &[&["-jails/web/config.json: {", "+jails/web/config.json: vnet=0"]],
    },
    Case {
        kind: Kind::Configuration,
        found: "web: defaultrouter: 192.0.2.1 is in none",
        host: || {
            on_bridge(
                &vnet("10.1.1.10/24").replace(r#""defaultrouter":"none""#, r#""defaultrouter":"192.0.2.1""#),
            )
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: defaultrouter=\"192.0.2.1\"",
            "+jails/web/config.json: defaultrouter=\"none\"",
        ]],
    },
    Case {
        kind: Kind::Configuration,
        found: "web: ip4_adr: ",
        host: || on_bridge(&but(USUAL, r#""ip4_adr":"x""#)),
        chosen: &[],
        by_hand: &[("write another key in ROOT/jails/web/config.json, or take it out", |host| {
            std::fs::write(host.jail("web").join("config.json"), vnet(USUAL)).unwrap();
        })],
        changes: &[&["-jails/web/config.json: ip4_adr=\"x\""]],
    },
    Case {
        kind: Kind::UnknownDefault,
        found: "ip4_adr: ",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            std::fs::write(host.root().join("defaults.json"), r#"{"ip4_adr":"x"}"#).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[("write another key in ROOT/defaults.json, or take it out", |host| {
            std::fs::write(host.root().join("defaults.json"), "{}").unwrap();
        })],
        changes: &[&["-defaults.json: ip4_adr=\"x\""]],
    },
    Case {
        kind: Kind::Misfit,
        found: "web: mount_devfs: there is no",
        host: || {
            let host = on_bridge(&vnet(USUAL).replace(r#""mount_devfs":0"#, r#""mount_devfs":1"#));
            std::fs::remove_dir(host.jail("web").join("root/dev")).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[]],
    },
    Case {
        kind: Kind::Misfit,
        found: "web: exec_fib: ",
        host: || on_bridge(&but(USUAL, r#""exec_fib":"3""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&["-jails/web/config.json: exec_fib=\"3\"", "+jails/web/config.json: exec_fib=\"0\""]],
    },
    Case {
        kind: Kind::Misfit,
        found: "web: vnet_default_interface: ",
        host: || on_bridge(&but(USUAL, r#""vnet_default_interface":"ix7""#)),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: vnet_default_interface=\"ix7\"",
            "+jails/web/config.json: vnet_default_interface=\"none\"",
        ]],
    },
    Case {
        kind: Kind::Misfit,
        found: "web: vnet0_vlan: ",
        host: || on_bridge(&but(USUAL, r#""vnet0_vlan":"20""#)),
        chosen: &[("VALUE", "none")],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: vnet0_vlan=\"20\"",
            "+jails/web/config.json: vnet0_vlan=\"none\"",
        ]],
    },
    Case {
        kind: Kind::DuplicateMac,
        found: "a, b, c have the same MAC address",
        host: || {
            let mac = r#""interfaces":"vnet1:bridge0","vnet1_mac":"02ff60000001 02ff60000002""#;
            let of = |address: &str| but(address, mac).replace("vnet0|", "vnet1|");
            let host = Host::new(
                options(),
                &[("a", &of("192.0.2.20/24")), ("b", &of("192.0.2.21/24")), ("c", &of("192.0.2.22/24"))],
            );
            host.bridge();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/b/config.json: vnet1_mac=\"02ff60000001 02ff60000002\"",
            "-jails/c/config.json: vnet1_mac=\"02ff60000001 02ff60000002\"",
            "+jails/b/config.json: vnet1_mac=\"none\"",
            "+jails/c/config.json: vnet1_mac=\"none\"",
        ]],
    },
    Case {
        kind: Kind::DuplicateAddress,
        found: "db, web have the same address, 192.0.2.20",
        host: || {
            let both = vnet("192.0.2.20/24").replace("192.0.2.20/24", "192.0.2.20/24,vnet0|192.0.2.99/32");
            let host = Host::new(options(), &[("web", &both), ("db", &vnet("192.0.2.20/24"))]);
            host.bridge();
            host
        },
        chosen: &[("ADDRESS", "192.0.2.77")],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: ip4_addr=\"vnet0|192.0.2.20/24,vnet0|192.0.2.99/32\"",
            "+jails/web/config.json: ip4_addr=\"vnet0|192.0.2.77/24,vnet0|192.0.2.99/32\"",
        ]],
    },
    Case {
        kind: Kind::AddressOfHost,
        found: "192.0.2.10, which web shall have, is the host's on bridge0",
        host: || on_bridge(&vnet("192.0.2.10/24")),
        chosen: &[("ADDRESS", "192.0.2.77")],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: ip4_addr=\"vnet0|192.0.2.10/24\"",
            "+jails/web/config.json: ip4_addr=\"vnet0|192.0.2.77/24\"",
        ]],
    },
    Case {
        kind: Kind::NoJailName,
        found: "`b ad`",
        host: || {
            let host = web(r#"{"vnet":0}"#);
            std::fs::create_dir(host.root().join("jails/b ad")).unwrap();
            std::fs::write(host.root().join("jails/b ad/config.json"), r#"{"vnet":0}"#).unwrap();
            std::fs::create_dir_all(host.root().join("jails/b ad/root/dev")).unwrap();
            host
        },
        chosen: &[("NAME", "bad")],
        by_hand: &[],
        changes: &[&["-jails/b ad/config.json: vnet=0", "+jails/bad/config.json: vnet=0"]],
    },
    Case {
        kind: Kind::SameKernelName,
        found: "foo.bar and foo_bar are the same to the kernel",
        host: || {
            let config = r#"{"vnet":0,"mount_devfs":0,"mount_fdescfs":0}"#;
            Host::new(options(), &[("foo.bar", config), ("foo_bar", config)])
        },
        chosen: &[("NAME", "baz")],
        by_hand: &[],
        changes: &[&[
            "-jails/foo_bar/config.json: mount_devfs=0",
            "-jails/foo_bar/config.json: mount_fdescfs=0",
            "-jails/foo_bar/config.json: vnet=0",
            "+jails/baz/config.json: host_hostuuid=\"baz\"",
            "+jails/baz/config.json: mount_devfs=0",
            "+jails/baz/config.json: mount_fdescfs=0",
            "+jails/baz/config.json: vnet=0",
        ]],
    },
    Case {
        kind: Kind::NoJail,
        found: ".new-it's is no jail",
        host: || {
            let host = web(r#"{"vnet":0}"#);
            std::fs::create_dir_all(host.root().join("jails/.new-it's/root")).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[]],
    },
    Case {
        kind: Kind::LeakedEpair,
        found: "vnet0.7 is an epair of web",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            let pair = host.vnet.create_epair().unwrap();
            host.vnet.rename(&pair.a, &name("vnet0.7")).unwrap();
            host.vnet.set_description(&name("vnet0.7"), "associated with jail: web as nic: epair0b").unwrap();
            host.run("ifconfig bridge0 addm vnet0.7");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: bridge0 has vnet0.7",
            "-host: epair0b down mtu 1500",
            "-host: vnet0.7 down mtu 1500",
        ]],
    },
    Case {
        kind: Kind::LeftBehind,
        found: "web is down, and left behind",
        host: || {
            let host = Host::new(
                options(),
                &[(
                    "web",
                    r#"{"vnet":0,"ip4_addr":"em0|192.0.2.40/32","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#,
                )],
            );
            host.killed(&["start", "web"], |host| {
                host.findings().iter().any(|one| one.kind == Kind::LeftBehind)
            });
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[]],
    },
    Case {
        kind: Kind::HalfAttached,
        found: "an epair was attached to jail ioc-web, in part",
        host: || {
            let host = started(on_bridge(&vnet(USUAL)));
            host.killed(&["net", "attach", "ioc-web", "-b", "bridge0"], |host| {
                host.findings().iter().any(|one| one.kind == Kind::HalfAttached)
            });
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&["-ioc-web: epair1b down mtu 1500", "-ioc-web: vnet1.1 down mtu 1500"]],
    },
    Case {
        kind: Kind::NoDirectory,
        found: "ioc-web runs, and its directory is not there",
        host: || {
            let host = started(on_bridge(&vnet(USUAL)));
            std::fs::rename(host.jail("web"), host.root().join("elsewhere")).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[("put the directory back, by zfs mount or mv: ROOT/jails/web/root", |host| {
            std::fs::rename(host.root().join("elsewhere"), host.jail("web")).unwrap();
        })],
        changes: &[
            &[
                "-host: bridge0 has vnet0.1",
                "-host: vnet0.1 up mtu 1500",
                "-ioc-web: epair0b 192.0.2.20/24",
                "-ioc-web: epair0b up mtu 1500",
                "-ioc-web: lo0 127.0.0.1/8",
                "-ioc-web: lo0 ::1/128",
                "-ioc-web: lo0 up mtu 16384",
                "-jail ioc-web runs",
            ],
            &[
                "-elsewhere/config.json: defaultrouter=\"none\"",
                "-elsewhere/config.json: host_time=0",
                "-elsewhere/config.json: ip4_addr=\"vnet0|192.0.2.20/24\"",
                "-elsewhere/config.json: mac_prefix=\"02ff60\"",
                "-elsewhere/config.json: mount_devfs=0",
                "-elsewhere/config.json: mount_fdescfs=0",
                "-elsewhere/config.json: resolver=\"/dev/null\"",
                "-elsewhere/config.json: vnet0_mac=\"02ff604e07f1 02ff604e07f2\"",
                "-elsewhere/config.json: vnet=1",
                "+jails/web/config.json: defaultrouter=\"none\"",
                "+jails/web/config.json: host_time=0",
                "+jails/web/config.json: ip4_addr=\"vnet0|192.0.2.20/24\"",
                "+jails/web/config.json: mac_prefix=\"02ff60\"",
                "+jails/web/config.json: mount_devfs=0",
                "+jails/web/config.json: mount_fdescfs=0",
                "+jails/web/config.json: resolver=\"/dev/null\"",
                "+jails/web/config.json: vnet0_mac=\"02ff604e07f1 02ff604e07f2\"",
                "+jails/web/config.json: vnet=1",
            ],
        ],
    },
    Case {
        kind: Kind::Dying,
        found: "(ioc-web) is dying",
        host: || {
            let host = started(on_bridge(&vnet(USUAL)));
            host.stop_with_connection("web");
            host
        },
        chosen: &[],
        by_hand: &[("wait: the jail goes when what holds it has ended", |host| {
            host.kernel().sleep(std::time::Duration::from_secs(600));
        })],
        changes: &[&[]],
    },
    Case {
        kind: Kind::Dying,
        found: "(ioc-web) is dying",
        host: || {
            let config = but(USUAL, r#""allow_mount":1,"allow_mount_tmpfs":1,"enforce_statfs":"1""#);
            let host = started(on_bridge(&config));
            std::fs::create_dir_all(host.jail("web").join("root/mnt")).unwrap();
            host.mount_inside("web", "mnt");
            host.run("iocage stop web");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&["-tmpfs is mounted on jails/web/root/mnt"]],
    },
    Case {
        kind: Kind::OrphanedJournal,
        found: "belongs to a jail that does not exist",
        host: || {
            let host = Host::new(
                options(),
                &[(
                    "web",
                    r#"{"vnet":0,"ip4_addr":"em0|192.0.2.40/32","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#,
                )],
            );
            host.killed(&["start", "web"], |host| {
                host.findings().iter().any(|one| one.kind == Kind::LeftBehind)
            });
            std::fs::remove_dir_all(host.jail("web")).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[]],
    },
    Case {
        kind: Kind::Lifeline,
        found: "em0, which vnet_interfaces lends to web, is what the host lives on",
        host: || {
            let host = web(&but(USUAL, r#""vnet_interfaces":"em1 em0""#));
            host.run("ifconfig bridge0 create up && ifconfig bridge0 inet 10.0.0.1/24");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-jails/web/config.json: vnet_interfaces=\"em1 em0\"",
            "+jails/web/config.json: vnet_interfaces=\"em1\"",
        ]],
    },
    Case {
        kind: Kind::NatRefused,
        found: "pf is not loaded",
        host: || natted(0),
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "+/etc/pf.conf: nat-anchor \"jailwire/*\"=",
            "+/etc/pf.conf: rdr-anchor \"jailwire/*\"=",
            "+/etc/rc.conf: pf_enable=YES",
            "+/etc/sysctl.conf: net.pf.filter_local=1",
        ]],
    },
    Case {
        kind: Kind::NatNotLocal,
        found: "pf does not see what this host sends to itself",
        host: || natted(1),
        chosen: &[],
        by_hand: &[],
        changes: &[&["+/etc/sysctl.conf: net.pf.filter_local=1"]],
    },
    Case {
        kind: Kind::MtuInside,
        found: "epair0b in web has an MTU of 1500, and bridge0 one of 1400",
        host: || {
            let host = started(on_bridge(&vnet(USUAL)));
            host.run("ifconfig bridge0 mtu 1400");
            host
        },
        chosen: &[],
        by_hand: &[("iocage exec web ifconfig epair0b mtu 1400", |host| {
            host.inside("ioc-web", "ifconfig epair0b mtu 1400")
        })],
        changes: &[
            &[
                "-host: bridge0 has vnet0.1",
                "-host: vnet0.1 up mtu 1400",
                "-ioc-web: epair0b up mtu 1500",
                "+host: bridge0 has vnet0.2",
                "+host: vnet0.2 up mtu 1400",
                "+ioc-web: epair0b up mtu 1400",
            ],
            &["-ioc-web: epair0b up mtu 1500", "+ioc-web: epair0b up mtu 1400"],
        ],
    },
    Case {
        kind: Kind::WayBack,
        found: "10.1.1.0/24 is behind bridge0",
        host: || {
            let host = Host::new(
                with(&[("net.inet.ip.forwarding", 1), ("net.inet6.ip6.forwarding", 1)]),
                &[(
                    "web",
                    &vnet("10.1.1.10/24")
                        .replace(r#""defaultrouter":"none""#, r#""defaultrouter":"10.1.1.1""#),
                )],
            );
            // As iocage has it: with all properties.
            host.run("iocage set nat_backend=ipfw default");
            host.run("ifconfig bridge0 create up && ifconfig bridge0 inet 10.1.1.1/24 && kldload pf && service pf reload");
            started(host)
        },
        chosen: &[],
        by_hand: &[],
        // What the next router knows cannot be seen from here.
        changes: &[
            &[ELSEWHERE],
            &[
                "-defaults.json: nat_backend=\"ipfw\"",
                "-host: bridge0 has vnet0.1",
                "-host: vnet0.1 up mtu 1500",
                "+defaults.json: nat_backend=\"pf\"",
                "+host: bridge0 has vnet0.2",
                "+host: vnet0.2 up mtu 1500",
                "+jails/web/config.json: nat=1",
            ],
        ],
    },
    Case {
        kind: Kind::SilentRouter,
        found: "192.0.2.1, the default router of web, does not answer",
        host: || {
            let host = web(&routed(r#""defaultrouter":"192.0.2.1""#));
            host.run("ifconfig bridge0 create up");
            started(host)
        },
        chosen: &[("ROUTER", "none")],
        by_hand: &[],
        changes: &[
            &[
                "-host: em0 192.0.2.10/24",
                "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
                "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
                "+/etc/rc.conf: ifconfig_em0=up",
                "+host: bridge0 192.0.2.10/24",
                "+host: bridge0 has em0",
                "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
            ],
            &[
                "-host: bridge0 has vnet0.1",
                "-host: vnet0.1 up mtu 1500",
                "-ioc-web: route 0.0.0.0/0 via 192.0.2.1 epair0b",
                "-jails/web/config.json: defaultrouter=\"192.0.2.1\"",
                "+host: bridge0 has vnet0.2",
                "+host: vnet0.2 up mtu 1500",
                "+jails/web/config.json: defaultrouter=\"none\"",
            ],
        ],
    },
    Case {
        kind: Kind::SilentRouter,
        found: "192.0.2.99, the default router of web, does not answer",
        host: || started(on_bridge(&routed(r#""defaultrouter":"192.0.2.99""#))),
        chosen: &[("ROUTER", "192.0.2.1")],
        by_hand: &[],
        changes: &[&[
            "-host: bridge0 has vnet0.1",
            "-host: vnet0.1 up mtu 1500",
            "-ioc-web: route 0.0.0.0/0 via 192.0.2.99 epair0b",
            "-jails/web/config.json: defaultrouter=\"192.0.2.99\"",
            "+host: bridge0 has vnet0.2",
            "+host: vnet0.2 up mtu 1500",
            "+ioc-web: route 0.0.0.0/0 via 192.0.2.1 epair0b",
            "+jails/web/config.json: defaultrouter=\"192.0.2.1\"",
        ]],
    },
    Case {
        kind: Kind::UnfilteredPort,
        found: "em1 is in VLANs 20 of bridge0, which does not filter VLANs",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em1 up && ifconfig bridge0 addm em1 iftagged em1 20");
            host
        },
        chosen: &[("VLANS", "20")],
        by_hand: &[],
        changes: &[&["+host: bridge0 filters VLANs", "+host: bridge0 has em0 in VLANs - 20"]],
    },
    Case {
        kind: Kind::PortInNoVlan,
        found: "em0 is in no VLAN of bridge0, which filters them",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em1 up && ifconfig bridge0 addm em1 iftagged em1 20 vlanfilter");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&["+host: bridge0 has em0 in VLANs - 20"]],
    },
    Case {
        kind: Kind::PortInNoVlan,
        found: "vnet1.1 is in no VLAN of bridge0, which filters them",
        host: || {
            let host = on_bridge(
                &but(USUAL, r#""interfaces":"vnet1:bridge0","vnet1_vlan":"20""#).replace("vnet0|", "vnet1|"),
            );
            host.run("ifconfig bridge0 iftagged em0 20-30 vlanfilter");
            let host = started(host);
            host.vnet.set_member_pvid(&name("bridge0"), &name("vnet1.1"), None).unwrap();
            host
        },
        chosen: &[("=VLAN ", "=21 ")],
        by_hand: &[],
        changes: &[&[
            "-host: bridge0 has vnet1.1",
            "-host: vnet1.1 up mtu 1500",
            "-jails/web/config.json: vnet1_vlan=\"20\"",
            "+host: bridge0 has vnet1.2",
            "+host: bridge0 has vnet1.2 in VLANs 21 ",
            "+host: vnet1.2 up mtu 1500",
            "+jails/web/config.json: vnet1_vlan=\"21\"",
        ]],
    },
    Case {
        kind: Kind::AloneInVlan,
        found: "vnet0.1 is the only bridge member in VLAN 20 of bridge0",
        host: || {
            let host = on_bridge(&but(USUAL, r#""vnet0_vlan":"20""#));
            host.run("ifconfig bridge0 iftagged em0 30 vlanfilter");
            started(host)
        },
        chosen: &[("ADDRESS", "192.0.2.3/24")],
        by_hand: &[],
        changes: &[
            &["-host: bridge0 has em0 in VLANs - 30", "+host: bridge0 has em0 in VLANs - 20,30"],
            &[
                "+host: bridge0.20 192.0.2.3/24",
                "+host: bridge0.20 is VLAN 20 of bridge0",
                "+host: bridge0.20 up mtu 1496",
            ],
        ],
    },
    Case {
        kind: Kind::VlanTaken,
        found: "em1.20 takes the frames of VLAN 20 on em1",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em1 up && ifconfig em1.20 create vlan 20 vlandev em1 inet 10.20.0.1/24 up && ifconfig bridge0 iftagged em0 20 addm em1 iftagged em1 20 vlanfilter");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em1.20 10.20.0.1/24",
            "-host: em1.20 is VLAN 20 of em1",
            "-host: em1.20 up mtu 1500",
            "+host: bridge0.20 10.20.0.1/24",
            "+host: bridge0.20 is VLAN 20 of bridge0",
            "+host: bridge0.20 up mtu 1496",
        ]],
    },
];

/// A jail with NAT and published ports: without pf, or with a pf that does not look at what the host sends itself.
fn natted(pf: u8) -> Host {
    let config = but("10.1.1.10/24", r#""nat":1,"nat_backend":"pf","nat_forwards":"tcp(80)""#);
    let host = Host::new(
        with(&[("net.inet.ip.forwarding", 1), ("net.inet6.ip6.forwarding", 1)]),
        &[("web", &config)],
    );
    host.run("ifconfig bridge0 create up && ifconfig bridge0 inet 10.1.1.1/24");
    if pf > 0 {
        host.run("kldload pf && service pf reload");
    }
    host
}

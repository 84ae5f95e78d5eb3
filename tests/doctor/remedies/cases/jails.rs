//! Jails: their files, addresses and names.

use jailwire::iocage::doctor::Kind;

use super::{USUAL, but, on_bridge, options, web};
use crate::remedies::Case;
use crate::remedies::host::Host;
use crate::world::vnet;

pub const CASES: &[Case] = &[
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
];

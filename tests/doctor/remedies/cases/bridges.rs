//! Bridges of jails, their members, and MTUs.

use jailwire::iocage::doctor::Kind;

use super::{USUAL, but, on_bridge, options, started, web, with};
use crate::remedies::Case;
use crate::remedies::host::Host;
use crate::world::vnet;

/// bridge0 exists with em0 on it, and the bridge has em0's address and default route.
const BRIDGE0_WITH_EM0: &[&str] = &[
    "-host: em0 192.0.2.10/24",
    "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
    "+/etc/rc.conf: cloned_interfaces=bridge0",
    "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
    "+/etc/rc.conf: ifconfig_em0=up",
    "+host: bridge0 192.0.2.10/24",
    "+host: bridge0 has em0",
    "+host: bridge0 up mtu 1500",
    "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
];

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
    // The only interface that leads out is reserved for the bridge of another jail.
    Case {
        kind: Kind::NotABridge,
        found: "em0 is not a bridge",
        host: || {
            let web = but(USUAL, r#""vnet_default_interface":"em0""#);
            let db = but("192.0.2.21/24", r#""interfaces":"vnet0:em0""#);
            Host::new(options(), &[("web", &web), ("db", &db)])
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
            "-jails/db/config.json: interfaces=\"vnet0:em0\"",
            "+/etc/rc.conf: cloned_interfaces=bridge0",
            "+/etc/rc.conf: ifconfig_bridge0=inet 192.0.2.10/24 addm em0 up",
            "+/etc/rc.conf: ifconfig_em0=up",
            "+host: bridge0 192.0.2.10/24",
            "+host: bridge0 has em0",
            "+host: bridge0 up mtu 1500",
            "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
            "+jails/db/config.json: interfaces=\"vnet0:bridge0\"",
        ]],
    },
    Case {
        kind: Kind::NoBridge,
        found: "there is no bridge0",
        host: || web(&vnet(USUAL)),
        chosen: &[],
        by_hand: &[],
        changes: &[BRIDGE0_WITH_EM0],
    },
    Case {
        kind: Kind::NoBridge,
        found: "there is no bridge0",
        host: || {
            let host = Host::new(with(&[("net.link.bridge.member_ifaddrs", 0)]), &[("web", &vnet(USUAL))]);
            host.run("ifconfig em0 inet6 fe80::10/64");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[BRIDGE0_WITH_EM0],
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
];

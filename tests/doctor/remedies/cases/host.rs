//! The host: its kernel, its settings, its routers, its packet filters.

use jailwire::iocage::doctor::Kind;

use super::{USUAL, but, natted, on_bridge, options, routed, started, web, with};
use crate::remedies::host::Host;
use crate::remedies::{Case, ELSEWHERE};
use crate::world::vnet;

pub const CASES: &[Case] = &[
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
            let options = options().with_vimage(false);
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
        host: || Host::new(options().with_modules(vec!["if_bridge".to_owned()]), &[("web", &vnet(USUAL))]),
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
            // The file has all properties, as iocage writes it.
            host.run("iocage set nat_backend=ipfw default");
            host.run("ifconfig bridge0 create up && ifconfig bridge0 inet 10.1.1.1/24 && kldload pf && service pf reload");
            started(host)
        },
        chosen: &[],
        by_hand: &[],
        // The host cannot see the routes of the next router.
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
];

//! VLANs.

use jailwire::iocage::doctor::Kind;
use jailwire::jail;
use jailwire::types::VlanId;
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;

use super::{USUAL, but, on_bridge, started, with};
use crate::remedies::Case;
use crate::remedies::host::{Host, name};
use crate::world::vnet;

pub const CASES: &[Case] = &[
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
        found: "em1.20 takes the frames with tags on em1, which carries VLANs 20",
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
    Case {
        kind: Kind::VlanTaken,
        found: "em1.40 takes the frames with tags on em1, which carries VLANs 20",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig em1 up && ifconfig em1.40 create vlan 40 vlandev em1 inet 10.40.0.1/24 up && ifconfig bridge0 iftagged em0 20 addm em1 iftagged em1 20 vlanfilter");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: bridge0 has em1 in VLANs - 20",
            "-host: em1.40 10.40.0.1/24",
            "-host: em1.40 is VLAN 40 of em1",
            "-host: em1.40 up mtu 1500",
            "+host: bridge0 has em1 in VLANs - 20,40",
            "+host: bridge0.40 10.40.0.1/24",
            "+host: bridge0.40 is VLAN 40 of bridge0",
            "+host: bridge0.40 up mtu 1496",
        ]],
    },
    Case {
        kind: Kind::VlanFilteredOff,
        found: "bridge0.40 is in VLAN 40 of bridge0, which no bridge member carries",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("ifconfig bridge0 iftagged em0 20 vlanfilter && ifconfig bridge0.40 create vlan 40 vlandev bridge0 inet 10.40.0.1/24 up");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[
            &["-host: bridge0 has em0 in VLANs - 20", "+host: bridge0 has em0 in VLANs - 20,40"],
            &[
                "-host: bridge0.40 10.40.0.1/24",
                "-host: bridge0.40 is VLAN 40 of bridge0",
                "-host: bridge0.40 up mtu 1496",
            ],
        ],
    },
    Case {
        kind: Kind::VlanFilteredOff,
        found: "epair0b.40 in web is in VLAN 40, which vnet0.1, the host's end of epair0b, does not carry on bridge0",
        host: || {
            let host = on_bridge(&but(USUAL, r#""vnet0_vlan":"20","vnet0_tagged":"30""#));
            host.run("ifconfig bridge0 iftagged em0 20,30,40 vlanfilter");
            let host = started(host);
            let jid = jail::find(&**host.kernel(), "ioc-web").unwrap().unwrap();
            let inside = Vnet::enter(host.kernel().clone(), jid).unwrap();
            for tag in [30, 40] {
                let parent = name("epair0b");
                let vlan = Vlan { parent, tag: VlanId::new(tag).unwrap(), protocol: VlanProtocol::Dot1q };
                inside.create_vlan(&vlan, Some(&name(&format!("epair0b.{tag}"))), None).unwrap();
            }
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[
            &[
                "-host: bridge0 has vnet0.1",
                "-host: bridge0 has vnet0.1 in VLANs 20 30",
                "-host: vnet0.1 up mtu 1500",
                "-ioc-web: epair0b.30 down mtu 1500",
                "-ioc-web: epair0b.30 is VLAN 30 of epair0b",
                "-ioc-web: epair0b.40 down mtu 1500",
                "-ioc-web: epair0b.40 is VLAN 40 of epair0b",
                "-jails/web/config.json: vnet0_tagged=\"30\"",
                "+host: bridge0 has vnet0.2",
                "+host: bridge0 has vnet0.2 in VLANs 20 30,40",
                "+host: vnet0.2 up mtu 1500",
                "+jails/web/config.json: vnet0_tagged=\"30,40\"",
            ],
            &["-host: bridge0 has vnet0.1 in VLANs 20 30", "+host: bridge0 has vnet0.1 in VLANs 20 30,40"],
        ],
    },
];

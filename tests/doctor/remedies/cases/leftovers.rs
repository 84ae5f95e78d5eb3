//! Leftovers of commands and jails.

use jailwire::iocage::doctor::Kind;

use super::{USUAL, but, on_bridge, options, started, web};
use crate::remedies::Case;
use crate::remedies::host::{Host, name};
use crate::world::vnet;

pub const CASES: &[Case] = &[
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
        host: left_behind,
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
        kind: Kind::MoveInterrupted,
        found: "the move of 192.0.2.10/24 from bridge0 to em0 was interrupted",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            // No process is there to undo the move.
            host.killed_each(3, &["host", "move-address", "bridge0", "em0", "--confirmed"], |host| {
                let moved = host.state().contains("host: em0 192.0.2.10/24");
                moved && host.findings().iter().any(|one| one.kind == Kind::MoveInterrupted)
            });
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[
            "-host: em0 192.0.2.10/24",
            "+host: bridge0 192.0.2.10/24",
            "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
        ]],
    },
    Case {
        kind: Kind::MovePending,
        found: "the move of 192.0.2.10/24 from bridge0 to em0 waits to be confirmed",
        host: || {
            let host = on_bridge(&vnet(USUAL));
            host.run("jailwire host move-address bridge0 em0 --confirm-within 1h");
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[
            &[],
            &[
                "-host: em0 192.0.2.10/24",
                "-host: route 0.0.0.0/0 via 192.0.2.1 em0",
                "+host: bridge0 192.0.2.10/24",
                "+host: route 0.0.0.0/0 via 192.0.2.1 bridge0",
            ],
        ],
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
            let host = left_behind();
            std::fs::remove_dir_all(host.jail("web")).unwrap();
            host
        },
        chosen: &[],
        by_hand: &[],
        changes: &[&[]],
    },
];

/// A host on which a start of web was killed. web is down, and some of its parts are left.
fn left_behind() -> Host {
    let config = r#"{"vnet":0,"ip4_addr":"em0|192.0.2.40/32","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#;
    let host = Host::new(options(), &[("web", config)]);
    host.killed(&["start", "web"], |host| host.findings().iter().any(|one| one.kind == Kind::LeftBehind));
    host
}

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::*;
use crate::Error;
use crate::files::Files;
use crate::jail::{self, JailParameters, JailSystem};
use crate::kernel::{Calls, Clock, Kernel};
use crate::sim::{Call, Sim};
use crate::types::{InterfaceName, MacAddr, Mtu};
use crate::vnet::Vnet;
use crate::wiring::bulk::view::View;
use crate::wiring::{Alias, Devfs, HostName, Network, Nic, Router, Shared, Step, VnetSpec};

const BOOT: &str = "a boot";

/// A jail on a bridge, with an address and a default route.
fn spec(number: u8, bridge: InterfaceName) -> JailSpec {
    let nic = Nic {
        host_name: HostName::WithJid("vnet0.".to_owned()),
        jail_name: "epair0b".parse().unwrap(),
        description: format!("associated with jail: j{number} as nic: epair0b"),
        macs: Some((MacAddr([2, 0, 1, 0, 0, number]), MacAddr([2, 0, 2, 0, 0, number]))),
        mtu: None,
        default_mtu: Mtu::new(1500).unwrap(),
        bridge: Some(bridge),
        uplink: None,
        vlans: None,
        isolated: false,
        inet: vec![format!("10.0.0.{}/24", number + 2).parse().unwrap()],
        inet6: vec![],
        host_addresses: Vec::new(),
        accept_rtadv: false,
        stable_address: false,
    };
    let network = VnetSpec {
        nics: vec![nic],
        default4: Some(Router { address: [10, 0, 0, 1].into(), nic: None }),
        ..VnetSpec::default()
    };
    JailSpec {
        name: format!("j{number}"),
        path: "/".into(),
        parameters: JailParameters::default(),
        devfs: Devfs::Existing(0),
        mounts: Vec::new(),
        network: Network::Vnet(network),
        nat: None,
    }
}

struct World {
    sim: Sim,
    host: Vnet,
    state: StateDirectory,
}

impl World {
    fn new() -> World {
        let sim = Sim::new();
        sim.load_module("if_bridge").unwrap();
        sim.load_module("if_epair").unwrap();
        let kernel: Arc<dyn Kernel> = Arc::new(sim.clone());
        let state = StateDirectory::open(&*kernel, Files::new()).unwrap();
        World { sim, host: Vnet::host(kernel), state }
    }

    fn site(&self) -> Site<'_> {
        Site {
            host: &self.host,
            state: &self.state,
            files: Files::new(),
            boot: BOOT,
            times: wiring::Times::default(),
            programs_follow: false,
        }
    }

    fn start(&self, jails: Vec<BulkJail<'_>>, cancel: &Cancel) -> Vec<(String, String)> {
        let mut fates = Vec::new();
        let note = |name: &str, progress: Progress| {
            fates.extend(progress.fate().map(|fate| (name.to_owned(), told(&fate))));
        };
        start(&self.site(), jails, &four(), cancel, note).unwrap();
        fates
    }

    fn stop(&self, jails: Vec<BulkStop>) -> Vec<(String, String)> {
        let mut fates = Vec::new();
        let note = |name: &str, progress: Progress| {
            fates.extend(progress.fate().map(|fate| (name.to_owned(), told(&fate))));
        };
        stop(&self.site(), jails, &four(), &Cancel::new(), note).unwrap();
        fates
    }

    /// The simulator's state a minute later, when no jail is dying any more.
    fn settled(&self) -> String {
        self.sim.sleep(std::time::Duration::from_secs(60));
        self.sim.describe()
    }
}

fn four() -> Limits {
    Limits::default().workers(NonZeroUsize::new(4).unwrap())
}

fn bridge() -> InterfaceName {
    "bridge0".parse().unwrap()
}

fn told(fate: &Fate) -> String {
    match fate {
        Fate::Up(_) => "up".to_owned(),
        Fate::Gone(_) => "gone".to_owned(),
        Fate::Absent => "absent".to_owned(),
        Fate::Cancelled => "cancelled".to_owned(),
        Fate::Failed(trouble) => trouble.to_string(),
    }
}

fn jail(number: u8) -> BulkJail<'static> {
    BulkJail::new(spec(number, bridge()))
}

fn names(numbers: impl Iterator<Item = u8>) -> Vec<BulkStop> {
    numbers.map(|number| BulkStop::new(format!("j{number}"))).collect()
}

#[test]
fn many_come_up_on_a_bridge_that_was_not_there_and_go_without_a_trace() {
    let world = World::new();
    let before = world.sim.describe();
    let fates = world.start((0..50).map(jail).collect(), &Cancel::new());
    assert!(fates.len() == 50 && fates.iter().all(|(_, fate)| fate == "up"), "{fates:?}");
    assert_eq!(world.host.members(&bridge()).unwrap().len(), 50);
    let fates = world.stop(names(0..50));
    assert!(fates.len() == 50 && fates.iter().all(|(_, fate)| fate == "gone"), "{fates:?}");
    assert_eq!(world.settled(), before);
    assert_eq!(std::fs::read_dir(world.state.directory()).unwrap().count(), 0, "locks and journals are left");
}

#[test]
fn one_that_fails_takes_down_only_those_that_depend_on_it() {
    let world = World::new();
    let mut jails: Vec<_> = (0..8).map(jail).collect();
    // j3 has the MAC addresses of j2, so only one of the two can start.
    jails[3].spec = JailSpec { name: "j3".into(), ..spec(2, bridge()) };
    jails[3].depends = vec!["j2".into()];
    jails[4].depends = vec!["j3".into()];
    jails[5].depends = vec!["j4".into(), "j0".into(), "nobody".into()];
    let fates = world.start(jails, &Cancel::new());
    let of = |name: &str| fates.iter().find(|(other, _)| other == name).unwrap().1.as_str();
    assert!(of("j3").contains("02:00:01:00:00:02"), "{fates:?}");
    assert!(of("j4").contains("j3, which it depends on") && of("j5").contains("j4"), "{fates:?}");
    for name in ["j0", "j1", "j2", "j6", "j7"] {
        assert_eq!(of(name), "up");
    }
    let kernel = &**world.host.kernel();
    assert_eq!(jail::list(kernel, true).unwrap().len(), 5);
}

#[test]
fn a_task_after_the_start_that_fails_takes_the_jail_back() {
    let world = World::new();
    let before = world.sim.describe();
    let failing = |jid: Option<Jid>| -> Result<(), Error> {
        assert!(jid.is_some());
        Err(Error::other("no service came up"))
    };
    let jails = vec![BulkJail { after: Some(Box::new(failing)), ..jail(1) }];
    let fates = world.start(jails, &Cancel::new());
    assert_eq!(fates, [("j1".to_owned(), "no service came up".to_owned())]);
    assert_eq!(world.settled(), before);
}

#[test]
fn circles_are_named() {
    let world = World::new();
    let mut jails: Vec<_> = (0..3).map(jail).collect();
    jails[0].depends = vec!["j2".into()];
    jails[2].depends = vec!["j0".into()];
    let calls = world.sim.calls();
    let error = start(&world.site(), jails, &four(), &Cancel::new(), |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("j0 -> j2 -> j0"), "{error}");
    assert_eq!(world.sim.calls(), calls);
}

/// The plan that fails is for a jail on another bridge. For this plan the view looks at the host once more.
#[test]
fn one_that_fails_changes_no_mtu_of_those_after_it() {
    let world = World::new();
    let jumbo = Mtu::new(9000).unwrap();
    world.host.create(bridge().as_str()).unwrap();
    let other = world.host.create_epair().unwrap();
    world.host.set_mtu(&other.a, jumbo).unwrap();
    world.host.add_member(&bridge(), &other.a).unwrap();
    let view = View::new();
    let mtu_of = |number| {
        let plan = view.plan(&world.host, &spec(number, bridge())).unwrap().unwrap();
        plan.steps()
            .iter()
            .find_map(|step| if let Step::SetMtu { mtu, .. } = step { Some(*mtu) } else { None })
    };
    assert_eq!(mtu_of(0), Some(jumbo));
    let failing = JailSpec { path: "/nowhere".into(), ..spec(1, "bridge1".parse().unwrap()) };
    assert!(view.plan(&world.host, &failing).unwrap().is_err());
    assert_eq!(mtu_of(2), Some(jumbo));
}

/// A jail with an address on an interface of the host.
fn sharing(number: u8, interface: &str) -> JailSpec {
    let network = format!("127.0.1.{number}/32").parse().unwrap();
    let shared = Shared {
        ip4: vec![Alias { interface: Some(interface.parse().unwrap()), network }],
        ip6: vec![],
        ip4_mode: JailSystem::New,
        ip6_mode: JailSystem::Disable,
        ip4_source_selection: true,
        ip6_source_selection: true,
    };
    JailSpec { network: Network::Shared(shared), ..spec(number, bridge()) }
}

/// The host's interfaces are listed when the first jail needs the list.
#[test]
fn jails_of_both_kinds_come_up_one_after_the_other() {
    let world = World::new();
    let before = world.sim.describe();
    let specs =
        [sharing(0, "lo0"), sharing(1, "em9"), spec(2, bridge()), sharing(3, "lo0"), spec(2, bridge())];
    let jails = specs
        .into_iter()
        .zip(0..)
        .map(|(spec, number)| BulkJail::new(JailSpec { name: format!("j{number}"), ..spec }));
    let mut fates = Vec::new();
    let note = |_: &str, progress: Progress| fates.extend(progress.fate().map(|fate| told(&fate)));
    start(&world.site(), jails.collect(), &Limits::ONE, &Cancel::new(), note).unwrap();
    assert_eq!([&fates[0], &fates[2], &fates[3]], ["up", "up", "up"], "{fates:?}");
    assert!(fates[1].contains("em9") && fates[4].contains("02:00:01:00:00:02"), "{fates:?}");
    assert_eq!(world.host.ipv4_addresses(&"lo0".parse().unwrap()).unwrap().len(), 3);
    world.stop(names(0..5));
    assert_eq!(world.settled(), before);
}

#[test]
fn the_smaller_priority_is_begun_first() {
    let world = World::new();
    let mut jails: Vec<_> = (0..4).map(jail).collect();
    jails[3].priority = 1;
    jails.iter_mut().take(3).for_each(|jail| jail.priority = 2);
    let mut order = Vec::new();
    start(&world.site(), jails, &Limits::ONE, &Cancel::new(), |name, progress| {
        order.push((name.to_owned(), matches!(progress, Progress::Begun)));
    })
    .unwrap();
    let begun: Vec<_> = order.iter().filter(|(_, begun)| *begun).map(|(name, _)| name).collect();
    assert_eq!(begun, ["j3", "j0", "j1", "j2"]);
    // Each jail is reported twice: when it begins, and then when it has ended.
    assert_eq!(order.len(), 8);
    for pair in order.chunks(2) {
        assert!(pair[0].0 == pair[1].0 && pair[0].1 && !pair[1].1, "{order:?}");
    }
}

#[test]
fn a_stop_takes_dependents_first() {
    let world = World::new();
    world.start((0..3).map(jail).collect(), &Cancel::new());
    let jails = vec!["j0".into(), BulkStop::new("j1").depends_on("j0"), BulkStop::new("j2").depends_on("j1")];
    let order: Vec<String> = world.stop(jails).into_iter().map(|(name, _)| name).collect();
    assert_eq!(order, ["j2", "j1", "j0"]);
}

/// Whichever call the operation is cancelled at, each jail is up completely or does not exist, and its
/// outcome is reported.
#[test]
fn cancelled_anywhere_no_jail_is_half_there() {
    let mut points = 0;
    for at in (1..).step_by(7) {
        let world = World::new();
        let before = world.sim.describe();
        let cancel = Cancel::new();
        let (flag, calls) = (cancel.clone(), std::sync::atomic::AtomicU64::new(0));
        world.sim.observe(move |call: &Call, _| {
            if !matches!(call, Call::Sleep(_))
                && calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == at
            {
                flag.cancel();
            }
        });
        let fates = world.start((0..6).map(jail).collect(), &cancel);
        assert_eq!(fates.len(), 6, "{fates:?}");
        assert!(fates.iter().all(|(_, fate)| fate == "up" || fate == "cancelled"), "at {at}: {fates:?}");
        let up: Vec<_> =
            fates.iter().filter(|(_, fate)| fate == "up").map(|(name, _)| name.clone()).collect();
        world.settled();
        let there = jail::list(&**world.host.kernel(), true).unwrap();
        let mut there: Vec<_> = there.into_iter().map(|jail| jail.name).collect();
        let mut told = up.clone();
        there.sort();
        told.sort();
        assert_eq!(there, told, "at {at}");
        world.stop(up.iter().map(BulkStop::new).collect());
        assert_eq!(world.settled(), before, "cancelled at {at}");
        points += 1;
        if up.len() == 6 && !cancel.is_cancelled() {
            break;
        }
    }
    println!("cancelled at {points} points");
    assert!(points > 10);
}

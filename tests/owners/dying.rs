//! Jails that die slowly: a connection keeps nothing that the library made.

use std::time::Duration;

use jailwire::jail;
use jailwire::kernel::Clock;
use jailwire::types::{Fib, Jid};
use jailwire::wiring::Standing;
use jailwire::wiring::bulk::{Cancel, Fate, Limits};
use jailwire::{ErrorKind, Vnet};

use crate::{LONG, simulated, start_vnet};

#[test]
fn a_jail_with_a_connection_is_stopped_at_once_and_started_beside_itself() {
    for shared in [false, true] {
        let (sim, wiring) = simulated();
        let start = || match shared {
            true => wiring.jail("web", "/").alias("em0", "192.0.2.40/32").start(),
            false => start_vnet(&wiring, "web", 20),
        };
        let first = start().unwrap();
        sim.connect(first.jid.get(), LONG);
        let begin = sim.now();
        assert!(wiring.stop("web").unwrap());
        assert!(sim.now() - begin < Duration::from_secs(1), "the stop has waited for the connection");
        assert_eq!(wiring.standing("web").unwrap(), Standing::Absent);
        let dying: Vec<Jid> = wiring.dying().unwrap().into_iter().map(|jail| jail.jid).collect();
        assert_eq!(dying, [first.jid]);

        let begin = sim.now();
        let second = start().unwrap();
        assert!(sim.now() - begin < Duration::from_secs(3), "the start has waited for the connection");
        assert_ne!(first.jid, second.jid);
        assert!(start().is_err_and(|error| error.kind() == ErrorKind::Problems), "it was started twice");
        assert!(wiring.stop("web").unwrap());
        assert_eq!(sim.panics(), [""; 0]);
        sim.sleep(LONG);
        assert!(wiring.dying().unwrap().is_empty());
    }
}

/// All jails of a command share one wait until processes are reaped, by the simulated kernel's clock.
#[test]
fn many_jails_with_connections_are_waited_for_once() {
    let stop_all = |connected: bool, limits: &Limits| {
        let (sim, mut wiring) = simulated();
        wiring.times_mut().reaped = Duration::from_secs(1);
        let names: Vec<String> = (0..10).map(|number| format!("j{number}")).collect();
        for (number, jail) in names.iter().enumerate() {
            let up = start_vnet(&wiring, jail, 20 + number as u8).unwrap();
            if connected {
                sim.connect(up.jid.get(), LONG);
            }
        }
        let begin = sim.now();
        let mut gone = 0;
        wiring
            .stop_many(names, limits, &Cancel::new(), |jail, told| match told.fate() {
                Some(Fate::Gone(Some(_))) => gone += 1,
                None => {}
                other => panic!("{jail}: {other:?}"),
            })
            .unwrap();
        assert_eq!((gone, wiring.dying().unwrap().len()), (10, if connected { 10 } else { 0 }));
        sim.now() - begin
    };
    for limits in [Limits::ONE, Limits::default()] {
        let (without, with) = (stop_all(false, &limits), stop_all(true, &limits));
        assert!(with < without + Duration::from_secs(2), "{with:?} with connections, {without:?} without");
    }
}

#[test]
fn the_second_jail_has_the_same_addresses_and_macs() {
    let (sim, wiring) = simulated();
    let inside = |jid: Jid| {
        let snapshot = Vnet::enter(wiring.kernel().clone(), jid).unwrap().snapshot(Fib::DEFAULT).unwrap();
        let nic = snapshot.interfaces.into_iter().find(|one| one.name == "epair0b").unwrap();
        (nic.mac, nic.addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let first = start_vnet(&wiring, "web", 20).unwrap();
    let before = inside(first.jid);
    sim.connect(first.jid.get(), LONG);
    wiring.stop("web").unwrap();
    let second = start_vnet(&wiring, "web", 20).unwrap();
    assert_eq!(inside(second.jid), before);
}

/// Another program has removed the jail. The host end of its epair is still there, and its stack can no longer be
/// entered.
#[test]
fn a_jail_that_was_removed_by_others_and_dies_slowly_is_started_again() {
    let (sim, wiring) = simulated();
    let first = start_vnet(&wiring, "web", 20).unwrap();
    sim.connect(first.jid.get(), LONG);
    jail::remove(&**wiring.kernel(), first.jid).unwrap();
    assert_eq!(wiring.standing("web").unwrap(), Standing::Dying(first.jid));
    let second = start_vnet(&wiring, "web", 20).unwrap();
    assert!(!wiring.host().has_interface(&first.epairs[0]).unwrap(), "the old epair is on the host");
    assert_eq!(wiring.standing("web").unwrap(), Standing::Ours(second.jid));
    assert_eq!(sim.panics(), [""; 0]);
}

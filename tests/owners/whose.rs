//! Whose jail it is: a name proves nothing, nor does a jid.

use std::time::Duration;

use jailwire::files::Files;
use jailwire::jail::{self, JailParameters, JailSystem};
use jailwire::kernel::Clock;
use jailwire::kernel::Errno;
use jailwire::sim::{Fault, Sim};
use jailwire::types::{InterfaceName, Jid};
use jailwire::wiring::bulk::{self, Cancel, Fate, Limits};
use jailwire::wiring::{Claim, Journal, Plan, Problem, Standing, StateDirectory, Step, Survey, Wiring};
use jailwire::{ErrorKind, Vnet};

use crate::{LONG, foreign, is_untouched, killed_at, name, simulated, start_vnet};

#[test]
fn a_jail_of_that_name_that_others_have_made_is_left_alone() {
    let (_, wiring) = simulated();
    let ours = start_vnet(&wiring, "web", 20).unwrap();
    jail::remove(&**wiring.kernel(), ours.jid).unwrap();
    let theirs = foreign(&wiring, "web");
    assert_eq!(wiring.standing("web").unwrap(), Standing::Foreign(theirs));
    for result in [wiring.stop("web").map(drop), start_vnet(&wiring, "web", 20).map(drop)] {
        let Err(error) = &result else { panic!("{result:?}") };
        let problems = error.problems();
        assert!(matches!(problems[..], [Problem::ForeignJail { .. }]), "{problems:?}");
        is_untouched(&wiring, theirs);
    }
    // The leftovers of the library's jail are removed when the foreign jail is gone.
    jail::remove(&**wiring.kernel(), theirs).unwrap();
    assert!(wiring.stop("web").unwrap());
    assert!(!wiring.host().has_interface(&ours.epairs[0]).unwrap());
}

/// The kernel gives any jid that a caller asks for, unless a living jail has it.
#[test]
fn a_jail_that_was_made_with_the_name_and_the_jid_of_ours_is_left_alone() {
    for (shared, lingers) in [(false, false), (false, true), (true, false), (true, true)] {
        let (sim, wiring) = simulated();
        let start = || {
            let rules = jailwire::wiring::Devfs::Generate { first: 1000, rules: Vec::new() };
            let described = wiring.jail("web", "/").devfs(rules);
            match shared {
                true => described.alias("em0", "192.0.2.40/32").start(),
                false => described.nic("bridge0").address("192.0.2.20/24").start(),
            }
        };
        let point = format!("shared {shared}, lingers {lingers}");
        let ours = start().unwrap();
        if lingers {
            // Then the library's jail gets another jid.
            sim.connect(ours.jid.get(), LONG);
        }
        let kernel = &**wiring.kernel();
        jail::remove(kernel, ours.jid).unwrap();
        sim.sleep(Duration::from_secs(1));
        let parameters = JailParameters::new("web").path("/".as_ref()).hostname("theirs");
        let parameters = match shared {
            true => parameters.set("ip4", JailSystem::Inherit).set("ip6", JailSystem::Inherit),
            false => parameters.vnet(),
        };
        let theirs = jail::create(kernel, &parameters.set("jid", ours.jid.get())).unwrap();
        assert_eq!(theirs, ours.jid);
        assert_eq!(wiring.standing("web").unwrap(), Standing::Foreign(theirs), "{point}");
        for result in [wiring.stop("web").map(drop), start().map(drop)] {
            let Err(error) = &result else { panic!("{point}: {result:?}") };
            let problems = error.problems();
            assert!(matches!(problems[..], [Problem::ForeignJail { .. }]), "{point}: {problems:?}");
            is_untouched(&wiring, theirs);
        }
        // A foreign jail of another name is no obstacle. The leftovers of the library's jail are removed although
        // it runs.
        jail::update(kernel, theirs, &JailParameters::default().set("name", "theirs")).unwrap();
        match wiring.standing("web").unwrap() {
            Standing::Partial(None) => {}
            Standing::Dying(jid) if lingers && jid != theirs => {}
            standing => panic!("{point}: {standing:?}"),
        }
        let again = start().unwrap();
        is_untouched(&wiring, theirs);
        assert_eq!(wiring.standing("web").unwrap(), Standing::Ours(again.jid), "{point}");
        assert!(wiring.stop("web").unwrap(), "{point}");
        is_untouched(&wiring, theirs);
        assert_eq!(sim.panics(), [""; 0], "{point}");
    }
}

/// An administrator may change the devfs ruleset of a running jail.
#[test]
fn a_jail_of_ours_that_was_changed_is_still_ours() {
    let (_, wiring) = simulated();
    let parameters = JailParameters::default().set("host.hostuuid", "web");
    let described = || wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24");
    let mut spec = described().spec().unwrap();
    spec.parameters = parameters;
    let up = wiring.start(&spec).unwrap();
    let other = JailParameters::default().set("devfs_ruleset", 3);
    jail::update(&**wiring.kernel(), up.jid, &other).unwrap();
    assert_eq!(wiring.standing("web").unwrap(), Standing::Ours(up.jid));
    assert!(wiring.stop("web").unwrap());
}

/// The test kills a start and a stop at each of their calls.
#[test]
fn whenever_a_start_or_a_stop_is_killed_a_foreign_jail_is_left_alone() {
    let start = |wiring: &Wiring, shared: bool| match shared {
        true => drop(wiring.jail("web", "/").alias("em0", "192.0.2.40/32").start()),
        false => drop(start_vnet(wiring, "web", 20)),
    };
    let stop = |wiring: &Wiring| drop(wiring.stop("web"));
    let mut points = 0;
    for (shared, stops) in [(false, false), (false, true), (true, false), (true, true)] {
        for call in 1.. {
            let (sim, wiring) = simulated();
            let was_killed = match stops {
                true => {
                    start(&wiring, shared);
                    killed_at(&sim, call, stop)
                }
                false => killed_at(&sim, call, |wiring| start(wiring, shared)),
            };
            if !was_killed {
                break;
            }
            points += 1;
            // Anything that the killed process held goes with it.
            sim.sleep(Duration::from_secs(1));
            let kernel = &**wiring.kernel();
            if let Some(jid) = jail::find(kernel, "web").unwrap() {
                jail::remove(kernel, jid).unwrap();
            }
            let theirs = foreign(&wiring, "web");
            start(&wiring, shared);
            is_untouched(&wiring, theirs);
            stop(&wiring);
            is_untouched(&wiring, theirs);
            wiring.stop_many(["web", "other"], &Limits::default(), &Cancel::new(), |_, _| {}).unwrap();
            is_untouched(&wiring, theirs);
            jail::remove(kernel, theirs).unwrap();
            sim.sleep(Duration::from_secs(1));
            start(&wiring, shared);
            let point = format!("killed at call {call}, stops {stops}, shared {shared}");
            assert!(matches!(wiring.standing("web").unwrap(), Standing::Ours(_)), "{point}");
            assert!(wiring.stop("web").unwrap(), "{point}");
            let left: Vec<_> = jail::list(kernel, true).unwrap().into_iter().map(|jail| jail.name).collect();
            assert!(left.is_empty(), "{point}: {left:?}");
            assert_eq!(sim.panics(), [""; 0], "{point}");
        }
    }
    println!("a foreign jail was left alone at {points} points");
    assert!(points > 100);
}

#[test]
fn a_jail_below_another_is_ours_as_any() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    let parent = JailParameters::new("outer")
        .set("children.max", 5)
        .set("ip4", JailSystem::Inherit)
        .set("ip6", JailSystem::Inherit);
    let outer = jail::create(&**wiring.kernel(), &parent).unwrap();
    let up = wiring.jail("outer.inner", "/").alias("em0", "192.0.2.40/32").start().unwrap();
    assert_eq!(wiring.standing("outer.inner").unwrap(), Standing::Ours(up.jid));
    assert!(wiring.stop("outer.inner").unwrap());
    jail::remove(&**wiring.kernel(), outer).unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn names_that_locks_have_are_names_of_jails_too() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    for jail in ["rulesets", "shared", "a.lock", ".lock", "%2e", "a/b"] {
        let lock = wiring.site().state.lock_rulesets().unwrap();
        let journal = wiring.site().state.journal(jail);
        assert_ne!(journal, wiring.site().state.shared_journal(), "{jail}");
        let claim =
            Claim::take(&wiring.site(), jail, |holder| panic!("{jail} waits for {holder:?}")).unwrap();
        drop((claim, lock));
    }
    let rules = jailwire::wiring::Devfs::Generate { first: 1000, rules: Vec::new() };
    wiring.jail("rulesets", "/").devfs(rules).nic("bridge0").address("192.0.2.20/24").start().unwrap();
    wiring.stop("rulesets").unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn what_is_no_epair_is_not_detached() {
    let (_, wiring) = simulated();
    start_vnet(&wiring, "web", 20).unwrap();
    for other in ["bridge0", "em0", "lo0"] {
        let error = wiring.detach(&name(other)).unwrap_err();
        let problems = error.problems();
        assert!(matches!(problems[..], [Problem::NotAnEpair { .. }]), "{problems:?}");
        assert!(wiring.host().has_interface(&name(other)).unwrap());
    }
}

/// Removes a jail, which dies as long as its connection lasts, and detaches an epair of the jail meanwhile.
#[track_caller]
fn is_detached_while_its_jail_dies(
    sim: &Sim,
    wiring: &Wiring,
    jid: Jid,
    connection: Option<Duration>,
    end: &InterfaceName,
) {
    if let Some(lasts) = connection {
        sim.connect(jid.get(), lasts);
    }
    // The connection ends by itself, and then a thread of the kernel takes the stack down.
    let held = Vnet::enter(wiring.kernel().clone(), jid).unwrap();
    jail::remove(&**wiring.kernel(), jid).unwrap();
    drop(held);
    assert!(wiring.host().has_interface(end).unwrap());
    wiring.detach(end).unwrap();
    assert!(!wiring.host().has_interface(end).unwrap());
    assert_eq!(sim.panics(), [""; 0], "{connection:?}");
}

#[test]
fn an_epair_is_not_destroyed_while_its_stack_is_torn_down() {
    for connection in [None, Some(LONG)] {
        let (sim, wiring) = simulated();
        let jid = foreign(&wiring, "theirs");
        let attached = wiring.attach("theirs").nic("bridge0").address("192.0.2.30/24").apply().unwrap();
        let end = attached.nics[0].host;
        is_detached_while_its_jail_dies(&sim, &wiring, jid, connection, &end);
    }
}

/// Neither the epair's name nor a description says in which jail the epair was made.
#[test]
fn an_epair_that_says_nothing_of_its_jail_is_not_destroyed_while_its_stack_is_torn_down() {
    for (connection, renamed) in [(None, false), (None, true), (Some(Duration::from_secs(3)), false)] {
        let (sim, wiring) = simulated();
        let (jid, other) = (foreign(&wiring, "theirs"), foreign(&wiring, "other"));
        let held = Vnet::enter(wiring.kernel().clone(), jid).unwrap();
        let mut end = held.create_epair().unwrap().a;
        if renamed {
            held.rename(&end, &name("e0a_theirs")).unwrap();
            end = name("e0a_theirs");
        }
        wiring.host().reclaim(&end, jid).unwrap();
        if let Some(lasts) = connection {
            sim.connect(jid.get(), lasts);
        }
        jail::remove(&**wiring.kernel(), jid).unwrap();
        drop(held);
        assert!(wiring.host().has_interface(&end).unwrap());
        wiring.detach(&end).unwrap();
        assert!(!wiring.host().has_interface(&end).unwrap());
        is_untouched(&wiring, other);
        assert_eq!(sim.panics(), [""; 0], "connection {connection:?}, renamed {renamed}");
    }
}

/// The epair's description says in which jail it was made. Its name does not show the jid of that jail.
#[test]
fn an_epair_that_is_described_as_that_of_a_dying_jail_goes_with_it_or_back_to_it() {
    for connection in [None, Some(LONG)] {
        let (sim, wiring) = simulated();
        let jid = foreign(&wiring, "theirs");
        let attach = wiring.attach("theirs").nic("bridge0").host_named("outer0").address("192.0.2.30/24");
        let end = attach.apply().unwrap().nics[0].host;
        is_detached_while_its_jail_dies(&sim, &wiring, jid, connection, &end);
    }
}

/// An epair that was made on the host is destroyed, also while jails run. It is left alone while a jail is dying
/// that may have made it.
#[test]
fn an_epair_of_the_hosts_is_destroyed_unless_a_jail_that_may_have_made_it_goes_on_dying() {
    let (sim, mut wiring) = simulated();
    foreign(&wiring, "theirs");
    let end = wiring.host().create_epair().unwrap().a;
    wiring.detach(&end).unwrap();
    assert!(!wiring.host().has_interface(&end).unwrap());

    let dying = foreign(&wiring, "dying");
    sim.connect(dying.get(), Duration::from_secs(30));
    jail::remove(&**wiring.kernel(), dying).unwrap();
    let end = wiring.host().create_epair().unwrap().a;
    wiring.times_mut().wait = Duration::from_secs(1);
    let begin = sim.now();
    let refused = wiring.detach(&end).unwrap_err().to_string();
    assert!(refused.contains("ETIMEDOUT") && refused.contains("dying"), "{refused}");
    assert!(sim.now() - begin >= Duration::from_secs(1));
    wiring.times_mut().wait = Duration::from_secs(60);
    wiring.detach(&end).unwrap();
    assert!(!wiring.host().has_interface(&end).unwrap());
    assert_eq!(sim.panics(), [""; 0]);
}

#[test]
fn a_jail_that_is_half_made_is_not_attached_to() {
    let (sim, wiring) = simulated();
    let up = start_vnet(&wiring, "web", 20).unwrap();
    let path = wiring.site().state.journal("web");
    // The journal is changed to the form that a killed start leaves.
    let text = std::fs::read_to_string(&path).unwrap();
    let cut: String =
        text.lines().filter(|line| !line.contains("complete")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, cut).unwrap();
    assert_eq!(wiring.standing("web").unwrap(), Standing::Partial(Some(up.jid)));
    let before = sim.describe();
    assert!(
        wiring.attach("web").nic("bridge0").apply().is_err_and(|error| error.kind() == ErrorKind::Problems)
    );
    assert_eq!(sim.describe(), before);
}

/// An interface that was attached to a jail that is gone is not looked for in the new jail of the same name.
#[test]
fn what_was_attached_in_part_is_not_taken_from_another_jail() {
    let mut points = 0;
    for call in 1.. {
        let (sim, wiring) = simulated();
        let first = foreign(&wiring, "theirs");
        let attach =
            |wiring: &Wiring| drop(wiring.attach("theirs").nic("bridge0").address("192.0.2.30/24").apply());
        if !killed_at(&sim, call, attach) {
            break;
        }
        points += 1;
        sim.sleep(Duration::from_secs(1));
        jail::remove(&**wiring.kernel(), first).unwrap();
        let second = foreign(&wiring, "theirs");
        let inside = Vnet::enter(wiring.kernel().clone(), second).unwrap();
        inside.create_epair().unwrap();
        let names = || inside.links().unwrap().into_iter().map(|link| link.name).collect::<Vec<_>>();
        let before = names();
        let site = wiring.site();
        Claim::take(&site, "theirs", |_| {}).unwrap().clear_attaching(&site).unwrap();
        assert_eq!(names(), before, "killed at call {call}");
        assert!(!site.state.attaching("theirs").exists());
        assert_eq!(sim.panics(), [""; 0]);
    }
    println!("attaching was killed at {points} points");
    assert!(points > 15);
}

/// Stopping one jail and stopping many have the same effect.
#[test]
fn a_complete_journal_of_a_jail_that_is_gone_is_cleared_by_all_alike() {
    for at_once in [false, true] {
        let (sim, wiring) = simulated();
        let first = start_vnet(&wiring, "web", 20).unwrap();
        jail::remove(&**wiring.kernel(), first.jid).unwrap();
        sim.sleep(Duration::from_secs(1));
        match at_once {
            false => drop(start_vnet(&wiring, "web", 20).unwrap()),
            true => {
                let spec = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").spec().unwrap();
                let mut fates = Vec::new();
                let jails = vec![bulk::BulkJail::new(spec)];
                let note = |_: &str, told: bulk::Progress| fates.extend(told.fate());
                wiring.start_many(jails, &Limits::default(), &Cancel::new(), note).unwrap();
                assert!(matches!(fates[..], [Fate::Up(_)]), "{fates:?}");
            }
        }
        assert!(matches!(wiring.standing("web").unwrap(), Standing::Ours(jid) if jid != first.jid));
    }
}

/// The stop of one jail and the stop of many treat the leftovers of a killed attach, and a jail of another program,
/// in the same way.
#[test]
fn what_was_being_attached_and_foreign_jails_are_the_same_to_one_and_to_many() {
    let stop = |wiring: &Wiring, at_once: bool| match at_once {
        false => wiring.stop("web").map(|was_there| if was_there { Fate::Gone(None) } else { Fate::Absent }),
        true => {
            let mut fate = None;
            wiring.stop_many(["web", "other"], &Limits::default(), &Cancel::new(), |name, told| {
                if let ("web", Some(ended)) = (name, told.fate()) {
                    fate = Some(ended);
                }
            })?;
            match fate.expect("an end") {
                Fate::Failed(error) => Err(error),
                fate => Ok(fate),
            }
        }
    };
    let attach = |wiring: &Wiring| drop(wiring.attach("web").nic("bridge0").address("192.0.2.30/24").apply());
    let mut attachings = 0;
    for at_once in [false, true] {
        for call in 1.. {
            let (sim, wiring) = simulated();
            let before = sim.describe();
            start_vnet(&wiring, "web", 20).unwrap();
            if !killed_at(&sim, call, attach) {
                break;
            }
            let site = wiring.site();
            attachings += usize::from(site.state.attaching("web").exists());
            let point = format!("at once {at_once}, killed at call {call}");
            assert!(matches!(stop(&wiring, at_once).unwrap(), Fate::Gone(_)), "{point}");
            assert!(!site.state.attaching("web").exists(), "{point}");
            sim.sleep(Duration::from_secs(1));
            assert_eq!(sim.describe(), before, "{point}");
        }
        let (_, wiring) = simulated();
        let theirs = foreign(&wiring, "web");
        let error = stop(&wiring, at_once).unwrap_err();
        assert!(matches!(error.problems()[..], [Problem::ForeignJail { .. }]), "at once {at_once}: {error}");
        is_untouched(&wiring, theirs);
    }
    println!("a stop has met {attachings} journals of attaching");
    assert!(attachings > 20, "{attachings}");
}

#[test]
fn a_plan_is_for_the_jail_that_it_was_made_for() {
    let (sim, wiring) = simulated();
    let spec = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").spec().unwrap();
    let plan = Plan::new(&spec, &Survey::take(wiring.host(), &spec).unwrap()).unwrap();
    let before = sim.describe();
    let site = wiring.site();
    let mut other = Claim::take(&site, "other", |_| {}).unwrap();
    assert!(other.apply(&site, &plan, |_| {}).is_err());
    assert_eq!(sim.describe(), before);
    drop(other);
    let mut own = Claim::take(&site, "web", |_| {}).unwrap();
    let mut steps = 0;
    let up = own.apply(&site, &plan, |_: &Step| steps += 1).unwrap();
    own.complete(&site, up.jid).unwrap();
    assert_eq!(own.standing(), Standing::Ours(up.jid));
    assert_eq!(steps, plan.steps().len());
}

#[test]
fn a_journal_knows_its_jail_as_soon_as_there_is_one() {
    let (sim, wiring) = simulated();
    let up = start_vnet(&wiring, "web", 20).unwrap();
    let state = StateDirectory::open(&sim, Files::new()).unwrap();
    let boot = wiring.site().boot.to_owned();
    assert_eq!(Journal::open(&state.journal("web"), &boot).unwrap().jid(), Some(up.jid));
    // The jid is not used after another boot.
    assert_eq!(Journal::open(&state.journal("web"), "another").unwrap().jid(), None);
    sim.set_fault(sim.calls() + 1, Fault::Errno(Errno::EPERM));
    assert!(wiring.stop("web").is_err());
    sim.clear_faults();
    assert!(wiring.stop("web").unwrap());
}

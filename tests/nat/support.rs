//! A simulated host that is prepared for NAT, and processes on it that fail or are killed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jailwire::kernel::Errno;
use jailwire::sim::{Fault, Sim};
use jailwire::wiring::nat::{self, JailNat};
use jailwire::wiring::{Problem, Wiring};
use jailwire::{Error, ErrorKind};

/// A host on which ports can be published.
pub fn wiring() -> (Sim, Wiring) {
    let sim = Sim::new();
    let wiring = Wiring::on(Arc::new(sim.clone())).unwrap();
    nat::prepare_simulated(&wiring).unwrap();
    (sim, wiring)
}

/// The problems for which a call was refused.
#[track_caller]
pub fn problems(outcome: Result<(), Error>) -> Vec<Problem> {
    let error = outcome.expect_err("not refused");
    assert_eq!(error.kind(), ErrorKind::Problems, "{error}");
    error.problems().to_vec()
}

/// Runs `act` as a process of its own, with a fault at one of its calls.
pub fn with_fault(sim: &Sim, fault: Fault, number: u64, act: impl Fn(&Wiring)) {
    let process = sim.as_process();
    process.set_fault(process.calls() + number, fault);
    let run = || act(&Wiring::on(Arc::new(process.clone())).unwrap());
    let _ = catch_unwind(AssertUnwindSafe(run));
    process.clear_faults();
}

/// Publishes and removes a jail's ports, with each call of both killed or refused. Nothing may be left. `check`
/// checks the state after a failed publish.
pub fn can_be_taken_away(
    sim: &Sim,
    wiring: &Wiring,
    jail: &JailNat,
    (publishing, unpublishing): (u64, u64),
    check: impl Fn(u64),
) {
    let before = sim.describe();
    let faults = |calls: u64| {
        let both = |number| [(number, Fault::Kill), (number, Fault::Errno(Errno::ENOMEM))];
        (1..=calls + 3).flat_map(both)
    };
    for (number, fault) in faults(publishing) {
        with_fault(sim, fault, number, |wiring| drop(wiring.publish(jail)));
        check(number);
        wiring.unpublish("web").unwrap();
        assert_eq!(sim.describe(), before, "publishing, call {number}");
    }
    for (number, fault) in faults(unpublishing) {
        wiring.publish(jail).unwrap();
        with_fault(sim, fault, number, |wiring| drop(wiring.unpublish("web")));
        wiring.unpublish("web").unwrap();
        assert_eq!(sim.describe(), before, "unpublishing, call {number}");
    }
}

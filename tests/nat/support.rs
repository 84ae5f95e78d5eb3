//! A simulated host that is prepared for NAT, and processes on it that fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jailwire::sim::{Fault, Sim};
use jailwire::wiring::{Problem, Wiring, nat};
use jailwire::{Error, ErrorKind};

/// A host on which ports can be published.
pub fn wiring() -> (Sim, Wiring) {
    let sim = Sim::new();
    let wiring = Wiring::on(Arc::new(sim.clone())).unwrap();
    nat::prepare_simulated(&wiring).unwrap();
    (sim, wiring)
}

/// What was refused.
#[track_caller]
pub fn problems(outcome: Result<(), Error>) -> Vec<Problem> {
    let error = outcome.expect_err("not refused");
    assert_eq!(error.kind(), ErrorKind::Problems, "{error}");
    error.problems().to_vec()
}

/// Does something as a process of its own, one of whose calls is killed or fails.
pub fn with_fault(sim: &Sim, fault: Fault, number: u64, act: impl Fn(&Wiring)) {
    let process = sim.as_process();
    process.set_fault(process.calls() + number, fault);
    let run = || act(&Wiring::on(Arc::new(process.clone())).unwrap());
    let _ = catch_unwind(AssertUnwindSafe(run));
    process.clear_faults();
}

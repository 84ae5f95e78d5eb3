//! The library: one jail at a time, and its engine for many.

use std::num::NonZeroUsize;
use std::time::Instant;

use jailwire::wiring::bulk::{Cancel, Fate, Limits};

use crate::plan::Variant;
use crate::{Fallible, Setup, Timing};

/// Called before the first jail is started, when all are up, and when all are gone.
pub type Mark<'a> = &'a mut dyn FnMut(&Timing) -> Fallible;

/// Runs a variant of the library.
pub fn run(setup: &Setup<'_>, variant: Variant, mark: Mark<'_>) -> Fallible<Timing> {
    match variant {
        Variant::One { .. } => one(setup, mark),
        Variant::Bulk { workers, ready } => bulk(setup, &limits(workers).fork_server(ready), mark),
        other => Err(format!("{other} is none of the library's").into()),
    }
}

fn limits(workers: Option<NonZeroUsize>) -> Limits {
    match workers {
        None => Limits::default(),
        Some(NonZeroUsize::MIN) => Limits::ONE,
        Some(workers) => Limits::default().workers(workers),
    }
}

/// One jail at a time: `Wiring::start` and `Wiring::stop`.
fn one(setup: &Setup<'_>, mark: Mark<'_>) -> Fallible<Timing> {
    let specs = setup.specifications();
    let mut timing = Timing::default();
    mark(&timing)?;
    let begin = Instant::now();
    for spec in &specs {
        setup.wiring.start(spec)?;
        timing.up.push(begin.elapsed());
    }
    timing.start = begin.elapsed();
    mark(&timing)?;
    let begin = Instant::now();
    for spec in &specs {
        if !setup.wiring.stop(&spec.name)? {
            return Err(format!("{} was not there", spec.name).into());
        }
    }
    timing.stop = begin.elapsed();
    mark(&timing)?;
    Ok(timing)
}

/// The engine. The benchmark itself decides whether the CPUs tick, so the limits have no tick guard.
fn bulk(setup: &Setup<'_>, limits: &Limits, mark: Mark<'_>) -> Fallible<Timing> {
    let specs = setup.specifications();
    let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let wiring = &setup.wiring;
    let mut timing = Timing::default();
    let mut failure = None;
    mark(&timing)?;
    let begin = Instant::now();
    wiring.start_many(specs, limits, &Cancel::new(), |name, told| {
        if let Some(fate) = told.fate() {
            timing.up.push(begin.elapsed());
            note(&mut failure, name, fate);
        }
    })?;
    timing.start = begin.elapsed();
    mark(&timing)?;
    let begin = Instant::now();
    wiring.stop_many(names, limits, &Cancel::new(), |name, told| {
        if let Some(fate) = told.fate() {
            note(&mut failure, name, fate);
        }
    })?;
    timing.stop = begin.elapsed();
    mark(&timing)?;
    failure.map_or(Ok(timing), |failure| Err(failure.into()))
}

fn note(failure: &mut Option<String>, name: &str, fate: Fate) {
    if let Fate::Failed(trouble) = fate {
        failure.get_or_insert(format!("{name}: {trouble}"));
    }
}

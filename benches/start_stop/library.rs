//! The library: one jail at a time, and its engine for many.

use std::io::stdin;
use std::time::Instant;

use jailwire::wiring::bulk::{self, BulkJail, Cancel, Fate, Limits, Name};

use crate::jails;
use crate::plan::Variant;
use crate::{Fallible, Marks, Setup, Timing};

/// Waits for a line, starts jails, says so, waits for a line, and stops them.
pub fn in_turns(setup: &Setup<'_>, limits: &Limits, variant: Variant) -> Fallible {
    let (site, specs) = (setup.wiring.site(), setup.specifications());
    let names: Vec<Name> = specs.iter().map(|spec| (spec.name.clone(), Vec::new())).collect();
    let mut failure = None;
    let mut line = String::new();
    let mut note = |name: &str, fate| note(&mut failure, name, fate);
    stdin().read_line(&mut line)?;
    match variant {
        Variant::One => {
            for spec in &specs {
                setup.wiring.start(spec)?;
            }
        }
        _ => {
            let jails = specs.iter().cloned().map(BulkJail::new).collect();
            bulk::start(&site, jails, limits, &Cancel::new(), &mut note)?;
        }
    }
    println!();
    stdin().read_line(&mut line)?;
    match variant {
        Variant::One => {
            for spec in &specs {
                setup.wiring.stop(&spec.name)?;
            }
        }
        _ => bulk::stop(&site, &names, limits, &Cancel::new(), &mut note)?,
    }
    println!("stopped");
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

/// One jail at a time: `Wiring::start` and `Wiring::stop`.
pub fn one(setup: &Setup<'_>, marks: &mut Marks) -> Fallible<Timing> {
    let specs = setup.specifications();
    let mut timing = Timing::default();
    marks.take(setup.host);
    let begin = Instant::now();
    for spec in &specs {
        setup.wiring.start(spec)?;
        timing.up.push(begin.elapsed());
    }
    timing.start = begin.elapsed();
    marks.take(setup.host);
    let begin = Instant::now();
    for spec in &specs {
        if !setup.wiring.stop(&spec.name)? {
            return Err(format!("{} was not there", spec.name).into());
        }
    }
    timing.stop = begin.elapsed();
    marks.take(setup.host);
    Ok(timing)
}

/// The engine. The host keeps its CPUs ticking or not as the benchmark says, so there is no guard in it.
pub fn bulk(setup: &Setup<'_>, limits: &Limits, marks: &mut Marks) -> Fallible<Timing> {
    let specs = setup.specifications();
    let names: Vec<Name> = (0..setup.count).map(|number| (jails::name(number), Vec::new())).collect();
    let site = setup.wiring.site();
    let mut timing = Timing::default();
    let mut failure = None;
    marks.take(setup.host);
    let begin = Instant::now();
    let jails = specs.into_iter().map(BulkJail::new).collect();
    bulk::start(&site, jails, limits, &Cancel::new(), |name, fate| {
        timing.up.push(begin.elapsed());
        note(&mut failure, name, fate);
    })?;
    timing.start = begin.elapsed();
    marks.take(setup.host);
    let begin = Instant::now();
    bulk::stop(&site, &names, limits, &Cancel::new(), |name, fate| note(&mut failure, name, fate))?;
    timing.stop = begin.elapsed();
    marks.take(setup.host);
    failure.map_or(Ok(timing), |failure| Err(failure.into()))
}

fn note(failure: &mut Option<String>, name: &str, fate: Fate) {
    if let Fate::Failed(trouble) = fate {
        failure.get_or_insert(format!("{name}: {trouble}"));
    }
}

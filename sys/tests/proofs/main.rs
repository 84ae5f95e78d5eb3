//! Proves that Rust and C agree: every size, alignment, offset, field, constant and request of this crate, against
//! the headers of FreeBSD 14 and 15, and of 16 if they are available, for amd64 and arm64.
//!
//! Each proof is a C file with one `_Static_assert` in each line. It is only compiled, by a C compiler with
//! FreeBSD's headers, and not run. The Rust side is read from the checked-in bindings themselves, so no name can be
//! forgotten. The numbers in the bindings are the numbers that rustc computes, because rustc checks bindgen's
//! assertions in every build. `bindings.rs` makes sure that no assertion is missing.
//!
//! `JAILWIRE_FREEBSD_CC`, `JAILWIRE_FREEBSD14_CC` and `JAILWIRE_FREEBSD16_CC` name the compilers, with arguments if
//! need be. Without them, `python3 -m ziglang cc` is tried, and `cc` on FreeBSD. A proof that cannot be compiled
//! prints a line and passes, unless `JAILWIRE_REQUIRE_PROOFS` is set. A number that differs from the last proof
//! fails on every machine (`changed.rs`).

mod bindings;
mod changed;
mod compiler;
mod facts;
mod releases;

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use bindings::Bindings;
use compiler::{Architecture, Compiler};
use jailwire_sys::request;
use releases::Release;

#[test]
fn freebsd_14_amd64() {
    prove(14, Architecture::Amd64);
}

#[test]
fn freebsd_14_arm64() {
    prove(14, Architecture::Arm64);
}

#[test]
fn freebsd_15_amd64() {
    prove(15, Architecture::Amd64);
}

#[test]
fn freebsd_15_arm64() {
    prove(15, Architecture::Arm64);
}

/// FreeBSD 16 is not released. If its headers are available, the proofs find what they change.
#[test]
fn freebsd_16_amd64() {
    prove_next(Architecture::Amd64);
}

#[test]
fn freebsd_16_arm64() {
    prove_next(Architecture::Arm64);
}

fn prove_next(architecture: Architecture) {
    if std::env::var_os(compiler::NEXT).is_some() {
        prove(16, architecture);
    }
}

/// Requests of the headers that this crate leaves out: requests of sockets, and of multicast routing.
const OTHER_REQUESTS: &[&str] = &[
    "SIOCATMARK",
    "SIOCGETMIFCNT_IN6",
    "SIOCGETSGCNT",
    "SIOCGETSGCNT_IN6",
    "SIOCGETVIFCNT",
    "SIOCGHIWAT",
    "SIOCGLOWAT",
    "SIOCGPGRP",
    "SIOCSHIWAT",
    "SIOCSLOWAT",
    "SIOCSPGRP",
];

#[test]
fn no_request_of_the_headers_is_forgotten() {
    let Some((compiler, _)) = compiler(15, Architecture::Amd64) else {
        return;
    };
    let macros = compiler.macros();
    let mut requests: Vec<_> = macros
        .iter()
        .filter(|name| name.starts_with("SIOC") || name.starts_with("OSIOC") || name.starts_with("DEVFSIO_"))
        .collect();
    requests.sort();
    assert!(requests.len() > 100, "the headers have {} requests", requests.len());
    for name in OTHER_REQUESTS {
        assert!(macros.iter().any(|other| other == name), "the headers have no {name}");
    }
    let forgotten: Vec<_> = requests
        .into_iter()
        .filter(|name| !OTHER_REQUESTS.contains(&name.as_str()))
        .filter(|name| !request::all().any(|(ours, _)| ours == *name))
        .collect();
    assert!(forgotten.is_empty(), "not in src/request/numbers.rs: {forgotten:?}");
}

/// The reasons for a missing compiler that were printed already.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A compiler with the headers of FreeBSD `major`, or a line that says why there is none.
fn compiler(major: u32, architecture: Architecture) -> Option<(Compiler, Release)> {
    match Compiler::find(major, architecture) {
        Ok(found) => Some(found),
        Err(reason) => {
            assert!(
                std::env::var_os("JAILWIRE_REQUIRE_PROOFS").is_none(),
                "FreeBSD {major}, {architecture}: {reason}"
            );
            // Print each reason once, and not with eprintln!, whose output a passing test hides.
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            if !told.contains(&reason) {
                let _ = writeln!(std::io::stderr(), "not proven for FreeBSD {major}: {reason}");
                told.push(reason);
            }
            None
        }
    }
}

fn prove(major: u32, architecture: Architecture) {
    let Some((compiler, release)) = compiler(major, architecture) else {
        return;
    };
    let mut facts = facts::all(&Bindings::read());
    let changes = releases::changes(release);
    let mut problems = Vec::new();
    for change in &changes {
        let mut concerned = facts.iter_mut().filter(|fact| change.concerns(fact)).peekable();
        if concerned.peek().is_none() {
            problems.push(format!("releases.rs: there is no {}", change.name()));
        }
        concerned.for_each(|fact| change.apply(fact));
    }

    let failures = compiler.check(&facts);
    let mut absences = 0;
    for (index, fact) in facts.iter().enumerate() {
        let absent = changes.iter().any(|change| change.is_absence() && change.concerns(fact));
        match failures.get(&index) {
            None if absent => problems.push(format!("releases.rs: {release} does have {}", fact.name)),
            Some(failure) if absent && failure.is_absence() => absences += 1,
            Some(failure) => problems.push(format!("{fact}: {}", failure.message)),
            None => {}
        }
    }
    assert!(problems.is_empty(), "{release}, {architecture}:\n  {}", problems.join("\n  "));
    println!("{release}, {architecture}: {}; {absences} absent as expected", facts::count(&facts));
}

//! The plan of measurements: `JAILWIRE_BENCH_PLAN`.
//!
//! Words, each `VARIANTS/NETWORKS/TICKS/JAILS/ROUNDS`, the parts of each separated by commas:
//!
//! * variants: `iocage` and `jail` (commands), `c`, `c-files` and `c-once` (the C program), `one` (the library, one
//!   jail at a time) and `one-ready` (with a fork server), `steps` (the library step by step: the times of the
//!   steps of `one`), `bulk` (the library's engine with the default limits) and `bulkN` (with N workers),
//!   `bulk-fork` and `bulkN-fork` (without a fork server);
//! * networks: `vnet`, `shared`;
//! * ticks: 0 or 1, the value of `kern.eventtimer.idletick`;
//! * jails: how many;
//! * rounds: how often.

use std::fmt;
use std::num::NonZeroUsize;

use crate::Fallible;
use crate::jails::Wiring;

/// The variant that the C program imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// [`Variant::One`], without the library's files.
    One,
    /// [`Variant::One`], with the library's files.
    OneWithFiles,
    /// [`Variant::Bulk`] with one worker, without the library's files.
    Engine,
}

/// One way to start and stop jails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// The programs that iocage runs for the network, without iocage.
    Iocage,
    /// jail(8) with `vnet.interface` in a jail.conf.
    Jail,
    /// The C program.
    C(Like),
    /// The library, one jail at a time, with or without children that a fork server has ready.
    One { ready: bool },
    /// The library, one jail at a time, with the time of each step.
    Steps,
    /// The engine with this number of workers, or with its default number.
    Bulk { workers: Option<NonZeroUsize>, ready: bool },
}

impl Variant {
    fn parse(word: &str) -> Option<Variant> {
        Some(match word {
            "iocage" => Variant::Iocage,
            "jail" => Variant::Jail,
            "c" => Variant::C(Like::One),
            "c-files" => Variant::C(Like::OneWithFiles),
            "c-once" => Variant::C(Like::Engine),
            "one" => Variant::One { ready: false },
            "one-ready" => Variant::One { ready: true },
            "steps" => Variant::Steps,
            other => {
                let rest = other.strip_prefix("bulk")?;
                let (workers, ready) = rest.strip_suffix("-fork").map_or((rest, true), |rest| (rest, false));
                let workers = if workers.is_empty() { None } else { Some(workers.parse().ok()?) };
                Variant::Bulk { workers, ready }
            }
        })
    }

    /// Whether the variant has a fork server outside of the engine.
    pub fn keeps_children(self) -> bool {
        matches!(self, Variant::One { ready: true })
    }

    /// Whether the variant needs FreeBSD's programs, a program for FreeBSD, or a kernel for several processes.
    pub fn needs_freebsd(self) -> bool {
        !matches!(self, Variant::One { .. } | Variant::Bulk { .. })
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Variant::Iocage => f.write_str("iocage"),
            Variant::Jail => f.write_str("jail"),
            Variant::C(Like::One) => f.write_str("c"),
            Variant::C(Like::OneWithFiles) => f.write_str("c-files"),
            Variant::C(Like::Engine) => f.write_str("c-once"),
            Variant::One { ready: false } => f.write_str("one"),
            Variant::One { ready: true } => f.write_str("one-ready"),
            Variant::Steps => f.write_str("steps"),
            Variant::Bulk { workers, ready } => {
                f.write_str("bulk")?;
                workers.map_or(Ok(()), |workers| write!(f, "{workers}"))?;
                f.write_str(if *ready { "" } else { "-fork" })
            }
        }
    }
}

/// Variants that are measured together, interleaved.
#[derive(Debug)]
pub struct Part {
    pub variants: Vec<Variant>,
    pub networks: Vec<Wiring>,
    pub ticks: Vec<bool>,
    pub jails: Vec<usize>,
    pub rounds: usize,
}

/// The default plan.
const DEFAULT: &str = "iocage,jail,c,one,c-once,bulk/vnet/0,1/1,10/3 c,one,c-once,bulk/shared/1/1,10/3 c,one,c-once,bulk/vnet/1/64/3 steps/vnet/1/64/1";

/// Reads the plan from the environment.
pub fn plan() -> Fallible<Vec<Part>> {
    parse(&std::env::var("JAILWIRE_BENCH_PLAN").unwrap_or_else(|_| DEFAULT.to_owned()))
}

/// Reads a plan from text.
pub fn parse(text: &str) -> Fallible<Vec<Part>> {
    text.split_whitespace()
        .map(|word| {
            part(word).ok_or_else(|| format!("JAILWIRE_BENCH_PLAN: {word} is no part of a plan").into())
        })
        .collect()
}

fn part(word: &str) -> Option<Part> {
    let parts: Vec<&str> = word.split('/').collect();
    let [variants, networks, ticks, jails, rounds] = parts[..] else { return None };
    Some(Part {
        variants: list(variants, Variant::parse)?,
        networks: list(networks, |word| match word {
            "vnet" => Some(Wiring::Vnet),
            "shared" => Some(Wiring::Shared),
            _ => None,
        })?,
        ticks: list(ticks, |word| match word {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })?,
        jails: list(jails, |word| word.parse().ok().filter(|count| *count > 0))?,
        rounds: rounds.parse().ok()?,
    })
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(parse).collect()
}

//! Carrying out the plan.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jailwire::{Vnet, kernel};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Fallible;
use crate::accounts::Reading;
use crate::files::{self, BRIDGE, Jail, Kind, ROOT, ROUTER};
use crate::programs;

/// What the program says last of each jail that it has started.
const UP: &str = "Executing poststart OK";

/// One way to start and stop jails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Program,
    Other,
    Iocage,
}

impl Variant {
    const ALL: [(&'static str, Variant); 3] =
        [("jailwire", Variant::Program), ("other", Variant::Other), ("iocage", Variant::Iocage)];

    fn program(self) -> Fallible<String> {
        Ok(match self {
            Variant::Other => {
                std::env::var("JAILWIRE_BENCH_OTHER").map_err(|_| "JAILWIRE_BENCH_OTHER is not set")?
            }
            _ => env!("CARGO_BIN_EXE_jailwire").to_owned(),
        })
    }
}

struct Part {
    variants: Vec<(&'static str, Variant)>,
    kinds: Vec<Kind>,
    jails: Vec<usize>,
    rounds: usize,
}

fn find<T: Copy>(all: &[(&'static str, T)], word: &str) -> Fallible<(&'static str, T)> {
    all.iter().find(|(name, _)| *name == word).copied().ok_or_else(|| format!("what is {word}?").into())
}

fn plan() -> Fallible<Vec<Part>> {
    let text = std::env::var("JAILWIRE_BENCH_PLAN")
        .unwrap_or_else(|_| "jailwire,iocage/none,plain,seven,base,shared/1,10/1".to_owned());
    let mut parts = Vec::new();
    for word in text.split_whitespace() {
        let [variants, kinds, jails, rounds] = word.split('/').collect::<Vec<_>>()[..] else {
            return Err(format!("{word} is not VARIANTS/KINDS/JAILS/ROUNDS").into());
        };
        let list = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
        parts.push(Part {
            variants: list(variants).iter().map(|word| find(&Variant::ALL, word)).collect::<Fallible<_>>()?,
            kinds: list(kinds).iter().map(|word| Ok(find(&Kind::ALL, word)?.1)).collect::<Fallible<_>>()?,
            jails: list(jails).iter().map(|word| Ok(word.parse()?)).collect::<Fallible<_>>()?,
            rounds: rounds.parse()?,
        });
    }
    Ok(parts)
}

/// Measures what the plan asks for.
pub fn all() -> Fallible {
    let host = Vnet::host(kernel::here()?);
    let release = String::from_utf8_lossy(&host.sysctl("kern.osrelease")?).trim_end_matches('\0').to_owned();
    let words = format!("{release},{}", host.sysctl_int("kern.hz")?);
    println!("command,kernel,hz,kind,variant,jails,round,start_us,stop_us,start_processes,stop_processes");
    println!("up,kernel,hz,kind,variant,jails,round,tenth,us");
    println!("look,kernel,hz,kind,variant,jails,round,command,real_us,cpu_us");
    attempt_bridge("create")?;
    programs::run(&["ifconfig", BRIDGE, "inet", &format!("{ROUTER}/16"), "up"])?;
    let measured = plan()?.iter().try_for_each(|part| part.measure(&host, &words));
    attempt_bridge("destroy")?;
    files::remove()?;
    measured
}

fn attempt_bridge(what: &str) -> Fallible {
    programs::run(&["ifconfig", BRIDGE, what]).map(drop)
}

impl Part {
    fn measure(&self, host: &Vnet, words: &str) -> Fallible {
        for kind in &self.kinds {
            for count in &self.jails {
                let jails = files::write(*kind, *count)?;
                for round in 1..=self.rounds {
                    let mut variants = self.variants.clone();
                    // Each comes first once, and last.
                    let first = (round - 1) % variants.len().max(1);
                    variants.rotate_left(first);
                    for (name, variant) in variants {
                        let words = format!("{words},{},{name},{count},{round}", kind.name());
                        measure_one(variant, &jails, host, &words)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn measure_one(variant: Variant, jails: &[Jail], host: &Vnet, words: &str) -> Fallible {
    let which = match jails {
        [jail] => jail.name.as_str(),
        _ => "ALL",
    };
    let before = Reading::take(host);
    let begin = Instant::now();
    let mut up = Vec::new();
    match variant {
        Variant::Iocage => programs::start(jails, || up.push(begin.elapsed()))?,
        _ => listen(&variant.program()?, "start", which, || up.push(begin.elapsed()))?,
    }
    let start = begin.elapsed();
    let between = Reading::take(host);
    if variant != Variant::Iocage {
        for look in ["list", "get"] {
            let (real, cpu) = look_at(&variant.program()?, look, which)?;
            println!("look,{words},{look},{},{}", real.as_micros(), cpu.as_micros());
        }
    }
    let looked = Reading::take(host);
    let begin = Instant::now();
    match variant {
        Variant::Iocage => programs::stop(jails)?,
        _ => listen(&variant.program()?, "stop", which, || ())?,
    }
    let stop = begin.elapsed();
    let after = Reading::take(host);
    if up.len() != jails.len() {
        return Err(format!("{} of {} jails were started", up.len(), jails.len()).into());
    }
    let each = |took: Duration| took.as_micros() / jails.len() as u128;
    println!(
        "command,{words},{},{},{},{}",
        each(start),
        each(stop),
        between.processes - before.processes,
        after.processes - looked.processes
    );
    if up.len() >= 10 {
        for tenth in 1..=10 {
            println!("up,{words},{tenth},{}", up[up.len() * tenth / 10 - 1].as_micros());
        }
    }
    Ok(())
}

/// Runs the program, and tells of each jail that is up when the program says so.
fn listen(program: &str, command: &str, which: &str, mut up: impl FnMut()) -> Fallible {
    let mut running = Command::new(program);
    running.args(["--root", ROOT, command, which]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = running.spawn()?;
    let said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    for line in said.lines() {
        if line?.contains(UP) {
            up();
        }
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{running:?}: {status}").into()) }
}

/// Runs a command that only looks. Returns how long it took, and the CPU time of it.
fn look_at(program: &str, command: &str, which: &str) -> Fallible<(Duration, Duration)> {
    let words: &[&str] = match command {
        "get" => &["get", "state", which],
        other => &[other],
    };
    let cpu = || -> Fallible<Duration> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let micros = [usage.user_time(), usage.system_time()].map(|time| time.num_microseconds());
        Ok(Duration::from_micros(u64::try_from(micros.iter().sum::<i64>())?))
    };
    let (begin, before) = (Instant::now(), cpu()?);
    let status = Command::new(program)
        .args(["--root", ROOT])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("{words:?}: {status}").into());
    }
    Ok((begin.elapsed(), cpu()? - before))
}

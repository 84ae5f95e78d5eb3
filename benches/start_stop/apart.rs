//! A variant in a small process of its own: the cost of fork(2) grows with the process, and the benchmark's own
//! process has had many threads and jails.
//!
//! The process waits for a line, starts the jails, and writes `start US`, `up TENTH US` for each tenth of them, and
//! an empty line. Then it waits for another line, stops the jails, and writes `stop US`, `memory KIB`, and `step
//! NAME` TAB `US` for each kind of step that it has measured, for all jails together.

use std::io::{BufRead as _, BufReader, Write as _, stdin};
use std::process::{Command, Stdio};
use std::time::Duration;

use jailwire::wiring::Wiring;
use jailwire::wiring::bulk::ForkServer;

use crate::plan::Variant;
use crate::{Fallible, Marks, Setup, Timing, accounts, plan, steps};

/// The environment variable that makes this program such a process: `VARIANT NETWORK JAILS BRIDGE`.
pub const WORDS: &str = "JAILWIRE_BENCH_APART";

/// Runs such a process, and reads its output.
pub fn watch(mut command: Command, setup: &Setup<'_>, marks: &mut Marks) -> Fallible<Timing> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut tell = child.stdin.take().ok_or("no standard input")?;
    let said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let mut timing = Timing::default();
    marks.take(setup.host);
    tell.write_all(b"\n")?;
    for line in said.lines() {
        let line = line?;
        let (kind, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let last = rest.rsplit([' ', '\t']).next().unwrap_or_default();
        let time = || Ok::<_, std::num::ParseIntError>(Duration::from_micros(last.parse()?));
        match kind {
            "start" => timing.start = time()?,
            "up" => timing.tenths.push(time()?),
            "stop" => timing.stop = time()?,
            "memory" => timing.memory_kb = Some(last.parse()?),
            "step" => {
                let (name, _) = rest.split_once('\t').ok_or("a step without a time")?;
                timing.steps.push((name.to_owned(), time()?));
            }
            // All jails are up.
            "" => {
                marks.take(setup.host);
                tell.write_all(b"\n")?;
            }
            other => return Err(format!("{command:?} said {other}").into()),
        }
    }
    marks.take(setup.host);
    let status = child.wait()?;
    if status.success() { Ok(timing) } else { Err(format!("{command:?}: {status}").into()) }
}

/// The command that runs this program as such a process.
pub fn command(variant: Variant, setup: &Setup<'_>) -> Fallible<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(WORDS, format!("{variant} {} {} {}", setup.network, setup.count, setup.bridge));
    Ok(command)
}

/// The work of such a process.
pub fn speak(wiring: &Wiring, words: &str) -> Fallible {
    let words: Vec<&str> = words.split(' ').collect();
    let [variant, network, count, bridge] = words[..] else { return Err(WORDS.into()) };
    let parts = plan::parse(&format!("{variant}/{network}/0/{count}/1"))?;
    let part = parts.first().ok_or(WORDS)?;
    let network = part.networks[0];
    let setup = Setup { wiring, host: wiring.host(), network, count: part.jails[0], bridge: bridge.parse()? };
    let variant = part.variants[0];
    let _children = variant.keeps_children().then(|| ForkServer::keep(wiring.kernel()));
    if variant == Variant::Steps {
        wait()?;
        let took = steps::breakdown(&wiring.site(), &setup)?;
        println!();
        wait()?;
        took.iter().for_each(|(step, took)| println!("step {step}\t{}", took.as_micros()));
        return Ok(());
    }
    let mut moment = 0;
    let mut mark = |timing: &Timing| -> Fallible {
        moment += 1;
        match moment {
            1 => wait()?,
            2 => {
                println!("start {}", timing.start.as_micros());
                for (tenth, took) in timing.tenths().iter().enumerate() {
                    println!("up {} {}", tenth + 1, took.as_micros());
                }
                println!();
                wait()?;
            }
            _ => println!("stop {}\nmemory {}", timing.stop.as_micros(), accounts::own_memory()),
        }
        Ok(())
    };
    crate::library::run(&setup, variant, &mut mark).map(drop)
}

fn wait() -> Fallible {
    stdin().read_line(&mut String::new())?;
    Ok(())
}

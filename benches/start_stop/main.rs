//! What it takes to start and stop N jails with a network stack each: one after the other, and in bulk,
//! with and without the CPUs kept ticking, interleaved in one boot.
//!
//! On FreeBSD as root it uses the kernel, elsewhere the simulated one. It prints CSV: one line for each
//! measurement, in the order in which they were made.
//!
//!     JAILWIRE_BENCH_N=1,10,64 JAILWIRE_BENCH_WORKERS=1,4 JAILWIRE_BENCH_ROUNDS=3 cargo bench --bench start_stop

mod jails;
mod steps;

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jailwire::Vnet;
use jailwire::files::Files;
use jailwire::kernel::Kernel;
use jailwire::wiring::bulk::{self, BulkJail, Cancel, Fate, Limits, Name, TickGuard};
use jailwire::wiring::{Rooms, Site};

/// The jails' journals are written for this boot, and gone by the end.
const BOOT: &str = "a benchmark";

fn main() -> Result<(), Box<dyn Error>> {
    let counts = numbers("JAILWIRE_BENCH_N", "1,10,64")?;
    let workers = numbers("JAILWIRE_BENCH_WORKERS", "1,2,4,8,16")?;
    let rounds = numbers("JAILWIRE_BENCH_ROUNDS", "3")?.first().copied().unwrap_or(3);
    let kernel = kernel()?;
    let host = Vnet::host(Arc::clone(&kernel));
    let release = text(&host.sysctl("kern.osrelease")?);
    let hz = host.sysctl_int("kern.hz")?;
    println!("kernel,hz,idletick,network,variant,workers,jails,round,start_us,stop_us,processes,memory_kb");
    for count in counts {
        for round in 1..=rounds {
            for guard in [true, false] {
                for network in [jails::Wiring::Vnet, jails::Wiring::Shared] {
                    for workers in &workers {
                        let setting = Setting { count, workers: *workers, guard, network };
                        let Measured { start, stop, processes } = measure(&kernel, &host, &setting)?;
                        let variant = if *workers == 1 { "one at a time" } else { "bulk" };
                        let each = |took: Duration| took.as_micros() / count as u128;
                        println!(
                            "{release},{hz},{},{network},{variant},{workers},{count},{round},{},{},{processes},{}",
                            i32::from(guard),
                            each(start),
                            each(stop),
                            memory(),
                        );
                    }
                }
            }
        }
    }
    println!("\nkernel,hz,idletick,network,jails,step,us");
    let count = numbers("JAILWIRE_BENCH_STEPS", "32")?.first().copied().unwrap_or(32);
    for guard in [true, false] {
        for network in [jails::Wiring::Vnet, jails::Wiring::Shared] {
            let _guard = guard.then(|| TickGuard::hold(&kernel)).transpose()?;
            let bridge = host.create_bridge()?;
            host.up(&bridge)?;
            let rooms = Rooms::open(&*kernel, Files::new())?;
            let site = Site { host: &host, rooms: &rooms, files: Files::new(), boot: BOOT };
            for (step, took) in steps::breakdown(&site, network, count, bridge)? {
                println!("{release},{hz},{},{network},{count},{step},{took}", i32::from(guard));
            }
            host.destroy(&bridge)?;
            rooms.leave(Files::new());
        }
    }
    Ok(())
}

/// One way of doing it.
struct Setting {
    count: usize,
    workers: usize,
    guard: bool,
    network: jails::Wiring,
}

struct Measured {
    start: Duration,
    stop: Duration,
    /// How many processes the machine has begun meanwhile: two for each jail are ours, see
    /// `Kernel::enter`.
    processes: i64,
}

fn measure(kernel: &Arc<dyn Kernel>, host: &Vnet, setting: &Setting) -> Result<Measured, Box<dyn Error>> {
    let Setting { count, workers, guard, network } = *setting;
    let bridge = host.create_bridge()?;
    host.up(&bridge)?;
    let rooms = Rooms::open(&**kernel, Files::new())?;
    let site = Site { host, rooms: &rooms, files: Files::new(), boot: BOOT };
    let limits = match NonZeroUsize::new(workers) {
        Some(workers) if workers.get() > 1 => Limits::default().workers(workers),
        _ => Limits::ONE,
    };
    let specs: Vec<_> = (0..count).map(|number| jails::specification(network, number, bridge)).collect();
    let names: Vec<Name> = specs.iter().map(|spec| (spec.name.clone(), Vec::new())).collect();
    let guard = guard.then(|| TickGuard::hold(kernel)).transpose()?;
    let before = last_process(host);
    let mut failures = Vec::new();
    let mut note = |name: &str, fate: Fate| {
        if let Fate::Failed(trouble) = fate {
            failures.push(format!("{name}: {trouble}"));
        }
    };
    let begin = Instant::now();
    let jails = specs.into_iter().map(BulkJail::new).collect();
    bulk::start(&site, jails, &limits, &Cancel::new(), &mut note)?;
    let start = begin.elapsed();
    let begin = Instant::now();
    bulk::stop(&site, &names, &limits, &Cancel::new(), &mut note)?;
    let stop = begin.elapsed();
    let processes = last_process(host) - before;
    drop(guard);
    host.destroy(&bridge)?;
    rooms.leave(Files::new());
    match failures.first() {
        Some(failure) => Err(failure.clone().into()),
        None => Ok(Measured { start, stop, processes }),
    }
}

/// The number of the process that was begun last.
fn last_process(host: &Vnet) -> i64 {
    host.sysctl_int("kern.lastpid").map_or(0, i64::from)
}

/// The most memory that this process has had, in KiB.
fn memory() -> i64 {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss())
}

fn numbers(variable: &str, default: &str) -> Result<Vec<usize>, Box<dyn Error>> {
    let text = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let number =
        |word: &str| word.trim().parse().map_err(|error| format!("{variable}: {word}: {error}").into());
    text.split(',').map(number).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn kernel() -> Result<Arc<dyn Kernel>, Box<dyn Error>> {
    #[cfg(target_os = "freebsd")]
    {
        let kernel = jailwire::kernel::freebsd::FreeBsd::new()?;
        if kernel.privileged() {
            return Ok(Arc::new(kernel));
        }
    }
    Ok(Arc::new(jailwire::kernel::sim::Sim::new()))
}

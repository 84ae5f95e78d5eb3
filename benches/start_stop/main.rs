//! Measures starts and stops of N jails: by iocage's commands, by jail(8), by a C program that makes the same
//! requests as the library, by the library, and by the library's engine for many jails. The variants are
//! interleaved, in one boot.
//!
//! On FreeBSD as root it uses the kernel. On other systems it uses the simulated kernel, which can measure only the
//! library. It prints CSV; the first field of each line is the name of its table. `JAILWIRE_BENCH_PLAN` selects
//! what is measured: see [`plan`].
//!
//!     JAILWIRE_BENCH_PLAN='c,one/vnet/1/10,64/3' cargo bench --bench start_stop

mod accounts;
mod apart;
#[cfg(target_os = "freebsd")]
mod baseline;
#[cfg(target_os = "freebsd")]
mod commands;
#[cfg(target_os = "freebsd")]
mod compare;
mod jails;
mod library;
mod plan;
mod steps;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jailwire::kernel::Kernel;
use jailwire::wiring::bulk::TickGuard;
use jailwire::wiring::{JailSpec, Wiring};
use jailwire::{InterfaceName, Vnet};

use accounts::Reading;
use plan::{Part, Variant};

/// An error ends the benchmark.
type Fallible<T = ()> = Result<T, Box<dyn Error>>;

/// Jails to be started and stopped.
struct Setup<'a> {
    wiring: &'a Wiring,
    host: &'a Vnet,
    network: jails::Wiring,
    count: usize,
    bridge: InterfaceName,
}

impl Setup<'_> {
    fn specifications(&self) -> Vec<JailSpec> {
        (0..self.count).map(|number| jails::specification(self.network, number, self.bridge)).collect()
    }
}

/// The measured times.
#[derive(Debug, Default)]
struct Timing {
    start: Duration,
    stop: Duration,
    /// The time from the beginning until each jail was up, in that order.
    up: Vec<Duration>,
    /// The times for each tenth of the jails, if only that is known.
    tenths: Vec<Duration>,
    /// The time of each kind of step, for all jails together.
    steps: Vec<(String, Duration)>,
    /// The largest memory of the process, if it is another process.
    memory_kb: Option<i64>,
}

impl Timing {
    fn tenths(&self) -> Vec<Duration> {
        let count = self.up.len();
        match count {
            0 => self.tenths.clone(),
            1..10 => Vec::new(),
            _ => (1..=10).map(|tenth| self.up[count * tenth / 10 - 1]).collect(),
        }
    }
}

/// The kernel's counters: before all, when all jails are up, after all.
#[derive(Debug, Default)]
struct Marks(Vec<Reading>);

impl Marks {
    fn take(&mut self, host: &Vnet) {
        // vm/sample waits for these lines.
        println!("mark,{}", ["starting", "stopping", "done"][self.0.len() % 3]);
        self.0.push(Reading::take(host));
    }
}

/// The description of the machine, with which each line begins.
struct Machine {
    wiring: Wiring,
    freebsd: bool,
    words: String,
}

fn main() -> Fallible {
    let kernel = kernel()?;
    let wiring = Wiring::on(Arc::clone(&kernel))?;
    if let Ok(words) = std::env::var(apart::WORDS) {
        return apart::speak(&wiring, &words);
    }
    let release = text(&wiring.host().sysctl("kern.osrelease")?);
    let hz = wiring.host().sysctl_int("kern.hz")?;
    let machine = Machine { freebsd: !kernel.simulated(), words: format!("{release},{hz}"), wiring };
    println!(
        "run,kernel,hz,idletick,network,variant,jails,round,start_us,stop_us,processes,memory_kb,kernel_kb"
    );
    println!("up,kernel,hz,idletick,network,variant,jails,round,tenth,us");
    println!("step,kernel,hz,idletick,network,variant,jails,round,step,us");
    println!("programs,kernel,hz,network,variant,jails,children,programs,names");
    println!("compared,kernel,hz,network,against,calls");
    let plan = plan::plan()?;
    #[allow(unused_mut)]
    let mut differ = false;
    #[cfg(target_os = "freebsd")]
    if machine.freebsd {
        differ = !compared(&machine)?;
        programs(&machine, &plan)?;
    }
    for part in &plan {
        machine.measure(part)?;
    }
    if differ {
        Err("the C program and the library make different system calls: the differences are printed above"
            .into())
    } else {
        Ok(())
    }
}

impl Machine {
    fn measure(&self, part: &Part) -> Fallible {
        for count in &part.jails {
            for network in &part.networks {
                for round in 1..=part.rounds {
                    for tick in &part.ticks {
                        let mut variants = part.variants.clone();
                        variants.retain(|variant| self.freebsd || !variant.needs_freebsd());
                        // Each variant is first once, and last once.
                        let first = (round - 1) % variants.len().max(1);
                        variants.rotate_left(first);
                        for variant in variants {
                            self.measure_one(variant, *network, *tick, *count, round)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn measure_one(
        &self,
        variant: Variant,
        network: jails::Wiring,
        tick: bool,
        count: usize,
        round: usize,
    ) -> Fallible {
        let _guard = tick.then(|| TickGuard::hold(self.wiring.kernel())).transpose()?;
        let mut marks = Marks::default();
        let timing = self.with(network, count, |setup| run(setup, variant, &mut marks))?;
        // The steps are measured with the library, one jail at a time.
        let named = if variant == Variant::Steps { Variant::One { ready: false } } else { variant };
        let words = format!("{},{},{network},{named},{count},{round}", self.words, i32::from(tick));
        let each = |took: Duration| took.as_micros() / count as u128;
        let [before, up, after] = marks.0[..] else { return Err("the counters were not read".into()) };
        if variant != Variant::Steps {
            println!(
                "run,{words},{},{},{},{},{}",
                each(timing.start),
                each(timing.stop),
                after.processes - before.processes,
                timing.memory_kb.unwrap_or_else(accounts::own_memory),
                (up.wired_kb - before.wired_kb) / count as i64,
            );
        }
        for (tenth, took) in timing.tenths().iter().enumerate() {
            println!("up,{words},{},{}", tenth + 1, took.as_micros());
        }
        for (step, took) in &timing.steps {
            println!("step,{words},{step},{}", each(*took));
        }
        Ok(())
    }

    /// Calls a function with a new bridge, which is destroyed afterwards.
    fn with<T>(
        &self,
        network: jails::Wiring,
        count: usize,
        work: impl FnOnce(&Setup<'_>) -> Fallible<T>,
    ) -> Fallible<T> {
        let host = self.wiring.host();
        let bridge = host.create_bridge()?;
        host.up(&bridge)?;
        let answer = work(&Setup { wiring: &self.wiring, host, network, count, bridge });
        host.destroy(&bridge)?;
        answer
    }
}

fn run(setup: &Setup<'_>, variant: Variant, marks: &mut Marks) -> Fallible<Timing> {
    match variant {
        #[cfg(target_os = "freebsd")]
        Variant::Iocage => commands::iocage(setup, marks),
        #[cfg(target_os = "freebsd")]
        Variant::Jail => commands::jail(setup, marks),
        #[cfg(target_os = "freebsd")]
        Variant::C(like) => baseline::run(setup, like, marks),
        #[cfg(not(target_os = "freebsd"))]
        Variant::Iocage | Variant::Jail | Variant::C(_) => Err("this is for FreeBSD".into()),
        // The simulated kernel is inside this process.
        Variant::One { .. } | Variant::Bulk { .. } if setup.wiring.kernel().simulated() => {
            let mut mark = |_: &Timing| {
                marks.take(setup.host);
                Ok(())
            };
            library::run(setup, variant, &mut mark)
        }
        Variant::One { .. } | Variant::Steps | Variant::Bulk { .. } => {
            apart::watch(apart::command(variant, setup)?, setup, marks)
        }
    }
}

/// Whether the C program and the library make the same requests.
#[cfg(target_os = "freebsd")]
fn compared(machine: &Machine) -> Fallible<bool> {
    use plan::Like;

    let mut same = true;
    for network in [jails::Wiring::Vnet, jails::Wiring::Shared] {
        for (like, against) in
            [(Like::One, "one"), (Like::OneWithFiles, "one with its files"), (Like::Engine, "bulk1")]
        {
            let calls = machine.with(network, 3, |setup| match compare::compare(setup, like) {
                Ok(calls) => Ok(calls.to_string()),
                Err(error) => {
                    eprintln!("{network}, {against}: {error}");
                    same = false;
                    Ok("differ".to_owned())
                }
            })?;
            println!("compared,{},{network},{against},{calls}", machine.words);
        }
    }
    Ok(same)
}

/// Prints the processes of each variant, by the kernel's accounting.
#[cfg(target_os = "freebsd")]
fn programs(machine: &Machine, plan: &[Part]) -> Fallible {
    use std::collections::BTreeMap;

    for network in [jails::Wiring::Vnet, jails::Wiring::Shared] {
        let of_network = plan.iter().filter(|part| part.networks.contains(&network));
        let mut seen = Vec::new();
        for variant in of_network.flat_map(|part| &part.variants) {
            if *variant == Variant::Steps || seen.contains(&variant) {
                continue;
            }
            seen.push(variant);
            let count = 3;
            let accounting = accounts::programs::Accounting::begin()?;
            machine.with(network, count, |setup| run(setup, *variant, &mut Marks::default()))?;
            let ended = accounting.ended()?;
            let ran = ended.iter().filter(|ended| ended.ran).count();
            let mut names: BTreeMap<String, usize> = BTreeMap::new();
            for ended in &ended {
                let of = if ended.ran { "" } else { " (child)" };
                *names.entry(format!("{}{of}", ended.name)).or_default() += 1;
            }
            let names: Vec<String> = names.iter().map(|(name, count)| format!("{name}:{count}")).collect();
            println!(
                "programs,{},{network},{variant},{count},{},{},{}",
                machine.words,
                ended.len() - ran,
                ran,
                names.join(" ")
            );
        }
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn kernel() -> Fallible<Arc<dyn Kernel>> {
    #[cfg(target_os = "freebsd")]
    {
        let kernel = jailwire::kernel::here()?;
        if kernel.privileged() {
            return Ok(kernel);
        }
    }
    Ok(Arc::new(jailwire::sim::Sim::new()))
}

//! The cost of the engine for many jails: N VNET jails, each with an epair on the same bridge, addresses and a
//! default route, on the simulated kernel in memory, with one worker.
//!
//! It prints CSV: the microseconds per jail that the library takes, with its journals and locks, and separately
//! those that the simulated kernel takes. Neither is the time of FreeBSD's kernel: see `start_stop` for that.
//!
//!     JAILWIRE_BENCH_JAILS=100,1000,10000 cargo bench --bench bulk

#[path = "support/asked.rs"]
mod asked;
#[path = "start_stop/jails.rs"]
#[allow(dead_code)] // start_stop's commands need more of it.
mod jails;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jailwire::kernel::{Kernel, Proxy};
use jailwire::sim::Sim;
use jailwire::wiring::Wiring;
use jailwire::wiring::bulk::{Cancel, Fate, Limits, Progress};

use asked::{Asked, Counter};

/// How often each number of jails is measured. The fastest round counts. As FreeBSD's kernel, the simulated kernel
/// walks all members of a bridge when a member joins, so very many jails take long.
const ROUNDS: [(usize, usize); 2] = [(1000, 3), (usize::MAX, 1)];

fn main() -> Result<(), Box<dyn Error>> {
    let counts = std::env::var("JAILWIRE_BENCH_JAILS").unwrap_or_else(|_| "100,1000,10000".to_owned());
    println!("network,jails,start_us,stop_us,start_kernel_us,stop_kernel_us,start_calls,stop_calls");
    for network in [jails::Wiring::Vnet, jails::Wiring::Shared] {
        for count in counts.split(',') {
            let count = count.trim().parse()?;
            let often = ROUNDS.iter().find(|(most, _)| count <= *most).map_or(1, |(_, rounds)| *rounds);
            let rounds: Vec<_> = (0..often).map(|_| measure(network, count)).collect::<Result<_, _>>()?;
            let fastest = |of: fn(&[Part; 2]) -> Duration| rounds.iter().map(of).min().unwrap_or_default();
            let each = |took: Duration| took.as_nanos() as f64 / 1e3 / count as f64;
            let calls = |part: &Part| part.asked.calls.values().sum::<usize>() as f64 / count as f64;
            let [start, stop] = &rounds[0];
            println!(
                "{network},{count},{:.1},{:.1},{:.1},{:.1},{:.1},{:.1}",
                each(fastest(|[start, _]| start.own())),
                each(fastest(|[_, stop]| stop.own())),
                each(fastest(|[start, _]| start.asked.took)),
                each(fastest(|[_, stop]| stop.asked.took)),
                calls(start),
                calls(stop),
            );
        }
    }
    Ok(())
}

/// A start or a stop of all jails.
struct Part {
    took: Duration,
    asked: Asked,
}

impl Part {
    /// The time of the library.
    fn own(&self) -> Duration {
        self.took.saturating_sub(self.asked.took)
    }
}

fn measure(network: jails::Wiring, count: usize) -> Result<[Part; 2], Box<dyn Error>> {
    let kernel = Arc::new(Proxy::new(Arc::new(Sim::new()), Counter::default()));
    let wiring = Wiring::on(Arc::<Proxy<Counter>>::clone(&kernel) as Arc<dyn Kernel>)?;
    let bridge = wiring.host().create_bridge()?;
    let specs: Vec<_> = (0..count).map(|number| jails::specification(network, number, bridge)).collect();
    let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let mut failure = None;
    let mut note = |name: &str, told: Progress| {
        if let Some(Fate::Failed(trouble)) = told.fate() {
            failure.get_or_insert(format!("{name}: {trouble}"));
        }
    };
    kernel.watch.asked();
    let begin = Instant::now();
    wiring.start_many(specs, &Limits::ONE, &Cancel::new(), &mut note)?;
    let start = Part { took: begin.elapsed(), asked: kernel.watch.asked() };
    let begin = Instant::now();
    wiring.stop_many(names, &Limits::ONE, &Cancel::new(), &mut note)?;
    let stop = Part { took: begin.elapsed(), asked: kernel.watch.asked() };
    failure.map_or(Ok([start, stop]), |failure| Err(failure.into()))
}

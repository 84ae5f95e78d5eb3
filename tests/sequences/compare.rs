//! Comparing a record with what another kernel does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jailwire::kernel::Kernel;

use crate::operation::{Operation, Step};
use crate::record::{Changes, Record};
use crate::stage::{Outcome, Stage};

/// How long a kernel may take until it shows what it did. Link states are told by another thread …
const SETTLED: Duration = Duration::from_secs(2);

/// … and interfaces come back one by one from a jail that is gone.
const RETURNED: Duration = Duration::from_secs(15);

/// How often it is looked at meanwhile.
const PERIOD: Duration = Duration::from_millis(25);

/// The first operation that two kernels do not agree in.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Its place in the sequence.
    pub at: usize,
    pub step: Step,
    pub recorded: Outcome,
    pub seen: Outcome,
    /// From the recorded state to the one that was seen.
    pub state: Changes,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "operation {}, {}:", self.at + 1, self.step)?;
        if self.recorded != self.seen {
            writeln!(f, "  recorded {}, seen {}", self.recorded, self.seen)?;
        }
        if !self.state.is_empty() {
            write!(f, "  recorded (-) and seen (+):\n{}", self.state)?;
        }
        Ok(())
    }
}

/// Plays a record's sequence on a kernel, up to the first difference, and clears up.
///
/// # Panics
///
/// When the kernel cannot be looked at, or cleared.
pub fn compare(record: &Record, kernel: Arc<dyn Kernel>) -> Option<Difference> {
    let mut stage = Stage::new(kernel).expect("a kernel to play on");
    let mut expected = stage.observe().expect("a kernel to look at").lines();
    let difference = first_difference(record, &mut stage, &mut expected);
    stage.clear().expect("a kernel to clear");
    difference
}

fn first_difference(record: &Record, stage: &mut Stage, expected: &mut Vec<String>) -> Option<Difference> {
    for (at, entry) in record.entries.iter().enumerate() {
        let seen = stage.play(&entry.step);
        entry.changes.apply(expected).unwrap_or_else(|error| panic!("operation {}: {error}", at + 1));
        let state = match entry.step.operation {
            _ if seen != entry.outcome => Changes::default(),
            Operation::Remove {} | Operation::Release {} | Operation::LetGo {} => {
                settle(stage, expected, RETURNED)
            }
            _ => settle(stage, expected, SETTLED),
        };
        if seen != entry.outcome || !state.is_empty() {
            let (step, recorded) = (entry.step.clone(), entry.outcome.clone());
            return Some(Difference { at, step, recorded, seen, state });
        }
    }
    None
}

/// Waits until a state is as it should be. Returns what is different when the state does not come.
fn settle(stage: &Stage, expected: &[String], limit: Duration) -> Changes {
    let until = stage.kernel.now() + limit;
    loop {
        // An interface on its way from one stack to another is an error for a process that looks at it.
        let seen = match stage.observe() {
            Ok(state) => state.lines(),
            Err(error) => vec![format!("{error:#}")],
        };
        let state = Changes::between(expected, &seen);
        if state.is_empty() || stage.kernel.now() > until {
            return state;
        }
        stage.kernel.sleep(PERIOD);
    }
}

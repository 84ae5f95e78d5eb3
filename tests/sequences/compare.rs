//! Compares a record with the behaviour of another kernel.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jailwire::kernel::Kernel;

use crate::operation::{Operation, Step};
use crate::record::{Changes, Record};
use crate::stage::{Outcome, Stage};

/// How long a kernel may take until the effect of an operation is visible. Another thread reports link states.
const SETTLED: Duration = Duration::from_secs(2);

/// How long interfaces may take to come back, one by one, from a jail that is gone.
const RETURNED: Duration = Duration::from_secs(15);

/// The interval between two observations meanwhile.
const PERIOD: Duration = Duration::from_millis(25);

/// The first operation in which two kernels differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Its place in the sequence.
    pub at: usize,
    pub step: Step,
    pub recorded: Outcome,
    pub seen: Outcome,
    /// The changes from the recorded state to the observed state.
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
/// If the kernel cannot be observed or cleared.
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

/// Waits until the state is the expected one. Returns the differences if that does not happen.
fn settle(stage: &Stage, expected: &[String], limit: Duration) -> Changes {
    let until = stage.kernel.now() + limit;
    loop {
        // While an interface moves from one stack to another, an observation may fail.
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

//! Plays a sequence on the simulated kernel, and records the results.

use std::sync::Arc;
use std::time::Duration;

use jailwire::kernel::Clock;
use jailwire::sim::{Release, Sim};

use crate::observe::State;
use crate::operation::Step;
use crate::record::{Changes, Entry, Record};
use crate::stage::{Stage, simulated};

/// A time after which the simulated kernel has completed all delayed work.
const AFTERMATH: Duration = Duration::from_secs(5);

/// The simulated release that is nearest to a kern.osreldate.
pub fn release_of(osreldate: i32) -> Release {
    if osreldate >= 1_500_000 { Release::V15_1 } else { Release::V14_2 }
}

/// A simulated kernel that is being recorded.
pub struct Recorder {
    pub sim: Sim,
    pub stage: Stage,
    pub record: Record,
    pub state: State,
}

impl Recorder {
    pub fn new(release: Release, seed: u64) -> Recorder {
        let sim = simulated(release);
        let stage = Stage::new(Arc::new(sim.clone())).unwrap();
        let state = stage.observe().unwrap();
        let record = Record { release: release.osreldate(), seed, entries: Vec::new() };
        Recorder { sim, stage, record, state }
    }

    /// Plays one operation, and records its outcome.
    pub fn play(&mut self, step: Step) {
        let outcome = self.stage.play(&step);
        self.sim.sleep(AFTERMATH);
        let state = self.stage.observe().unwrap();
        let changes = Changes::between(&self.state.lines(), &state.lines());
        self.state = state;
        self.record.entries.push(Entry { step, outcome, changes });
    }
}

/// Plays a sequence.
pub fn play(release: Release, steps: &[Step]) -> Record {
    let mut recorder = Recorder::new(release, 0);
    for step in steps {
        recorder.play(step.clone());
    }
    recorder.record
}

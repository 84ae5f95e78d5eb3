//! What a kernel is asked, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jailwire::kernel::{Seen, Watch};

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often, by the names that C has.
    pub calls: BTreeMap<&'static str, usize>,
    /// How many bytes came back in lists.
    pub listed: usize,
    /// How long the kernel took.
    pub took: Duration,
}

/// The thread that counts it.
#[derive(Debug, Default)]
pub struct Counter(Mutex<Asked>);

impl Watch for Counter {
    fn seen(&self, seen: Seen) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.calls.entry(seen.name).or_default() += 1;
        asked.listed += seen.listed;
        asked.took += seen.took;
    }
}

impl Counter {
    /// What was asked since the last time.
    pub fn asked(&self) -> Asked {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

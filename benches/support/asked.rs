//! Counts the requests to a kernel.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jailwire::kernel::{Seen, Watch};

/// The counted requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The number of calls, by their C names.
    pub calls: BTreeMap<&'static str, usize>,
    /// The number of bytes in returned lists.
    pub listed: usize,
    /// The time of the kernel.
    pub took: Duration,
}

/// Counts the requests.
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
    /// Returns the requests since the last call.
    pub fn asked(&self) -> Asked {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

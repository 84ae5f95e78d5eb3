//! Asking a bulk operation to end early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks for an end. Clones ask together.
///
/// The library installs no signal handler. A program that does can share the flag with it: see
/// [`From`].
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A handle by which the operation has not been cancelled yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks. What is being done to a jail is finished or undone, and nothing new is begun.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A flag that somebody else sets, such as a signal handler.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Cancel {
        Cancel(flag)
    }
}

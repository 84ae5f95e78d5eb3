//! Asking a bulk operation to end early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request that a bulk operation end early. Clones share the request.
///
/// The library installs no signal handler. A program that installs a handler can share the handler's flag with this
/// type: see [`From`].
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Returns a request that has not been made yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Makes the request. The operation finishes or undoes what it is doing to a jail, and begins no other jail.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the request was made.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A flag that another part of the program sets, such as a signal handler.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Cancel {
        Cancel(flag)
    }
}

//! Tests that need others not to meddle: not to tear down jails meanwhile, not to set what they set.
//!
//! On FreeBSD 14 the end of a jail and the new link address of a vlan are the business of one thread of
//! the kernel (`taskqueue_thread`). A vlan that is destroyed before that thread has come to its address
//! waits for it, with the lock that the end of a jail waits for; and a jail that ends with such a vlan in
//! it waits for itself. Neither is ever over, and no interface of the machine can be moved or destroyed
//! any more. FreeBSD 15 has another thread for jails.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many tests run, and whether one of them must be alone.
static RUNNING: Mutex<(usize, bool)> = Mutex::new((0, false));
static CHANGED: Condvar = Condvar::new();

/// What is the whole machine's: whether idle processors tick.
static IDLETICK: Mutex<()> = Mutex::new(());

/// Held by a test that sets `kern.eventtimer.idletick`.
pub fn idletick() -> MutexGuard<'static, ()> {
    IDLETICK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held while a test runs.
#[derive(Debug)]
pub struct Running {
    alone: bool,
}

fn state() -> MutexGuard<'static, (usize, bool)> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    /// With others. A test that waits to be alone has to wait for all of these, so that one test may have
    /// two of them.
    pub fn with_others() -> Running {
        let mut state =
            CHANGED.wait_while(state(), |(_, alone)| *alone).unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        Running { alone: false }
    }

    /// Alone.
    pub fn alone() -> Running {
        let mut state = CHANGED
            .wait_while(state(), |(others, alone)| *others > 0 || *alone)
            .unwrap_or_else(PoisonError::into_inner);
        state.1 = true;
        Running { alone: true }
    }

    pub fn is_alone(&self) -> bool {
        self.alone
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = state();
        if self.alone {
            state.1 = false;
        } else {
            state.0 -= 1;
        }
        CHANGED.notify_all();
    }
}

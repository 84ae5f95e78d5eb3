//! Locks for tests that other tests must not disturb, by tearing down jails or by setting the same sysctl.
//!
//! On FreeBSD 14 one thread of the kernel (`taskqueue_thread`) handles both the end of a jail and the new link
//! address of a vlan. When a vlan is destroyed before that thread has handled its address, the request waits for
//! the thread, and holds the lock that the end of a jail waits for. A jail that ends with such a vlan in it waits
//! for itself. Neither wait ever ends, and no interface of the machine can be moved or destroyed any more. FreeBSD
//! 15 has a separate thread for jails.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many tests run, and whether one of them must be alone.
static RUNNING: Mutex<(usize, bool)> = Mutex::new((0, false));
static CHANGED: Condvar = Condvar::new();

/// The lock for the sysctl of the whole machine that says whether idle processors tick.
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
    /// Waits until the test may run beside others. A test that has to be alone waits until all of these values are
    /// dropped, so one test may hold two of them.
    pub fn with_others() -> Running {
        let mut state =
            CHANGED.wait_while(state(), |(_, alone)| *alone).unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        Running { alone: false }
    }

    /// Waits until the test may run alone.
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

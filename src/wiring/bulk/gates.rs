//! Gates before the kernel's locks: how many threads may wait for each lock.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, PoisonError};

use super::limits::Limits;

/// A lock of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelLock {
    /// `allprison_lock`: creating and changing jails.
    Create,
    /// `ifnet_detach_sxlock`: moving and destroying interfaces, and network stacks with their interfaces.
    Detach,
}

/// Lets a limited number of threads into the calls that take each [`KernelLock`].
///
/// A thread that waits here sleeps. A thread that waits in the kernel may spin, and cannot be interrupted.
#[derive(Debug)]
pub struct Gates {
    create: Gate,
    detach: Gate,
}

#[derive(Debug)]
struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

/// The permission to make one call that takes a lock. Dropping the value gives the permission back.
#[derive(Debug)]
pub struct Pass<'a>(&'a Gate);

impl Gates {
    /// Makes gates that let as many threads pass as the limits say.
    pub fn new(limits: &Limits) -> Gates {
        let gate = |limit: NonZeroUsize| Gate { free: Mutex::new(limit.get()), left: Condvar::new() };
        Gates { create: gate(limits.create), detach: gate(limits.detach) }
    }

    /// Waits for a permission. Hold the permission for one call to the kernel, and never while waiting for anything
    /// else.
    pub fn pass(&self, lock: KernelLock) -> Pass<'_> {
        let gate = match lock {
            KernelLock::Create => &self.create,
            KernelLock::Detach => &self.detach,
        };
        let free = gate.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = gate.left.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Pass(gate)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_are_in_a_lane_than_may_be() {
        let two = NonZeroUsize::new(2).unwrap();
        let gates = Gates::new(&Limits { detach: two, ..Limits::ONE });
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _pass = gates.pass(KernelLock::Detach);
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!((1..=2).contains(&most.into_inner()));
        // A pass of one gate does not hold up the other gate.
        let _create = gates.pass(KernelLock::Create);
        let _detach = gates.pass(KernelLock::Detach);
    }
}

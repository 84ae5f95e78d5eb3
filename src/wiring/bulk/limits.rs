//! How many workers each stage has.

use std::num::NonZeroUsize;

/// How much is done at the same time. The limits change no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many jails' networks are changed at the same time.
    pub network: NonZeroUsize,
    /// How many of these jails may be in calls that create or change a jail:
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)).
    pub create: NonZeroUsize,
    /// How many of these jails may be in calls that move or destroy an interface, or remove a jail.
    pub detach: NonZeroUsize,
    /// How many programs run before the network stage, and how many after it: hooks, `exec_start`, `exec_stop`.
    pub programs: NonZeroUsize,
    /// Whether idle CPUs are kept ticking meanwhile: see [`TickGuard`](super::TickGuard). That changes a setting of the
    /// whole host for as long as the operation lasts, and is off unless the caller asks for it.
    pub tick_guard: bool,
    /// Whether the children that hold new jails are forked ahead of time: see [`ForkServer`](super::ForkServer).
    pub fork_server: bool,
}

impl Limits {
    /// One jail after the other, in the calling thread.
    pub const ONE: Limits = Limits {
        network: NonZeroUsize::MIN,
        create: NonZeroUsize::MIN,
        detach: NonZeroUsize::MIN,
        programs: NonZeroUsize::MIN,
        tick_guard: false,
        fork_server: true,
    };

    /// Returns the limits with this number of workers for the network, and for both gates.
    pub fn workers(self, workers: NonZeroUsize) -> Limits {
        Limits { network: workers, create: workers, detach: workers, ..self }
    }

    /// Returns the limits with this number of programs.
    pub fn programs(self, programs: NonZeroUsize) -> Limits {
        Limits { programs, ..self }
    }

    /// Returns the limits with or without ticking CPUs: see [`Limits::tick_guard`](field@Limits::tick_guard).
    pub fn tick_guard(self, tick_guard: bool) -> Limits {
        Limits { tick_guard, ..self }
    }

    /// Returns the limits with or without a fork server: see [`Limits::fork_server`](field@Limits::fork_server).
    pub fn fork_server(self, fork_server: bool) -> Limits {
        Limits { fork_server, ..self }
    }

    /// Whether the limits allow one jail at a time only.
    pub(super) fn is_one(&self) -> bool {
        self.network == NonZeroUsize::MIN && self.programs == NonZeroUsize::MIN
    }
}

impl Default for Limits {
    /// Four jails in the network stage and at each gate, and 16 programs. On a guest of two CPUs one worker
    /// was slower than two, and more than two were no faster.
    fn default() -> Limits {
        let number = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Limits {
            network: number(4),
            create: number(4),
            detach: number(4),
            programs: number(16),
            tick_guard: false,
            fork_server: true,
        }
    }
}

//! How long things are waited for.

use std::time::Duration;

/// How long a start or stop waits for what it cannot hasten, and how often it looks. Set with
/// [`Wiring::times_mut`](super::Wiring::times_mut):
///
/// ```
/// use std::time::Duration;
///
/// let mut wiring = jailwire::wiring::Wiring::simulated()?;
/// wiring.times_mut().wait = Duration::from_secs(2);
/// # Ok::<(), jailwire::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// For what comes back only with the end of a jail: an interface that was lent and renamed inside, a mount that
    /// stays busy. What has not come back by then stays in the journal. 10 seconds.
    pub wait: Duration,
    /// For the child of a start that was killed to end, and the child's jail with it. 2 seconds.
    pub child_ends: Duration,
    /// For jails that were removed, and that nothing holds, to be gone: their processes have to be reaped. One time for
    /// all jails of a command. 50 milliseconds.
    pub reaped: Duration,
    /// For the epairs of a jail that has gone to go with its network stack, before the jail is looked at again: it may
    /// be dying slowly. 300 milliseconds.
    pub with_its_stack: Duration,
    /// Between two looks at what is waited for. 10 milliseconds.
    pub look: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            wait: Duration::from_secs(10),
            child_ends: Duration::from_secs(2),
            reaped: Duration::from_millis(50),
            with_its_stack: Duration::from_millis(300),
            look: Duration::from_millis(10),
        }
    }
}

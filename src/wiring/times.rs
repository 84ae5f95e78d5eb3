//! Waiting times of starts and stops.

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
    /// The time that a stop waits for an interface that was lent to the jail and renamed there, and for a mount that is
    /// busy. What has not come back by then stays in the journal. 10 seconds.
    pub wait: Duration,
    /// The time that an operation waits for the child of a killed start, and the child's jail, to end. 2 seconds.
    pub child_ends: Duration,
    /// The time that a command waits for its removed jails to be gone if nothing holds them: their processes have to be
    /// reaped. The time is for all jails of the command together. 50 milliseconds.
    pub reaped: Duration,
    /// The time that an operation waits for the epairs of a removed jail to go with the jail's network stack. Then the
    /// operation looks at the jail again, because the jail may be dying slowly. 300 milliseconds.
    pub with_its_stack: Duration,
    /// The time between two looks at what an operation waits for. 10 milliseconds.
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

/// The time that a start waits for an address from a router's advertisement.
pub const AUTOCONF_LIMIT: Duration = Duration::from_secs(10);

//! What every operation of the wiring works with.

use super::state::StateDirectory;
use super::times::Times;
use crate::files::Files;
use crate::vnet::Vnet;

/// The kernel, the host and the settings that a plan is carried out with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Site<'a> {
    /// The host's network stack.
    pub host: &'a Vnet,
    /// Locks and journals.
    pub state: &'a StateDirectory,
    /// The access to files.
    pub files: Files<'a>,
    /// `kern.boot_id`.
    pub boot: &'a str,
    /// The times that a start or a stop waits.
    pub times: Times,
    /// Whether the caller runs a program in each jail that it starts. The child that has held the jail becomes that program,
    /// if it can ([`Processes::release_holder`](crate::kernel::Processes::release_holder)).
    pub programs_follow: bool,
}

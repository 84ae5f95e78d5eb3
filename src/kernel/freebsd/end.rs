//! Ends the processes of a jail.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::errand::fork_server::{Kind, encode};
use super::fork_server::{ForkServer, Ready};
use super::process::GRACE;
use super::report::Report;
use super::{Errno, Failure, Result, invalid};
use crate::kernel::passing::{self, Broken};

/// Sends SIGTERM to all processes of a jail, and waits until they have ended, or for `limit`. Returns whether they have ended.
///
/// A child in the jail does it, so the kernel finds the processes. If there are `children`, a ready child is used, and then
/// kept in the jail.
pub fn end(jid: i32, limit: Duration, children: Option<&ForkServer>) -> Result<bool> {
    let jail = u32::try_from(jid).map_err(|_| invalid("a negative jid"))?;
    let milliseconds = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
    let message = encode(Kind::End, [jail, milliseconds, 0, 0], [].into_iter()).ok_or(Errno::E2BIG)?;
    let deadline = Instant::now().checked_add(limit.saturating_add(GRACE));
    let deadline = deadline.ok_or_else(|| invalid("a time limit beyond all time"))?;
    let mut ready = match children.and_then(|children| children.tell_in(jid, &message, &[])) {
        Some(ready) => ready,
        None => Ready::fork()?.tell(&message, &[]).ok_or(Errno::EIO)?,
    };
    let mut report = [0; Report::LENGTH];
    match passing::receive(ready.socket.as_fd(), &mut report, deadline) {
        Ok(_) => {}
        // Root in the jail can stop the child.
        Err(Broken::TimedOut) => {
            let text = "the child process in the jail did not answer in time";
            return Err(Failure::with_text(Errno::ETIMEDOUT, text));
        }
        Err(_) => return Err(ready.child.died()),
    }
    let ended = Report::from_bytes(report).outcome()? != 0;
    if let Some(children) = children {
        children.settle(jid, ready);
    }
    Ok(ended)
}

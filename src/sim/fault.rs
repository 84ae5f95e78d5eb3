//! Faults: calls that fail, and calls at which a process is killed.

use std::time::Duration;

use crate::kernel::Errno;

/// What happens at a selected call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call fails with this error and has no effect. A call that closes a handle closes it all the same.
    Errno(Errno),
    /// Another process was faster: the change is made, and the call fails with this error because nothing is left
    /// to do. It can only be set from within the program, with [`Sim::set_fault`](super::Sim::set_fault).
    Forestalled(Errno),
    /// The call takes effect, and then SIGKILL ends the process before the call returns. So if a process is killed
    /// at call k, exactly k calls have taken effect.
    Kill,
    /// The call takes this time, on the simulated clock. A call with an earlier deadline fails with ETIMEDOUT.
    Takes(Duration),
}

/// The environment variable that chooses calls: `N:kill`, `N:ERRNO`, `N:SECONDSs`, and several separated by commas.
pub(crate) const VARIABLE: &str = "JAILWIRE_SIM_FAULT";

/// Reads the value of the variable.
pub(crate) fn parse(text: &str) -> Result<Vec<(u64, Fault)>, String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(parse_one).collect()
}

fn parse_one(text: &str) -> Result<(u64, Fault), String> {
    let wrong = || {
        format!(
            "{VARIABLE}: '{text}' is neither N:kill, N:ERRNO nor N:SECONDSs, such as 7:kill, 12:EBUSY or 12:90s"
        )
    };
    let (number, what) = text.split_once(':').ok_or_else(wrong)?;
    let number = number.trim().parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let fault = match what.trim() {
        "kill" => Fault::Kill,
        what => match what.strip_suffix('s').and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => Fault::Takes(Duration::from_secs(seconds)),
            None => Fault::Errno(Errno::from_name(what).ok_or_else(wrong)?),
        },
    };
    Ok((number, fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_text() {
        assert_eq!(parse("7:kill").unwrap(), [(7, Fault::Kill)]);
        assert_eq!(parse("1:EBUSY, 2:kill").unwrap(), [(1, Fault::Errno(Errno::EBUSY)), (2, Fault::Kill)]);
        assert_eq!(parse("3:90s").unwrap(), [(3, Fault::Takes(Duration::from_secs(90)))]);
        assert_eq!(parse("").unwrap(), []);
        for wrong in ["kill", "0:kill", "3:EWHAT", "x:kill", "3:", "3:s", "3:-1s"] {
            assert!(parse(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
    }
}

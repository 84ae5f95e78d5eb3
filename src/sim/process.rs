//! Processes of the machine that runs the simulation, and whether they are alive.

use std::sync::Mutex;

use super::caller::Owner;

/// This process.
///
/// After a fork the program has another pid, so only a start time together with its pid is remembered.
pub(crate) fn this() -> Owner {
    static KNOWN: Mutex<Option<Owner>> = Mutex::new(None);
    let pid = std::process::id();
    let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match *known {
        Some(owner) if owner.pid == pid => owner,
        _ => {
            let owner = Owner { pid, start: start_of(pid).unwrap_or(0) };
            *known = Some(owner);
            owner
        }
    }
}

/// Whether a process that was seen earlier is still alive.
pub(crate) fn is_alive(owner: Owner) -> bool {
    if owner.pid == std::process::id() { owner == this() } else { other_is_alive(owner) }
}

#[cfg(target_os = "linux")]
fn other_is_alive(owner: Owner) -> bool {
    start_of(owner.pid) == Some(owner.start)
}

/// On systems without start times, checks whether a process with this pid exists. Two processes that had the same
/// pid are taken for one process, until the later process makes a call itself.
#[cfg(not(target_os = "linux"))]
fn other_is_alive(owner: Owner) -> bool {
    use nix::errno::Errno;
    use nix::sys::signal::kill;
    use nix::unistd::Pid;

    !matches!(kill(Pid::from_raw(owner.pid as i32), None), Err(Errno::ESRCH))
}

/// When a process started, in the system's clock ticks: field 22 of `/proc/PID/stat`.
#[cfg(target_os = "linux")]
fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may contain spaces and parentheses.
    let rest = &stat[stat.rfind(')')? + 1..];
    let mut fields = rest.split_ascii_whitespace();
    // A zombie counts as dead: its handles are closed, and only its pid is not free yet.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// On other systems, the moment when this process was first asked about itself.
#[cfg(not(target_os = "linux"))]
fn start_of(_pid: u32) -> Option<u64> {
    use std::time::SystemTime;

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(now.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_alive_and_others_with_our_number_are_not() {
        let owner = this();
        assert_eq!(owner.pid, std::process::id());
        assert!(is_alive(owner));
        assert!(!is_alive(Owner { start: owner.start.wrapping_add(1), ..owner }));
    }

    #[test]
    fn a_child_that_ended_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = child.id();
        let start = start_of(pid).unwrap_or(0);
        let owner = Owner { pid, start };
        assert!(is_alive(owner));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(owner));
    }
}

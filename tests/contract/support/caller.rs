//! Other callers than the host's root: a process in a jail, or one without privileges.
//!
//! On FreeBSD a child process makes the calls. It has a kernel and handles of its own: no handle of the test is
//! open in it. An assertion that fails in the child fails the test.

use std::sync::Arc;

use jailwire::kernel::Kernel;
use jailwire::sim::Sim;

/// The process that makes the calls.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The jid of the jail that the process is in.
    pub jail: Option<i32>,
    /// Whether the process is root, or the user `nobody`.
    pub root: bool,
}

/// Makes calls as another process.
pub fn call_as(sim: Option<&Sim>, caller: Caller, work: impl FnOnce(Arc<dyn Kernel>)) {
    if let Some(sim) = sim {
        let sim = caller.jail.map_or_else(|| sim.clone(), |jid| sim.inside(jid));
        let sim = if caller.root { sim } else { sim.unprivileged() };
        return work(Arc::new(sim));
    }
    #[cfg(target_os = "freebsd")]
    child::call_as(caller, work);
    #[cfg(not(target_os = "freebsd"))]
    unreachable!("without a simulated kernel this is FreeBSD");
}

#[cfg(target_os = "freebsd")]
mod child {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use jailwire::kernel::Kernel;
    use jailwire::kernel::freebsd::FreeBsd;
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::{ForkResult, Gid, Uid, fork, setgid, setgroups, setuid};

    use super::Caller;

    /// The user `nobody`.
    const NOBODY: u32 = 65534;
    const DEADLINE: Duration = Duration::from_secs(60);

    pub fn call_as(caller: Caller, work: impl FnOnce(Arc<dyn Kernel>)) {
        let (told, tell) = nix::unistd::pipe().unwrap();
        // SAFETY: FreeBSD's libc makes malloc(3) usable in the child of a process with threads. The child takes
        // no lock of the Rust library that another thread may have held, and leaves by _exit(2).
        let child = match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let status = go(caller, tell, work);
                // SAFETY: _exit(2) runs no destructor.
                unsafe { libc::_exit(status) }
            }
            ForkResult::Parent { child } => child,
        };
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            match waitpid(child, Some(WaitPidFlag::WNOHANG)).unwrap() {
                WaitStatus::StillAlive if Instant::now() > deadline => {
                    let _ = kill(child, Signal::SIGKILL);
                }
                WaitStatus::StillAlive => std::thread::sleep(Duration::from_millis(2)),
                ended => break ended,
            }
        };
        if status == WaitStatus::Exited(child, 0) {
            return;
        }
        // Other children may have a copy of the pipe's other end, so the parent does not wait until it is closed.
        let flags = nix::fcntl::OFlag::O_NONBLOCK;
        nix::fcntl::fcntl(&told, nix::fcntl::FcntlArg::F_SETFL(flags)).unwrap();
        let mut text = vec![0; 4096];
        let length = File::from(told).read(&mut text).unwrap_or(0);
        panic!("{caller:?}: {status:?}: {}", String::from_utf8_lossy(&text[..length]));
    }

    fn go(caller: Caller, tell: OwnedFd, work: impl FnOnce(Arc<dyn Kernel>)) -> i32 {
        let kept = tell.as_raw_fd() as u32;
        // A process with an open directory cannot enter a jail.
        // SAFETY: close_range(2) takes numbers only. What they stood for belongs to the parent's memory, of
        // which this is a copy, and is not used here.
        unsafe {
            libc::close_range(3, kept - 1, 0);
            libc::close_range(kept + 1, u32::MAX, 0);
        }
        let mut tell = File::from(tell);
        let to_hook = tell.try_clone().unwrap();
        std::panic::set_hook(Box::new(move |told| {
            let mut to_hook = &to_hook;
            let _ = write!(to_hook, "{told}");
        }));
        if let Some(jid) = caller.jail {
            // SAFETY: jail_attach(2) takes a number only.
            if unsafe { libc::jail_attach(jid) } < 0 {
                let _ = write!(tell, "jail_attach: {}", std::io::Error::last_os_error());
                return 2;
            }
        }
        if !caller.root {
            let become_nobody = || {
                setgroups(&[])?;
                setgid(Gid::from_raw(NOBODY))?;
                setuid(Uid::from_raw(NOBODY))
            };
            if let Err(errno) = become_nobody() {
                let _ = write!(tell, "becoming nobody: {errno}");
                return 3;
            }
        }
        let done = catch_unwind(AssertUnwindSafe(|| {
            let kernel: Arc<dyn Kernel> = Arc::new(FreeBsd::new().unwrap());
            work(kernel);
        }));
        i32::from(done.is_err())
    }
}

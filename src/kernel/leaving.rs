//! The end of a forked child: always by [`_exit(2)`](https://man.freebsd.org/_exit(2)).

use libc::c_int;

/// The exit status of a child that has panicked.
const PANICKED: c_int = 125;

/// Ends the child with the status that its work returns. A panic ends the child too: to unwind further would run the
/// destructors of everything that the parent has on its stack, in a copy of the parent's memory.
pub fn leave_with(work: impl FnOnce() -> c_int) -> ! {
    struct Leave;

    impl Drop for Leave {
        fn drop(&mut self) {
            // SAFETY: _exit(2) takes a number only, and does not return.
            unsafe { libc::_exit(PANICKED) };
        }
    }

    let leave = Leave;
    let status = work();
    std::mem::forget(leave);
    // SAFETY: as above.
    unsafe { libc::_exit(status) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::panic;

    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork, pipe};

    use super::*;

    /// Stands for a value of the parent whose destructor must run only in the parent.
    struct Parents<'a>(&'a File);

    impl Drop for Parents<'_> {
        fn drop(&mut self) {
            let mut file = self.0;
            file.write_all(b"destroyed ").expect("a pipe");
        }
    }

    /// Runs this work in a child. Returns the child's status, and which destructors ran.
    fn child(work: fn() -> c_int) -> (WaitStatus, String) {
        let (read, write) = pipe().expect("a pipe");
        let write = File::from(write);
        let pid = {
            let parents = Parents(&write);
            // SAFETY: the child allocates at most for the panic itself, which the C library allows after a fork, and
            // leaves by _exit(2).
            let pid = match unsafe { fork() }.expect("a child") {
                ForkResult::Child => leave_with(work),
                ForkResult::Parent { child } => child,
            };
            // The test is about the child's copy, and not about the parent's.
            std::mem::forget(parents);
            pid
        };
        let status = waitpid(pid, None).expect("a status");
        drop(write);
        let mut said = String::new();
        File::from(read).read_to_string(&mut said).expect("text");
        (status, said)
    }

    #[test]
    fn the_work_of_a_child_is_its_status() {
        let (status, said) = child(|| 7);
        assert!(matches!(status, WaitStatus::Exited(_, 7)), "{status:?}");
        assert_eq!(said, "");
    }

    #[test]
    fn a_panic_in_a_child_destroys_nothing_of_the_parents() {
        // `resume_unwind` does not call the panic hook, which would write to the standard error of all tests.
        let (status, said) = child(|| panic::resume_unwind(Box::new("unwinding")));
        assert!(matches!(status, WaitStatus::Exited(_, PANICKED)), "{status:?}");
        assert_eq!(said, "");
    }
}

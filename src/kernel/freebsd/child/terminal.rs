//! The child that makes a pseudo-terminal in its jail, and sends the terminal's master end to the parent.

use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};

use super::at;
use crate::kernel::freebsd::errand::terminal::{HERE, NONE, Theirs};
use crate::kernel::freebsd::report::{Stage, Stopped};
use crate::kernel::passing;

/// The child's work with the terminal that its parent has described.
impl Theirs {
    /// Returns the descriptor over which the child sends the master end.
    pub fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Makes a terminal in the jail, makes it the child's controlling terminal, and sends the master end to
    /// the parent. If the jail's /dev has no terminals, the child keeps its input and output.
    pub fn take(&self) -> std::result::Result<(), Stopped> {
        let Some((master, slave)) = open_pair() else {
            let _ = passing::send(self.socket.as_fd(), &[NONE], &[]);
            return Ok(());
        };
        // SAFETY: setsid(2) takes nothing; ioctl(2) TIOCSCTTY takes nothing, TIOCSWINSZ reads a winsize;
        // tcsetattr(3) reads a termios and is one ioctl(2). dup2(2) and close(2) take numbers, of
        // descriptors that nothing in the child owns.
        unsafe {
            at(Stage::Terminal, libc::setsid())?;
            at(Stage::Terminal, libc::ioctl(slave, libc::TIOCSCTTY as _, 0))?;
            libc::tcsetattr(slave, libc::TCSANOW, &raw const self.settings);
            libc::ioctl(slave, libc::TIOCSWINSZ as _, &raw const self.size);
            for number in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
                at(Stage::Terminal, libc::dup2(slave, number))?;
            }
            libc::close(slave);
        }
        let sent = passing::send(self.socket.as_fd(), &[HERE], &[master]);
        // SAFETY: as above.
        unsafe { libc::close(master) };
        sent.map_err(|error| Stopped {
            stage: Stage::Terminal,
            errno: error.raw_os_error().unwrap_or(libc::EIO),
        })
    }
}

/// Opens both ends of a new terminal. Returns `None` if the terminal cannot be opened by its name.
fn open_pair() -> Option<(RawFd, RawFd)> {
    // SAFETY: posix_openpt(2) takes flags. ptsname(3) writes into memory of its own, and neither locks nor
    // allocates (lib/libc/stdlib/ptsname.c); it returns null or a string that ends. open(2) reads
    // that string, and close(2) takes the number of a descriptor that was opened here.
    unsafe {
        let master = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        if master < 0 {
            return None;
        }
        let name = libc::ptsname(master);
        let slave = if name.is_null() { -1 } else { libc::open(name, libc::O_RDWR | libc::O_NOCTTY) };
        if slave < 0 {
            libc::close(master);
            return None;
        }
        Some((master, slave))
    }
}

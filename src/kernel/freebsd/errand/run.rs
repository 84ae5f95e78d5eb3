//! What parent and child share for running a program.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::ptr;

use libc::{c_char, c_int};

use super::terminal::Theirs;
use crate::kernel::users::{MOST_GROUPS, User};

/// Everything the child needs, made before the fork.
pub struct Errand {
    pub jail: Option<c_int>,
    pub fib: u32,
    pub user: Option<Who>,
    /// The paths at which the program may be, in the order in which they are tried.
    pub paths: Strings,
    pub arguments: Strings,
    pub environment: Strings,
    /// What becomes standard input, output and error. None leaves what is there.
    pub standard: [Option<OwnedFd>; 3],
    pub terminal: Option<Theirs>,
}

/// The user to become.
pub enum Who {
    /// A user of the host, with the user's groups and their number.
    Known(User, [u32; MOST_GROUPS], usize),
    /// A user that is looked up where the program runs, with a buffer for the password and group files.
    Named(Vec<u8>, Vec<u8>),
}

/// Strings, and the array of their addresses that [`execve(2)`](https://man.freebsd.org/execve(2)) takes, ended by a null.
pub struct Strings {
    pub owned: Vec<CString>,
    pub addresses: Vec<*const c_char>,
}

impl Strings {
    pub fn new(owned: Vec<CString>) -> Strings {
        let addresses = owned.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Strings { owned, addresses }
    }
}

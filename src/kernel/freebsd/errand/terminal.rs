//! What parent and child share for a terminal in a jail.

use std::os::fd::OwnedFd;

use libc::{termios, winsize};

/// What the child says with the terminal, and without.
pub const HERE: u8 = 1;
pub const NONE: u8 = 0;

/// The child's side.
#[derive(Debug)]
pub struct Theirs {
    pub socket: OwnedFd,
    pub settings: termios,
    pub size: winsize,
}

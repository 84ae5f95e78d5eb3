//! What parent and child share for entering a jail.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use libc::c_int;

use crate::kernel::freebsd::object::Object;
use crate::kernel::freebsd::options::Options;

/// Everything the child needs, made before the fork.
pub struct Errand {
    pub target: Place,
    pub sockets: bool,
    pub sysctls: Vec<Object>,
    pub hold: bool,
}

pub enum Place {
    Existing(c_int),
    /// A jail descriptor, which stays open as long as this value, and the options that name it.
    Descriptor(Arc<OwnedFd>, Options),
    New(Options),
}

/// The families of the sockets that are opened inside, in order.
pub const DOMAINS: [c_int; 3] = [libc::AF_INET, libc::AF_INET6, libc::PF_ROUTE];
/// An errno and a length, in front of each sysctl's bytes.
pub const ANSWER_HEAD: usize = 12;

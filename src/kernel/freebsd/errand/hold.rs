//! What parent and child share for restoring a sysctl.

use std::ffi::CString;

use crate::kernel::freebsd::object::Object;

/// For the owner only.
pub const FILE_MODE: libc::mode_t = 0o600;
/// The message of the child when it has a session of its own.
pub const READY: [u8; 1] = [1];

/// Everything the child needs, made before the fork.
pub struct Errand {
    /// The sysctl, to be read.
    pub name: Object,
    /// The sysctl's name, for writing it.
    pub restore: CString,
    pub record_path: CString,
    pub guard_path: CString,
    pub boot: [u8; 16],
}

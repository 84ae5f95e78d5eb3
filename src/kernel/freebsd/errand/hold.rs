//! For a child that puts a sysctl back.

use std::ffi::CString;

use crate::kernel::freebsd::object::Object;

/// For the owner only.
pub const FILE_MODE: libc::mode_t = 0o600;
/// What the child says once it has a session of its own.
pub const READY: [u8; 1] = [1];

/// Everything the child needs, made before the fork.
pub struct Errand {
    /// The sysctl, to be read.
    pub name: Object,
    /// Its name, to write it.
    pub restore: CString,
    pub record_path: CString,
    pub guard_path: CString,
    pub boot: [u8; 16],
}

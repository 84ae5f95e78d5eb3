//! Jails at the kernel interface: their parameters, and their events.

use super::{Errno, Failure, Handle, Result};

/// The value of one jail parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The parameter's bytes. For `jail_get`, a buffer that the kernel fills. A list is cut to its length,
    /// and a string is padded with NULs.
    Bytes(Vec<u8>),
    /// No buffer: asks `jail_get` for the length of the value, which comes back as [`Value::Length`].
    Ask,
    /// The length that `jail_get` reported for [`Value::Ask`].
    Length(usize),
}

/// One parameter of [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) or
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)): a name and a value of that parameter's type.
///
/// Strings carry their NUL, integers are in native order, flags are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name, without NUL: `path`, `ip4.addr`, `nopersist` …
    pub name: String,
    /// The value.
    pub value: Value,
}

impl Parameter {
    /// Returns a parameter from raw bytes.
    pub fn bytes(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Parameter {
        Parameter { name: name.into(), value: Value::Bytes(value.into()) }
    }

    /// Returns a string parameter; the NUL is added.
    pub fn string(name: impl Into<String>, value: &str) -> Parameter {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        Parameter::bytes(name, bytes)
    }

    /// Returns an `int` parameter.
    pub fn int(name: impl Into<String>, value: i32) -> Parameter {
        Parameter::bytes(name, value.to_ne_bytes())
    }

    /// Returns a flag. Its name sets the flag, and the name with `no` clears it.
    pub fn flag(name: impl Into<String>) -> Parameter {
        Parameter::bytes(name, [])
    }

    /// Asks for the length of a parameter.
    pub fn ask(name: impl Into<String>) -> Parameter {
        Parameter { name: name.into(), value: Value::Ask }
    }
}

/// Refuses the parameter `desc` of a caller. The implementation adds `desc` itself, and takes the number that
/// comes back for a new descriptor.
pub(crate) fn without_descriptor(parameters: &[Parameter]) -> Result<()> {
    match parameters.iter().any(|parameter| parameter.name == "desc") {
        true => Err(Failure::with_text(Errno::EINVAL, "'desc' is not the caller's to give")),
        false => Ok(()),
    }
}

/// A jail to be watched, see [`Kernel::jail_watch`](super::Calls::jail_watch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Watched {
    /// By jid: EVFILT_JAIL. 0 is the caller's own jail, or the host.
    Jid(i32),
    /// By a jail descriptor: EVFILT_JAILDESC.
    Descriptor(Handle),
}

/// The events of a jail since the last report: see [`Kernel::jail_note`](super::Calls::jail_note).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JailNote {
    /// The jail, by the jid or descriptor that is watched.
    pub jail: Watched,
    /// NOTE_JAIL_* of all that happened.
    pub notes: u32,
    /// The jid of the child jail that was made, or the pid of the process that was attached. 0 for several of
    /// them (NOTE_JAIL_MULTI), and for other events.
    pub data: i64,
    /// Whether the jail is gone, and this is its last event: EV_EOF.
    pub ended: bool,
}

impl JailNote {
    /// Returns a note: for a kernel that passes calls on to another kernel.
    pub fn new(jail: Watched, notes: u32, data: i64, ended: bool) -> JailNote {
        JailNote { jail, notes, data, ended }
    }
}

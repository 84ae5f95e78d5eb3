//! What went wrong: the operation, the object, the call, and the kernel's answer.

use std::fmt;

use crate::kernel::{self, Errno, Failure};

/// The result of an operation of the library.
pub type Result<T> = std::result::Result<T, Error>;

/// An operation that failed.
///
/// It prints as one line that tells the whole story:
///
/// ```text
/// add address 192.0.2.1/24 to em0: SIOCAIFADDR: File exists (EEXIST)
/// ```
///
/// What to do next, where that is known, is kept apart in [`Error::hint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Story>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Story {
    operation: &'static str,
    object: String,
    call: &'static str,
    failure: Failure,
}

/// The classes of failure that a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The interface, address, route, jail, member or ruleset does not exist.
    NotFound,
    /// The thing exists already.
    AlreadyExists,
    /// Something else uses it, or it is being torn down.
    Busy,
    /// The kernel cannot make sense of the arguments.
    Invalid,
    /// The caller may not do this.
    PermissionDenied,
    /// This kernel, interface or protocol family cannot do this.
    Unsupported,
    /// The gateway or network cannot be reached.
    Unreachable,
    /// No memory, unit, jid, descriptor or table space is left.
    Exhausted,
    /// The operation took longer than the caller allowed.
    TimedOut,
    /// The kernel's answer could not be understood.
    Malformed,
    /// Anything else.
    Other,
}

/// EBADMSG, which no call described here gives: it stands for an answer that makes no sense.
pub(crate) const MALFORMED: Errno = Errno(jailwire_sys::EBADMSG);

impl Error {
    /// Tells the story of a failure.
    ///
    /// `operation` and `object` read as one sentence, such as `add address` and
    /// `192.0.2.1/24 to em0`; `call` is the C name of the request or system call that failed.
    pub fn new(
        operation: &'static str,
        object: impl fmt::Display,
        call: &'static str,
        failure: impl Into<Failure>,
    ) -> Error {
        Error(Box::new(Story { operation, object: object.to_string(), call, failure: failure.into() }))
    }

    /// An answer of the kernel that could not be read.
    pub(crate) fn malformed(
        operation: &'static str,
        object: impl fmt::Display,
        call: &'static str,
        why: impl fmt::Display,
    ) -> Error {
        Error::new(operation, object, call, Failure::with_text(MALFORMED, why.to_string()))
    }

    /// Returns what was tried, such as `add address`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// On what, such as `192.0.2.1/24 to em0`.
    pub fn object(&self) -> &str {
        &self.0.object
    }

    /// Returns the request or system call that failed, by its C name.
    pub fn call(&self) -> &'static str {
        self.0.call
    }

    /// Returns the error number.
    pub fn errno(&self) -> Errno {
        self.0.failure.errno
    }

    /// Returns the kernel's own words, where it had any.
    pub fn kernel_text(&self) -> Option<&str> {
        self.0.failure.text.as_deref()
    }

    /// Returns the class of the failure, from its error number.
    pub fn kind(&self) -> ErrorKind {
        // For these two the kernel's word for "there is no such jail" is EINVAL.
        if self.errno() == Errno::EINVAL && matches!(self.call(), "jail_attach" | "jail_remove") {
            return ErrorKind::NotFound;
        }
        match self.errno() {
            Errno::ENOENT | Errno::ESRCH | Errno::ENXIO | Errno::EADDRNOTAVAIL | Errno::ENOMSG => {
                ErrorKind::NotFound
            }
            Errno::EEXIST => ErrorKind::AlreadyExists,
            Errno::EBUSY | Errno::EADDRINUSE | Errno::EAGAIN | Errno::EDEADLK | Errno::ENOTEMPTY => {
                ErrorKind::Busy
            }
            Errno::EINVAL
            | Errno::ENAMETOOLONG
            | Errno::EDESTADDRREQ
            | Errno::ENOTDIR
            | Errno::EISDIR
            | Errno::ELOOP
            | Errno::EMSGSIZE
            | Errno::E2BIG
            | Errno::EFBIG
            | Errno::ERANGE => ErrorKind::Invalid,
            Errno::EPERM | Errno::EACCES | Errno::ENOTCAPABLE | Errno::ECAPMODE | Errno::EROFS => {
                ErrorKind::PermissionDenied
            }
            Errno::EOPNOTSUPP
            | Errno::ENODEV
            | Errno::EAFNOSUPPORT
            | Errno::EPFNOSUPPORT
            | Errno::EPROTONOSUPPORT
            | Errno::ENOPROTOOPT
            | Errno::ENOSYS => ErrorKind::Unsupported,
            Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::ENETDOWN => ErrorKind::Unreachable,
            Errno::ENOSPC | Errno::ENOMEM | Errno::ENOBUFS | Errno::EMFILE | Errno::ENFILE => {
                ErrorKind::Exhausted
            }
            Errno::ETIMEDOUT => ErrorKind::TimedOut,
            MALFORMED => ErrorKind::Malformed,
            _ => ErrorKind::Other,
        }
    }

    /// Returns what to do next, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        hint(self.call(), self.errno(), self.kernel_text())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { operation, object, call, failure } = &*self.0;
        f.write_str(operation)?;
        if !object.is_empty() {
            write!(f, " {object}")?;
        }
        write!(f, ": {call}: {failure}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.failure)
    }
}

/// Reading what may go away meanwhile.
pub trait OptionalExtension<T> {
    /// Returns `None` if there is no such thing ([`ErrorKind::NotFound`]): between a list and a question about one
    /// thing on it, somebody else may have taken it away.
    ///
    /// # Errors
    ///
    /// Any other error, as it was.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Turns a kernel's refusal into the story of an operation.
pub(crate) trait During<T> {
    /// Names the operation, its object and the call. The object is printed only on failure.
    fn during(self, operation: &'static str, object: impl fmt::Display, call: &'static str) -> Result<T>;
}

impl<T> During<T> for kernel::Result<T> {
    fn during(self, operation: &'static str, object: impl fmt::Display, call: &'static str) -> Result<T> {
        self.map_err(|failure| Error::new(operation, object, call, failure))
    }
}

/// The advice table: first what belongs to one call, then what an error number always means.
fn hint(call: &str, errno: Errno, text: Option<&str>) -> Option<&'static str> {
    let advice = match (call, errno) {
        ("SIOCIFCREATE2", Errno::EINVAL) => {
            "the kernel has no cloner for that name: load its module, or check the spelling"
        }
        ("SIOCIFCREATE2", Errno::EEXIST) => {
            "an interface or unit of that name exists; for an epair either end may be in the way: rename it or name another unit"
        }
        ("SIOCIFCREATE2", Errno::ENOSPC) => "units go from 0 to 32767",
        ("SIOCIFDESTROY", Errno::EINVAL) => "this interface was not made by a cloner, or is lo0",
        ("SIOCSIFNAME", Errno::EEXIST) => "an interface of this network stack has that name",
        ("SIOCSIFMTU", Errno::EOPNOTSUPP) => "a bridge member takes its bridge's MTU: set it on the bridge",
        ("SIOCSIFMTU", Errno::EINVAL) => "the MTU is out of the range of this interface or of its parent",
        ("SIOCSIFCAP", Errno::EINVAL) => "the interface does not have that capability",
        ("SIOCSIFFIB", Errno::EINVAL) => "the network stack has fewer routing tables: see net.fibs",
        ("SIOCAIFGROUP", Errno::EINVAL) => "a group name has 1 to 15 bytes and does not end in a digit",
        ("SIOCSIFVNET", Errno::ENXIO) => {
            "the interface is not in this network stack, or there is no such jail"
        }
        ("SIOCSIFVNET", Errno::EEXIST) => {
            "the jail has no network stack of its own, or has an interface of that name"
        }
        ("SIOCSIFRVNET", Errno::ENXIO) => "there is no such jail, or no such interface in it",
        ("SIOCSIFRVNET", Errno::EEXIST) => "the jail has no network stack of its own",
        ("SIOCAIFADDR", Errno::EEXIST) => {
            "another interface, or on FreeBSD 14 a static route, holds the route to that prefix or address"
        }
        ("SIOCAIFADDR" | "SIOCAIFADDR_IN6", Errno::EINVAL) => {
            "on a bridge member addresses need net.link.bridge.member_ifaddrs=1: put them on the bridge"
        }
        ("SIOCAIFADDR_IN6", Errno::EEXIST) => "another interface of this network stack has that address",
        ("SIOCAIFADDR_IN6" | "SIOCGIFNETMASK_IN6", Errno::EPFNOSUPPORT) => "the interface cannot do IPv6",
        ("SIOCDIFADDR" | "SIOCDIFADDR_IN6", Errno::EADDRNOTAVAIL) => {
            "the interface does not have that address"
        }
        ("SIOCSETVLAN", Errno::EEXIST) => "the parent has a vlan with that tag",
        ("SIOCSETVLAN", Errno::ENOENT) => "the parent is not in this network stack",
        ("SIOCSETVLAN" | "SIOCGETVLAN", Errno::EPERM) => {
            "a vlan is configured by root in the network stack it was made in, before it is lent"
        }
        ("BRDGADD", Errno::EBUSY) => "the interface belongs to another bridge, or is a span port",
        ("BRDGADD", Errno::ENOENT) => "the interface is not in the bridge's network stack",
        ("BRDGADD", Errno::EINVAL) => {
            "only Ethernet-like interfaces can join, and with net.link.bridge.member_ifaddrs=0 only without addresses"
        }
        (
            "BRDGSIFPVID" | "BRDGSIFVLANSET" | "BRDGGIFVLANSET" | "BRDGGFLAGS" | "BRDGSFLAGS",
            Errno::EINVAL,
        )
        | ("BRDGGDEFPVID" | "BRDGSDEFPVID" | "BRDGSIFVLANPROTO", Errno::EINVAL)
            if text.is_none() =>
        {
            "VLAN filtering on bridges came with FreeBSD 15; VLAN ids go from 1 to 4094"
        }
        ("RTM_ADD" | "RTM_CHANGE", Errno::ENETUNREACH) => {
            "no interface has an address whose prefix covers the gateway; an IPv6 link-local gateway needs its interface"
        }
        ("RTM_ADD", Errno::EEXIST) => "a route to that destination exists",
        ("RTM_DELETE", Errno::ESRCH) => {
            "there is no such route; a route with several gateways is deleted one gateway at a time"
        }
        ("RTM_DELETE", Errno::EADDRINUSE) => "the route belongs to an interface address: remove the address",
        ("RTM_CHANGE", Errno::ESRCH) => {
            "there is no such route; where it has several gateways, the gateway named must be one of them"
        }
        ("jail_set", Errno::EPERM) => "this needs root, and room in the parent's children.max",
        ("jail_set", Errno::EEXIST) => "a jail of that name or jid exists",
        ("jail_set", Errno::EADDRINUSE) => "another jail uses one of the addresses",
        ("jail_attach", Errno::EINVAL) => "there is no such jail, or it is dying",
        ("jail_remove", Errno::EINVAL) => "there is no such jail",
        ("jail_remove_jd", Errno::ENOENT) => "the jail is gone, or dying",
        ("DEVFSIO_RADD", Errno::EEXIST) => "the ruleset has a rule of that number",
        ("DEVFSIO_SAPPLY" | "DEVFSIO_RADD", Errno::ESRCH) => "there is no such ruleset",
        ("nmount", Errno::EINVAL) if text == Some("Invalid fstype") => {
            "the kernel does not know this file system, and found no module of that name"
        }
        ("nmount", Errno::ENOENT | Errno::ENOTDIR) => {
            "the mount point and what is mounted there have to be directories that exist: make them with mkdir, or mount less"
        }
        ("nmount", Errno::ELOOP | Errno::ENOTCAPABLE) => {
            "the mount point is, or lies behind, a symbolic link: put a directory there"
        }
        ("open /dev/pf", Errno::ENOENT) => {
            "pf is not loaded: run `kldload pf`, and set pf_enable=YES in /etc/rc.conf"
        }
        ("open /dev/pf", Errno::EACCES) => "this needs root",
        ("DIOCXBEGIN", Errno::EINVAL) => {
            "pf may have reached its limit of anchors: raise `set limit anchors` in /etc/pf.conf"
        }
        (call, Errno::ENXIO) if call.starts_with("SIOC") || call.starts_with("BRDG") => {
            "the interface is not in this network stack: it may have been renamed, lent or destroyed"
        }
        (_, Errno::EPERM) => "this needs root, and in a jail a network stack of its own",
        (_, Errno::EBUSY) if call.starts_with("SIOC") => {
            "the network stack is being removed with its jail: try again once the jail is gone"
        }
        (_, Errno::ECAPMODE) => "the process is in capability mode",
        _ => return None,
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_that_names_everything() {
        let error = Error::new(
            "add address",
            format_args!("192.0.2.1/24 to {}", "em0"),
            "SIOCAIFADDR",
            Errno::EEXIST,
        );
        assert_eq!(error.to_string(), "add address 192.0.2.1/24 to em0: SIOCAIFADDR: File exists (EEXIST)");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.hint().unwrap().contains("holds the route"));
    }

    #[test]
    fn the_kernels_words_come_last() {
        let failure = Failure::with_text(Errno::EINVAL, "Unsupported interface type");
        let error = Error::new("add member", "lo0 to bridge0", "BRDGADD", failure);
        assert_eq!(
            error.to_string(),
            "add member lo0 to bridge0: BRDGADD: Invalid argument (EINVAL): Unsupported interface type"
        );
        assert_eq!(error.kernel_text(), Some("Unsupported interface type"));
    }

    #[test]
    fn an_operation_without_an_object_has_no_gap() {
        let error = Error::new("list jails", "", "jail_get", Errno::EFAULT);
        assert_eq!(error.to_string(), "list jails: jail_get: Bad address (EFAULT)");
        assert_eq!(error.hint(), None);
    }

    #[test]
    fn advice_falls_back_from_the_call_to_the_number() {
        let missing = Error::new("bring up", "em9", "SIOCGIFFLAGS", Errno::ENXIO);
        assert!(missing.hint().unwrap().contains("not in this network stack"));
        let denied = Error::new("bring up", "em0", "SIOCSIFFLAGS", Errno::EPERM);
        assert!(denied.hint().unwrap().contains("root"));
        let nobody = Error::new("remove jail", 7, "jail_remove", Errno::EINVAL);
        assert_eq!(nobody.kind(), ErrorKind::NotFound);
        assert_eq!(Error::malformed("list interfaces", "", "sysctl", "short").kind(), ErrorKind::Malformed);
    }
}

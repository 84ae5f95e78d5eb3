//! Error numbers, in FreeBSD's numbering on every system.

use std::fmt;

/// A FreeBSD error number: [`errno(2)`](https://man.freebsd.org/errno(2)),
/// [`intro(2)`](https://man.freebsd.org/intro(2)).
///
/// The simulated kernel runs where other numbers are in use, so the numbers are FreeBSD's own here,
/// wherever the library runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        #[allow(missing_docs, reason = "the names are those of errno(2)")]
        impl Errno {
            $(pub const $name: Errno = Errno($number);)*

            /// Returns the C name, such as `EEXIST`.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// Returns the error number of a C name.
            pub fn from_name(name: &str) -> Option<Errno> {
                match name {
                    $(stringify!($name) => Some(Errno($number)),)*
                    _ => None,
                }
            }

            const fn text(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    EPERM = 1, "Operation not permitted";
    ENOENT = 2, "No such file or directory";
    ESRCH = 3, "No such process";
    EINTR = 4, "Interrupted system call";
    EIO = 5, "Input/output error";
    ENXIO = 6, "Device not configured";
    E2BIG = 7, "Argument list too long";
    ENOEXEC = 8, "Exec format error";
    EBADF = 9, "Bad file descriptor";
    ECHILD = 10, "No child processes";
    EDEADLK = 11, "Resource deadlock avoided";
    ENOMEM = 12, "Cannot allocate memory";
    EACCES = 13, "Permission denied";
    EFAULT = 14, "Bad address";
    EBUSY = 16, "Device busy";
    EEXIST = 17, "File exists";
    ENODEV = 19, "Operation not supported by device";
    ENOTDIR = 20, "Not a directory";
    EISDIR = 21, "Is a directory";
    EINVAL = 22, "Invalid argument";
    ENFILE = 23, "Too many open files in system";
    EMFILE = 24, "Too many open files";
    EFBIG = 27, "File too large";
    ENOSPC = 28, "No space left on device";
    EROFS = 30, "Read-only file system";
    EPIPE = 32, "Broken pipe";
    ERANGE = 34, "Result too large";
    EAGAIN = 35, "Resource temporarily unavailable";
    EDESTADDRREQ = 39, "Destination address required";
    EMSGSIZE = 40, "Message too long";
    ENOPROTOOPT = 42, "Protocol not available";
    EPROTONOSUPPORT = 43, "Protocol not supported";
    EOPNOTSUPP = 45, "Operation not supported";
    EPFNOSUPPORT = 46, "Protocol family not supported";
    EAFNOSUPPORT = 47, "Address family not supported by protocol family";
    EADDRINUSE = 48, "Address already in use";
    EADDRNOTAVAIL = 49, "Can't assign requested address";
    ENETDOWN = 50, "Network is down";
    ENETUNREACH = 51, "Network is unreachable";
    ECONNRESET = 54, "Connection reset by peer";
    ENOBUFS = 55, "No buffer space available";
    ENOTCONN = 57, "Socket is not connected";
    ETIMEDOUT = 60, "Operation timed out";
    ELOOP = 62, "Too many levels of symbolic links";
    ENAMETOOLONG = 63, "File name too long";
    EHOSTUNREACH = 65, "No route to host";
    ENOTEMPTY = 66, "Directory not empty";
    EDQUOT = 69, "Disc quota exceeded";
    ERPCMISMATCH = 73, "RPC version wrong";
    ENOSYS = 78, "Function not implemented";
    ENOMSG = 83, "No message of desired type";
    EOVERFLOW = 84, "Value too large to be stored in data type";
    EDOOFUS = 88, "Programming error";
    ENOTCAPABLE = 93, "Capabilities insufficient";
    ECAPMODE = 94, "Not permitted in capability mode";
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.text(), self.name()) {
            (Some(text), Some(name)) => write!(f, "{text} ({name})"),
            _ => write!(f, "error {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

impl std::error::Error for Errno {}

/// Converts the error to the numbering of the system that this program runs on, which differs for some
/// errors.
impl From<Errno> for std::io::Error {
    fn from(errno: Errno) -> std::io::Error {
        std::io::Error::from_raw_os_error(errno.native())
    }
}

impl Errno {
    /// The error of a descriptor that this system could not make: EMFILE, ENFILE, ENOMEM and others that have
    /// the same number on all systems.
    pub(crate) fn of_descriptor(error: &std::io::Error) -> Errno {
        error.raw_os_error().filter(|number| (1..=34).contains(number)).map_or(Errno::EIO, Errno)
    }

    /// The number of an error: of a [`Failure`] inside it, or of the system that this program runs on.
    pub(crate) fn of_io(error: &std::io::Error) -> Option<Errno> {
        let words = error.get_ref().and_then(|inner| inner.downcast_ref::<super::Failure>());
        words.map(|failure| failure.errno).or_else(|| Errno::of_native(error.raw_os_error()?))
    }

    #[cfg(target_os = "freebsd")]
    fn of_native(number: i32) -> Option<Errno> {
        Some(Errno(number))
    }

    #[cfg(not(target_os = "freebsd"))]
    fn of_native(number: i32) -> Option<Errno> {
        const RENUMBERED: [Errno; 9] = [
            Errno::EDEADLK,
            Errno::EAGAIN,
            Errno::EOPNOTSUPP,
            Errno::ETIMEDOUT,
            Errno::ELOOP,
            Errno::ENAMETOOLONG,
            Errno::ENOTEMPTY,
            Errno::EDQUOT,
            Errno::ENOBUFS,
        ];
        let renumbered = RENUMBERED.into_iter().find(|errno| errno.native() == number);
        renumbered.or_else(|| (1..=34).contains(&number).then_some(Errno(number)))
    }

    #[cfg(target_os = "freebsd")]
    fn native(self) -> i32 {
        self.0
    }

    /// The numbers up to 34 are the same on all systems.
    #[cfg(not(target_os = "freebsd"))]
    fn native(self) -> i32 {
        match self {
            Errno::EDEADLK => libc::EDEADLK,
            Errno::EAGAIN => libc::EAGAIN,
            Errno::EOPNOTSUPP => libc::EOPNOTSUPP,
            Errno::ETIMEDOUT => libc::ETIMEDOUT,
            Errno::ELOOP => libc::ELOOP,
            Errno::ENAMETOOLONG => libc::ENAMETOOLONG,
            Errno::ENOTEMPTY => libc::ENOTEMPTY,
            Errno::EDQUOT => libc::EDQUOT,
            Errno::ENOBUFS => libc::ENOBUFS,
            Errno(number @ 1..=34) => number,
            _ => libc::EIO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_freebsds() {
        assert_eq!(Errno::EAGAIN.0, 35);
        assert_eq!(Errno::from_name("EADDRNOTAVAIL"), Some(Errno(49)));
        assert_eq!(Errno(49).to_string(), "Can't assign requested address (EADDRNOTAVAIL)");
        assert_eq!(Errno(999).to_string(), "error 999");
    }
}

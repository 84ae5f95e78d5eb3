//! The error of the library: what failed, on what, which request, why, what to do, and what is owed.

mod advice;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::kernel::{self, Errno, Failure};

/// The result of an operation of the library.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation of the library failed. All modules of the library report this type.
///
/// | | |
/// |---|---|
/// | what failed | [`Error::operation`] |
/// | on what | [`Error::subject`] |
/// | which request | [`Error::request`] |
/// | why | [`Error::kind`], [`Error::errno`], [`Error::kernel_text`], the source |
/// | what to do | [`Error::advice`] |
/// | what is wrong with a description | [`Error::problems`] |
/// | what is left behind | [`Error::owed`] |
///
/// It prints as one line:
///
/// ```text
/// add address 192.0.2.1/24 to em0: SIOCAIFADDR: File exists (EEXIST)
/// ```
///
/// An error of several problems prints one line for each. The advice of a request is not printed with it; the advice
/// about a value is the end of the line.
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    /// The kind. `None` for the kind of the cause.
    kind: Option<ErrorKind>,
    operation: Cow<'static, str>,
    subject: String,
    request: &'static str,
    /// The text of the error, if it is not made of its parts.
    message: Option<String>,
    advice: Option<String>,
    cause: Option<Cause>,
    /// A list that a module of the library adds: problems, or what is owed.
    detail: Option<Arc<dyn Any + Send + Sync>>,
}

#[derive(Clone)]
enum Cause {
    Kernel(Failure),
    System(Arc<io::Error>),
    Error(Error),
}

/// The classes of failure that a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The interface, address, route, jail, member or ruleset does not exist.
    NotFound,
    /// It exists already.
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
    /// It took longer than the caller allowed.
    TimedOut,
    /// The kernel's answer could not be understood.
    Malformed,
    /// What was asked for does not fit this host: [`Error::problems`] lists why. Nothing was changed.
    Problems,
    /// Something is left behind, and is in the journal: [`Error::owed`].
    Owed,
    /// The jail runs already.
    Running,
    /// The jail was started by another program, and is left alone.
    Foreign,
    /// Another user than root could have written a file that root would act on.
    Untrusted,
    /// More than one thing has the name.
    Ambiguous,
    /// A program failed.
    Program,
    /// Anything else.
    Other,
}

/// EBADMSG stands for an answer that cannot be read. No call of this library returns it.
pub(crate) const MALFORMED: Errno = Errno(jailwire_sys::EBADMSG);

impl Error {
    /// The error of a request that the kernel refused.
    ///
    /// `operation` and `subject` read as one sentence, such as `add address` and
    /// `192.0.2.1/24 to em0`; `request` is the C name of the request or system call that failed.
    pub fn new(
        operation: &'static str,
        subject: impl fmt::Display,
        request: &'static str,
        failure: impl Into<Failure>,
    ) -> Error {
        Error(Box::new(Parts {
            operation: operation.into(),
            request,
            cause: Some(Cause::Kernel(failure.into())),
            ..Parts::about(subject)
        }))
    }

    /// An error of a caller's own, of the kind [`ErrorKind::Other`].
    pub fn other(message: impl Into<String>) -> Error {
        Error::said(ErrorKind::Other, "", message)
    }

    /// A value that cannot be used, of the kind [`ErrorKind::Invalid`]: the value, what is wrong with it, and what to
    /// write instead. It prints as `REASON: ADVICE`.
    pub fn invalid(value: impl fmt::Display, reason: impl fmt::Display, advice: impl fmt::Display) -> Error {
        Error::refused(ErrorKind::Invalid, value, reason, advice)
    }

    /// The error of a value that cannot be used, from the text `REASON: ADVICE`, or a reason alone.
    pub(crate) fn of_value(value: impl fmt::Display, text: impl Into<String>) -> Error {
        let (value, text) = (value.to_string(), text.into());
        // Skip the value: it may contain a colon, too.
        let after = text.strip_prefix('`').and_then(|rest| rest.strip_prefix(&value)).unwrap_or(&text);
        let advice = after.rsplit_once(": ").map(|(_, advice)| advice.to_owned()).unwrap_or_default();
        Error::said(ErrorKind::Invalid, value, text).advising(advice)
    }

    /// An error that prints as `REASON: ADVICE`.
    pub(crate) fn refused(
        kind: ErrorKind,
        subject: impl fmt::Display,
        reason: impl fmt::Display,
        advice: impl fmt::Display,
    ) -> Error {
        let (reason, advice) = (reason.to_string(), advice.to_string());
        let message = if advice.is_empty() { reason } else { format!("{reason}: {advice}") };
        Error::said(kind, subject, message).advising(advice)
    }

    /// An error that prints as `message`.
    pub(crate) fn said(kind: ErrorKind, subject: impl fmt::Display, message: impl Into<String>) -> Error {
        Error(Box::new(Parts { kind: Some(kind), message: Some(message.into()), ..Parts::about(subject) }))
    }

    /// The error of an answer that could not be read.
    pub(crate) fn malformed(
        operation: &'static str,
        subject: impl fmt::Display,
        request: &'static str,
        why: impl fmt::Display,
    ) -> Error {
        Error::new(operation, subject, request, Failure::with_text(MALFORMED, why.to_string()))
    }

    /// The error of a failed operation on a file.
    pub(crate) fn of_file(operation: &'static str, path: &Path, source: io::Error) -> Error {
        Error(Box::new(Parts {
            operation: operation.into(),
            cause: Some(Cause::System(Arc::new(source))),
            ..Parts::about(path.display())
        }))
    }

    /// The error of one jail, interface or file among several: it prints as `SUBJECT: CAUSE`.
    #[cfg(feature = "iocage")]
    pub(crate) fn at(subject: impl fmt::Display, cause: Error) -> Error {
        Error(Box::new(Parts { cause: Some(Cause::Error(cause)), ..Parts::about(subject) }))
    }

    /// The error of an operation with several requests, one of which failed. It prints as `message`, and has the
    /// cause's kind.
    pub(crate) fn within(operation: impl Into<Cow<'static, str>>, cause: Error, message: String) -> Error {
        Error(Box::new(Parts {
            operation: operation.into(),
            message: Some(message),
            cause: Some(Cause::Error(cause)),
            ..Parts::about("")
        }))
    }

    /// Adds advice.
    pub(crate) fn advising(mut self, advice: impl Into<String>) -> Error {
        self.0.advice = Some(advice.into()).filter(|advice| !advice.is_empty());
        self
    }

    /// Adds a list of problems, or of what is owed.
    pub(crate) fn detailed(mut self, detail: impl Any + Send + Sync) -> Error {
        self.0.detail = Some(Arc::new(detail));
        self
    }

    /// The list of type `T` that was added to the error, or to its cause.
    pub(crate) fn detail<T: Any>(&self) -> Option<&T> {
        let own = self.0.detail.as_ref().and_then(|detail| detail.downcast_ref());
        own.or_else(|| self.cause()?.detail())
    }

    /// The error that caused this error, if it is an error of the library.
    fn cause(&self) -> Option<&Error> {
        match &self.0.cause {
            Some(Cause::Error(cause)) => Some(cause),
            _ => None,
        }
    }

    /// Returns what was tried, such as `add address`, or the step of a plan. Empty for a value that cannot be used.
    pub fn operation(&self) -> &str {
        match (&*self.0.operation, self.cause()) {
            ("", Some(cause)) => cause.operation(),
            (operation, _) => operation,
        }
    }

    /// Returns the thing that the operation was tried on, such as `192.0.2.1/24 to em0`: an interface, a jail, a file or a value.
    pub fn subject(&self) -> &str {
        match (&*self.0.subject, self.cause()) {
            ("", Some(cause)) => cause.subject(),
            (subject, _) => subject,
        }
    }

    /// Returns the request or system call that failed, by its C name. The name is empty for errors without a call
    /// to the kernel, and for operations on files.
    pub fn request(&self) -> &'static str {
        match (self.0.request, self.cause()) {
            ("", Some(cause)) => cause.request(),
            (request, _) => request,
        }
    }

    /// Returns the error number, if the kernel gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self.0.cause.as_ref()? {
            Cause::Kernel(failure) => Some(failure.errno),
            Cause::System(error) => Errno::of_io(error),
            Cause::Error(cause) => cause.errno(),
        }
    }

    /// Returns the kernel's own text, if there is one.
    pub fn kernel_text(&self) -> Option<&str> {
        match self.0.cause.as_ref()? {
            Cause::Kernel(failure) => failure.text.as_deref(),
            Cause::System(_) => None,
            Cause::Error(cause) => cause.kernel_text(),
        }
    }

    /// Returns the class of the failure.
    pub fn kind(&self) -> ErrorKind {
        match (self.0.kind, self.cause(), self.errno()) {
            (Some(kind), _, _) => kind,
            (None, Some(cause), _) => cause.kind(),
            (None, None, Some(errno)) => ErrorKind::of(self.0.request, errno),
            (None, None, None) => ErrorKind::Other,
        }
    }

    /// Returns what to do next, where that is known.
    pub fn advice(&self) -> Option<&str> {
        if let Some(advice) = &self.0.advice {
            return Some(advice);
        }
        match &self.0.cause {
            Some(Cause::Kernel(failure)) => {
                advice::of(self.0.request, failure.errno, failure.text.as_deref())
            }
            Some(Cause::Error(cause)) => cause.advice(),
            _ => None,
        }
    }
}

impl Parts {
    fn about(subject: impl fmt::Display) -> Parts {
        Parts {
            kind: None,
            operation: Cow::Borrowed(""),
            subject: subject.to_string(),
            request: "",
            message: None,
            advice: None,
            cause: None,
            detail: None,
        }
    }
}

impl ErrorKind {
    /// The kind of an error number.
    fn of(request: &str, errno: Errno) -> ErrorKind {
        // These two calls return EINVAL if there is no such jail.
        if errno == Errno::EINVAL && matches!(request, "jail_attach" | "jail_remove") {
            return ErrorKind::NotFound;
        }
        match errno {
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { operation, subject, request, message, cause, .. } = &*self.0;
        if let Some(message) = message {
            return f.write_str(message);
        }
        let cannot = !operation.is_empty() && matches!(cause, Some(Cause::System(_)));
        f.write_str(if cannot { "cannot " } else { "" })?;
        f.write_str(operation)?;
        f.write_str(if operation.is_empty() || subject.is_empty() { "" } else { " " })?;
        f.write_str(subject)?;
        if !request.is_empty() {
            write!(f, ": {request}")?;
        }
        if let Some(cause) = cause {
            f.write_str(if operation.is_empty() && subject.is_empty() { "" } else { ": " })?;
            match cause {
                Cause::Kernel(failure) => failure.fmt(f)?,
                Cause::System(error) => error.fmt(f)?,
                Cause::Error(error) => error.fmt(f)?,
            }
        }
        Ok(())
    }
}

/// Prints the error's text, and its kind.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Error").field(&self.kind()).field(&self.to_string()).finish()
    }
}

/// Two errors are equal when they print the same and are of the same kind, operation, subject and request.
impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        let parts = |error: &Error| (error.kind(), error.request(), error.errno(), error.to_string());
        parts(self) == parts(other)
            && (self.operation(), self.subject()) == (other.operation(), other.subject())
    }
}

impl Eq for Error {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.0.cause.as_ref()? {
            Cause::Kernel(failure) => Some(failure),
            Cause::System(error) => Some(&**error),
            Cause::Error(error) => Some(error),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error(Box::new(Parts { cause: Some(Cause::System(Arc::new(error))), ..Parts::about("") }))
    }
}

/// Reading what may go away meanwhile.
pub trait OptionalExtension<T> {
    /// Returns `None` if there is no such thing ([`ErrorKind::NotFound`]): after a list was read, another process
    /// may have removed a thing on the list.
    ///
    /// # Errors
    ///
    /// Any other error, unchanged.
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

/// Converts a kernel's [`Failure`](crate::kernel::Failure) to the error of an operation.
pub(crate) trait During<T> {
    /// Names the operation, its object and the call. The object is printed only on failure.
    fn during(self, operation: &'static str, object: impl fmt::Display, call: &'static str) -> Result<T>;
}

impl<T> During<T> for kernel::Result<T> {
    fn during(self, operation: &'static str, object: impl fmt::Display, call: &'static str) -> Result<T> {
        self.map_err(|failure| Error::new(operation, object, call, failure))
    }
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
        assert!(error.advice().unwrap().contains("holds the route"));
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
        assert_eq!(error.advice(), None);
    }

    #[test]
    fn advice_falls_back_from_the_call_to_the_number() {
        let missing = Error::new("bring up", "em9", "SIOCGIFFLAGS", Errno::ENXIO);
        assert!(missing.advice().unwrap().contains("not in this network stack"));
        let denied = Error::new("bring up", "em0", "SIOCSIFFLAGS", Errno::EPERM);
        assert!(denied.advice().unwrap().contains("root"));
        let nobody = Error::new("remove jail", 7, "jail_remove", Errno::EINVAL);
        assert_eq!(nobody.kind(), ErrorKind::NotFound);
        assert_eq!(Error::malformed("list interfaces", "", "sysctl", "short").kind(), ErrorKind::Malformed);
    }

    #[test]
    fn a_value_that_cannot_be_read_is_an_error_of_the_library() {
        fn mtu(text: &str) -> Result<crate::Mtu> {
            text.parse()
        }
        let error = mtu("7").unwrap_err();
        assert_eq!((error.kind(), error.errno()), (ErrorKind::Invalid, None));
        assert!(error.advice().is_some_and(|advice| advice.starts_with("give a number of bytes")), "{error}");
    }

    #[test]
    fn an_error_with_a_cause_has_what_the_cause_has() {
        let cause = Error::new("bring up", "em9", "SIOCGIFFLAGS", Errno::ENXIO);
        let error = Error::at("web", cause.clone());
        assert_eq!(error.to_string(), format!("web: {cause}"));
        assert_eq!(
            (error.subject(), error.operation(), error.request()),
            ("web", "bring up", "SIOCGIFFLAGS")
        );
        assert_eq!((error.kind(), error.errno()), (ErrorKind::NotFound, Some(Errno::ENXIO)));
        assert_eq!(error.advice(), cause.advice());
        let file = Error::of_file("rename", Path::new("/a"), Errno::ENOTEMPTY.into());
        assert!(file.to_string().starts_with("cannot rename /a: "), "{file}");
        assert_eq!((file.errno(), file.kind()), (Some(Errno::ENOTEMPTY), ErrorKind::Busy));
    }
}

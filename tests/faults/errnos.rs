//! The errors that each kind of call can return, by the kernel's source: the errors of checks that come before any
//! change, the errors of drivers, and the errors for a lack of memory or descriptors.
//!
//! Two kinds are left out. An error that a request gives only to arguments that are wrong in themselves (EFAULT,
//! ENOTTY) cannot come. And an error that means "there is none" is no failure: `jail_get` with ENOENT, SIOCGIFINDEX
//! with ENXIO, the end of a list of rulesets. If a caller removes something and the error says that it is not
//! there, it has really gone meanwhile: [`Fault::Forestalled`].

use jailwire::kernel::Errno;
use jailwire::sim::{Call, Fault};
use jailwire_sys as sys;

/// The name of a call, and all the ways in which it can fail.
pub fn faults(call: &Call) -> (String, Vec<Fault>) {
    let (name, errnos) = of(call);
    let mut faults: Vec<_> = errnos.iter().map(|errno| Fault::Errno(*errno)).collect();
    faults.extend(too_late(call, &name).iter().map(|errno| Fault::Forestalled(*errno)));
    (name, faults)
}

/// The errors of a removal when the thing is not there.
fn too_late(call: &Call, name: &str) -> &'static [Errno] {
    match (call, name) {
        (Call::JailRemove(_), _) => &[Errno::EINVAL],
        (Call::Unmount { .. }, _) => &[Errno::EINVAL, Errno::ENOENT],
        (_, "SIOCIFDESTROY") => &[Errno::ENXIO],
        (_, "SIOCDIFADDR") => &[Errno::ENXIO, Errno::EADDRNOTAVAIL],
        (_, "SIOCDIFADDR_IN6") => &[Errno::ENXIO, Errno::EADDRNOTAVAIL],
        (_, "DEVFSIO_RDEL") => &[Errno::ENOENT],
        _ => &[],
    }
}

/// The name of a call, and its errors.
pub fn of(call: &Call) -> (String, &'static [Errno]) {
    let (name, errnos): (&str, &'static [Errno]) = match call {
        // kern/uipc_socket.c:socreate, kern/kern_descrip.c:falloc
        Call::Socket(_) => {
            ("socket", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM, Errno::EPROTONOSUPPORT])
        }
        Call::Open { .. } => (
            "open",
            &[
                Errno::EMFILE,
                Errno::ENFILE,
                Errno::ENOENT,
                Errno::EACCES,
                Errno::ENXIO,
                Errno::EINTR,
                Errno::EIO,
            ],
        ),
        // kern/kern_descrip.c:closefp
        Call::Close(_) => ("close", &[Errno::EINTR, Errno::ENOSPC, Errno::ECONNRESET]),
        // Neither call fails.
        Call::Sleep(_) | Call::Death { .. } => ("sleep", &[]),
        Call::SetOption { .. } => ("setsockopt", &[Errno::EINVAL, Errno::ENOBUFS, Errno::ENOPROTOOPT]),
        Call::Ioctl { request, .. } => return of_request(request.number()),
        // net/route/route_ctl.c, net/rtsock.c
        Call::Send { .. } => (
            "write to a routing socket",
            &[
                Errno::EPERM,
                Errno::EEXIST,
                Errno::ESRCH,
                Errno::ENETUNREACH,
                Errno::EINVAL,
                Errno::EADDRINUSE,
                Errno::EAFNOSUPPORT,
                Errno::ENOBUFS,
                Errno::ENOMEM,
                Errno::EINTR,
            ],
        ),
        Call::SendTo { .. } => ("sendto", &[Errno::ENETUNREACH, Errno::EHOSTUNREACH, Errno::ENOBUFS]),
        Call::Receive { .. } => ("recv", &[Errno::EAGAIN, Errno::ENOBUFS, Errno::EINTR]),
        Call::Wait { .. } => ("poll", &[Errno::EINTR, Errno::ENOMEM]),
        Call::Sysctl(sysctl) if sysctl.new.is_some() => {
            ("sysctl, to write", &[Errno::EPERM, Errno::ENOENT, Errno::EINVAL, Errno::ENOMEM])
        }
        Call::Sysctl(_) => {
            ("sysctl", &[Errno::ENOENT, Errno::ENOMEM, Errno::EPERM, Errno::EINVAL, Errno::EAFNOSUPPORT])
        }
        // kern/kern_jail.c
        Call::JailSet { .. } => ("jail_set", JAIL_SET),
        Call::JailGet { .. } => ("jail_get", &[Errno::EINVAL]),
        Call::JailRemove(_) => ("jail_remove", &[Errno::EPERM]),
        Call::Enter { .. } => ("jail_set with JAIL_ATTACH, in a child", ENTER),
        Call::Run(_) => (
            "execve, in a child",
            &[
                Errno::EAGAIN,
                Errno::ENOMEM,
                Errno::EMFILE,
                Errno::ENOENT,
                Errno::EACCES,
                Errno::ENOEXEC,
                Errno::E2BIG,
                Errno::EINVAL,
                Errno::EPERM,
            ],
        ),
        Call::LoadModule(_) => {
            ("kldload", &[Errno::EPERM, Errno::ENOENT, Errno::ENOEXEC, Errno::ENOMEM, Errno::EIO])
        }
        // kern/vfs_mount.c, and openat(2) with O_RESOLVE_BENEATH before it
        Call::Mount { .. } => (
            "nmount",
            &[
                Errno::EPERM,
                Errno::ENOENT,
                Errno::ENOTDIR,
                Errno::ELOOP,
                Errno::ENOTCAPABLE,
                Errno::EBUSY,
                Errno::EINVAL,
                Errno::EDEADLK,
                Errno::EOPNOTSUPP,
                Errno::ENAMETOOLONG,
                Errno::EMFILE,
                Errno::EAGAIN,
                Errno::ENOMEM,
                Errno::EIO,
            ],
        ),
        Call::Unmount { .. } => ("unmount", &[Errno::EPERM, Errno::EBUSY, Errno::EIO]),
        Call::Mounts => ("getfsstat", &[Errno::EIO, Errno::ENOMEM]),
        Call::Checkpoint { operation, .. } => return of_file(operation),
        // kern/kern_jaildesc.c
        _ => (
            "a jail descriptor",
            &[Errno::EBADF, Errno::EINVAL, Errno::ENOENT, Errno::EPERM, Errno::EMFILE, Errno::ENOMEM],
        ),
    };
    (name.to_owned(), errnos)
}

const JAIL_SET: &[Errno] = &[
    Errno::EPERM,
    Errno::EINVAL,
    Errno::ENOENT,
    Errno::EEXIST,
    Errno::EAGAIN,
    Errno::EADDRINUSE,
    Errno::ENAMETOOLONG,
    Errno::ENOTDIR,
    Errno::EACCES,
    Errno::ENOMEM,
];

/// The errors of `jail_set`, of `fork`, of sockets, and of a child that does not answer.
const ENTER: &[Errno] = &[
    Errno::EPERM,
    Errno::EINVAL,
    Errno::ENOENT,
    Errno::EEXIST,
    Errno::EAGAIN,
    Errno::EADDRINUSE,
    Errno::ENAMETOOLONG,
    Errno::ENOTDIR,
    Errno::EACCES,
    Errno::ENOMEM,
    Errno::EDEADLK,
    Errno::EMFILE,
    Errno::ENOBUFS,
    Errno::ETIMEDOUT,
    Errno::EIO,
];

macro_rules! requests {
    ($number:expr; $($request:ident: $($errno:ident)*;)*) => {
        $(if $number == sys::$request {
            return (stringify!($request).to_owned(), &[$(Errno::$errno),*]);
        })*
    };
}

/// Every request on a socket also gives EBUSY in a network stack that is being torn down
/// (`net/if.c:ifioctl`).
fn of_request(number: u64) -> (String, &'static [Errno]) {
    requests! { number;
        SIOCIFCREATE2: EPERM EINVAL EEXIST ENOSPC ENOMEM EBUSY;
        SIOCIFDESTROY: EPERM EINVAL EBUSY;
        SIOCSIFNAME: EPERM ENXIO EEXIST EINVAL ENAMETOOLONG EBUSY;
        SIOCSIFLLADDR: EPERM ENXIO EINVAL ENODEV EBUSY;
        SIOCSIFMTU: EPERM ENXIO EINVAL EOPNOTSUPP EBUSY;
        SIOCSIFDESCR: EPERM ENXIO ENAMETOOLONG EBUSY;
        SIOCSIFFLAGS: EPERM ENXIO EBUSY;
        SIOCSIFFIB: EPERM ENXIO EINVAL EBUSY;
        SIOCSIFVNET: EPERM ENXIO EEXIST EBUSY;
        SIOCSIFRVNET: EPERM ENXIO EEXIST ENODEV EBUSY;
        SIOCAIFADDR: EPERM ENXIO EINVAL EEXIST EADDRNOTAVAIL ENOBUFS ENOMEM EBUSY;
        SIOCDIFADDR: EPERM EBUSY;
        SIOCAIFADDR_IN6: EPERM ENXIO EINVAL EEXIST EADDRNOTAVAIL EAFNOSUPPORT EPFNOSUPPORT EPROTONOSUPPORT ENOBUFS ENOMEM EBUSY;
        SIOCDIFADDR_IN6: EPERM EINVAL EAFNOSUPPORT EBUSY;
        SIOCSIFINFO_FLAGS: EPERM ENXIO EINVAL EBUSY;
        SIOCSIFINFO_IN6: EPERM ENXIO EINVAL EBUSY;
        SIOCGIFINFO_IN6: ENXIO EPFNOSUPPORT EBUSY;
        SIOCGIFDESCR: ENXIO ENOMSG EBUSY;
        SIOCGIFINDEX: EBUSY;
        SIOCGIFFLAGS: ENXIO EBUSY;
        SIOCGIFMTU: ENXIO EBUSY;
        SIOCGIFALIAS: ENXIO EINVAL EBUSY;
        SIOCGIFAFLAG_IN6: ENXIO EINVAL EBUSY;
        SIOCSDRVSPEC: EPERM ENXIO EINVAL ENOENT EEXIST ENOMEM EBUSY;
        SIOCGDRVSPEC: EPERM ENXIO EINVAL ENOENT ENOMEM EBUSY;
        DEVFSIO_RADD: EPERM EINVAL EEXIST ENOMEM EIO;
        DEVFSIO_RDEL: EPERM EINVAL;
        DEVFSIO_RGETNEXT: EPERM;
        DEVFSIO_SGETNEXT: EPERM;
        DEVFSIO_SUSE: EPERM EINVAL ENOENT;
    }
    (format!("request {number:#x}"), &[Errno::EPERM, Errno::ENXIO, Errno::EINVAL, Errno::EBUSY])
}

/// The errors of a file system, by operation.
fn of_file(operation: &str) -> (String, &'static [Errno]) {
    let errnos: &'static [Errno] = match operation {
        "create a file beside" | "create directory" | "create symbolic link" | "append to" => &[
            Errno::ENOSPC,
            Errno::EDQUOT,
            Errno::EROFS,
            Errno::EACCES,
            Errno::EPERM,
            Errno::ENOENT,
            Errno::ENOTDIR,
            Errno::EEXIST,
            Errno::ELOOP,
            Errno::EMFILE,
            Errno::ENFILE,
            Errno::EIO,
        ],
        "write the new" => &[Errno::ENOSPC, Errno::EDQUOT, Errno::EFBIG, Errno::EIO],
        "sync the new" | "sync the directory of" => &[Errno::EIO, Errno::ENOSPC, Errno::EDQUOT],
        "chmod the new" => &[Errno::EPERM, Errno::EROFS, Errno::EIO],
        "replace" | "rename" => &[
            Errno::ENOSPC,
            Errno::EDQUOT,
            Errno::EROFS,
            Errno::EACCES,
            Errno::EPERM,
            Errno::ENOENT,
            Errno::EISDIR,
            Errno::EIO,
        ],
        "remove directory" => &[Errno::ENOTEMPTY, Errno::EACCES, Errno::EBUSY, Errno::EROFS, Errno::EIO],
        // The operation removes the file.
        _ => &[Errno::EACCES, Errno::EPERM, Errno::EROFS, Errno::EBUSY, Errno::EIO],
    };
    (format!("file: {operation}"), errnos)
}

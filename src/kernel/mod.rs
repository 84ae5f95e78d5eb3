//! The kernel interface: everything the library asks of an operating system kernel, in one trait of four topics.
//!
//! Data flows one way. The typed operations ([`crate::interface`], [`crate::route`],
//! [`crate::jail`] …) lay requests out in bytes and hand them to a [`Kernel`]. There are two kernels:
//!
//! * [`freebsd`](crate::kernel) makes the system calls. It is the only code in the library that does.
//! * [`crate::sim`] decodes the same bytes and keeps a simulated host, so that the rest of the library runs, and is
//!   tested, on every system.
//!
//! The contract tests run unchanged on both kernels.
//!
//! # What passes through
//!
//! Handles are opaque numbers that the kernel gives out and takes back. Requests have contents and never an
//! address: a [`Block`] names the offset of the pointer to each child. Only the FreeBSD back end fills the
//! pointer in, and only for one system call. The clock is a part of the kernel too: a wait on the simulated
//! kernel takes no real time.

mod calls;
mod clock;
mod entry;
mod errno;
mod failure;
#[cfg(any(target_os = "freebsd", feature = "sim"))]
pub(crate) mod firewall;
#[cfg(any(target_os = "freebsd", test))]
mod held_value;
// On a system other than FreeBSD, without the simulated kernel, a part of this module is not used.
#[cfg_attr(not(any(target_os = "freebsd", feature = "sim")), allow(dead_code))]
pub(crate) mod jail;
#[cfg(any(target_os = "freebsd", test))]
#[allow(unsafe_code)]
mod leaving;
mod mounts;
pub(crate) mod nvlist;
#[cfg(any(target_os = "freebsd", test))]
#[allow(unsafe_code)]
mod passing;
mod processes;
mod program;
mod proxy;
#[cfg_attr(not(any(target_os = "freebsd", feature = "sim")), allow(dead_code))]
mod request;
mod simulation;
#[cfg(feature = "tracing")]
mod traced;
#[cfg(any(target_os = "freebsd", test))]
mod users;

#[cfg(target_os = "freebsd")]
#[allow(unsafe_code)]
pub mod freebsd;

pub use calls::Calls;
pub use clock::Clock;
pub use entry::{Entered, Entry, Sockets, Target};
pub use errno::Errno;
pub use failure::Failure;
pub use jail::{JailNote, Parameter, Value, Watched};
pub use mounts::{FsId, MountRequest, Mounted};
pub use processes::Processes;
pub use program::{Exit, Finished, Output, Program};
pub use proxy::{Proxy, Seen, Watch};
pub use request::{Block, Request};
pub use simulation::Simulation;
#[cfg(feature = "tracing")]
pub use traced::traced;

// The earlier path of the simulated kernel's module.
#[cfg(feature = "sim")]
#[doc(hidden)]
pub use crate::sim;

use std::fmt;
use std::sync::Arc;

/// Returns the kernel of this machine: FreeBSD's where that runs, and a new [`Sim`](crate::sim::Sim) in memory
/// elsewhere.
///
/// # Errors
///
/// ENOSYS: it is older than FreeBSD 14; or it is another system, and the feature `sim` is off.
///
/// ```
/// let kernel = jailwire::kernel::here()?;
/// assert_eq!(kernel.simulated(), !cfg!(target_os = "freebsd"));
/// # Ok::<(), jailwire::kernel::Failure>(())
/// ```
pub fn here() -> Result<Arc<dyn Kernel>> {
    #[cfg(target_os = "freebsd")]
    return Ok(Arc::new(freebsd::FreeBsd::new()?));
    #[cfg(all(not(target_os = "freebsd"), feature = "sim"))]
    return Ok(Arc::new(sim::Sim::new()));
    #[cfg(all(not(target_os = "freebsd"), not(feature = "sim")))]
    return Err(Failure::with_text(Errno::ENOSYS, "this is not FreeBSD, and the feature `sim` is off"));
}

/// The result of a call to a kernel.
pub type Result<T> = std::result::Result<T, Failure>;

/// A socket or other open object inside a kernel. Opaque, and never reused by one kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u64);

/// The protocol families the library opens sockets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Domain {
    /// A datagram socket of AF_INET: interface requests, IPv4 addresses.
    Inet,
    /// A datagram socket of AF_INET6: IPv6 addresses and neighbour discovery flags.
    Inet6,
    /// A datagram socket of AF_LOCAL: interface requests that belong to no protocol.
    Local,
    /// A raw routing socket ([`route(4)`](https://man.freebsd.org/route(4))) that sees the messages of one address
    /// family, in FreeBSD's numbering; 0 sees all.
    Route(u8),
    /// A raw socket of AF_INET, for [`Calls::firewall`].
    Raw,
}

/// The socket options the library sets. The values are `int`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketOption {
    /// SO_SETFIB: the routing table that the socket's requests act on.
    Fib,
    /// SO_RCVBUF: bytes kept for messages that have not been read yet.
    ReceiveBuffer,
    /// SO_USELOOPBACK: whether a routing socket hears its own requests.
    UseLoopback,
    /// SO_RERROR: whether lost messages are reported, once, as ENOBUFS by a later receive.
    ReportLoss,
}

/// A [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) object, by name or by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Oid {
    /// A dotted name, such as `net.fibs`.
    Name(String),
    /// Numbers, such as {CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLISTL, 0}.
    Numbers(Vec<i32>),
}

impl From<&str> for Oid {
    fn from(name: &str) -> Oid {
        Oid::Name(name.to_owned())
    }
}

/// One [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) call: read, or with `new` also write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sysctl {
    /// The object.
    pub oid: Oid,
    /// Bytes to store in it.
    pub new: Option<Vec<u8>>,
}

impl Sysctl {
    /// Reads an object.
    pub fn read(oid: impl Into<Oid>) -> Sysctl {
        Sysctl { oid: oid.into(), new: None }
    }

    /// Stores these bytes in an object, and returns the value before.
    pub fn write(oid: impl Into<Oid>, new: Vec<u8>) -> Sysctl {
        Sysctl { oid: oid.into(), new: Some(new) }
    }

    /// Stores an `int` in an object, and returns the value before.
    pub fn write_int(oid: impl Into<Oid>, value: i32) -> Sysctl {
        Sysctl { oid: oid.into(), new: Some(value.to_ne_bytes().to_vec()) }
    }
}

/// A FreeBSD kernel, real or simulated.
///
/// Its methods are those of the four topics: [`Calls`], [`Processes`], [`Clock`] and [`Simulation`]. A `dyn Kernel`
/// has all of them without a further `use`.
///
/// Every method is one visit to the kernel, and either does everything that its documentation says, or fails
/// with the errno that FreeBSD would return. Methods take `&self`: a kernel is shared between threads.
///
/// Only the library implements the trait: [`Sim`](crate::sim::Sim), the FreeBSD kernel, and [`Proxy`], which
/// passes calls on to another kernel. So a later version may add a method.
pub trait Kernel: Calls + Processes + Clock + Simulation + fmt::Debug + Send + Sync {}

impl<K: Calls + Processes + Clock + Simulation + fmt::Debug + Send + Sync> Kernel for K {}

/// A trait that keeps other crates from implementing the kernel interface.
#[doc(hidden)]
pub mod seal {
    /// For this repository's own tests, and no part of the public interface.
    pub trait Sealed {}
}

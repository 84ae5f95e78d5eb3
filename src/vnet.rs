//! A handle on one network stack (vnet): sockets that act on it, wherever they are used from.
//!
//! A socket belongs for life to the network stack in which it was opened. The kernel checks the privileges of the
//! process that uses the socket (`kern/uipc_socket.c:socreate`, `net/if.c:ifioctl`). So a child process enters
//! a jail once, opens three sockets there, passes them to the host, and ends. From then on the host works on
//! the jail's network stack as on its own.
//!
//! Interfaces and routes are listed by [`sysctl(3)`](https://man.freebsd.org/sysctl(3)), which reads the caller's
//! stack. For that another child enters the jail: see [`Vnet::sysctls`].

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::abi::Call;
use crate::error::{During, Error, Result};
use crate::kernel::{self, Domain, Entered, Entry, Errno, Handle, Kernel, Oid, Sysctl, Target};
use crate::route::socket::RouteSocket;
use crate::snapshot::Snapshot;
use crate::types::{Fib, Jid};

/// The time in which a child has to finish inside a jail. It attaches, opens three sockets and ends. On a machine
/// that creates hundreds of jails at once, attaching waits for the others.
pub const ENTRY_DEADLINE: Duration = Duration::from_secs(60);

/// One network stack, of the host or of a jail.
///
/// Every operation on interfaces, addresses, bridges and routes is a method here. Dropping the handle closes its
/// sockets.
/// **An open socket of a jail keeps the removed jail from going**: drop the handle before you wait for the jail's end.
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use jailwire::Vnet;
///
/// let host = Vnet::host(kernel);
/// let pair = host.create_epair()?;
/// host.up(&pair.a)?;
/// # Ok::<(), jailwire::Error>(())
/// ```
pub struct Vnet {
    kernel: Arc<dyn Kernel>,
    jid: Option<Jid>,
    inet: OnceLock<Handle>,
    inet6: OnceLock<Handle>,
    route: Mutex<Option<RouteSocket>>,
}

impl Vnet {
    /// Returns the network stack of the calling process. Its sockets are opened when they are needed.
    pub fn host(kernel: Arc<dyn Kernel>) -> Vnet {
        Vnet { kernel, jid: None, inet: OnceLock::new(), inet6: OnceLock::new(), route: Mutex::new(None) }
    }

    /// Returns the network stack of a jail, through sockets that a child process opens inside.
    ///
    /// A jail without a network stack of its own (`vnet=inherit`) uses the host's, and the handle acts on the
    /// host's.
    ///
    /// # Errors
    ///
    /// * EPERM: not root.
    /// * EINVAL: there is no such jail, or it is dying.
    /// * ETIMEDOUT: the child took longer than [`ENTRY_DEADLINE`].
    ///
    /// # Source
    ///
    /// [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2)), `kern/kern_jail.c:do_jail_attach`.
    #[doc(alias = "jail_attach")]
    pub fn enter(kernel: Arc<dyn Kernel>, jid: Jid) -> Result<Vnet> {
        Ok(Vnet::enter_and_read(kernel, jid, Vec::new())?.0)
    }

    /// As [`Vnet::enter`], with a snapshot that the same child takes.
    pub(crate) fn enter_and_look(kernel: Arc<dyn Kernel>, jid: Jid) -> Result<(Vnet, Snapshot)> {
        let (inside, answers) = Vnet::enter_and_read(kernel, jid, Snapshot::sysctls(Fib::DEFAULT))?;
        Ok((inside, Snapshot::read(answers)?))
    }

    /// As [`Vnet::enter`], with the results of sysctls that the same child reads.
    fn enter_and_read(
        kernel: Arc<dyn Kernel>,
        jid: Jid,
        sysctls: Vec<Sysctl>,
    ) -> Result<(Vnet, Vec<kernel::Result<Vec<u8>>>)> {
        let entry = Entry {
            target: Target::Existing(jid.get()),
            sockets: true,
            sysctls,
            hold: false,
            deadline: ENTRY_DEADLINE,
        };
        let entered = kernel.enter(&entry).during("enter jail", jid, "jail_attach")?;
        let inside = Vnet::from_entered(kernel, &entered)?;
        Ok((inside, entered.answers))
    }

    /// Returns the network stack whose sockets an entry has passed out. The sockets belong to the handle from now on.
    ///
    /// # Errors
    ///
    /// The entry was made without sockets, or its jid is no jid.
    pub fn from_entered(kernel: Arc<dyn Kernel>, entered: &Entered) -> Result<Vnet> {
        let sockets = entered.sockets.ok_or_else(|| {
            Error::malformed("enter jail", entered.jid, "jail_attach", "no sockets were passed out")
        })?;
        let jid = Jid::new(entered.jid).map_err(|error| {
            for socket in [sockets.inet, sockets.inet6, sockets.route] {
                kernel.close(socket);
            }
            Error::malformed("enter jail", entered.jid, "jail_attach", error)
        })?;
        // The child has set its routing table to 0 before it opened the sockets.
        let route = RouteSocket::adopt(Arc::clone(&kernel), sockets.route, Fib::DEFAULT);
        Ok(Vnet {
            kernel,
            jid: Some(jid),
            inet: OnceLock::from(sockets.inet),
            inet6: OnceLock::from(sockets.inet6),
            route: Mutex::new(Some(route)),
        })
    }

    /// Returns the kernel that the stack belongs to.
    pub fn kernel(&self) -> &Arc<dyn Kernel> {
        &self.kernel
    }

    /// Returns the jail whose stack this is. Returns `None` for the stack of the calling process.
    pub fn jid(&self) -> Option<Jid> {
        self.jid
    }

    /// Makes sysctl calls in this stack: directly, or for a jail in one child process for all of them.
    ///
    /// The outer error is from entering the jail. Each call has its own result.
    ///
    /// # Errors
    ///
    /// As [`Vnet::enter`].
    ///
    /// # Source
    ///
    /// [`sysctl(3)`](https://man.freebsd.org/sysctl(3)), `kern/kern_sysctl.c:sysctl_root`: it reads the stack of the
    /// calling thread.
    #[doc(alias = "sysctl")]
    pub fn sysctls(&self, sysctls: Vec<Sysctl>) -> Result<Vec<kernel::Result<Vec<u8>>>> {
        let Some(jid) = self.jid else {
            return Ok(sysctls.iter().map(|sysctl| self.kernel.sysctl(sysctl)).collect());
        };
        let asked = sysctls.len();
        let entry = Entry {
            target: Target::Existing(jid.get()),
            sockets: false,
            sysctls,
            hold: false,
            deadline: ENTRY_DEADLINE,
        };
        let entered = self.kernel.enter(&entry).during("enter jail", jid, "jail_attach")?;
        if entered.answers.len() != asked {
            return Err(Error::malformed("enter jail", jid, "jail_attach", "not every sysctl was answered"));
        }
        Ok(entered.answers)
    }

    /// Reads one sysctl object in this stack.
    ///
    /// # Errors
    ///
    /// * ENOENT: no such object.
    /// * ENOMEM: the value kept growing.
    /// * as [`Vnet::enter`].
    pub fn sysctl(&self, oid: impl Into<Oid>) -> Result<Vec<u8>> {
        let sysctl = Sysctl::read(oid);
        let shown = Shown(sysctl.oid.clone());
        let mut answers = self.sysctls(vec![sysctl])?;
        answers.pop().unwrap_or_else(|| Err(Errno::ENOENT.into())).during("read", shown, "sysctl")
    }

    /// Reads an `int` in this stack, such as `net.fibs`.
    ///
    /// # Errors
    ///
    /// As [`Vnet::sysctl`].
    pub fn sysctl_int(&self, name: &str) -> Result<i32> {
        let bytes = self.sysctl(name)?;
        crate::abi::int(&bytes).ok_or_else(|| Error::malformed("read", name, "sysctl", "shorter than an int"))
    }

    /// Stores an `int` in this stack, such as `net.inet6.ip6.dad_count`.
    ///
    /// # Errors
    ///
    /// * EPERM: not root, or the object cannot be changed.
    /// * EINVAL: the value is out of its range.
    /// * as [`Vnet::sysctl`].
    pub fn set_sysctl_int(&self, name: &str, value: i32) -> Result<()> {
        let mut answers = self.sysctls(vec![Sysctl::write_int(name, value)])?;
        let answer = answers.pop().unwrap_or_else(|| Err(Errno::ENOENT.into()));
        answer.map(drop).during("set", format_args!("{name}={value}"), "sysctl")
    }

    /// Makes a request on the AF_INET socket, which is for everything except IPv6.
    pub(crate) fn perform(
        &self,
        call: &mut Call,
        operation: &'static str,
        object: impl fmt::Display,
    ) -> Result<()> {
        self.attempt(call).during(operation, object, call.name)
    }

    /// As [`Vnet::perform`], for a caller that looks at the failure first.
    pub(crate) fn attempt(&self, call: &mut Call) -> kernel::Result<()> {
        let socket = self.socket(&self.inet, Domain::Inet)?;
        self.kernel.ioctl(socket, &mut call.request)
    }

    /// Makes a request on the AF_INET6 socket.
    pub(crate) fn perform6(
        &self,
        call: &mut Call,
        operation: &'static str,
        object: impl fmt::Display,
    ) -> Result<()> {
        self.attempt6(call).during(operation, object, call.name)
    }

    /// As [`Vnet::perform6`], for a caller that looks at the failure first.
    pub(crate) fn attempt6(&self, call: &mut Call) -> kernel::Result<()> {
        let socket = self.socket(&self.inet6, Domain::Inet6)?;
        self.kernel.ioctl(socket, &mut call.request)
    }

    /// Sends a datagram from this stack.
    pub(crate) fn send_datagram(&self, to: SocketAddr, bytes: &[u8]) -> kernel::Result<()> {
        let socket = match to {
            SocketAddr::V4(_) => self.socket(&self.inet, Domain::Inet)?,
            SocketAddr::V6(_) => self.socket(&self.inet6, Domain::Inet6)?,
        };
        self.kernel.send_to(socket, to, bytes)
    }

    /// The routing socket, for one request at a time.
    pub(crate) fn route_socket(&self) -> kernel::Result<RouteGuard<'_>> {
        let mut guard = self.route.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            *guard = Some(RouteSocket::open(Arc::clone(&self.kernel))?);
        }
        Ok(RouteGuard(guard))
    }

    fn socket(&self, slot: &OnceLock<Handle>, domain: Domain) -> kernel::Result<Handle> {
        if let Some(handle) = slot.get() {
            return Ok(*handle);
        }
        let opened = self.kernel.socket(domain)?;
        if let Err(late) = slot.set(opened) {
            // Another thread has opened a socket at the same time: close this one.
            self.kernel.close(late);
        }
        Ok(slot.get().copied().unwrap_or(opened))
    }
}

impl Drop for Vnet {
    fn drop(&mut self) {
        for slot in [&self.inet, &self.inet6] {
            if let Some(handle) = slot.get() {
                self.kernel.close(*handle);
            }
        }
    }
}

impl fmt::Debug for Vnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.jid {
            Some(jid) => write!(f, "Vnet(jail {jid})"),
            None => f.write_str("Vnet(host)"),
        }
    }
}

/// The routing socket of a stack, while one caller uses it.
pub(crate) struct RouteGuard<'a>(MutexGuard<'a, Option<RouteSocket>>);

impl RouteGuard<'_> {
    pub fn socket(&mut self) -> &mut RouteSocket {
        self.0.as_mut().expect("route_socket opens it before it hands out a guard")
    }
}

/// A sysctl object as a person names it.
struct Shown(Oid);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Oid::Name(name) => f.write_str(name),
            Oid::Numbers(numbers) => {
                for (place, number) in numbers.iter().enumerate() {
                    write!(f, "{}{number}", if place == 0 { "" } else { "." })?;
                }
                Ok(())
            }
        }
    }
}

//! System calls that the caller makes itself.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use super::{
    Domain, Errno, FsId, Handle, JailNote, MountRequest, Mounted, Parameter, Request, Result, SocketOption,
    Sysctl, Watched, seal,
};

/// System calls: sockets and requests, sysctls, jails, modules and mounts.
pub trait Calls: seal::Sealed {
    /// Opens a socket in the caller's network stack: [`socket(2)`](https://man.freebsd.org/socket(2)).
    ///
    /// # Errors
    ///
    /// EPROTONOSUPPORT or EAFNOSUPPORT: the kernel was built without the family, or the caller's jail has no
    /// address of the family. EPERM: [`Domain::Route`] in a jail that shares the host's network stack;
    /// [`Domain::Raw`] for callers other than root. EMFILE, ENFILE, ENOBUFS: no room for another socket.
    fn socket(&self, domain: Domain) -> Result<Handle>;

    /// Opens a directory or device for requests on it: [`open(2)`](https://man.freebsd.org/open(2)), read-only, close-on-exec.
    ///
    /// # Errors
    ///
    /// ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG: the path, as in the man page. EMFILE, ENFILE: no room for
    /// another.
    fn open(&self, path: &Path) -> Result<Handle>;

    /// Opens a device to read and write: [`open(2)`](https://man.freebsd.org/open(2)) with O_RDWR,
    /// close-on-exec. A handle from [`Calls::open`] is read-only: pf refuses each change through it.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::open`].
    fn open_device(&self, path: &Path) -> Result<Handle>;

    /// Closes a handle. To close a handle twice is a defect of the caller, and is ignored.
    fn close(&self, handle: Handle);

    /// Sets a socket option: [`setsockopt(2)`](https://man.freebsd.org/setsockopt(2)).
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EINVAL: a routing table that the kernel does not have (`net.fibs`). ENOBUFS: a buffer
    /// larger than `kern.ipc.maxsockbuf`. ENOPROTOOPT: the socket has no such option.
    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()>;

    /// Makes a request: [`ioctl(2)`](https://man.freebsd.org/ioctl(2)). On success the request holds what the kernel wrote into it.
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EINVAL, EFAULT: the request cannot be made safely, see [`Request`]. ENOTTY: no
    /// such request on this object. ENXIO: no such interface; the typed operation that makes the request
    /// names the other errors, errno by errno. EPERM: the caller, or its jail, may not make the request.
    /// ENOSYS: the simulated kernel does not know the request.
    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()>;

    /// Hands a message to [`ipfw(4)`](https://man.freebsd.org/ipfw(4)) by a socket of [`Domain::Raw`], and
    /// takes the answer, of the same length: [`getsockopt(2)`](https://man.freebsd.org/getsockopt(2)) with
    /// IP_FW3. The kernel may write into the message also when the call fails. With ENOMEM it writes how much
    /// room the answer takes.
    ///
    /// # Errors
    ///
    /// ENOPROTOOPT: ipfw is not loaded. EINVAL: no such request in this release, or in a module that is not
    /// loaded; a message of the wrong form. EPERM: the caller may not make the request. EBADF: no such
    /// handle. [`crate::packet_filter::ipfw`] names the other errors.
    fn firewall(&self, handle: Handle, message: &mut Vec<u8>) -> Result<()>;

    /// Writes one message to a routing socket: [`write(2)`](https://man.freebsd.org/write(2)).
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. The errors of the request in the message come from `net/rtsock.c`: see the
    /// operations in [`crate::route`]. ENOBUFS: no room.
    fn send(&self, handle: Handle, message: &[u8]) -> Result<()>;

    /// Sends a datagram from a socket of AF_INET or AF_INET6:
    /// [`sendto(2)`](https://man.freebsd.org/sendto(2)). The simulated kernel finds out which host would get
    /// the datagram.
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EHOSTUNREACH, ENETUNREACH: no route there.
    /// EADDRNOTAVAIL: the socket's network stack has no address to send from. ENETDOWN: the interface is down. EACCES: a
    /// broadcast address. EAFNOSUPPORT: an address of the other family.
    fn send_to(&self, handle: Handle, to: SocketAddr, bytes: &[u8]) -> Result<()>;

    /// Takes one message from a routing socket, cut to `buffer`: [`recv(2)`](https://man.freebsd.org/recv(2))
    /// with MSG_DONTWAIT.
    ///
    /// # Errors
    ///
    /// EAGAIN: no message is there. ENOBUFS: messages were lost since ([`SocketOption::ReportLoss`]), reported once. EBADF: no
    /// such handle.
    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize>;

    /// Waits until a message can be taken: [`poll(2)`](https://man.freebsd.org/poll(2)). Returns false when the time is over.
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. A signal does not end the wait: EINTR is not returned.
    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool>;

    /// Returns a descriptor for event loops. It is readable while [`Calls::receive`] or [`Calls::jail_note`]
    /// would return something for the handle. The descriptor is only to be waited for, and not to be read.
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EMFILE, ENFILE: no descriptor is left.
    fn pollable(&self, handle: Handle) -> Result<OwnedFd>;

    /// Reads or writes an object of the caller's own network stack and jail: [`sysctl(3)`](https://man.freebsd.org/sysctl(3)).
    ///
    /// # Errors
    ///
    /// ENOENT: no such object. EPERM: the caller, or its jail, may not write the object. EINVAL: the value's
    /// length or content is wrong. ENOMEM: the value grew faster than it could be read. ENOTDIR, EISDIR: the
    /// numbers lead into a node, or end at a node.
    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>>;

    /// Creates or updates a jail: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)). Returns its jid. The implementation adds `errmsg`.
    ///
    /// # Errors
    ///
    /// EEXIST: JAIL_CREATE, and a jail with that jid or name exists. ENOENT: JAIL_UPDATE, and no such jail exists;
    /// or a parameter is unknown. EINVAL: a parameter's length or value is wrong, or flags contradict each other.
    /// EPERM: the caller may not set a parameter. EAGAIN: `children.max` is reached, or no jid is left.
    /// ENAMETOOLONG: a string parameter is too long. EADDRINUSE: another jail has an address to itself. EDEADLK:
    /// the jail cannot be entered. Paths fail as in [`chroot(2)`](https://man.freebsd.org/chroot(2)). The text of
    /// the error, if there is one, is the kernel's `errmsg`.
    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32>;

    /// Reads a jail's parameters: [`jail_get(2)`](https://man.freebsd.org/jail_get(2)). Returns its jid. The implementation adds `errmsg`.
    ///
    /// # Errors
    ///
    /// ENOENT: no such jail, or no jail after `lastjid`, or a parameter is unknown. EINVAL: a buffer is
    /// shorter than the value, or has another length than the type.
    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32>;

    /// Removes a jail, killing its processes: [`jail_remove(2)`](https://man.freebsd.org/jail_remove(2)).
    ///
    /// # Errors
    ///
    /// EINVAL: no such jail, or the jail is dying already. EPERM: the caller is not root, or may not remove
    /// jails.
    fn jail_remove(&self, jid: i32) -> Result<()>;

    /// As [`Calls::jail_set`] with jail descriptors. `flags` say whether the call uses an existing descriptor
    /// (JAIL_USE_DESC, JAIL_AT_DESC), and whether it makes a new descriptor (JAIL_GET_DESC, JAIL_OWN_DESC),
    /// which is close-on-exec. The implementation adds `desc`.
    ///
    /// Closing a descriptor that JAIL_OWN_DESC made removes the jail. FreeBSD 14 has neither the flags nor
    /// the parameter, and returns EINVAL.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::jail_set`], and EBADF: not a descriptor. EINVAL: not a jail descriptor, or a release
    /// without jail descriptors, or `desc` among the parameters. ENOENT: the descriptor's jail is gone.
    /// EACCES: the descriptor gives no right to this. EMFILE, ENFILE: no room for another descriptor.
    fn jail_set_jd(
        &self,
        parameters: &[Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)>;

    /// As [`Calls::jail_get`] with a jail descriptor: see [`Calls::jail_set_jd`].
    ///
    /// # Errors
    ///
    /// Those of [`Calls::jail_get`], and those that [`Calls::jail_set_jd`] adds.
    fn jail_get_jd(
        &self,
        parameters: &mut [Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)>;

    /// Removes the jail behind a descriptor, killing its processes:
    /// [`jail_remove_jd(2)`](https://man.freebsd.org/jail_remove_jd(2)), since FreeBSD 15.
    ///
    /// # Errors
    ///
    /// ENOSYS: the kernel has no such call, as before FreeBSD 15. EBADF: not a descriptor. EINVAL: not a jail
    /// descriptor. ENOENT: the descriptor's jail is gone. EPERM: the descriptor was not made by root, or the
    /// caller may not remove jails.
    fn jail_remove_jd(&self, descriptor: Handle) -> Result<()>;

    /// Opens a queue for events of jails: [`kqueue(2)`](https://man.freebsd.org/kqueue(2)). [`Calls::wait`]
    /// waits for an event.
    ///
    /// # Errors
    ///
    /// EMFILE, ENFILE, ENOMEM: no room for another queue.
    fn jail_notes(&self) -> Result<Handle>;

    /// Has a queue report the events of a jail: [`kevent(2)`](https://man.freebsd.org/kevent(2)) with EV_ADD.
    /// `notes` are NOTE_JAIL_*.
    ///
    /// # Errors
    ///
    /// EINVAL: a release before FreeBSD 15, which reports no events of jails. ENOENT: no such jail. EBADF: no
    /// such queue, or no such descriptor.
    fn jail_watch(&self, queue: Handle, jail: Watched, notes: u32) -> Result<()>;

    /// Takes an event of one jail from a queue: [`kevent(2)`](https://man.freebsd.org/kevent(2)) without
    /// waiting. Returns `None` when there is nothing to report.
    ///
    /// # Errors
    ///
    /// EBADF: no such queue.
    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>>;

    /// Loads a kernel module, unless the kernel has it already:
    /// [`modfind(2)`](https://man.freebsd.org/modfind(2)),
    /// [`kldload(2)`](https://man.freebsd.org/kldload(2)).
    ///
    /// # Errors
    ///
    /// ENOENT: the module is neither in the kernel nor on the disk. EPERM: the caller is not root, is in a
    /// jail, or the securelevel is above 0. ENOEXEC: the module was built for another kernel.
    fn load_module(&self, name: &str) -> Result<()>;

    /// Mounts a file system: [`nmount(2)`](https://man.freebsd.org/nmount(2)), from inside the directory that
    /// it is mounted on.
    ///
    /// # Errors
    ///
    /// EINVAL: the kernel has no such file system, or an option's value is wrong. EPERM: the caller may not
    /// mount it. EBUSY: the file system can be mounted there only once. EDEADLK: nullfs of a directory on
    /// itself. ENOENT, ENOTDIR, EACCES: one of the two paths. ENOTCAPABLE or ELOOP: `beneath` leads out of
    /// `root`. The text of the error, if there is one, is the kernel's `errmsg`.
    fn mount(&self, request: &MountRequest) -> Result<()>;

    /// Unmounts a file system: [`unmount(2)`](https://man.freebsd.org/unmount(2)) with MNT_BYFSID, and MNT_FORCE if asked.
    ///
    /// # Errors
    ///
    /// ENOENT: no file system of that identity. EBUSY: something in it is open, and `force` is not set.
    /// EPERM: the caller may not unmount it. EINVAL: it is the root file system.
    fn unmount(&self, id: FsId, force: bool) -> Result<()>;

    /// Lists the mounted file systems, oldest first: [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)).
    ///
    /// # Errors
    ///
    /// EIO: a file system returned no information.
    fn mounts(&self) -> Result<Vec<Mounted>>;

    /// Returns the file system that a path is in, with symbolic links in the path followed:
    /// [`statfs(2)`](https://man.freebsd.org/statfs(2)).
    ///
    /// # Errors
    ///
    /// ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG: the path. EIO: the file system returned no information.
    fn mounted_at(&self, path: &Path) -> Result<Mounted> {
        let above = |mounted: &Mounted| path.starts_with(&mounted.on);
        let depth = |mounted: &Mounted| mounted.on.components().count();
        // If two file systems are mounted on one path, the later mount is seen. `max_by_key` returns the last
        // of the greatest.
        self.mounts()?.into_iter().filter(above).max_by_key(depth).ok_or_else(|| Errno::ENOENT.into())
    }
}

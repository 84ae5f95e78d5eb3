//! Passing descriptors between processes: SCM_RIGHTS over a stream socket,
//! [`unix(4)`](https://man.freebsd.org/unix(4)).
//!
//! The sender runs in a child between `fork` and `_exit`, so it neither allocates nor locks. The receiver has
//! a deadline, because the child may have been stopped or replaced.

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Instant;

use libc::{c_int, c_uint};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use thiserror::Error;

/// The most descriptors that one message carries.
pub const MOST: usize = 8;

/// Why a message is not the expected message.
#[derive(Debug, Error)]
pub enum Broken {
    /// The deadline passed.
    #[error("no answer in time")]
    TimedOut,
    /// The other end is closed, and nothing is left to read.
    #[error("the other end was closed before its answer was whole")]
    Closed,
    /// The kernel dropped descriptors that had no room.
    #[error("more descriptors than there is room for")]
    Truncated,
    /// The message had another number of descriptors than expected.
    #[error("{got} descriptors instead of {expected}")]
    Count {
        /// The expected number.
        expected: usize,
        /// The number in the message.
        got: usize,
    },
    /// A socket had another protocol family than expected.
    #[error("a socket of protocol family {got} instead of {expected}")]
    Domain {
        /// The family it should have.
        expected: c_int,
        /// The family it has.
        got: c_int,
    },
    /// A system call failed.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Room for the control message, aligned as `cmsghdr` is.
#[repr(C)]
union Control {
    header: libc::cmsghdr,
    room: [u8; CONTROL],
}

// SAFETY: CMSG_SPACE only computes.
const CONTROL: usize = unsafe { libc::CMSG_SPACE((MOST * size_of::<RawFd>()) as c_uint) } as usize;

/// Sends all of `bytes`. The descriptors go with the first byte.
///
/// Safe to call between `fork` and `_exit`. Fails with EINVAL for more than [`MOST`] descriptors. `bytes`
/// needs at least one byte, because descriptors cannot be sent alone.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[RawFd]) -> io::Result<()> {
    if descriptors.len() > MOST || (bytes.is_empty() && !descriptors.is_empty()) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut sent = 0;
    while sent < bytes.len() {
        let with = if sent == 0 { descriptors } else { &[] };
        sent += send_once(socket, &bytes[sent..], with)?;
    }
    Ok(())
}

fn send_once(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[RawFd]) -> io::Result<usize> {
    let mut control = Control { room: [0; CONTROL] };
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: msghdr is plain data, and all zeroes is an empty message.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if !descriptors.is_empty() {
        let length = mem::size_of_val(descriptors) as c_uint;
        message.msg_control = (&raw mut control).cast();
        // SAFETY: the CMSG functions compute; the header and the array behind it lie in `control`, which is
        // aligned for the header and has room for MOST descriptors, as the caller checked.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(length) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(length) as _;
            libc::CMSG_DATA(header)
                .cast::<RawFd>()
                .copy_from_nonoverlapping(descriptors.as_ptr(), descriptors.len());
        }
    }
    loop {
        // SAFETY: `message` leads to `bytes` and `control`, which outlive the call; sendmsg(2) only reads.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
        match usize::try_from(sent) {
            Ok(sent) => return Ok(sent),
            Err(_) => retry_if_interrupted()?,
        }
    }
}

/// Fills `bytes`. Returns the descriptors that came along, close-on-exec.
pub fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8], deadline: Instant) -> Result<Vec<OwnedFd>, Broken> {
    let mut descriptors = Vec::new();
    let mut filled = 0;
    while filled < bytes.len() {
        // The deadline also ends a sender that never stops sending.
        if Instant::now() >= deadline || !readable(socket, deadline)? {
            return Err(Broken::TimedOut);
        }
        match receive_once(socket, &mut bytes[filled..], &mut |descriptor| descriptors.push(descriptor))? {
            0 => return Err(Broken::Closed),
            more => filled += more,
        }
    }
    Ok(descriptors)
}

/// Fills `bytes`, and writes the descriptors that were received, close-on-exec, into `room`, in order. Returns the number of
/// descriptors. Waits without a limit.
///
/// Safe to call between `fork` and `_exit`. The caller owns the descriptors.
///
/// # Errors
///
/// EIO: the other end is closed, or more descriptors were received than `room` has places.
pub fn receive_into(socket: BorrowedFd<'_>, bytes: &mut [u8], room: &mut [RawFd]) -> io::Result<usize> {
    let (mut filled, mut count) = (0, 0);
    let failed = || io::Error::from_raw_os_error(libc::EIO);
    while filled < bytes.len() {
        let mut keep = |descriptor: OwnedFd| {
            if let Some(place) = room.get_mut(count) {
                *place = descriptor.into_raw_fd();
            }
            count += 1;
        };
        match receive_once(socket, &mut bytes[filled..], &mut keep) {
            Ok(0) | Err(_) => return Err(failed()),
            Ok(more) => filled += more,
        }
    }
    if count > room.len() { Err(failed()) } else { Ok(count) }
}

fn receive_once(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    keep: &mut dyn FnMut(OwnedFd),
) -> Result<usize, Broken> {
    let mut control = Control { room: [0; CONTROL] };
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: msghdr is plain data, and all zeroes is an empty message.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = CONTROL as _;
    let received = loop {
        // SAFETY: recvmsg(2) writes into `bytes`, `control` and `message`, within the lengths given.
        let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        match usize::try_from(received) {
            Ok(received) => break received,
            Err(_) => retry_if_interrupted()?,
        }
    };
    // Own the descriptors first, so that an error closes them. SAFETY: the kernel wrote the control messages,
    // whose chain and lengths the CMSG functions follow within msg_controllen. Descriptors in SCM_RIGHTS are
    // new in this process, and nothing else owns them.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let length = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let first = libc::CMSG_DATA(header).cast::<RawFd>();
                for index in 0..length / size_of::<RawFd>() {
                    keep(OwnedFd::from_raw_fd(first.add(index).read_unaligned()));
                }
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    if message.msg_flags & libc::MSG_CTRUNC != 0 {
        return Err(Broken::Truncated);
    }
    Ok(received)
}

/// Takes the received descriptors for sockets of these families, in order.
pub fn sockets<const N: usize>(received: Vec<OwnedFd>, domains: [c_int; N]) -> Result<[OwnedFd; N], Broken> {
    let sockets: [OwnedFd; N] = received
        .try_into()
        .map_err(|received: Vec<OwnedFd>| Broken::Count { expected: N, got: received.len() })?;
    for (socket, expected) in sockets.iter().zip(domains) {
        let got = domain(socket.as_fd())?;
        if got != expected {
            return Err(Broken::Domain { expected, got });
        }
    }
    Ok(sockets)
}

/// The protocol family of a socket: SO_DOMAIN. ENOTSOCK for anything else.
fn domain(socket: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut domain = MaybeUninit::<c_int>::uninit();
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: getsockopt(2) writes at most `length` bytes; SO_DOMAIN is an int, whole on success.
    unsafe {
        let rc = libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_DOMAIN,
            domain.as_mut_ptr().cast(),
            &raw mut length,
        );
        if rc == 0 { Ok(domain.assume_init()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Waits until `descriptor` can be read, or is at its end. Returns false at the deadline.
pub fn readable(descriptor: BorrowedFd<'_>, deadline: Instant) -> io::Result<bool> {
    let mut polled = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll_until(&mut polled, Some(deadline))
}

/// [`poll(2)`](https://man.freebsd.org/poll(2)) until an event or the deadline, through interruptions.
pub fn poll_until(polled: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let timeout = match deadline {
            None => PollTimeout::NONE,
            Some(deadline) => {
                // Add one millisecond, so that the wait does not end before the deadline.
                let left = deadline.saturating_duration_since(Instant::now());
                let left = if left.is_zero() { 0 } else { left.as_millis() + 1 };
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        match poll(polled, timeout) {
            Ok(0) if deadline.is_some_and(|deadline| deadline <= Instant::now()) => return Ok(false),
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn retry_if_interrupted() -> io::Result<()> {
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::EINTR) { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use nix::sys::wait::waitpid;
    use nix::unistd::Pid;

    use super::*;

    const DOMAINS: [c_int; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX];

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn three_sockets() -> [OwnedFd; 3] {
        [
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            UdpSocket::bind("[::1]:0").unwrap().into(),
            UnixDatagram::unbound().unwrap().into(),
        ]
    }

    fn raw(descriptors: &[OwnedFd]) -> Vec<RawFd> {
        descriptors.iter().map(AsRawFd::as_raw_fd).collect()
    }

    /// Runs `work` in a child, with one end of a socket pair. Returns the other end.
    fn child(work: impl Fn(BorrowedFd<'_>)) -> (OwnedFd, Pid) {
        let (ours, theirs) = pair();
        // SAFETY: the child makes system calls only, and leaves by _exit(2).
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: close(2) of a number that this process's copy of `ours` owns; it is never dropped.
            unsafe { libc::close(ours.as_raw_fd()) };
            work(theirs.as_fd());
            // SAFETY: _exit(2) runs no destructor.
            unsafe { libc::_exit(0) };
        }
        assert!(pid > 0);
        (ours, Pid::from_raw(pid))
    }

    #[test]
    fn a_child_passes_three_sockets() {
        let sockets = three_sockets();
        let numbers = raw(&sockets);
        let (ours, pid) = child(|theirs| {
            let _ = send(theirs, b"here", &numbers);
        });
        drop(sockets);
        let mut bytes = [0; 4];
        let received = receive(ours.as_fd(), &mut bytes, soon()).unwrap();
        waitpid(pid, None).unwrap();
        assert_eq!(&bytes, b"here");
        let [inet, inet6, local] = super::sockets(received, DOMAINS).unwrap();
        assert_eq!(domain(inet.as_fd()).unwrap(), libc::AF_INET);
        assert_eq!(domain(inet6.as_fd()).unwrap(), libc::AF_INET6);
        assert_eq!(domain(local.as_fd()).unwrap(), libc::AF_UNIX);
        for socket in [inet, inet6, local] {
            let flags = nix::fcntl::fcntl(&socket, nix::fcntl::FcntlArg::F_GETFD).unwrap();
            assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
        }
    }

    #[test]
    fn a_child_takes_descriptors_into_the_room_that_it_has() {
        let sockets = three_sockets();
        let numbers = raw(&sockets);
        let (ours, theirs) = pair();
        let (mut bytes, mut room) = ([0; 4], [-1; 4]);
        send(ours.as_fd(), b"herethere", &numbers).unwrap();
        assert_eq!(receive_into(theirs.as_fd(), &mut bytes, &mut room).unwrap(), 3);
        assert_eq!(&bytes, b"here");
        // SAFETY: these are new descriptors of this process, and nothing else owns them.
        let taken = [0, 1, 2].map(|at| unsafe { OwnedFd::from_raw_fd(room[at]) });
        assert_eq!(taken.each_ref().map(|socket| domain(socket.as_fd()).unwrap()), DOMAINS);
        assert_eq!(room[3], -1);
        let mut rest = [0; 5];
        assert_eq!(receive_into(theirs.as_fd(), &mut rest, &mut []).unwrap(), 0);
        assert_eq!(&rest, b"there");
        // One more than there is room for, and an end.
        send(ours.as_fd(), b"here", &numbers).unwrap();
        assert!(receive_into(theirs.as_fd(), &mut bytes, &mut room[..2]).is_err());
        drop(ours);
        assert!(receive_into(theirs.as_fd(), &mut bytes, &mut room).is_err());
    }

    #[test]
    fn many_bytes_follow_the_descriptors() {
        let sockets = three_sockets();
        let numbers = raw(&sockets);
        let much = vec![7u8; 3 << 20];
        let (ours, pid) = child(|theirs| {
            let _ = send(theirs, &much, &numbers[..1]);
        });
        let mut bytes = vec![0; much.len()];
        let received = receive(ours.as_fd(), &mut bytes, soon()).unwrap();
        waitpid(pid, None).unwrap();
        assert_eq!(received.len(), 1);
        assert!(bytes == much);
    }

    #[test]
    fn a_missing_socket_is_noticed() {
        let (ours, theirs) = pair();
        send(theirs.as_fd(), b"x", &raw(&three_sockets()[..2])).unwrap();
        let received = receive(ours.as_fd(), &mut [0], soon()).unwrap();
        let error = super::sockets(received, DOMAINS).unwrap_err();
        assert!(matches!(error, Broken::Count { expected: 3, got: 2 }), "{error}");
    }

    #[test]
    fn sockets_in_another_order_are_noticed() {
        let (ours, theirs) = pair();
        let [inet, inet6, local] = three_sockets();
        send(theirs.as_fd(), b"x", &raw(&[inet6, inet, local])).unwrap();
        let received = receive(ours.as_fd(), &mut [0], soon()).unwrap();
        let error = super::sockets(received, DOMAINS).unwrap_err();
        assert!(matches!(error, Broken::Domain { expected: libc::AF_INET, .. }), "{error}");
    }

    #[test]
    fn something_else_than_a_socket_is_noticed() {
        let (ours, theirs) = pair();
        let (pipe, _other) = nix::unistd::pipe().unwrap();
        send(theirs.as_fd(), b"x", &[pipe.as_raw_fd()]).unwrap();
        let received = receive(ours.as_fd(), &mut [0], soon()).unwrap();
        let error = super::sockets(received, [libc::AF_INET]).unwrap_err();
        assert!(matches!(error, Broken::System(_)), "{error}");
    }

    #[test]
    fn a_child_that_dies_is_noticed() {
        let (ours, pid) = child(|theirs| {
            let _ = send(theirs, b"he", &[]);
            // SAFETY: kill(2) of ourselves.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        });
        let error = receive(ours.as_fd(), &mut [0; 4], soon()).unwrap_err();
        waitpid(pid, None).unwrap();
        assert!(matches!(error, Broken::Closed), "{error}");
    }

    #[test]
    fn a_child_that_hangs_is_left_at_the_deadline() {
        let (ours, pid) = child(|_| {
            // SAFETY: pause(2) waits for a signal.
            unsafe { libc::pause() };
        });
        let deadline = Instant::now() + Duration::from_millis(50);
        let error = receive(ours.as_fd(), &mut [0; 4], deadline).unwrap_err();
        assert!(Instant::now() >= deadline);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        waitpid(pid, None).unwrap();
        assert!(matches!(error, Broken::TimedOut), "{error}");
    }

    #[test]
    fn a_child_that_talks_on_is_left_at_the_deadline() {
        let (ours, pid) = child(|theirs| while send(theirs, &[0; 64], &[]).is_ok() {});
        let deadline = Instant::now() + Duration::from_millis(50);
        let error = receive(ours.as_fd(), &mut vec![0; 1 << 30], deadline).unwrap_err();
        drop(ours);
        waitpid(pid, None).unwrap();
        assert!(matches!(error, Broken::TimedOut), "{error}");
    }

    #[test]
    fn nothing_is_sent_that_cannot_arrive() {
        let (_ours, theirs) = pair();
        let numbers = [0; MOST + 1];
        assert_eq!(send(theirs.as_fd(), b"x", &numbers).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(send(theirs.as_fd(), b"", &[0]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_closed_end_raises_no_signal() {
        let (ours, theirs) = pair();
        drop(ours);
        assert_eq!(send(theirs.as_fd(), b"x", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

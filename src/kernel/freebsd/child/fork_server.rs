//! The fork server, and ready children: children that wait for their work.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use libc::{c_char, c_int};

use super::{end, enter, keep_only, mount, run};
use crate::kernel::freebsd::errand::fork_server::{
    AHEAD, HEAD, Kind, MOST_BUFFERS, MOST_BYTES, MOST_DESCRIPTORS,
};
use crate::kernel::freebsd::options::{self, Listed};
use crate::kernel::freebsd::report::read_whole;
use crate::kernel::leaving::leave_with;
use crate::kernel::passing;

const NO_BUFFER: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

/// Runs the server. It ends when the other end of its socket is closed. Returns its exit status.
pub fn serve(socket: BorrowedFd<'_>) -> c_int {
    occupy_standard(socket);
    // Leave the current directory, which would keep its file system busy. SAFETY: chdir(2) reads a string
    // that ends.
    unsafe { libc::chdir(c"/".as_ptr()) };
    let mut wanted = AHEAD;
    loop {
        for _ in 0..wanted {
            if make_ready(socket).is_err() {
                return 1;
            }
        }
        let mut taken = [0; AHEAD];
        wanted = match nix::unistd::read(socket, &mut taken) {
            Ok(0) => return 0,
            Ok(taken) => taken,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(_) => return 1,
        };
    }
}

/// Forks one child, and sends its descriptors to the caller's process.
fn make_ready(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut pair: [RawFd; 2] = [-1; 2];
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: socketpair(2) writes two descriptors when it succeeds, and nothing else owns them.
    let [ours, theirs] = unsafe {
        if libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        pair.map(|descriptor| OwnedFd::from_raw_fd(descriptor))
    };
    let mut descriptor: c_int = -1;
    // SAFETY: pdfork(2) writes `descriptor`. All signals are blocked since the server was forked. The child
    // leaves by _exit(2) and drops nothing.
    let descriptor = unsafe {
        match libc::pdfork(&raw mut descriptor, libc::PD_CLOEXEC) {
            0 => leave_with(|| do_errands(theirs.as_fd())),
            pid if pid < 0 => return Err(io::Error::last_os_error()),
            _ => OwnedFd::from_raw_fd(descriptor),
        }
    };
    passing::send(socket, &[0], &[descriptor.as_raw_fd(), ours.as_raw_fd()])
}

/// The work of a ready child that the calling process has forked itself. Returns its exit status.
pub fn do_errands_of_ours(socket: BorrowedFd<'_>) -> c_int {
    occupy_standard(socket);
    do_errands(socket)
}

/// Closes all descriptors but the socket, and opens /dev/null as standard input, output and error. So a descriptor that the
/// child receives later has none of these three numbers, which belong to the program that the child may become.
fn occupy_standard(socket: BorrowedFd<'_>) {
    keep_only(&[socket.as_raw_fd()]);
    // SAFETY: open(2) reads a string that ends.
    while (0..libc::STDERR_FILENO).contains(&unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) }) {}
}

/// The work of a ready child: it prepares, and then does what each message says. Returns its exit status.
fn do_errands(socket: BorrowedFd<'_>) -> c_int {
    let kept = [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO, socket.as_raw_fd()];
    let prepared = enter::prepare(&kept);
    // Whether the child is in a jail. It cannot leave the jail.
    let mut inside = false;
    let (mut lengths, mut bytes) = ([0; 4 * MOST_BUFFERS], [0; MOST_BYTES]);
    loop {
        let (mut head, mut descriptors) = ([0; HEAD], [-1; MOST_DESCRIPTORS]);
        let Ok(received) = passing::receive_into(socket, &mut head, &mut descriptors) else { return 0 };
        let mut words = head.chunks_exact(4).map(word);
        let [kind, count, first, second, third, fourth] =
            std::array::from_fn(|_| words.next().unwrap_or_default());
        let Some(lengths) = lengths.get_mut(..4 * count as usize) else { return 1 };
        if read_whole(socket, lengths).is_err() {
            return 0;
        }
        let lengths = lengths.chunks_exact(4).map(|length| word(length) as usize);
        let Some(mut rest) = bytes.get_mut(..lengths.clone().sum()) else { return 1 };
        if read_whole(socket, rest).is_err() {
            return 0;
        }
        let mut vectors = [NO_BUFFER; MOST_BUFFERS];
        for (vector, length) in vectors.iter_mut().zip(lengths) {
            let buffer;
            (buffer, rest) = rest.split_at_mut(length);
            *vector = options::vector(buffer);
        }
        let vectors = &mut vectors[..count as usize];
        match (Kind::of(kind), &descriptors[..received]) {
            (Some(Kind::Hold), []) if !inside => {
                if !enter::make_and_tell(socket, prepared, &mut Listed::new(vectors)) {
                    return 1;
                }
                // Close the copies of the sockets: they would keep the network stack after the jail is removed.
                keep_only(&kept);
                inside = true;
            }
            (Some(Kind::Sockets), []) => {
                if !enter::visit_and_tell(socket, prepared, first as c_int, inside) {
                    return 1;
                }
                keep_only(&kept);
                inside = true;
            }
            (Some(Kind::End), []) => {
                let jid = (!inside).then_some(first as c_int);
                if end::end_and_tell(socket, prepared, jid, second).is_err() {
                    return 1;
                }
                inside = true;
            }
            (Some(Kind::Mount), [directory]) if !inside => {
                let mounted =
                    mount::mount_and_tell(socket, prepared, *directory, &mut Listed::new(vectors), first);
                if mounted.is_err() {
                    return 1;
                }
            }
            (Some(Kind::Run), [input, output, error, trouble]) => {
                let Some(strings) = arrange(vectors, third as usize, fourth as usize) else { return 1 };
                let (paths, rest) = strings.split_at(third as usize + 1);
                let (arguments, environment) = rest.split_at(fourth as usize + 1);
                let launch = run::Launch {
                    jail: (!inside).then_some(first as c_int),
                    fib: second,
                    user: None,
                    paths,
                    arguments,
                    environment,
                    standard: [Some(*input), Some(*output), Some(*error)],
                    terminal: None,
                };
                return launch.run(*trouble, prepared);
            }
            _ => return 1,
        }
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Returns the strings of a program as [`execve(2)`](https://man.freebsd.org/execve(2)) takes them: the paths, the arguments
/// and the environment, with a null after each of the three. Returns `None` if a buffer does not end with a NUL.
fn arrange(
    vectors: &[libc::iovec],
    paths: usize,
    arguments: usize,
) -> Option<[*const c_char; MOST_BUFFERS + 3]> {
    if paths + arguments > vectors.len() {
        return None;
    }
    let mut strings = [ptr::null(); MOST_BUFFERS + 3];
    for (number, vector) in vectors.iter().enumerate() {
        let last = vector.iov_len.checked_sub(1)?;
        let string: *const c_char = vector.iov_base.cast();
        // SAFETY: the iovec leads to `iov_len` bytes, and `last` is less.
        if unsafe { *string.add(last) } != 0 {
            return None;
        }
        let after = usize::from(number >= paths) + usize::from(number >= paths + arguments);
        strings[number + after] = string;
    }
    Some(strings)
}

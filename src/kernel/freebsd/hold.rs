//! A sysctl that is held at a value, and restored however the calling process ends.
//!
//! A child waits on a socket until the calling process's end is closed. If the child is the last holder, it
//! restores the value. The child has a session of its own, so that signals to the calling process group do
//! not reach it. `PD_DAEMON` keeps the child alive when its process descriptor is closed. The child sends a
//! message when it has its session, and the value is set only after that message. So if the process group is
//! killed before, the value has not been changed.
//!
//! The holders are counted by `flock(2)`: each child has a shared lock on the record, which the kernel
//! releases however the child ends. Everything else is done under the lock of another file, the guard.

use std::ffi::CString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

use libc::c_int;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::child::hold::take;
use super::errand::hold::{Errand, FILE_MODE, READY};
use super::object::Object;
use super::process::Child;
use super::{Errno, Failure, Result, invalid};
use crate::kernel::Sysctl;
use crate::kernel::held_value::{HeldValue, LONGEST};
use crate::kernel::passing::{self, Broken};

/// The time that the child may take for its session, and for its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Holds the value. When this is dropped, or the calling process ends, the child restores the value.
#[derive(Debug)]
pub struct Held {
    child: Option<Child>,
    socket: Option<OwnedFd>,
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.socket.take());
        let Some(mut child) = self.child.take() else { return };
        if !matches!(child.wait(Some(Instant::now() + PATIENCE)), Ok(Some(_))) {
            // Dropping the child would kill it, but it has to restore the value.
            std::mem::forget(child);
        }
    }
}

/// Sets a sysctl, and forks a child that restores it. The records are in `directory`.
pub fn hold(directory: &Path, name: &str, value: i32) -> Result<Held> {
    let read = Sysctl::read(name);
    let boot = ask(&Sysctl::read("kern.boot_id"))?;
    let boot: [u8; 16] = boot.try_into().map_err(|_| invalid("kern.boot_id is not 16 bytes"))?;
    let current = int(&ask(&read)?)?;
    let record_path = directory.join(format!("sysctl.{name}"));
    if current == value && !record_path.exists() {
        // No process holds the sysctl, so nothing is to be restored.
        return Ok(Held { child: None, socket: None });
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let guard_path = directory.join(format!("sysctl.{name}.lock"));
    let guard = take(&c_string(&guard_path)?).map_err(|number| Failure::from(Errno(number)))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE.into());
    let mut record = options.custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW).open(&record_path)?;
    // Only a process that has the guard's lock takes this lock exclusively.
    record.lock_shared()?;
    let mut errand = Errand {
        name: Object::new(&read)?,
        record_path: c_string(&record_path)?,
        guard_path: c_string(&guard_path)?,
        boot,
        restore: name_for_writing(name)?,
    };
    let old = match read_record(&mut record)? {
        // The record is of other holders, or of a holder whose child was killed too.
        Some(known) if known.boot == boot && known.set == current => known.old,
        _ => current,
    };
    let line = HeldValue { boot, old, set: value }.to_line();
    record.rewind()?;
    record.set_len(0)?;
    record.write_all(line.as_bytes())?;
    let (theirs, ours) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
        .map_err(super::nix)?;
    let (socket, locked) = (theirs.as_raw_fd(), record.as_raw_fd());
    let mut child = Child::fork_daemon(&mut || errand.run(socket, locked))?;
    drop(theirs);
    match passing::receive(ours.as_fd(), &mut [0; READY.len()], Instant::now() + PATIENCE) {
        Ok(_) => {}
        // The return drops the child, which kills it. There is nothing to restore yet.
        Err(Broken::Closed) => return Err(child.died()),
        Err(Broken::TimedOut) => {
            return Err(Failure::with_text(Errno::ETIMEDOUT, "the process that is to put the value back"));
        }
        Err(broken) => return Err(Failure::with_text(Errno::EIO, broken.to_string())),
    }
    let held = Held { child: Some(child), socket: Some(ours) };
    // The child keeps the lock by its own copy of the descriptor.
    drop(record);
    let set = Object::new(&Sysctl::write_int(name, value))?;
    let written = write(&set);
    // From here on the child cleans up, whatever this function returns.
    drop(guard);
    written.map_err(|number| Failure::from(Errno(number)))?;
    Ok(held)
}

fn ask(sysctl: &Sysctl) -> Result<Vec<u8>> {
    Object::new(sysctl)?.read().map_err(|errno| Errno(errno).into())
}

fn int(bytes: &[u8]) -> Result<c_int> {
    bytes.try_into().map(c_int::from_ne_bytes).map_err(|_| invalid("a sysctl that holds no int"))
}

fn c_string(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| invalid("a NUL in a path"))
}

fn name_for_writing(name: &str) -> Result<CString> {
    CString::new(name).map_err(|_| invalid("a NUL in the name of a sysctl"))
}

fn read_record(record: &mut File) -> std::io::Result<Option<HeldValue>> {
    let mut line = Vec::new();
    record.take(LONGEST as u64).read_to_end(&mut line)?;
    Ok(HeldValue::from_line(&line))
}

/// Writes the new value of an object.
fn write(object: &Object) -> std::result::Result<(), c_int> {
    let mut room = [0_u8; 256];
    object.ask(&mut |length| if length <= room.len() { room.as_mut_ptr() } else { ptr::null_mut() }).map(drop)
}

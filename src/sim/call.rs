//! Calls as data, for the log and for observers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::kernel::{
    Domain, Entry, Errno, Finished, FsId, Handle, JailNote, MountRequest, Mounted, Parameter, Program,
    Request, Result, SocketOption, Sockets, Sysctl, Watched,
};

/// One call to a simulated kernel: a method of [`Kernel`](crate::kernel::Kernel) with its arguments.
///
/// What a call depends on outside of the simulation is looked up beforehand and is a part of the call, so that the
/// call does the same whenever it is repeated: see [`Place`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// Opens a socket.
    Socket(Domain),
    /// Opens a directory or device.
    Open {
        /// Which.
        path: PathBuf,
        /// Where it leads.
        place: Place,
    },
    /// Opens a device for reading and writing.
    OpenDevice(PathBuf),
    /// Closes a handle.
    Close(Handle),
    /// Sets a socket option.
    SetOption {
        /// The socket.
        handle: Handle,
        /// The option.
        option: SocketOption,
        /// Its value.
        value: i32,
    },
    /// Makes a request.
    Ioctl {
        /// The socket or device.
        handle: Handle,
        /// The request; the answer is written into it.
        request: Request,
    },
    /// Hands a message to ipfw.
    Firewall {
        /// The raw socket.
        handle: Handle,
        /// The message; the answer is written into it.
        message: Vec<u8>,
    },
    /// Writes a message to a routing socket.
    Send {
        /// The socket.
        handle: Handle,
        /// The message.
        message: Vec<u8>,
    },
    /// Sends a datagram: the kernel keeps its destination, and looks for the neighbour with that address.
    SendTo {
        /// The socket.
        handle: Handle,
        /// The destination.
        to: SocketAddr,
    },
    /// Takes a message from a routing socket.
    Receive {
        /// The socket.
        handle: Handle,
        /// The size of the buffer.
        length: usize,
    },
    /// Waits for a message.
    Wait {
        /// The socket.
        handle: Handle,
        /// For how long at most.
        timeout: Duration,
    },
    /// Reads or writes a sysctl.
    Sysctl(Sysctl),
    /// Sets a sysctl for as long as it is held.
    HoldSysctl {
        /// Which.
        name: String,
        /// To what.
        value: i32,
    },
    /// Creates or updates a jail.
    JailSet {
        /// The parameters.
        parameters: Vec<Parameter>,
        /// JAIL_*.
        flags: i32,
        /// Where the jail's path leads.
        place: Place,
    },
    /// Reads a jail's parameters.
    JailGet {
        /// The parameters; the answers are written into them.
        parameters: Vec<Parameter>,
        /// JAIL_*.
        flags: i32,
    },
    /// Removes a jail.
    JailRemove(i32),
    /// Creates or updates a jail, with a jail descriptor.
    JailSetJd {
        /// The parameters.
        parameters: Vec<Parameter>,
        /// JAIL_*.
        flags: i32,
        /// The descriptor.
        descriptor: Option<Handle>,
        /// Where the jail's path leads.
        place: Place,
    },
    /// Reads a jail's parameters, with a jail descriptor.
    JailGetJd {
        /// The parameters; the answers are written into them.
        parameters: Vec<Parameter>,
        /// JAIL_*.
        flags: i32,
        /// The descriptor.
        descriptor: Option<Handle>,
    },
    /// Removes the jail behind a descriptor.
    JailRemoveJd(Handle),
    /// Opens a queue for events of jails.
    JailNotes,
    /// Has a queue watch a jail.
    JailWatch {
        /// The queue.
        queue: Handle,
        /// The jail.
        jail: Watched,
        /// NOTE_JAIL_*.
        notes: u32,
    },
    /// Takes an event from a queue.
    JailNote(Handle),
    /// Sends a child into a jail.
    Enter {
        /// The entry.
        entry: Entry,
        /// Where the path of a new jail leads.
        place: Place,
    },
    /// Runs a program, which is only recorded.
    Run(Program),
    /// Loads a module.
    LoadModule(String),
    /// Mounts a file system.
    Mount {
        /// What, where and how.
        request: MountRequest,
        /// Where the mount point is.
        place: Place,
        /// Where the source of a nullfs leads.
        from: Place,
    },
    /// Unmounts a file system.
    Unmount {
        /// Which.
        id: FsId,
        /// With MNT_FORCE.
        force: bool,
    },
    /// Lists the mounted file systems.
    Mounts,
    /// Looks which file system a path is in.
    MountedAt {
        /// The path.
        path: PathBuf,
        /// Where the path leads.
        place: Place,
    },
    /// Lets time pass.
    Sleep(Duration),
    /// Announces a change to a file.
    Checkpoint {
        /// What is done to it.
        operation: String,
        /// The file.
        path: PathBuf,
    },
    /// No call, but recorded like a call: a jail gets a connection that remains after its removal.
    Connect {
        /// The jail.
        jid: i32,
        /// How long the connection remains after the jail was removed.
        lasts: Duration,
    },
    /// No call, but recorded like a call: a process was found dead, and what it held is released.
    Death {
        /// The process's number.
        pid: u32,
        /// When it had started.
        start: u64,
    },
}

/// Where a path leads in the real file system, which was found out before the call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Not looked up: a simulated host in memory has no real file system.
    Unseen,
    /// To this directory, with symbolic links resolved.
    Directory(PathBuf),
    /// To nothing, with this error.
    Nowhere(Errno),
    /// To this file, with symbolic links resolved.
    File(PathBuf),
}

/// What a call returns.
pub type Reply = Result<Answer>;

/// What a call returns when it succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing, or the values that were written into the call.
    Done,
    /// An open object.
    Handle(Handle),
    /// Whether there is a message.
    Ready(bool),
    /// A message, or a sysctl's value.
    Bytes(Vec<u8>),
    /// A jail.
    Jail(i32),
    /// A jail, and a descriptor of it if one was asked for.
    Descriptor(i32, Option<Handle>),
    /// An event of a jail.
    Note(Option<JailNote>),
    /// The results from inside a jail.
    Entered {
        /// The jail.
        jid: i32,
        /// Sockets opened inside it.
        sockets: Option<Sockets>,
        /// The answer to each sysctl.
        answers: Vec<Result<Vec<u8>>>,
        /// Holds the child.
        holder: Option<Handle>,
    },
    /// How a program ended.
    Finished(Finished),
    /// The mounted file systems.
    Mounts(Vec<Mounted>),
}

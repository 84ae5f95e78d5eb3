//! Calls as plain contents: what the log keeps, and what observers see.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::kernel::{
    Domain, Entry, Errno, Finished, FsId, Handle, JailNote, MountRequest, Mounted, Parameter, Program,
    Request, Result, SocketOption, Sockets, Sysctl, Watched,
};

/// One call to a simulated kernel: a method of [`Kernel`](crate::kernel::Kernel) with its arguments.
///
/// What a call depends on outside the simulation is looked up beforehand and carried along, so that
/// the call does the same whenever it is made again: see [`Place`].
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
    /// Sends a datagram: the kernel notes its address, and looks for the station that has it.
    SendTo {
        /// The socket.
        handle: Handle,
        /// For whom.
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
    /// Opens a queue for what happens to jails.
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
    /// Takes what a queue has to tell.
    JailNote(Handle),
    /// Sends a child into a jail.
    Enter {
        /// What it is to do.
        entry: Entry,
        /// Where the path of a jail to be made leads.
        place: Place,
    },
    /// Runs a program: it is noted, and that is all.
    Run(Program),
    /// Loads a module.
    LoadModule(String),
    /// Mounts a file system.
    Mount {
        /// What, where and how.
        request: MountRequest,
        /// Where the mount point is.
        place: Place,
        /// Where the directory or file is that nullfs is to show.
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
    /// Lets time pass.
    Sleep(Duration),
    /// Announces a change to a file.
    Checkpoint {
        /// What is done to it.
        operation: String,
        /// The file.
        path: PathBuf,
    },
    /// Not a call, but noted like one: a jail has a connection that outlives it.
    Connect {
        /// The jail.
        jid: i32,
        /// How long it goes on after the jail was removed.
        lasts: Duration,
    },
    /// Not a call, but noted like one: a process was found dead, and what it held is dropped.
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
    /// Not looked up: a host in memory has no real file system.
    Unseen,
    /// To this directory, by its name without links.
    Directory(PathBuf),
    /// To nothing, and this is why.
    Nowhere(Errno),
    /// To this file, by its name without links.
    File(PathBuf),
}

/// What a call returns.
pub type Reply = Result<Answer>;

/// What a call returns when it succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing, or what was written into the call.
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
    /// What happened to a jail.
    Note(Option<JailNote>),
    /// What came back from inside a jail.
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

//! Many jails at once: a pipeline over the kernel's locks.
//!
//! A jail passes through three [`Stage`]s: programs that come before its network is changed, the
//! changes to its network, and programs that come after. Each stage has workers of its own, so that
//! no program holds the network up, however long it takes. What is in the network stage passes through
//! two [`Gates`]: FreeBSD creates and changes jails under one lock (`allprison_lock`), and moves and
//! destroys interfaces under another (`ifnet_detach_sxlock`), while configuring takes neither. So one
//! jail can be configured while another is created and the epair of a third is moved.
//!
//! [`run`] is the engine, for jobs of any kind. [`start`] and [`stop`] are for jails that are described
//! by a [`JailSpec`](super::JailSpec) and nothing else. One job's failure is its own: others go on,
//! and those that depend on it are told.
//!
//! Most of what a start and a stop take on an idle host is waiting for idle CPUs to tick:
//! [`TickGuard`] makes them. [`ForkServer`] has the children that hold new jails ready before they are needed.

mod cancel;
mod engine;
mod fork_server;
mod gates;
mod jails;
mod limits;
mod ticks;
mod view;

pub use cancel::Cancel;
pub use engine::{Circle, Job, Next, Placed, Stage, Told, run, run_telling};
pub use fork_server::ForkServer;
pub use gates::{Gates, KernelLock, Pass};
pub use jails::{BulkError, BulkJail, BulkStop, Fate, Progress, Task, Trouble, start, stop};
pub use limits::Limits;
pub use ticks::TickGuard;
pub use view::View;

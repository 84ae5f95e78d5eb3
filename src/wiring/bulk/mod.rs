//! Many jails at once: a pipeline over the kernel's locks.
//!
//! A jail passes through three [`Stage`]s: programs that come before its network is changed, the changes to its
//! network, and programs that come after. Each stage has workers of its own, so no program delays the network stage,
//! however long the program takes. Jobs in the network stage pass through two [`Gates`]: FreeBSD creates and changes
//! jails under one lock (`allprison_lock`), and moves and destroys interfaces under another (`ifnet_detach_sxlock`).
//! Configuring an interface takes neither lock. So the library configures one jail while it creates another jail and
//! moves the epair of a third.
//!
//! [`run`] is the engine, for jobs of any kind. [`start`] and [`stop`] are for jails that are described by a
//! [`JailSpec`](super::JailSpec) alone. If one jail fails, the others continue. A jail that depends on the failed jail
//! is not started, and the reason is reported.
//!
//! On an idle host, the start and the stop of one jail spend most of the time waiting for clock ticks of idle CPUs: [`TickGuard`] makes the
//! CPUs tick. [`ForkServer`] forks the children that hold new jails before they are needed.

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
pub use jails::{BulkJail, BulkStop, Fate, Progress, Task, start, stop};
pub use limits::Limits;
pub use ticks::TickGuard;
pub use view::View;

//! The network of containers on a host: the code that both protocols share.
//!
//! A container is a jail with a network stack of its own. An [`Attachment`] puts it on a network: an epair, on a
//! bridge of the host. Each attachment has a [`Record`], which is written before anything is made. If a process is
//! killed, the record remains pending, and the next command removes what was made.

mod attach;
mod bridge;
mod defaults;
pub mod forwarding;
pub mod inside;
mod jail;
mod nat;
mod record;

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use jailwire::ErrorKind;
use jailwire::Vnet;
use jailwire::files::{Files, KernelGate};
use jailwire::kernel::{Kernel, Sysctl};
use jailwire::wiring::Wiring;
use jailwire::wiring::bulk::TickGuard;

pub use attach::{Attachment, Link, Prepared};
pub use bridge::BridgeWanted;
pub use inside::StaticRoute;
pub use nat::{Isolation, Masquerade};
pub use record::{Key, Record, Reservation};

use record::Records;

/// A host, with its records of attachments.
#[derive(Debug)]
pub struct Host {
    wiring: Wiring,
    records: Records,
    /// Present from the first change of an interface.
    ticks: OnceLock<Option<TickGuard>>,
}

/// Why a network was not changed.
#[derive(Debug)]
pub enum Failure {
    /// There is no such jail, or it has no network stack.
    NoJail(String),
    /// The thing exists already.
    Exists(String),
    /// The request is wrong, or does not fit this host.
    Invalid(String),
    /// The kernel or the file system refused an operation.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::NoJail(text) | Failure::Exists(text) | Failure::Invalid(text) | Failure::Refused(text)) =
            self;
        f.write_str(text)
    }
}

impl From<jailwire::Error> for Failure {
    fn from(error: jailwire::Error) -> Failure {
        let mut text = error.to_string();
        if error.kind() == ErrorKind::Problems {
            return Failure::Invalid(text);
        }
        // The message about a wrong value ends with its advice already.
        match error.advice() {
            Some(advice) if !text.contains(advice) => text += &format!("; {advice}"),
            _ => {}
        }
        Failure::Refused(text)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Refused(error.to_string())
    }
}

/// The result of changing a network.
pub type Result<T> = std::result::Result<T, Failure>;

impl Host {
    /// Opens the host that a kernel runs.
    pub fn open(kernel: Arc<dyn Kernel>) -> Result<Host> {
        if !kernel.privileged() {
            return Err(Failure::Refused("only root may change the network: run this as root".into()));
        }
        let boot = Host::boot(&*kernel)?;
        let directory = kernel.run_directory().join("jailwire-containers");
        let wiring = Wiring::on(kernel)?;
        let host = Host { wiring, records: Records::new(directory, boot), ticks: OnceLock::new() };
        host.with_files(|files| host.records.open(files))?;
        Ok(host)
    }

    /// Returns `kern.boot_id`. Records of another boot are void.
    fn boot(kernel: &dyn Kernel) -> Result<String> {
        let id = kernel.sysctl(&Sysctl::read("kern.boot_id"));
        let id = id.map_err(|failure| Failure::Refused(format!("cannot read kern.boot_id: {failure}")))?;
        Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns the host's network stack.
    pub fn stack(&self) -> &Vnet {
        self.wiring.host()
    }

    /// Returns the kernel.
    pub fn kernel(&self) -> &Arc<dyn Kernel> {
        self.wiring.kernel()
    }

    /// Keeps the CPUs ticking while this value lives: otherwise the kernel waits for idle CPUs when an interface moves
    /// or is destroyed. If the kernel refuses, the operation only takes longer.
    fn keep_ticking(&self) {
        self.ticks.get_or_init(|| TickGuard::hold(self.kernel()).ok());
    }

    /// Calls a function with the door to files, through which a simulated kernel can make changes fail.
    pub fn with_files<T>(&self, act: impl FnOnce(Files<'_>) -> T) -> T {
        act(Files::through(&KernelGate(&**self.kernel())))
    }
}

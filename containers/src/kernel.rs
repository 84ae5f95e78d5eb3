//! The kernel that the program works on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jailwire::kernel::Kernel;
use jailwire::sim::Sim;

/// The variable that names the directory of a simulated kernel's state.
pub const SIMULATED: &str = "JAILWIRE_SIM";

/// Returns the kernel for changes: a simulated kernel if `JAILWIRE_SIM` names its directory, and otherwise
/// FreeBSD's kernel.
///
/// # Errors
///
/// Returns the reason in words when the directory cannot be opened, when FreeBSD is older than 14, and when this is
/// not FreeBSD and no directory is named.
pub fn chosen() -> Result<Arc<dyn Kernel>, String> {
    match std::env::var_os(SIMULATED) {
        Some(directory) => simulated(Path::new(&directory)),
        None => native(),
    }
}

/// Returns a kernel for looking only. If [`chosen`] finds no kernel, it is a new simulated kernel in memory,
/// because a command that only computes does not need FreeBSD.
///
/// # Errors
///
/// As [`chosen`], where `JAILWIRE_SIM` is set.
pub fn to_look_at() -> Result<Arc<dyn Kernel>, String> {
    match std::env::var_os(SIMULATED) {
        Some(directory) => simulated(Path::new(&directory)),
        None => jailwire::kernel::here().map_err(|failure| failure.to_string()),
    }
}

/// Returns the directory for files that last until the host boots again: `/var/run`, or a simulated kernel's own.
///
/// # Errors
///
/// As [`to_look_at`].
pub fn run_directory() -> Result<PathBuf, String> {
    match std::env::var_os(SIMULATED) {
        Some(directory) => Ok(simulated(Path::new(&directory))?.run_directory().to_owned()),
        None => Ok("/var/run".into()),
    }
}

/// Returns the simulated kernel in a directory. A process opens the kernel once: to open the kernel is to read all of
/// the kernel's state.
fn simulated(directory: &Path) -> Result<Arc<dyn Kernel>, String> {
    static OPENED: OnceLock<Sim> = OnceLock::new();
    if let Some(sim) = OPENED.get() {
        return Ok(Arc::new(sim.clone()));
    }
    let sim = std::path::absolute(directory).and_then(|directory| Sim::open(&directory));
    let sim = sim.map_err(|error| {
        format!("cannot open the simulated kernel in {} ({SIMULATED}): {error}", directory.display())
    })?;
    Ok(Arc::new(OPENED.get_or_init(|| sim).clone()))
}

#[cfg(target_os = "freebsd")]
fn native() -> Result<Arc<dyn Kernel>, String> {
    jailwire::kernel::here().map_err(|failure| format!("cannot use this kernel: {failure}"))
}

#[cfg(not(target_os = "freebsd"))]
fn native() -> Result<Arc<dyn Kernel>, String> {
    Err(format!("this is not FreeBSD: set {SIMULATED} to a directory to work on a simulated kernel in it"))
}

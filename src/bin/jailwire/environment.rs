//! The environment of a command: the kernel, and iocage's directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jailwire::files::{Files, KernelGate};
use jailwire::iocage::legacy::Legacy;
use jailwire::iocage::lifecycle::Host;
use jailwire::iocage::store::Store;
use jailwire::iocage::zfs;
use jailwire::kernel::Kernel;
use jailwire::sim::Sim;

use crate::CommandError;
use crate::cli::{Choice, Cli};
use crate::output;
use crate::sim_host;
use crate::typed::{Typed, root_of_environment};

/// A kernel and iocage's directory.
#[derive(Debug)]
pub struct Environment {
    /// The kernel to work on.
    pub kernel: Arc<dyn Kernel>,
    /// iocage's directory.
    pub store: Store,
    /// Whether the output is JSON.
    pub json: bool,
}

impl Environment {
    /// Opens the kernel of the command line, for commands that need no files of iocage.
    pub fn kernel_alone(cli: &Cli) -> Result<Arc<dyn Kernel>, CommandError> {
        match chosen(asked(cli)?)? {
            Some(kernel) => Ok(kernel),
            None => simulated(&std::path::absolute(named(cli).unwrap_or_else(default_root))?, cli),
        }
    }

    /// Opens the kernel for completions. Returns `None` on an error, which is not reported.
    pub fn quiet_kernel(typed: &Typed) -> Option<Arc<dyn Kernel>> {
        match chosen(typed.kernel).ok()? {
            Some(kernel) => Some(kernel),
            None => {
                let root = std::path::absolute(typed.root.clone().unwrap_or_else(default_root)).ok()?;
                let state = root.join(".sim");
                state.is_dir().then(|| Sim::open(&state).ok().map(|sim| Arc::new(sim) as Arc<dyn Kernel>))?
            }
        }
    }

    /// Opens the kernel and the directory of the command line.
    pub fn open(cli: &Cli) -> Result<Environment, CommandError> {
        Environment::open_with(cli, Store::open)
    }

    /// As [`Environment::open`], for commands that a host without iocage needs too. If no directory is named and
    /// the usual directory does not exist, there are no jails of iocage.
    pub fn open_without_iocage(cli: &Cli) -> Result<Environment, CommandError> {
        Environment::open_with(cli, if named(cli).is_some() { Store::open } else { Store::open_or_empty })
    }

    fn open_with(
        cli: &Cli,
        store: fn(&Path) -> Result<Store, jailwire::Error>,
    ) -> Result<Environment, CommandError> {
        let native = chosen(asked(cli)?)?;
        let root = directory(named(cli).as_deref(), native.as_deref())?;
        // Open the directory first: the simulated kernel would make it for its state.
        let store = store(&root)?;
        let kernel = match native {
            Some(kernel) => kernel,
            None => simulated(&root, cli)?,
        };
        let store = store.with_legacy(legacy(kernel.clone(), root.join("jails")));
        Ok(Environment { kernel, store, json: cli.json })
    }

    /// Returns the same environment, which reads each file only once: for a command that reads configurations in
    /// several places.
    pub fn reading_once(&self) -> Environment {
        Environment { kernel: self.kernel.clone(), store: self.store.reading_once(), json: self.json }
    }

    /// Calls `act` with a [`Host`], which starts and stops jails.
    pub fn with_host<T>(&self, act: impl FnOnce(&mut Host<'_>) -> T) -> Result<T, CommandError> {
        let gate = KernelGate(self.kernel.as_ref());
        let mut host = Host::open(self.kernel.clone(), &self.store, Files::through(&gate))?;
        Ok(act(&mut host))
    }

    /// As [`Environment::with_host`], with the number of seconds to wait for what only a jail's end gives back.
    pub fn with_host_that_waits<T>(
        &self,
        seconds: Option<u64>,
        act: impl FnOnce(&mut Host<'_>) -> T,
    ) -> Result<T, CommandError> {
        self.with_host(|host| {
            if let Some(seconds) = seconds {
                host.set_wait(Duration::from_secs(seconds));
            }
            act(host)
        })
    }

    /// As [`Environment::with_host`], for commands that only look.
    pub fn with_host_to_look_at<T>(&self, act: impl FnOnce(&Host<'_>) -> T) -> Result<T, CommandError> {
        let gate = KernelGate(self.kernel.as_ref());
        let host = Host::look(self.kernel.clone(), &self.store, Files::through(&gate))?;
        Ok(act(&host))
    }

    /// Calls `act` with the access to files.
    pub fn with_files<T>(&self, act: impl FnOnce(Files<'_>) -> T) -> T {
        act(Files::through(&KernelGate(self.kernel.as_ref())))
    }

    /// Refuses to go on if the caller is not root: the kernel would refuse every step.
    pub fn require_root(&self, command: &str) -> Result<(), CommandError> {
        if self.kernel.privileged() {
            return Ok(());
        }
        Err(format!(
            "you need to be root to {command} jails: run it as root, or add --kernel sim to try it on the simulated kernel"
        )
        .into())
    }
}

/// The FreeBSD kernel. Returns `None` if a simulated kernel is chosen.
fn chosen(choice: Choice) -> Result<Option<Arc<dyn Kernel>>, CommandError> {
    match choice {
        Choice::Sim => Ok(None),
        Choice::Auto if !cfg!(target_os = "freebsd") => Ok(None),
        Choice::Auto | Choice::Freebsd => native().map(Some),
    }
}

/// Opens iocage's directory for completions.
pub fn store(typed: &Typed) -> Result<Store, CommandError> {
    let native = chosen(typed.kernel)?;
    Ok(Store::open(&directory(typed.root.as_deref(), native.as_deref())?)?)
}

/// iocage's directory by the command line, or else by the environment variable.
fn named(cli: &Cli) -> Option<PathBuf> {
    cli.root.clone().or_else(root_of_environment)
}

/// iocage's directory: the named directory, or the mount point of iocage's dataset.
fn directory(named: Option<&Path>, native: Option<&dyn Kernel>) -> Result<PathBuf, CommandError> {
    let root = match (named, native) {
        (Some(root), _) => root.to_owned(),
        (None, Some(kernel)) => mounted_dataset(kernel)?.unwrap_or_else(default_root),
        (None, None) => default_root(),
    };
    Ok(std::path::absolute(root)?)
}

fn default_root() -> PathBuf {
    PathBuf::from("/iocage")
}

#[cfg(target_os = "freebsd")]
fn native() -> Result<Arc<dyn Kernel>, CommandError> {
    Ok(Arc::new(jailwire::kernel::freebsd::FreeBsd::new()?))
}

#[cfg(not(target_os = "freebsd"))]
fn native() -> Result<Arc<dyn Kernel>, CommandError> {
    Err("this is not FreeBSD: leave --kernel out, or give --kernel sim, to use the simulated kernel".into())
}

/// The kernel of the command line. With a description of a host it is the simulated kernel.
fn asked(cli: &Cli) -> Result<Choice, CommandError> {
    match (&cli.sim_host, cli.kernel) {
        (Some(_), Choice::Freebsd) => {
            Err("--sim-host is for the simulated kernel: leave it out, or give --kernel sim".into())
        }
        (Some(_), _) => Ok(Choice::Sim),
        (None, choice) => Ok(choice),
    }
}

fn simulated(root: &Path, cli: &Cli) -> Result<Arc<dyn Kernel>, CommandError> {
    let directory = root.join(".sim");
    if let Some(file) = &cli.sim_host {
        return Ok(Arc::new(sim_host::open(&directory, file)?));
    }
    // Print this only once for each directory.
    if cli.kernel == Choice::Auto && !directory.exists() {
        output::warn(&format!(
            "no FreeBSD kernel here; using the simulated one, whose state lies in {}",
            directory.display()
        ));
    }
    Ok(Arc::new(Sim::open(&directory)?))
}

/// Makes the source of legacy jails' properties, which runs `zfs` when there is a legacy jail.
fn legacy(kernel: Arc<dyn Kernel>, jails: PathBuf) -> Legacy {
    Legacy::new(move || {
        // If the user may not list mounts, there is no dataset.
        let mounts = kernel.mounts().unwrap_or_default();
        zfs::dataset_on(&mounts, &jails).map_or(Ok(BTreeMap::new()), zfs::legacy_properties)
    })
}

/// The mount point of iocage's dataset, if there is one.
fn mounted_dataset(kernel: &dyn Kernel) -> Result<Option<PathBuf>, CommandError> {
    zfs::iocage_root(&kernel.mounts()?)
        .map_err(|error| format!("{error}; or say where with --root DIR").into())
}

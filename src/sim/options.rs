//! The properties of a new simulated host.

/// The release of FreeBSD that is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Release {
    /// FreeBSD 14.2.
    V14_2,
    /// FreeBSD 15.1.
    #[default]
    V15_1,
}

impl Release {
    /// kern.osrelease without its suffix: `15.1`.
    pub fn name(self) -> &'static str {
        match self {
            Release::V14_2 => "14.2",
            Release::V15_1 => "15.1",
        }
    }

    /// Returns the release with that name.
    pub fn from_name(name: &str) -> Option<Release> {
        [Release::V14_2, Release::V15_1].into_iter().find(|release| release.name() == name)
    }

    /// kern.osreldate.
    pub fn osreldate(self) -> i32 {
        match self {
            Release::V14_2 => 1_402_000,
            Release::V15_1 => 1_501_000,
        }
    }
}

/// A network card of the simulated host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hardware {
    /// Its driver: `em`, `igb` …
    pub driver: String,
    /// Its number.
    pub unit: u16,
    /// Its address.
    pub mac: [u8; 6],
    /// Whether it is a port of a lagg(4): no bridge takes it.
    pub lagg_port: bool,
}

impl Hardware {
    /// Returns a network card of this driver: `em`, 1 is `em1`.
    pub fn new(driver: &str, unit: u16, mac: [u8; 6]) -> Hardware {
        Hardware { driver: driver.to_owned(), unit, mac, lagg_port: false }
    }

    /// Sets whether the card is a port of a lagg(4).
    pub fn with_lagg_port(self, lagg_port: bool) -> Self {
        Self { lagg_port, ..self }
    }
}

/// The value of a sysctl.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// An `int`.
    Int(i32),
    /// A string.
    Text(String),
}

/// The properties of a new simulated host: see [`Sim::with`](super::Sim::with).
///
/// The default is FreeBSD 15.1 with the GENERIC kernel, `lo0`, and `em0` with 192.0.2.10/24 and a
/// default route to 192.0.2.1. The host's root is on ZFS, so the module `zfs` is loaded. The modules `if_epair` and
/// `if_bridge` exist and are not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The release.
    pub release: Release,
    /// Whether the kernel was built with VIMAGE.
    pub vimage: bool,
    /// Modules that are loaded from the start, besides `zfs`.
    pub modules: Vec<String>,
    /// Network cards besides `em0`.
    pub hardware: Vec<Hardware>,
    /// Whether the host has no `em0`, and no interface is up or has an address: the host before `rc` has run.
    pub bare: bool,
    /// Sysctls that differ from their defaults. A sysctl of a network stack is set on the host's.
    pub sysctls: Vec<(String, Setting)>,
    /// Whether callers are root.
    pub privileged: bool,
    /// kern.boot_id, which differs for each boot of the machine.
    pub boot_id: [u8; 16],
}

impl Options {
    /// Sets the release.
    pub fn with_release(self, release: Release) -> Self {
        Self { release, ..self }
    }

    /// Sets whether the kernel was built with VIMAGE.
    pub fn with_vimage(self, vimage: bool) -> Self {
        Self { vimage, ..self }
    }

    /// Sets the modules that are loaded from the start, besides `zfs`.
    pub fn with_modules(self, modules: Vec<String>) -> Self {
        Self { modules, ..self }
    }

    /// Sets the network cards besides `em0`.
    pub fn with_hardware(self, hardware: Vec<Hardware>) -> Self {
        Self { hardware, ..self }
    }

    /// Sets whether the host has no `em0`, and no interface that is up.
    pub fn with_bare(self, bare: bool) -> Self {
        Self { bare, ..self }
    }

    /// Sets the sysctls that differ from their defaults.
    pub fn with_sysctls(self, sysctls: Vec<(String, Setting)>) -> Self {
        Self { sysctls, ..self }
    }

    /// Sets whether callers are root.
    pub fn with_privileged(self, privileged: bool) -> Self {
        Self { privileged, ..self }
    }

    /// Sets kern.boot_id.
    pub fn with_boot_id(self, boot_id: [u8; 16]) -> Self {
        Self { boot_id, ..self }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            release: Release::default(),
            vimage: true,
            modules: Vec::new(),
            hardware: Vec::new(),
            bare: false,
            sysctls: Vec::new(),
            privileged: true,
            boot_id: *b"a simulated boot",
        }
    }
}

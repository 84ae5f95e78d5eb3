//! The findings of the doctor: what was found, why it matters, and what mends it.

use std::path::PathBuf;

use crate::iocage::name::JailName;
use crate::iocage::store::Entry;
use crate::types::InterfaceName;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Good to know.
    Note,
    /// Something does not work as intended, or will not.
    Warning,
    /// A jail cannot be started, or cannot reach anything.
    Error,
}

impl Level {
    /// Returns the level as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

macro_rules! kinds {
    ($($(#[$about:meta])* $kind:ident => $check:literal,)*) => {
        /// The kind of a finding. Each kind has its own remedy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$about])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// Returns the name of the check that finds this kind. A check may find several kinds.
            pub fn check(self) -> &'static str {
                match self {
                    $(Kind::$kind => $check,)*
                }
            }
        }
    };
}

kinds! {
    /// An interface that `interfaces` names as a bridge is no bridge.
    NotABridge => "bridge",
    /// A bridge that `interfaces` names does not exist.
    NoBridge => "bridge",
    /// A bridge of jails is down.
    BridgeDown => "bridge",
    /// An interface of the host on a bridge of jails is down.
    MemberDown => "bridge",
    /// All members of a bridge belong to jails.
    LeadsNowhere => "bridge",
    /// A vlan and its parent are on one bridge.
    VlanWithParent => "vlan",
    /// A vlan is on a bridge without its parent, which old releases need there too.
    VlanWithoutParent => "vlan",
    /// The parent of a vlan that is on a bridge is down.
    VlanParentDown => "vlan",
    /// A member of a bridge has addresses.
    AddressOnMember => "member addresses",
    /// An interface with addresses is to be put on a bridge, and the kernel refuses that.
    AddressOnUplink => "member addresses",
    /// A jail's NIC is configured with another MTU than the bridge has.
    NicMtu => "mtu",
    /// devd(8) starts a script for every epair.
    DevdScript => "devd",
    /// The kernel has no network stacks for jails.
    NoVimage => "vimage",
    /// The kernel has no resource limits.
    NoResourceLimits => "rctl",
    /// Resource limits are switched off.
    ResourceLimitsOff => "rctl",
    /// A kernel module is not loaded.
    NoModule => "modules",
    /// Packet filters filter packets on bridges.
    FilterOnBridge => "pfil",
    /// The host is a router, and does not forward.
    NoForwarding => "forwarding",
    /// The host's release is older than the releases that this library was tested on.
    OldRelease => "release",
    /// A jail's files cannot be read.
    Unreadable => "configuration",
    /// Something is wrong in a jail's configuration.
    Configuration => "configuration",
    /// defaults.json has a key that is no property.
    UnknownDefault => "configuration",
    /// A jail's configuration asks for something that the host does not have.
    Misfit => "configuration",
    /// Two jails have the same MAC address.
    DuplicateMac => "duplicate mac",
    /// Two jails have the same IP address.
    DuplicateAddress => "duplicate address",
    /// A jail and the host have the same IP address.
    AddressOfHost => "duplicate address",
    /// A directory has a name that no jail can have.
    NoJailName => "names",
    /// Two jails have the same kernel name.
    SameKernelName => "names",
    /// A create or a destroy did not finish, and has left a directory.
    NoJail => "leftovers",
    /// An epair whose jail is gone.
    LeakedEpair => "leaked epair",
    /// A start or a stop did not finish.
    LeftBehind => "leftovers",
    /// Attaching an epair to a jail did not finish.
    HalfAttached => "leftovers",
    /// A move of the host's addresses was interrupted.
    MoveInterrupted => "leftovers",
    /// A move of the host's addresses waits to be confirmed.
    MovePending => "leftovers",
    /// A jail runs whose directory is gone.
    NoDirectory => "leftovers",
    /// A jail was removed, and lingers.
    Dying => "dying",
    /// A journal belongs to no jail.
    OrphanedJournal => "leftovers",
    /// An interface that the host needs for its own network is to be lent to a jail.
    Lifeline => "lending",
    /// Something that NAT needs is missing.
    NatRefused => "nat",
    /// The host itself cannot connect to published ports.
    NatNotLocal => "nat",
    /// A running jail's NIC has another MTU than the bridge.
    MtuInside => "mtu",
    /// The next router may have no route to a jail's network.
    WayBack => "way back",
    /// The default router of a jail does not answer.
    SilentRouter => "router",
    /// A port has VLANs, and its bridge does not filter them.
    UnfilteredPort => "vlan",
    /// A port is in no VLAN of a bridge that filters them.
    PortInNoVlan => "vlan",
    /// The VLAN of a jail has no other member.
    AloneInVlan => "vlan",
    /// A vlan(4) of the host takes frames that are meant for a bridge.
    VlanTaken => "vlan",
    /// The parent of a vlan(4) is a bridge, or a NIC on a bridge, and the bridge filters the VLAN off.
    VlanFilteredOff => "vlan",
}

impl Kind {
    /// Whether a start of the jail refuses and reports it, so that no earlier report is needed.
    pub(super) fn is_refused_by_a_start(self) -> bool {
        use Kind::{AddressOnUplink, NicMtu, NoBridge, NoVimage, NotABridge};
        matches!(self, NotABridge | NoBridge | AddressOnUplink | NicMtu | NoVimage)
    }
}

/// A repair that needs no confirmation, because no program loses anything by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Brings an interface up.
    Up(InterfaceName),
    /// Destroys an interface that no jail uses any more.
    Destroy(InterfaceName),
    /// Loads a kernel module.
    LoadModule(&'static str),
    /// Removes what a start or a stop has left of a jail that is down.
    ClearUp(Entry),
    /// Removes a directory that is no jail yet, or no jail any more.
    Remove(PathBuf),
}

impl std::fmt::Display for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fix::Up(name) => write!(f, "bring {name} up"),
            Fix::Destroy(name) => write!(f, "destroy {name}"),
            Fix::LoadModule(name) => write!(f, "load the kernel module {name}"),
            Fix::ClearUp(entry) => write!(f, "clear up after {}", entry.name),
            Fix::Remove(path) => write!(f, "remove {}", path.display()),
        }
    }
}

impl Fix {
    /// Returns the requests that change something, by their C names. The requests of [`Fix::ClearUp`] depend on
    /// what is left: see [`Host::preview_stop`](crate::iocage::lifecycle::Host::preview_stop).
    pub fn requests(&self) -> &'static [&'static str] {
        match self {
            Fix::Up(_) => &["SIOCSIFFLAGS"],
            Fix::Destroy(_) => &["SIOCIFDESTROY"],
            Fix::LoadModule(_) => &["kldload"],
            Fix::ClearUp(_) => &[],
            Fix::Remove(_) => &["chflags", "unlinkat", "rmdir"],
        }
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The severity.
    pub level: Level,
    /// The kind.
    pub kind: Kind,
    /// The name of the check that made the finding.
    pub check: &'static str,
    /// The finding, as text.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// How to mend it: command lines, or a line and where it belongs. A line that begins with `and` belongs to the
    /// line before. A line that begins with `or` is another way. Words in capital letters are to be replaced.
    pub mend: Vec<String>,
    /// The jails that have the problem. The list is empty if the finding is about the host.
    pub jails: Vec<JailName>,
    /// The step of `doctor --fix` that mends it. `None` if there is no such step.
    pub fix: Option<Fix>,
}

impl Finding {
    pub(super) fn new(level: Level, kind: Kind, what: impl Into<String>) -> Finding {
        Finding {
            level,
            kind,
            check: kind.check(),
            what: what.into(),
            why: String::new(),
            mend: Vec::new(),
            jails: Vec::new(),
            fix: None,
        }
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Finding {
        self.why = why.into();
        self
    }

    pub(super) fn mend(mut self, how: impl Into<String>) -> Finding {
        self.mend.push(how.into());
        self
    }

    /// Adds several lines that say how to mend it.
    pub(super) fn mend_by(mut self, how: impl IntoIterator<Item = String>) -> Finding {
        self.mend.extend(how);
        self
    }

    pub(super) fn of<'a>(mut self, jails: impl IntoIterator<Item = &'a JailName>) -> Finding {
        self.jails.extend(jails.into_iter().cloned());
        self
    }

    pub(super) fn fix(mut self, fix: Fix) -> Finding {
        self.fix = Some(fix);
        self
    }
}

/// Joins names with commas.
pub(super) fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

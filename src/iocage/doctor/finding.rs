//! What was found, why it hurts, and what mends it.

use std::path::PathBuf;

use crate::iocage::name::JailName;
use crate::iocage::store::Entry;
use crate::types::InterfaceName;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Good to know.
    Note,
    /// Something does not work as was meant, or will not.
    Warning,
    /// A jail cannot be started, or cannot reach anything.
    Error,
}

impl Level {
    /// In one word.
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

            /// Returns the name of the check that finds it. Several kinds may be of one check.
            pub fn check(self) -> &'static str {
                match self {
                    $(Kind::$kind => $check,)*
                }
            }
        }
    };
}

kinds! {
    /// What `interfaces` names as a bridge is none.
    NotABridge => "bridge",
    /// A bridge that `interfaces` names is not there.
    NoBridge => "bridge",
    /// A bridge of jails is down.
    BridgeDown => "bridge",
    /// An interface of the host on a bridge of jails is down.
    MemberDown => "bridge",
    /// Only jails are on a bridge.
    LeadsNowhere => "bridge",
    /// A vlan and its parent are on one bridge.
    VlanWithParent => "vlan",
    /// A vlan is on a bridge without its parent, which old releases want there too.
    VlanWithoutParent => "vlan",
    /// The parent of a vlan that is on a bridge is down.
    VlanParentDown => "vlan",
    /// A member of a bridge has addresses.
    AddressOnMember => "member addresses",
    /// An interface with addresses is to be put on a bridge, and the kernel refuses that.
    AddressOnUplink => "member addresses",
    /// The MTU that a jail's NIC shall have is not the bridge's.
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
    /// Packet filters look at bridges.
    FilterOnBridge => "pfil",
    /// The host is a router, and does not forward.
    NoForwarding => "forwarding",
    /// The release of the host is older than those that this was tried on.
    OldRelease => "release",
    /// A jail's files cannot be read.
    Unreadable => "configuration",
    /// Something is wrong in a jail's configuration.
    Configuration => "configuration",
    /// defaults.json has a key that is no property.
    UnknownDefault => "configuration",
    /// A jail's configuration asks for what the host does not have.
    Misfit => "configuration",
    /// Two jails have one MAC address.
    DuplicateMac => "duplicate mac",
    /// Two jails have one IP address.
    DuplicateAddress => "duplicate address",
    /// A jail's IP address is the host's.
    AddressOfHost => "duplicate address",
    /// A directory has a name that no jail can have.
    NoJailName => "names",
    /// Two jails have one name to the kernel.
    SameKernelName => "names",
    /// A directory of a create or a destroy that did not finish.
    NoJail => "leftovers",
    /// An epair whose jail is gone.
    LeakedEpair => "leaked epair",
    /// A start or a stop did not finish.
    LeftBehind => "leftovers",
    /// An epair was attached to a jail in part.
    HalfAttached => "leftovers",
    /// A move of the host's addresses was interrupted.
    MoveInterrupted => "leftovers",
    /// A move of the host's addresses waits to be confirmed.
    MovePending => "leftovers",
    /// A jail runs whose directory is gone.
    NoDirectory => "leftovers",
    /// A jail was removed, and the kernel still has it.
    Dying => "dying",
    /// A journal is of no jail.
    OrphanedJournal => "leftovers",
    /// An interface that the host lives on is to be lent to a jail.
    Lifeline => "lending",
    /// What NAT needs is not there.
    NatRefused => "nat",
    /// The host itself does not reach published ports.
    NatNotLocal => "nat",
    /// The MTU of a running jail's NIC is not the bridge's.
    MtuInside => "mtu",
    /// The next router may not know the way to a jail's network.
    WayBack => "way back",
    /// The default router of a jail does not answer.
    SilentRouter => "router",
    /// A port has VLANs, and its bridge does not filter them.
    UnfilteredPort => "vlan",
    /// A port is in no VLAN of a bridge that filters them.
    PortInNoVlan => "vlan",
    /// The VLAN of a jail has no other member.
    AloneInVlan => "vlan",
    /// A vlan of the host takes the frames that are meant for a bridge.
    VlanTaken => "vlan",
    /// The parent of a vlan(4) is a bridge, or a NIC on a bridge, and the bridge filters the VLAN off.
    VlanFilteredOff => "vlan",
}

impl Kind {
    /// Whether a start of the jail refuses it, and says so: it need not be told before.
    pub(super) fn is_refused_by_a_start(self) -> bool {
        use Kind::{AddressOnUplink, NicMtu, NoBridge, NoVimage, NotABridge};
        matches!(self, NotABridge | NoBridge | AddressOnUplink | NicMtu | NoVimage)
    }
}

/// Something that can be mended without asking: it takes nothing from anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Brings an interface up.
    Up(InterfaceName),
    /// Destroys an interface that no jail uses any more.
    Destroy(InterfaceName),
    /// Loads a kernel module.
    LoadModule(&'static str),
    /// Takes away what a start or a stop has left of a jail that is down.
    ClearUp(Entry),
    /// Removes a directory that is no jail: not yet, or not any more.
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
    /// Returns what it asks of the kernel to change something, by the names that C has for it. That of clearing up
    /// depends on what there is: see [`Host::preview_stop`](crate::iocage::lifecycle::Host::preview_stop).
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
    /// Why it hurts.
    pub why: String,
    /// How to mend it: command lines, or a line and where it belongs. A line that begins with `and` belongs to the one
    /// before, and one that begins with `or` is another way. What is in capital letters is to be chosen.
    pub mend: Vec<String>,
    /// The jails that it hurts. `None` where it is about the host.
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

    /// Several lines of how to mend it.
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

/// Names with commas between them.
pub(super) fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

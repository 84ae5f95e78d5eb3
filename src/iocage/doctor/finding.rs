//! What was found, why it hurts, and what mends it.

use std::path::PathBuf;

use crate::iocage::name::JailName;
use crate::iocage::store::Entry;
use crate::types::InterfaceName;

/// How much a finding matters.
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
    /// What it asks of the kernel to change something, by the names that C has for it. That of clearing up
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

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What it is about: the name of the check.
    pub check: &'static str,
    /// What was found.
    pub what: String,
    /// Why it hurts.
    pub why: String,
    /// The command that mends it, or the line and where it belongs: one of these.
    pub mend: Vec<String>,
    /// The jails that it hurts. `None` where it is about the host.
    pub jails: Vec<JailName>,
    /// What can be done about it without asking.
    pub fix: Option<Fix>,
}

impl Finding {
    pub(super) fn new(level: Level, check: &'static str, what: impl Into<String>) -> Finding {
        Finding {
            level,
            check,
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

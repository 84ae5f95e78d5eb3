//! What identifies a jail besides its jid and its name.
//!
//! The kernel gives any jid that a program asks for (`jail -c jid=5`), if no living jail has it. If a dying
//! jail has it, the kernel gives the dying jail another jid (`kern/kern_jail.c:kern_jail_set`). So boot, jid
//! and name together do not prove that a journal is about this jail.

use std::fs;
use std::path::{Path, PathBuf};

use super::records::{escape, escape_path, unescape, unescape_path};
use super::spec::{JailSpec, Network};
use crate::jail::{JailKey, JailValue, Marks, marks};
use crate::kernel::Kernel;
use crate::types::Jid;

/// A value that a start gives its jail, and that another program is unlikely to give a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Whether the jail has a network stack of its own. The kernel does not let that be changed.
    pub vnet: bool,
    /// The devfs ruleset.
    pub ruleset: i32,
    /// The host UUID. It is empty if the start gave the jail no UUID.
    pub uuid: String,
    /// The root directory, with symbolic links resolved. The kernel does not let that be changed.
    pub path: PathBuf,
}

impl Identity {
    /// Returns the identity that a start gives its jail.
    pub(super) fn given(spec: &JailSpec, ruleset: u16) -> Identity {
        let uuid = match spec.parameters.get("host.hostuuid") {
            Some(JailValue::String(uuid)) => String::from_utf8_lossy(uuid).into_owned(),
            _ => String::new(),
        };
        let vnet = matches!(spec.network, Network::Vnet(_));
        Identity { vnet, ruleset: ruleset.into(), uuid, path: without_links(&spec.path) }
    }

    /// Reads the identity of a living jail. Returns `None` when there is no such jail, or the jail is dying.
    ///
    /// # Errors
    ///
    /// Those of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn read(kernel: &dyn Kernel, key: impl Into<JailKey>) -> crate::Result<Option<(Jid, Identity)>> {
        let found = marks(kernel, key)?;
        let split = |Marks { jid, vnet, ruleset, uuid, path }| (jid, Identity { vnet, ruleset, uuid, path });
        Ok(found.map(split))
    }

    /// Reads an identity from the text that follows the jid in a record. Returns `None` for any other text.
    pub(super) fn decode(text: &str) -> Option<Identity> {
        let mut fields = text.split('\t');
        let vnet = match fields.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        let (ruleset, uuid) = (fields.next()?.parse().ok()?, unescape(fields.next()?)?);
        let path = unescape_path(fields.next()?)?;
        fields.next().is_none().then_some(Identity { vnet, ruleset, uuid, path })
    }

    /// Returns whether a jail that was found is the one that was started with this identity.
    ///
    /// An administrator may change the devfs ruleset of a jail that runs, and root in the jail its host UUID.
    /// If only one of ruleset, UUID and directory differs, the jail is still the same. If only the directory
    /// is equal, it is another jail. A jail that was given no UUID is identified by its ruleset and its
    /// directory. So another jail with the same directory is taken for it, if both have no ruleset.
    pub fn is_same(&self, found: &Identity) -> bool {
        let path = self.path == found.path;
        let ruleset = self.ruleset == found.ruleset;
        let alike = match self.uuid.is_empty() {
            true => path && ruleset,
            false => [path, ruleset, self.uuid == found.uuid].iter().filter(|alike| **alike).count() >= 2,
        };
        self.vnet == found.vnet && alike
    }
}

/// Returns a journal's record of a jid, with the jail's identity.
pub(super) fn record(jid: Jid, identity: Option<&Identity>) -> String {
    let Some(Identity { vnet, ruleset, uuid, path }) = identity else { return format!("jid\t{jid}") };
    format!("jid\t{jid}\t{}\t{ruleset}\t{}\t{}", u8::from(*vnet), escape(uuid), escape_path(path))
}

/// The path that the kernel has for a directory: with symbolic links resolved.
fn without_links(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_difference_is_an_administrators_and_two_are_another_jail() {
        let own =
            Identity { vnet: true, ruleset: 1000, uuid: "web".to_owned(), path: "/jails/web/root".into() };
        let changed = |change: &dyn Fn(&mut Identity)| {
            let mut found = own.clone();
            change(&mut found);
            own.is_same(&found)
        };
        assert!(changed(&|_| {}));
        assert!(changed(&|found| found.ruleset = 4));
        assert!(changed(&|found| found.uuid.clear()));
        assert!(!changed(&|found| (found.ruleset, found.uuid) = (0, String::new())));
        assert!(!changed(&|found| (found.ruleset, found.path) = (0, "/".into())));
        assert!(!changed(&|found| found.vnet = false));
        let without = Identity { uuid: String::new(), ..own.clone() };
        assert!(without.is_same(&own));
        assert!(!without.is_same(&Identity { ruleset: 0, ..own.clone() }));
        assert!(!without.is_same(&Identity { path: "/".into(), ..own.clone() }));
    }
}

//! Finds the jail that a runtime names as a network namespace.

use std::path::Path;

use jailwire::jail::{self, JailInfo, JailKey};
use jailwire::types::Jid;

use super::{Failure, Host, Result};

/// Returns the jail that a word names: a number is a jid, and any other word is a jail's name.
fn key(word: &str) -> JailKey {
    match word.parse().ok().and_then(|number| Jid::new(number).ok()) {
        Some(jid) => jid.into(),
        None => word.into(),
    }
}

fn is_path(namespace: &str) -> Failure {
    Failure::NoJail(format!(
        "{namespace:?} is a path: on FreeBSD the network namespace of a container is the name or the jid of its jail"
    ))
}

impl Host {
    /// Finds the jail with the network stack that a name or a jid means. If the named jail shares the stack of its
    /// parent jail, as the containers of a pod do, the parent jail is returned.
    ///
    /// A path means the jail with the name of its last component: programs for Linux put their working directory
    /// before the name, as libcni's cnitool does.
    ///
    /// Returns `None` when there is no such jail.
    ///
    /// # Errors
    ///
    /// [`Failure::NoJail`] when the jail shares the host's stack, and when a path leads to a file or names no jail.
    pub fn find_jail(&self, namespace: &str) -> Result<Option<JailInfo>> {
        let kernel = &**self.kernel();
        let found = match namespace.rsplit_once('/') {
            None => jail::get(kernel, key(namespace))?,
            Some((_, name)) if !name.is_empty() && !Path::new(namespace).exists() => {
                Some(jail::get(kernel, key(name))?.ok_or_else(|| is_path(namespace))?)
            }
            Some(_) => return Err(is_path(namespace)),
        };
        let Some(mut info) = found else { return Ok(None) };
        while !info.vnet {
            let above = match info.name.rsplit_once('.') {
                Some((above, _)) => jail::get(kernel, above)?,
                None => None,
            };
            info = above.ok_or_else(|| {
                Failure::NoJail(format!(
                    "jail {namespace} has no network stack of its own: it has to be created with `vnet`"
                ))
            })?;
        }
        Ok(Some(info))
    }

    /// Finds the jail, which has to be there.
    ///
    /// # Errors
    ///
    /// [`Failure::NoJail`] when there is no such jail, and as [`Host::find_jail`].
    pub fn jail(&self, namespace: &str) -> Result<JailInfo> {
        self.find_jail(namespace)?.ok_or_else(|| {
            Failure::NoJail(format!("there is no jail {namespace}: `jls` lists those that run"))
        })
    }
}

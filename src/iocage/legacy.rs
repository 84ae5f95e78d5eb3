//! Jails of legacy iocage: their properties are ZFS properties of the jail's dataset. They have no config.json
//! until a command of jailwire changes a property.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::document::Document;
use super::name::JailName;
use super::property::{Kind, Stored, boolean, canonical, find};
use crate::Error;

/// The properties of all legacy jails, by the jails' names.
pub type Answer = BTreeMap<String, BTreeMap<String, String>>;

/// The source of the properties of legacy jails. It is read once, when the first legacy jail is read.
#[derive(Clone)]
pub struct Legacy(Arc<Source>);

struct Source {
    ask: Box<dyn Fn() -> Result<Answer, Error> + Send + Sync>,
    answer: OnceLock<Answer>,
}

impl Legacy {
    /// Asks in this way, as with [`legacy_properties`](super::zfs::legacy_properties).
    pub fn new(ask: impl Fn() -> Result<Answer, Error> + Send + Sync + 'static) -> Legacy {
        Legacy(Arc::new(Source { ask: Box::new(ask), answer: OnceLock::new() }))
    }

    /// A jail's properties, in the form of the config.json at a path. Returns `None` if the jail has no such properties.
    pub(super) fn document(&self, name: &JailName, config: PathBuf) -> Result<Option<Document>, Error> {
        let answer = match self.0.answer.get() {
            Some(answer) => answer,
            None => {
                let answer = (self.0.ask)()?;
                self.0.answer.get_or_init(|| answer)
            }
        };
        let Some(properties) = answer.get(name.as_str()) else { return Ok(None) };
        let mut document = Document::new(config);
        for (name, text) in properties {
            document.set(canonical(name), &stored(name, text));
        }
        Ok(Some(document))
    }
}

/// Converts a value to the form that iocage would write.
fn stored(name: &str, text: &str) -> Stored {
    match find(name).map(|property| property.kind) {
        Some(Kind::Boolean) => boolean(text).map_or_else(|| text.into(), Stored::Flag),
        _ => text.into(),
    }
}

impl fmt::Debug for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Legacy").field("answer", &self.0.answer).finish_non_exhaustive()
    }
}

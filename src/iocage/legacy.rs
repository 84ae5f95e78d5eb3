//! Jails of legacy iocage: their properties are ZFS's, on the jail's dataset, and they have no
//! config.json until something of them is changed here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::document::Document;
use super::property::{Kind, Stored, boolean, canonical, find};
use super::store::Entry;
use crate::Error;

/// The properties of all legacy jails, by the jails' names.
pub type Answer = BTreeMap<String, BTreeMap<String, String>>;

/// The source of the properties of legacy jails. It is read once, and only if there is such a jail.
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

    /// A jail's properties as the config.json they would be. Returns `None` if it has none.
    pub(super) fn document(&self, entry: &Entry) -> Result<Option<Document>, Error> {
        let answer = match self.0.answer.get() {
            Some(answer) => answer,
            None => {
                let answer = (self.0.ask)()?;
                self.0.answer.get_or_init(|| answer)
            }
        };
        let Some(properties) = answer.get(entry.name.as_str()) else { return Ok(None) };
        let mut document = Document::new(entry.config_path());
        for (name, text) in properties {
            document.set(canonical(name), &stored(name, text));
        }
        Ok(Some(document))
    }
}

/// As iocage would write it.
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

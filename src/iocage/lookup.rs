//! Finds the jail that a word on a command line means.

use std::fs;

use super::document::Document;
use super::name::JailName;
use super::properties::Properties;
use super::store::{Entry, Store};
use crate::error::{Error, ErrorKind};

impl Store {
    /// Returns the jail or template that a word means. The word is tried as a name, then as a UUID
    /// (`host_hostuuid`), then as a TAG, and then as the beginning of a name that only one jail or template has.
    ///
    /// # Errors
    ///
    /// The word cannot be a name. [`ErrorKind::NotFound`]: no jail fits. [`ErrorKind::Ambiguous`]: several jails
    /// fit. A directory cannot be read.
    pub fn resolve(&self, word: &str) -> Result<Entry, Error> {
        self.look_up(word, true)
    }

    /// As [`resolve`](Store::resolve), but without beginnings of names: for commands that cannot be undone.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Store::resolve).
    pub fn resolve_exactly(&self, word: &str) -> Result<Entry, Error> {
        self.look_up(word, false)
    }

    fn look_up(&self, word: &str, beginnings: bool) -> Result<Entry, Error> {
        JailName::check_word(word)?;
        if let Some(entry) = JailName::new(word).ok().and_then(|name| self.find(&name)) {
            return Ok(entry);
        }
        let entries = self.entries()?;
        // A jail whose configuration cannot be read is found by its name.
        let config = |entry: &Entry| self.document(entry).ok();
        let configs: Vec<_> = entries.iter().map(|entry| (entry, config(entry))).collect();
        let with = |key: &str| -> Vec<Entry> {
            let has = |config: &Document| config.text(key) == Ok(Some(word));
            let found = configs.iter().filter(|(_, config)| config.as_ref().is_some_and(has));
            found.map(|(entry, _)| (*entry).clone()).collect()
        };
        let begins = |entry: &&Entry| beginnings && entry.name.as_str().starts_with(word);
        let beginning = || entries.iter().filter(begins).cloned().collect();
        let tagged = || self.tagged(word).into_iter().collect();
        let ways: [&dyn Fn() -> Vec<Entry>; 4] =
            [&|| with("host_hostuuid"), &tagged, &|| with("tag"), &beginning];
        for way in ways {
            let mut found = way();
            match found.len() {
                0 => {}
                1 => return Ok(found.remove(0)),
                _ => return Err(ambiguous(word, &found)),
            }
        }
        let message = format!("jail '{}' not found! `list` shows the jails there are", word.escape_debug());
        let advice = "`list` shows the jails there are";
        Err(Error::said(ErrorKind::NotFound, word, message).advising(advice))
    }

    /// Returns the words of a jail's `depends`, each with the jail that it means, or with the error.
    pub fn depends(&self, properties: &Properties) -> Vec<(String, Result<Entry, Error>)> {
        let resolved = |word: String| {
            let entry = self.resolve(&word);
            (word, entry)
        };
        properties.depends().into_iter().map(resolved).collect()
    }

    /// Returns the names of the jails that a jail's `depends` means, as far as there are such jails.
    pub fn needs(&self, entry: &Entry) -> Vec<JailName> {
        let depends = self.properties(entry).map(|properties| self.depends(&properties)).unwrap_or_default();
        depends.into_iter().filter_map(|(_, entry)| Some(entry.ok()?.name)).collect()
    }

    /// The jail that the symbolic link `tags/TAG` of legacy iocage leads to.
    fn tagged(&self, tag: &str) -> Option<Entry> {
        let target = fs::read_link(self.root().join("tags").join(tag)).ok()?;
        // Only the last part of the target counts, so that the link works also when iocage's directory has moved.
        self.find(&JailName::new(target.file_name()?.to_str()?).ok()?)
    }
}

/// The error for a word that several jails fit.
fn ambiguous(word: &str, entries: &[Entry]) -> Error {
    let line = |entry: &Entry| format!("\n  {} ({})", entry.name, entry.directory.display());
    let lines: String = entries.iter().map(line).collect();
    let message = format!("Multiple jails found for {word}:{lines}\nGive more letters.");
    Error::said(ErrorKind::Ambiguous, word, message).advising("give more letters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn jail(root: &Path, place: &str, name: &str, config: &str) {
        let directory = root.join(place).join(name);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config.json"), config).unwrap();
    }

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        jail(root, "jails", "web", r#"{"host_hostuuid":"web"}"#);
        jail(root, "jails", "web2", r#"{"host_hostuuid":"11111111-2222"}"#);
        jail(root, "jails", "WALLET", r#"{"tag":"2016-12-22@10:11:12"}"#);
        jail(root, "jails", "broken", "not json");
        jail(root, "templates", "base", "{}");
        fs::create_dir(root.join("tags")).unwrap();
        std::os::unix::fs::symlink("/iocage/jails/web2", root.join("tags/blog")).unwrap();
        let store = Store::open(root).unwrap();
        (directory, store)
    }

    fn found(store: &Store, word: &str) -> String {
        store.resolve(word).map_or_else(|error| error.to_string(), |entry| entry.name.to_string())
    }

    #[test]
    fn names_come_first_then_uuids_then_tags_then_beginnings() {
        let (_directory, store) = store();
        for (word, name) in [
            ("web", "web"),
            ("11111111-2222", "web2"),
            ("blog", "web2"),
            ("2016-12-22@10:11:12", "WALLET"),
            ("WALL", "WALLET"),
            ("bro", "broken"),
            ("ba", "base"),
        ] {
            assert_eq!(found(&store, word), name, "{word}");
        }
    }

    #[test]
    fn more_than_one_beginning_is_too_many() {
        let (_directory, store) = store();
        let error = found(&store, "we");
        assert!(error.starts_with("Multiple jails found for we:\n  web ("), "{error}");
        assert!(error.contains("\n  web2 ("), "{error}");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let (_directory, store) = store();
        for word in ["x", "WEB", "b@d"] {
            assert!(found(&store, word).starts_with(&format!("jail '{word}' not found!")), "{word}");
        }
        for word in ["", "..", ".", "../web", "jails/web", "/web", "web\n", "\u{1b}[2J"] {
            let error = found(&store, word);
            assert!(error.contains("jail name"), "{word:?}: {error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
        assert!(store.resolve_exactly("we").is_err());
        for (word, name) in [("web", "web"), ("blog", "web2"), ("11111111-2222", "web2")] {
            assert_eq!(store.resolve_exactly(word).unwrap().name.as_str(), name);
        }
    }

    #[test]
    fn only_the_whole_word_means_all() {
        let (_directory, store) = store();
        assert_eq!(store.select(&["ALL"]).unwrap().entries().len(), 5);
        let one = store.select(&["WALLET", "web", "WALLET"]).unwrap();
        assert_eq!(one.entries().len(), 2);
    }
}

//! config.json and defaults.json: one JSON object of properties.
//!
//! Values that no command changes are written back as they were, also values that jailwire does not know. The
//! document is written as iocage writes it: keys sorted, four blanks of indentation, no newline at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::Deserializer as _;
use serde_json::value::RawValue;

use super::json::{Json, Pairs, depth, quoted};
use super::property::Stored;
use crate::error::{Error, ErrorKind};
use crate::files::{Files, LARGEST, Unread, read_regular};

/// The bytes that some editors begin a file in UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The deepest nesting in the value of an unknown key.
const DEEPEST: usize = 64;

/// One file of properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    path: PathBuf,
    values: BTreeMap<String, Json>,
}

impl Document {
    /// Returns a document without values, to be written to this file.
    pub fn new(path: impl Into<PathBuf>) -> Document {
        Document { path: path.into(), values: BTreeMap::new() }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It is missing, cannot be read, is no regular file, is larger than 1 MiB, or is not a JSON
    /// object.
    pub fn read(path: &Path) -> Result<Document, Error> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => missing(path),
            _ => Error::of_file("read", path, source),
        };
        match read_regular(path) {
            Ok(contents) => Document::parse(path, &contents),
            Err(Unread::Io(error)) => Err(failed(error)),
            Err(Unread::NotRegular) => {
                let reason = format!("{} is not a regular file", path.display());
                Err(Error::invalid(path.display(), reason, "put the jail's configuration there"))
            }
            Err(Unread::TooLarge) => Err(too_large(path)),
        }
    }

    /// Reads the contents of a file. `path` is for messages, and for writing the file.
    ///
    /// # Errors
    ///
    /// The file is larger than 1 MiB, or is not a JSON object. The error of wrong JSON has the line and column.
    pub fn parse(path: &Path, contents: &[u8]) -> Result<Document, Error> {
        if contents.len() as u64 > LARGEST {
            return Err(too_large(path));
        }
        if contents.starts_with(BYTE_ORDER_MARK) {
            let reason = format!("{} begins with a byte order mark, which is not JSON", path.display());
            return Err(Error::invalid(path.display(), reason, "save it as UTF-8 without that mark"));
        }
        let begins = contents.iter().find(|byte| !byte.is_ascii_whitespace());
        let mut reader = serde_json::Deserializer::from_slice(contents);
        let mut twice = None;
        let pairs = reader
            .deserialize_map(Pairs { twice: &mut twice })
            .and_then(|pairs| reader.end().map(|()| pairs));
        let pairs = match pairs {
            Ok(pairs) => pairs,
            Err(error) => {
                return Err(match twice {
                    Some(key) => {
                        let (path, line) = (path.display(), error.line());
                        let reason = format!("{path} has {key:?} twice, the second at line {line}");
                        Error::invalid(path, reason, "remove one of them")
                    }
                    None if begins.is_some_and(|byte| *byte != b'{') && error.is_data() => {
                        let reason = format!("{} is not a JSON object", path.display());
                        let advice = "it must begin with { and hold one \"property\": value after another";
                        Error::invalid(path.display(), reason, advice)
                    }
                    None => syntax(path, &error),
                });
            }
        };
        let value = |(key, raw): (String, &RawValue)| {
            if depth(raw.get()) > DEEPEST {
                let reason = format!("{}: the value of {key:?} is nested too deep", path.display());
                return Err(Error::invalid(path.display(), reason, "remove it"));
            }
            let value = Json::from_raw(raw.get()).map_err(|error| syntax(path, &error))?;
            Ok((key, value))
        };
        let values = pairs.into_iter().map(value).collect::<Result<_, Error>>()?;
        Ok(Document { path: path.to_owned(), values })
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns whether the document has the key.
    pub fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Returns a value as text: numbers as they were written, true and false as 1 and 0, null as not there.
    ///
    /// # Errors
    ///
    /// [`Error`]: it is a list or an object.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let found = match value {
            Json::Nested(serde_json::Value::Array(_)) => "a list",
            Json::Nested(_) => "an object",
            _ => return Ok(value.text()),
        };
        let reason = format!("{key} is {found} in {}", self.path.display());
        Err(Error::invalid(key, reason, "write it as text"))
    }

    /// Returns a value in the form that `get` prints: text, or JSON for lists and objects.
    pub fn printed(&self, key: &str) -> Option<String> {
        match self.values.get(key)? {
            Json::Nested(value) => Some(value.to_string()),
            value => value.text().map(str::to_owned),
        }
    }

    /// Sets a value.
    pub fn set(&mut self, key: &str, value: &Stored) {
        self.values.insert(key.to_owned(), value.clone().into());
    }

    /// Copies a value from another document, unchanged.
    pub fn copy(&mut self, key: &str, from: &Document) {
        if let Some(value) = from.values.get(key) {
            self.values.insert(key.to_owned(), value.clone());
        }
    }

    /// Sets a value to `null`, as iocage writes what is not known.
    pub fn set_null(&mut self, key: &str) {
        self.values.insert(key.to_owned(), Json::Null);
    }

    /// Takes a value out, so that the default holds. Returns whether there was a value.
    pub fn remove(&mut self, key: &str) -> bool {
        self.values.remove(key).is_some()
    }

    /// Writes the file, atomically and durably.
    ///
    /// # Errors
    ///
    /// As [`Files::write_atomically`].
    pub fn write(&self, files: &Files) -> Result<(), Error> {
        files.write_atomically(&self.path, self.to_string().as_bytes(), 0o644)
    }
}

fn missing(path: &Path) -> Error {
    let reason = format!("{} is missing", path.display());
    Error::refused(ErrorKind::NotFound, path.display(), reason, "restore it, or create the jail again")
}

fn too_large(path: &Path) -> Error {
    let reason = format!("{} is larger than 1 MiB, too large for a configuration", path.display());
    Error::invalid(path.display(), reason, "restore it from a backup")
}

fn syntax(path: &Path, error: &serde_json::Error) -> Error {
    // The message of serde_json ends with the place, which this error has at its beginning.
    let message = error.to_string();
    let what = message.rfind(" at line ").map_or(message.as_str(), |at| &message[..at]);
    let (path, line, column) = (path.display(), error.line(), error.column());
    let message = format!("{path} is not JSON at line {line}, column {column}: {what}; correct it there");
    Error::said(ErrorKind::Invalid, path, message).advising("correct it there")
}

/// Writes the document in iocage's form.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.values.is_empty() {
            return f.write_str("{}");
        }
        for (index, (key, value)) in self.values.iter().enumerate() {
            let before = if index == 0 { "{" } else { "," };
            write!(f, "{before}\n    {}: {}", quoted(key), value.normalised(key))?;
        }
        f.write_str("\n}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Document, Error> {
        Document::parse(Path::new("config.json"), text.as_bytes())
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn writes_what_iocage_writes() {
        let mut document =
            parse(r#"{"vnet":0,"zeta":[1,{"a":[]}],"host_hostname":"wéb\u0001/","alpha":{}}"#).unwrap();
        document.set("vnet", &Stored::Flag(true));
        document.set("priority", &Stored::from("7"));
        let expected = "{\n    \"alpha\": {},\n    \"host_hostname\": \"wéb\\u0001/\",\n    \"priority\": \"7\",\n    \"vnet\": 1,\n    \"zeta\": [\n        1,\n        {\n            \"a\": []\n        }\n    ]\n}";
        assert_eq!(document.to_string(), expected);
        assert_eq!(Document::new("x").to_string(), "{}");
    }

    #[test]
    fn normalises_what_it_knows_and_nothing_else() {
        let document = parse(r#"{"vnet":"on","bpf":true,"priority":5,"dhcp":"banana","mine":5,"other":true,"hostid":null,"big":123456789012345678901234567890.50}"#).unwrap();
        let written = document.to_string();
        for line in [
            r#""vnet": 1,"#,
            r#""bpf": 1,"#,
            r#""priority": "5","#,
            r#""dhcp": "banana","#,
            r#""mine": 5,"#,
            r#""other": true,"#,
            r#""hostid": null,"#,
            r#""big": 123456789012345678901234567890.50,"#,
        ] {
            assert!(
                format!("{written},").contains(line) || written.contains(line.trim_end_matches(',')),
                "{line} in {written}"
            );
        }
        assert_eq!(document.text("other"), Ok(Some("1")));
        assert_eq!(document.text("hostid"), Ok(None));
    }

    #[test]
    fn says_where_it_is_not_json() {
        assert!(error("{\n  \"a\": 1,\n  b\n}").contains("config.json is not JSON at line 3, column 3"));
        assert!(error("").contains("is not JSON at line 1"));
        assert!(error("{\"a\": 1} x").contains("is not JSON"));
        assert!(error("{\"a\": \"\u{1}\"}").contains("is not JSON"));
        assert!(error("[1]").contains("is not a JSON object"));
        assert!(error("\"a\"").contains("is not a JSON object"));
        assert!(error("{\"a\": 1,\n\"a\": 2}").contains("has \"a\" twice, the second at line 2"));
        assert!(
            Document::parse(Path::new("c"), b"{\"a\": \"\xff\"}")
                .unwrap_err()
                .to_string()
                .contains("not JSON")
        );
    }

    #[test]
    fn refuses_what_is_too_deep_or_too_large() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(65), "]".repeat(65));
        assert!(error(&deep).contains("nested too deep"));
        let deepest = format!("{{\"a\": {}{}, \"b\": \"[[[\\\"[\"}}", "[".repeat(64), "]".repeat(64));
        assert!(parse(&deepest).is_ok());
        let abyss = format!("{{\"a\": {}", "[".repeat(100_000));
        assert!(parse(&abyss).is_err());
        let large = format!("{{\"a\": \"{}\"}}", "x".repeat(1 << 20));
        assert!(error(&large).contains("larger than 1 MiB"));
    }

    #[test]
    fn a_list_is_no_propertys_value() {
        let document = parse(r#"{"ip4_addr": ["a"], "ip6_addr": {}}"#).unwrap();
        assert_eq!(
            document.text("ip4_addr").unwrap_err().to_string(),
            "ip4_addr is a list in config.json: write it as text"
        );
        assert!(document.text("ip6_addr").unwrap_err().to_string().contains("is an object in"));
        assert_eq!(document.printed("ip4_addr").unwrap(), "[\"a\"]");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in prop::collection::btree_map(".{0,8}", ".{0,8}", 0..5)) {
            let mut document = Document::new("config.json");
            for (key, value) in &pairs {
                document.set(key, &Stored::from(value.as_str()));
            }
            prop_assert_eq!(parse(&document.to_string()).unwrap().to_string(), document.to_string());
        }

        #[test]
        fn no_file_is_too_strange(bytes: Vec<u8>, text in "[{}\\[\\]\":,a1 \\\\n]{0,40}") {
            let _ = (Document::parse(Path::new("c"), &bytes), parse(&text));
        }
    }
}

//! The values of a document, kept as they were written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::property::{Kind, Stored, boolean, find};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Text(String),
    /// The number as it was written, so that no digit is lost.
    Number(String),
    Boolean(bool),
    Null,
    /// A list or an object.
    Nested(serde_json::Value),
}

impl Json {
    pub fn from_raw(raw: &str) -> serde_json::Result<Json> {
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Json::Text(serde_json::from_str(raw)?),
            Some(b'-' | b'0'..=b'9') => Json::Number(raw.to_owned()),
            _ => match serde_json::from_str(raw)? {
                serde_json::Value::Null => Json::Null,
                serde_json::Value::Bool(flag) => Json::Boolean(flag),
                nested => Json::Nested(nested),
            },
        })
    }

    /// Returns the value as text, unless it is null, a list or an object.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) | Json::Number(text) => Some(text),
            Json::Boolean(true) => Some("1"),
            Json::Boolean(false) => Some("0"),
            Json::Null | Json::Nested(_) => None,
        }
    }

    /// Returns the value that iocage makes of this value when it loads a file: numbers for booleans, and text for
    /// all others.
    pub fn normalised(&self, key: &str) -> Cow<'_, Json> {
        let (Some(property), Some(text)) = (find(key), self.text()) else { return Cow::Borrowed(self) };
        match (property.kind, boolean(text)) {
            (Kind::Boolean, Some(flag)) => Cow::Owned(Stored::Flag(flag).into()),
            (Kind::Boolean, None) => Cow::Borrowed(self),
            _ => Cow::Owned(Json::Text(text.to_owned())),
        }
    }
}

impl From<Stored> for Json {
    fn from(value: Stored) -> Json {
        match value {
            Stored::Flag(flag) => Json::Number(u8::from(flag).to_string()),
            Stored::Text(text) => Json::Text(text),
        }
    }
}

/// The value of a key, as Python's json.dump with four blanks of indentation prints it.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Text(text) => f.write_str(&quoted(text)),
            Json::Number(number) => f.write_str(number),
            Json::Boolean(flag) => flag.fmt(f),
            Json::Null => f.write_str("null"),
            Json::Nested(value) => f.write_str(&indented(value)),
        }
    }
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list or an object, indented by four more blanks.
fn indented(value: &serde_json::Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("memory takes everything");
    // A JSON string contains no bare newline, so each newline is between values.
    String::from_utf8(bytes).expect("JSON is UTF-8").replace('\n', "\n    ")
}

/// The depth of nesting of a JSON value.
pub(super) fn depth(raw: &str) -> usize {
    let (mut open, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in raw.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reads the pairs of an object. A repeated key is an error.
pub(super) struct Pairs<'a> {
    /// Set to that key.
    pub twice: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut pairs = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if pairs.contains_key(&key) {
                *self.twice = Some(key);
                return Err(M::Error::custom("duplicate key"));
            }
            pairs.insert(key, map.next_value()?);
        }
        Ok(pairs)
    }
}

//! Values as they are stored.

use std::fmt;

/// A value in config.json: the integers 0 and 1 for booleans, and text for everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// 0 or 1.
    Flag(bool),
    /// Text.
    Text(String),
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stored::Flag(flag) => u8::from(*flag).fmt(f),
            Stored::Text(text) => f.write_str(text),
        }
    }
}

impl From<bool> for Stored {
    fn from(flag: bool) -> Stored {
        Stored::Flag(flag)
    }
}

impl From<String> for Stored {
    fn from(text: String) -> Stored {
        Stored::Text(text)
    }
}

impl From<&str> for Stored {
    fn from(text: &str) -> Stored {
        Stored::Text(text.to_owned())
    }
}

/// Reads a boolean in any of its spellings: `0 1 off on no yes false true`, in any case.
pub fn boolean(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    if is_one_of(["1", "on", "yes", "true"]) {
        Some(true)
    } else {
        is_one_of(["0", "off", "no", "false"]).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_have_eight_spellings_and_no_more() {
        for text in ["1", "on", "Yes", "TRUE"] {
            assert_eq!(boolean(text), Some(true));
        }
        for text in ["0", "off", "NO", "False"] {
            assert_eq!(boolean(text), Some(false));
        }
        for text in ["", "none", "banana", "2", "onn", "y"] {
            assert_eq!(boolean(text), None, "{text:?}");
        }
    }
}

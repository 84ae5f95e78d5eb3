//! Versions of the specification.

use std::fmt;

use super::error::{Code, Failure, Result};

/// A version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V0_3_0,
    V0_3_1,
    V0_4_0,
    V1_0_0,
    V1_1_0,
}

/// All of them, the oldest first.
pub const ALL: [Version; 5] =
    [Version::V0_3_0, Version::V0_3_1, Version::V0_4_0, Version::V1_0_0, Version::V1_1_0];

impl Version {
    /// The newest.
    pub const NEWEST: Version = Version::V1_1_0;

    fn text(self) -> &'static str {
        match self {
            Version::V0_3_0 => "0.3.0",
            Version::V0_3_1 => "0.3.1",
            Version::V0_4_0 => "0.4.0",
            Version::V1_0_0 => "1.0.0",
            Version::V1_1_0 => "1.1.0",
        }
    }

    /// Reads the version of a configuration. A configuration without a version is of the first version.
    pub fn read(text: Option<&str>) -> Result<Version> {
        let text = text.filter(|text| !text.is_empty()).unwrap_or("0.1.0");
        ALL.into_iter().find(|version| version.text() == text).ok_or_else(|| Failure {
            code: Code::IncompatibleVersion,
            message: "incompatible CNI versions".to_owned(),
            details: format!(
                "config is {text:?}, plugin supports [{}]",
                ALL.map(|version| format!("{:?}", version.text())).join(" ")
            ),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

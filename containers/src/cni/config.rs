//! The configuration that a runtime gives on standard input.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::environment::is_name;
use super::error::{Code, Failure, Result};
use super::result::AddResult;
use super::version::Version;
use crate::json;

/// The configuration of one plugin.
#[derive(Debug)]
pub struct Config {
    text: Vec<u8>,
    common: Common,
    version: Version,
}

/// The fields of every configuration.
#[derive(Debug, Deserialize)]
struct Common {
    #[serde(default, rename = "cniVersion")]
    version: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    ipam: Option<IpamType>,
    #[serde(default, rename = "prevResult")]
    previous: Option<Value>,
    #[serde(default, rename = "cni.dev/valid-attachments", deserialize_with = "present")]
    valid: Option<Vec<Valid>>,
    // The key's name before it was in the specification.
    #[serde(default, rename = "cni.dev/attachments", deserialize_with = "present")]
    valid_before: Option<Vec<Valid>>,
}

#[derive(Debug, Deserialize)]
struct IpamType {
    #[serde(default, rename = "type")]
    kind: String,
}

/// A valid attachment, which GC keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Valid {
    #[serde(rename = "containerID")]
    pub container: String,
    #[serde(rename = "ifname")]
    pub interface: String,
}

/// Reads a list that is present. Go writes an empty list as null.
fn present<'de, D>(deserializer: D) -> std::result::Result<Option<Vec<Valid>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

impl Config {
    /// Reads what every configuration has.
    pub fn read(text: Vec<u8>) -> Result<Config> {
        let common: Common = json::read(&text).map_err(|error| {
            Failure::new(Code::Decoding, format!("error unmarshall network config: {error}"))
        })?;
        match common.name.as_deref() {
            None | Some("") => return Err(Failure::config("missing network name")),
            Some(name) if !is_name(name) => {
                return Err(Failure::config(format!("invalid characters found in network name: {name:?}")));
            }
            Some(_) => {}
        }
        let version = Version::read(common.version.as_deref())?;
        Ok(Config { text, common, version })
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the network's name.
    pub fn name(&self) -> &str {
        self.common.name.as_deref().unwrap_or_default()
    }

    /// Returns the driver of addresses.
    pub fn ipam_type(&self) -> Option<String> {
        self.common.ipam.as_ref().map(|ipam| ipam.kind.clone())
    }

    /// Reads what a plugin's own configuration has.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        json::read(&self.text)
            .map_err(|error| Failure::new(Code::Decoding, format!("failed to load netconf: {error}")))
    }

    /// Returns the result of the earlier plugins, unchanged.
    pub fn previous(&self) -> Option<&Value> {
        self.common.previous.as_ref()
    }

    /// Returns the result of ADD, which CHECK has to be given.
    pub fn previous_result(&self) -> Result<AddResult> {
        let previous = self.previous().ok_or_else(|| Failure::config("required prevResult missing"))?;
        serde_json::from_value(previous.clone())
            .map_err(|error| Failure::new(Code::Decoding, format!("could not parse prevResult: {error}")))
    }

    /// Returns the attachments that GC leaves, or `None` when the runtime gives no list.
    pub fn valid_attachments(&self) -> Option<&[Valid]> {
        self.common.valid.as_deref().or(self.common.valid_before.as_deref())
    }
}

//! The environment variables of a runtime.

use std::collections::BTreeMap;

use super::error::{Code, Failure, Result};
use jailwire::types::InterfaceName;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Add,
    Del,
    Check,
    Gc,
    Status,
    Version,
}

impl Command {
    /// The variables that a command needs.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Command::Add | Command::Check => &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
            Command::Del => &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
            Command::Gc | Command::Status => &["CNI_PATH"],
            Command::Version => &[],
        }
    }
}

/// The environment of a plugin.
#[derive(Debug, Clone)]
pub struct Environment {
    pub command: Command,
    pub container: String,
    /// The container's network namespace. It is empty if the runtime does not know it any more.
    pub namespace: String,
    pub interface: String,
    /// `CNI_ARGS`.
    pub arguments: BTreeMap<String, String>,
    pub path: String,
}

/// Returns whether text is a valid name of a container or network in the specification.
pub fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    first && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

impl Environment {
    /// Reads the environment through a function that returns the value of a variable. Returns `None` when no
    /// command is given, because a user has started the plugin by hand.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Environment>> {
        let value = |name: &str| variable(name).unwrap_or_default();
        let command = match value("CNI_COMMAND").as_str() {
            "" => return Ok(None),
            "ADD" => Command::Add,
            "DEL" => Command::Del,
            "CHECK" => Command::Check,
            "GC" => Command::Gc,
            "STATUS" => Command::Status,
            "VERSION" => Command::Version,
            other => {
                return Err(Failure::new(Code::InvalidEnvironment, format!("unknown CNI_COMMAND: {other}")));
            }
        };
        let missing: Vec<&str> =
            command.needs().iter().copied().filter(|name| value(name).is_empty()).collect();
        if !missing.is_empty() {
            return Err(Failure::new(
                Code::InvalidEnvironment,
                format!("required env variables [{}] missing", missing.join(",")),
            ));
        }
        let (container, interface) = (value("CNI_CONTAINERID"), value("CNI_IFNAME"));
        let needs = command.needs();
        if needs.contains(&"CNI_CONTAINERID") && !is_name(&container) {
            return Err(Failure::new(
                Code::InvalidEnvironment,
                format!("invalid characters in CNI_CONTAINERID: {container:?}"),
            ));
        }
        if needs.contains(&"CNI_IFNAME") {
            let parsed: std::result::Result<InterfaceName, _> = interface.parse();
            parsed.map_err(|error| {
                Failure::new(Code::InvalidEnvironment, format!("invalid CNI_IFNAME {interface:?}: {error}"))
            })?;
        }
        Ok(Some(Environment {
            command,
            container,
            namespace: value("CNI_NETNS"),
            interface,
            arguments: arguments(&value("CNI_ARGS"))?,
            path: value("CNI_PATH"),
        }))
    }

    /// Returns the name of the interface in the container. If the command needs it, it was checked already.
    pub fn interface_name(&self) -> Result<InterfaceName> {
        self.interface.parse().map_err(|error| {
            Failure::new(
                Code::InvalidEnvironment,
                format!("invalid CNI_IFNAME {:?}: {error}", self.interface),
            )
        })
    }
}

/// Reads `FOO=BAR;ABC=123`.
fn arguments(text: &str) -> Result<BTreeMap<String, String>> {
    let pairs = text.split(';').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(Failure::new(
                Code::InvalidEnvironment,
                format!("CNI_ARGS: {pair:?} is not of the form KEY=VALUE"),
            )),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(all: &[(&str, &str)]) -> Result<Option<Environment>> {
        Environment::read(|name| {
            all.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(read(&[]).unwrap().is_none());
        let error = read(&[("CNI_COMMAND", "ADD"), ("CNI_IFNAME", "eth0")]).unwrap_err();
        assert_eq!(error.code, Code::InvalidEnvironment);
        assert_eq!(error.message, "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_PATH] missing");
        let error = read(&[("CNI_COMMAND", "add")]).unwrap_err();
        assert_eq!(error.message, "unknown CNI_COMMAND: add");
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        let with = |container, interface| {
            read(&[
                ("CNI_COMMAND", "DEL"),
                ("CNI_CONTAINERID", container),
                ("CNI_IFNAME", interface),
                ("CNI_PATH", "/p"),
            ])
        };
        assert!(with("web-1.a_b", "eth0").unwrap().is_some());
        for (container, interface) in
            [("../x", "eth0"), ("-a", "eth0"), ("a b", "eth0"), ("a", "a name that is too long")]
        {
            assert_eq!(with(container, interface).unwrap_err().code, Code::InvalidEnvironment);
        }
    }

    #[test]
    fn arguments_are_pairs() {
        let all = arguments("IP=10.0.0.5;K8S_POD_NAME=a=b;").unwrap();
        assert_eq!(all["IP"], "10.0.0.5");
        assert_eq!(all["K8S_POD_NAME"], "a=b");
        assert!(arguments("IP").is_err());
    }
}

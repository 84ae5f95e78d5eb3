//! The property `resolver`: the source of a jail's /etc/resolv.conf.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The source of a jail's /etc/resolv.conf.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolver {
    /// `/etc/resolv.conf`, or `none`: a copy of the host's.
    Host,
    /// `/dev/null`: the jail's file is not changed.
    Leave,
    /// These lines, which the property separates by `;`.
    Lines(Vec<String>),
}

impl Resolver {
    /// Returns the contents of the jail's file. Returns `None` if the host's file is copied, or the jail's file is
    /// not changed.
    pub fn contents(&self) -> Option<String> {
        match self {
            Resolver::Host | Resolver::Leave => None,
            Resolver::Lines(lines) => Some(lines.iter().map(|line| format!("{line}\n")).collect()),
        }
    }
}

impl FromStr for Resolver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Resolver, Error> {
        match text {
            "/etc/resolv.conf" | "none" => Ok(Resolver::Host),
            "/dev/null" => Ok(Resolver::Leave),
            text if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\t') => {
                let reason = format!("`{}` cannot be lines of resolv.conf", text.escape_debug());
                let advice = "separate them by `;`, as in nameserver 192.0.2.53";
                Err(Error::of_value(text, format!("{reason}: {advice}")))
            }
            _ => Ok(Resolver::Lines(text.split(';').map(str::to_owned).collect())),
        }
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolver::Host => f.write_str("/etc/resolv.conf"),
            Resolver::Leave => f.write_str("/dev/null"),
            Resolver::Lines(lines) => f.write_str(&lines.join(";")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tells_the_three_kinds_apart() {
        assert_eq!("none".parse(), Ok(Resolver::Host));
        assert_eq!("/dev/null".parse::<Resolver>().unwrap().contents(), None);
        let lines: Resolver = "search example.org;nameserver 192.0.2.53".parse().unwrap();
        assert_eq!(lines.contents().unwrap(), "search example.org\nnameserver 192.0.2.53\n");
        assert!("nameserver 192.0.2.53\n".parse::<Resolver>().is_err());
        assert!("".parse::<Resolver>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(text in ".*") {
            if let Ok(resolver) = text.parse::<Resolver>() {
                prop_assert_eq!(resolver.to_string().parse(), Ok(resolver));
            }
        }
    }
}

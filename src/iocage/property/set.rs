//! Assignments: `PROPERTY=VALUE`.

use std::fmt;

use super::table::{Property, Scope, canonical, find, nearest};
use super::value::Stored;
use crate::error::{Error, ErrorKind};

/// The target of a set property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A jail.
    Jail,
    /// `default`: the default of all jails.
    Defaults,
}

/// A property, and a value it can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The property. An old name is replaced with the present name.
    pub property: String,
    /// The value, in its stored form.
    pub value: Stored,
}

/// A property that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The property.
    pub property: String,
    /// The old value. The default's value if the jail had no value of its own.
    pub old: String,
    /// The new value.
    pub new: String,
}

/// iocage's form: `PROPERTY: OLD -> NEW`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.property, self.old, self.new)
    }
}

/// The error of a wrong assignment.
pub(crate) fn refused(property: &str, message: String) -> Error {
    Error::said(ErrorKind::Invalid, property, message)
}

/// The error of several wrong assignments, one in each line.
pub(crate) fn all_refused(errors: &[Error]) -> Error {
    let lines: Vec<String> = errors.iter().map(Error::to_string).collect();
    let subject = errors.first().map(Error::subject).unwrap_or_default();
    refused(subject, lines.join("\n"))
}

impl Target {
    fn suffix(self) -> &'static str {
        match self {
            Target::Jail => "",
            Target::Defaults => " for default",
        }
    }
}

fn suggestion(nearest: Option<&'static str>) -> String {
    nearest.map_or(String::new(), |name| format!(" Did you mean {name}?"))
}

impl Assignment {
    /// Reads `PROPERTY=VALUE`.
    ///
    /// # Errors
    ///
    /// There is no `=`, no such property (with the nearest there is), it is not for the target, or the
    /// value is wrong.
    pub fn read(text: &str, target: Target) -> Result<Assignment, Error> {
        Assignment::read_with(text, target, find)
    }

    /// Reads `PROPERTY=VALUE`. `find` looks the property up.
    pub(crate) fn read_with(
        text: &str,
        target: Target,
        find: impl Fn(&str) -> Option<&'static Property>,
    ) -> Result<Assignment, Error> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(refused(text, format!("{} is missing a value!", text.escape_debug())));
        };
        let name = name.trim();
        let Some(property) = find(name) else {
            let (shown, suffix) = (name.escape_debug(), target.suffix());
            let message = format!("{shown} is not a valid property{suffix}!{}", suggestion(nearest(name)));
            return Err(refused(name, message));
        };
        let name = canonical(name).to_owned();
        match (property.scope, target) {
            (Scope::Fixed, _) => {
                return Err(refused(&name, format!("{name} cannot be changed by the user.")));
            }
            (Scope::Host, Target::Jail) => {
                return Err(refused(&name, format!("{name} can only be changed for defaults!")));
            }
            _ => {}
        }
        match property.kind.check(value) {
            Ok(value) => Ok(Assignment { property: name, value }),
            Err(why) => {
                let shown = value.escape_debug();
                Err(refused(&name, format!("{shown} is not a valid value for {name}: {why}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        Assignment::read(text, Target::Jail).unwrap_err().to_string()
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(error("vnet"), "vnet is missing a value!");
        assert_eq!(error("ip4addr=none"), "ip4addr is not a valid property! Did you mean ip4_addr?");
        assert_eq!(error("zzzzzz=1"), "zzzzzz is not a valid property!");
        assert_eq!(error("vnet=banana"), "banana is not a valid value for vnet: say on or off");
        assert_eq!(error("vnet=none"), "none is not a valid value for vnet: say on or off");
        assert_eq!(error("host_hostuuid=x"), "host_hostuuid cannot be changed by the user.");
        assert_eq!(error("nat_prefix=10.0"), "nat_prefix can only be changed for defaults!");
        let unknown = Assignment::read("zzzzzz=1", Target::Defaults).unwrap_err();
        assert_eq!(unknown.to_string(), "zzzzzz is not a valid property for default!");
    }

    #[test]
    fn keeps_what_follows_the_first_equals_sign() {
        let notes = Assignment::read("notes=a=\"b\"", Target::Jail).unwrap();
        assert_eq!(notes.value, Stored::from("a=\"b\""));
        let hostname = Assignment::read("hostname=web.example.org", Target::Jail).unwrap();
        assert_eq!(hostname.property, "host_hostname");
        assert!(Assignment::read("nat_prefix=10.0", Target::Defaults).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".*", target in prop_oneof![Just(Target::Jail), Just(Target::Defaults)]) {
            let _ = Assignment::read(&text, target).map_err(|error| error.to_string());
        }
    }
}

//! Assignments: `PROPERTY=VALUE`.

use std::fmt;

use super::kind::InvalidValue;
use super::table::{Property, Scope, canonical, find, nearest};
use super::value::Stored;

/// The target of a set property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A jail.
    Jail,
    /// `default`: every jail that does not say otherwise.
    Defaults,
}

/// A property, and a value it can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The property, by its present name.
    pub property: String,
    /// The value, as it is stored.
    pub value: Stored,
}

/// A property that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The property.
    pub property: String,
    /// The old value. The default's value if the jail had no value of its own.
    pub old: String,
    /// The new value.
    pub new: String,
}

/// `PROPERTY: OLD -> NEW`, as iocage says it.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.property, self.old, self.new)
    }
}

/// An assignment that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// No `=`.
    #[error("{} is missing a value!", .0.escape_debug())]
    MissingValue(String),
    /// No such property.
    #[error("{} is not a valid property{}!{}", .name.escape_debug(), .target.suffix(), suggestion(.nearest))]
    Unknown {
        /// The text.
        name: String,
        /// The property that was probably meant.
        nearest: Option<&'static str>,
        /// The target.
        target: Target,
    },
    /// Not for users.
    #[error("{0} cannot be changed by the user.")]
    Fixed(String),
    /// About the host.
    #[error("{0} can only be changed for defaults!")]
    HostOnly(String),
    /// Not a value.
    #[error("{} is not a valid value for {property}: {source}", .value.escape_debug())]
    Value {
        /// The property.
        property: String,
        /// The text.
        value: String,
        /// Why not.
        source: InvalidValue,
    },
    /// The property is set twice.
    #[error("{0} is set twice: say once what it shall be")]
    Twice(String),
    /// Two properties that exclude each other.
    #[error("{other} should be disabled when {property} is being enabled.")]
    Exclusive {
        /// The one being enabled.
        property: &'static str,
        /// The one that is on.
        other: &'static str,
    },
}

/// All that is wrong with some assignments, none of which was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetErrors(pub Vec<SetError>);

impl fmt::Display for SetErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SetErrors {}

impl Target {
    fn suffix(self) -> &'static str {
        match self {
            Target::Jail => "",
            Target::Defaults => " for default",
        }
    }
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or(String::new(), |name| format!(" Did you mean {name}?"))
}

impl Assignment {
    /// Reads `PROPERTY=VALUE`.
    ///
    /// # Errors
    ///
    /// [`SetError`]: there is no `=`, no such property (with the nearest there is), it is not for the target, or the
    /// value is wrong.
    pub fn read(text: &str, target: Target) -> Result<Assignment, SetError> {
        Assignment::read_with(text, target, find)
    }

    /// Reads `PROPERTY=VALUE` where `find` knows the properties.
    pub(crate) fn read_with(
        text: &str,
        target: Target,
        find: impl Fn(&str) -> Option<&'static Property>,
    ) -> Result<Assignment, SetError> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(SetError::MissingValue(text.to_owned()));
        };
        let name = name.trim();
        let Some(property) = find(name) else {
            return Err(SetError::Unknown { name: name.to_owned(), nearest: nearest(name), target });
        };
        let name = canonical(name).to_owned();
        match (property.scope, target) {
            (Scope::Fixed, _) => return Err(SetError::Fixed(name)),
            (Scope::Host, Target::Jail) => return Err(SetError::HostOnly(name)),
            _ => {}
        }
        match property.kind.check(value) {
            Ok(value) => Ok(Assignment { property: name, value }),
            Err(source) => Err(SetError::Value { property: name, value: value.to_owned(), source }),
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

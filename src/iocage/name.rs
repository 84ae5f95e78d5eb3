//! The name of a jail, and the names that follow from it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::Error;
use crate::wiring::HostEnd;

/// HOSTUUIDLEN without its NUL: iocage also sets `host.hostuuid` to the name, and no other place for the name is
/// shorter.
const LONGEST: usize = 63;

/// The words that commands read as something other than a jail.
const RESERVED: [&str; 3] = ["ALL", "default", "help"];

/// The name of a jail, and of its directory: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JailName(String);

/// The error for text that cannot be the name of a jail.
fn invalid(name: &str, advice: &str) -> Error {
    Error::invalid(name, format!("`{}` is not a jail name", name.escape_debug()), advice)
}

impl JailName {
    /// Returns the jail of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): it is empty, too long, has a character that a name cannot have, or is a word of its own
    /// such as `ALL`.
    pub fn new(name: &str) -> Result<JailName, Error> {
        if name.is_empty() {
            return Err(Error::invalid(name, "a jail name is missing", "give one, such as web"));
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            return Err(invalid(name, "use letters, digits, `.`, `_` and `-`"));
        }
        if name.starts_with(['.', '-']) {
            return Err(invalid(name, "begin it with a letter, a digit or `_`"));
        }
        if name.len() > LONGEST {
            let advice = format!("{LONGEST} bytes at most");
            return Err(Error::invalid(name, format!("jail name `{name}` is too long"), advice));
        }
        if JailName::is_reserved(name) {
            let reason =
                format!("a jail cannot be called `{name}`, which means something else on the command line");
            return Err(Error::invalid(name, reason, ""));
        }
        Ok(JailName(name.to_owned()))
    }

    /// Refuses words for a jail that would lead out of the directory of jails or spoil a message. Tags of legacy iocage may
    /// have characters that names cannot have, such as the `@` in a date.
    pub(super) fn check_word(word: &str) -> Result<(), Error> {
        let path = matches!(word, "." | "..") || word.contains('/');
        let reserved = JailName::is_reserved(word);
        if word.is_empty() || path || reserved || word.chars().any(char::is_control) {
            JailName::new(word)?;
        }
        Ok(())
    }

    /// Reports whether the text is a word that commands read as something other than a jail, such as `ALL`.
    pub(super) fn is_reserved(name: &str) -> bool {
        RESERVED.contains(&name)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name with `_` in place of `.`: messages, descriptions, logs and `host.hostuuid` use this form.
    ///
    /// The kernel reads a dot as the parent of a child jail, so `foo.bar` and `foo_bar` have the same flat name and
    /// cannot both exist.
    pub fn flat(&self) -> String {
        self.0.replace('.', "_")
    }

    /// Returns the kernel's name for the jail: `ioc-` and the flat name.
    pub fn kernel_name(&self) -> String {
        format!("ioc-{}", self.flat())
    }

    /// Returns the host name of a jail without a given host name: its name with `-` in place of `_`, which host
    /// names cannot have.
    pub fn default_hostname(&self) -> String {
        self.0.replace('_', "-")
    }

    /// Returns the description of the host's end of an epair of the jail. `jail_nic` is the name of the jail's end.
    pub fn description(&self, jail_nic: &str) -> String {
        HostEnd::description(&self.flat(), jail_nic)
    }

    /// Returns the file that iocage keeps while the jail runs: `/var/run/jail.ioc-NAME.conf`, where
    /// `/var/run` stands for the kernel's directory of run-time files.
    pub fn conf_path(&self, run_directory: &Path) -> PathBuf {
        run_directory.join(format!("jail.{}.conf", self.kernel_name()))
    }
}

impl FromStr for JailName {
    type Err = Error;

    fn from_str(text: &str) -> Result<JailName, Error> {
        JailName::new(text)
    }
}

impl AsRef<str> for JailName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JailName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_names_that_iocage_uses() {
        let name = JailName::new("foo.bar_baz").unwrap();
        assert_eq!(name.kernel_name(), "ioc-foo_bar_baz");
        assert_eq!(name.default_hostname(), "foo.bar-baz");
        assert_eq!(name.description("epair0b"), "associated with jail: foo_bar_baz as nic: epair0b");
        let conf = name.conf_path(Path::new("/var/run"));
        assert_eq!(conf, Path::new("/var/run/jail.ioc-foo_bar_baz.conf"));
    }

    #[test]
    fn refuses_what_would_leave_the_directory_or_mean_something_else() {
        for text in ["", ".", "..", "../web", "a/b", "a\0", "a\nb", "a b", "wéb", "-f", ".zfs"] {
            assert!(JailName::new(text).is_err(), "{text:?}");
        }
        for text in RESERVED {
            assert!(JailName::new(text).unwrap_err().to_string().contains("means something else"), "{text}");
        }
        for text in ["WALLET", "all", "defaults", "a..b", "0", "9f7d1f0e-7d3f-11f0-8f0e-589cfc10ffff"] {
            assert!(JailName::new(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn keeps_to_the_length_of_a_host_uuid() {
        assert!(JailName::new(&"x".repeat(63)).is_ok());
        assert!(JailName::new(&"x".repeat(64)).unwrap_err().to_string().contains("is too long: 63 bytes"));
    }
}

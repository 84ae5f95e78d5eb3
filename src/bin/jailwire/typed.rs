//! The directory and the kernel in an unfinished command line, for completions.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::cli::Choice;

/// The two options for the directory and the kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Typed {
    /// `--root`, or the environment variable.
    pub root: Option<PathBuf>,
    /// `--kernel`.
    pub kernel: Choice,
}

impl Typed {
    pub fn from_words(words: impl Iterator<Item = OsString>) -> Typed {
        let words: Vec<OsString> = words.collect();
        let value = |option: &str| {
            words.iter().enumerate().find_map(|(place, word)| {
                let word = word.to_str()?;
                match word.strip_prefix(option) {
                    Some("") => words.get(place + 1).cloned(),
                    Some(rest) => rest.strip_prefix('=').map(OsString::from),
                    None => None,
                }
            })
        };
        let root = value("--root").map(PathBuf::from).or_else(root_of_environment);
        let kernel = match value("--kernel").as_deref().and_then(OsStr::to_str) {
            Some("sim") => Choice::Sim,
            Some("freebsd") => Choice::Freebsd,
            _ => Choice::Auto,
        };
        Typed { root, kernel }
    }
}

/// The directory in `JAILWIRE_ROOT`. An empty variable does not count.
pub fn root_of_environment() -> Option<PathBuf> {
    std::env::var_os("JAILWIRE_ROOT").filter(|root| !root.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_so_far_says_where_to_look() {
        let typed = |line: &str| Typed::from_words(line.split(' ').map(OsString::from));
        let root = |path: &str| Some(PathBuf::from(path));
        assert_eq!(typed("x -- jailwire --root /a start"), Typed { root: root("/a"), kernel: Choice::Auto });
        assert_eq!(
            typed("x -- jailwire --kernel=sim start --root=/b"),
            Typed { root: root("/b"), kernel: Choice::Sim }
        );
    }
}

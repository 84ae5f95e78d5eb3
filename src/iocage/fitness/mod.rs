//! Finds what a configuration needs and this host does not have, before anything is changed. Each problem is
//! reported with the property, its value, and what to write instead.

mod filesystems;
mod hooks;
mod kernel;
mod mounts;

use super::config::{JailConfig, Level, Problem};
use super::properties::Properties;
use super::store::{Entry, Store};
use crate::error::{ErrorKind, Result};
use crate::vnet::Vnet;

/// Looks for what this host lacks, besides the wiring of the network: routing tables, rulesets, permissions that the
/// kernel does not know, and all that is to be mounted.
///
/// # Errors
///
/// Those of reading sysctls and of listing devfs rulesets.
pub fn problems(vnet: &Vnet, config: &JailConfig) -> Result<Vec<Problem>> {
    let mut problems = kernel::problems(vnet, config)?;
    // A jail that is to be made has no root directory yet. If another jail's root is missing, that is reported
    // elsewhere.
    if config.root.is_dir() {
        problems.extend(mounts::problems(config, vnet));
    }
    problems.extend(hooks::problems(config, vnet.kernel().simulated()));
    Ok(problems)
}

/// Returns the problem of a word in `depends`, if the word means no jail.
pub fn missing(word: &str, found: &Result<Entry>) -> Option<String> {
    Some(match found {
        Ok(_) => return None,
        Err(error) if error.kind() == ErrorKind::NotFound => format!(
            "depends on {}, which does not exist: create it, or take it out of depends",
            word.escape_debug()
        ),
        Err(error) => format!("depends on {}: {error}", word.escape_debug()),
    })
}

/// Returns what is wrong with `depends`.
pub fn dependencies(store: &Store, properties: &Properties) -> Vec<Problem> {
    let depends = store.depends(properties);
    depends.iter().filter_map(|(word, found)| Some(error("depends", missing(word, found)?))).collect()
}

/// Whether a path is one of the base system that the simulated host has.
fn is_of_the_simulated_system(path: &std::path::Path) -> bool {
    #[cfg(feature = "sim")]
    return crate::sim::is_of_the_base_system(path);
    #[cfg(not(feature = "sim"))]
    {
        let _ = path;
        false
    }
}

fn error(about: &str, message: String) -> Problem {
    Problem { level: Level::Error, about: about.to_owned(), message }
}

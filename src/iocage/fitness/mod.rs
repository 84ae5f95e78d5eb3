//! Finds what a configuration needs and this host does not have, before anything is changed. Each problem is
//! reported with the property, its value, and what to write instead.

mod filesystems;
mod hooks;
mod kernel;
mod mounts;

use super::config::{JailConfig, Level, Problem};
use super::hooks::Hook;
use super::name::JailName;
use super::order::sequence;
use super::properties::Properties;
use super::store::{Entry, Place, Store};
use crate::error::{ErrorKind, Result};
use crate::vnet::Vnet;

/// Whether `exec_prestart` has been run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prestart {
    /// It will be, and may make what is missing.
    ToCome,
    /// It has made what it makes.
    Over,
}

impl Prestart {
    /// Whether something may be made that is missing now.
    fn may_make(self, config: &JailConfig) -> bool {
        self == Prestart::ToCome && config.commands.prestart != Hook::Nothing
    }
}

/// Looks for what this host lacks, besides the wiring of the network: routing tables, rulesets, permissions that the
/// kernel does not know, and all that is to be mounted.
///
/// # Errors
///
/// Those of reading sysctls and of listing devfs rulesets.
pub fn problems(vnet: &Vnet, config: &JailConfig, prestart: Prestart) -> Result<Vec<Problem>> {
    let simulated = vnet.kernel().simulated();
    let mut problems = kernel::problems(vnet, config)?;
    // A jail that is to be made has no root directory yet. If another jail's root is missing, that is reported
    // elsewhere.
    if config.root.is_dir() {
        let (of_mounts, tree) = mounts::problems(config, vnet, prestart);
        problems.extend(of_mounts);
        problems.extend(hooks::problems_inside(config, &tree, simulated, prestart));
    }
    problems.extend(hooks::problems(config, simulated));
    Ok(problems.into_iter().map(|problem| config.placed(problem)).collect())
}

/// Returns the problem of a word in `depends`, if the word means no jail.
pub fn missing(word: &str, found: &Result<Entry>) -> Option<String> {
    Some(match found {
        Ok(entry) if entry.place == Place::Templates => format!(
            "depends on {}, which is a template and cannot be started: name a jail, or take it out of depends",
            word.escape_debug()
        ),
        Ok(_) => return None,
        Err(error) if error.kind() == ErrorKind::NotFound => format!(
            "depends on {}, which does not exist: create it, or take it out of depends",
            word.escape_debug()
        ),
        Err(error) => format!("depends on {}: {error}", word.escape_debug()),
    })
}

/// Returns what is wrong with `depends` of a jail with these properties.
pub fn dependencies(store: &Store, entry: &Entry, properties: &Properties) -> Vec<Problem> {
    let depends = store.depends(properties);
    let mut problems: Vec<_> =
        depends.iter().filter_map(|(word, found)| Some(error("depends", missing(word, found)?))).collect();
    let needed: Vec<JailName> =
        depends.iter().filter_map(|(_, found)| Some(found.as_ref().ok()?.name.clone())).collect();
    problems.extend(circle(store, entry, &needed));
    problems
}

/// Jails that depend on each other, this one among them.
fn circle(store: &Store, entry: &Entry, needed: &[JailName]) -> Option<Problem> {
    let needs = |name: &JailName| match *name == entry.name {
        true => Some(needed.to_vec()),
        false => Some(store.needs(&store.find(name)?)),
    };
    let turns = sequence(std::slice::from_ref(&entry.name), needs);
    let circle = turns.into_iter().find(|turn| turn.name == entry.name)?.circle?;
    Some(error("depends", circle.to_string()))
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

fn warning(about: &str, message: String) -> Problem {
    Problem { level: Level::Warning, about: about.to_owned(), message }
}

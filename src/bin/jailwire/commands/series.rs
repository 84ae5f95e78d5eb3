//! Several jails that one command makes. Their names are written down, so that a killed command can be repeated and
//! goes on.

use std::fs;
use std::path::PathBuf;

use jailwire::Error;
use jailwire::iocage::name::JailName;
use jailwire::iocage::store::Store;
use serde_json::{Value, json};

use crate::CommandError;
use crate::environment::Environment;

/// The file with the names, in iocage's directory.
const FILE: &str = ".making-several";

/// The record of the jails of one command.
pub struct Series<'a> {
    environment: &'a Environment,
    command: Vec<String>,
}

impl<'a> Series<'a> {
    /// Returns the record for the command line of this process. The caller holds the lock on names.
    pub fn of_this_command(environment: &'a Environment) -> Series<'a> {
        let command = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        Series { environment, command }
    }

    fn path(&self) -> PathBuf {
        path(&self.environment.store)
    }

    /// The names that the same command had chosen before it was interrupted.
    pub fn begun(&self) -> Option<Vec<JailName>> {
        let written: Value = serde_json::from_slice(&fs::read(self.path()).ok()?).ok()?;
        if written["command"] != json!(self.command) {
            return None;
        }
        written["names"].as_array()?.iter().map(|name| JailName::new(name.as_str()?).ok()).collect()
    }

    /// Writes the chosen names down.
    pub fn begin(&self, names: &[JailName]) -> Result<(), CommandError> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let text = json!({ "command": self.command, "names": names }).to_string();
        Ok(self
            .environment
            .with_files(|files| files.write_atomically(&self.path(), text.as_bytes(), 0o600))?)
    }

    /// Removes the record: all jails are made, or another command follows.
    pub fn end(&self) -> Result<(), Error> {
        let path = self.path();
        self.environment.with_files(|files| {
            files.finish_replacing(&path)?;
            files.remove_file_if_present(&path).map(drop)
        })
    }
}

fn path(store: &Store) -> PathBuf {
    store.root().join(FILE)
}

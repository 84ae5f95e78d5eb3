//! Several jails that one command makes: the names that they are to have are written down, so that the same command goes
//! on where it was killed.

use std::fs;
use std::path::PathBuf;

use jailwire::Error;
use jailwire::iocage::name::JailName;
use jailwire::iocage::store::Store;
use serde_json::{Value, json};

use crate::CommandError;
use crate::environment::Environment;

/// In iocage's directory.
const FILE: &str = ".making-several";

/// The jails of one command.
pub struct Series<'a> {
    environment: &'a Environment,
    command: Vec<String>,
}

impl<'a> Series<'a> {
    /// The series of the command that this process was started with. The caller holds the lock on names.
    pub fn of_this_command(environment: &'a Environment) -> Series<'a> {
        let command = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        Series { environment, command }
    }

    fn path(&self) -> PathBuf {
        path(&self.environment.store)
    }

    /// The names that the same command has chosen, if the command was interrupted.
    pub fn begun(&self) -> Option<Vec<JailName>> {
        let written: Value = serde_json::from_slice(&fs::read(self.path()).ok()?).ok()?;
        if written["command"] != json!(self.command) {
            return None;
        }
        written["names"].as_array()?.iter().map(|name| JailName::new(name.as_str()?).ok()).collect()
    }

    /// Writes down which names are chosen.
    pub fn begin(&self, names: &[JailName]) -> Result<(), CommandError> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let text = json!({ "command": self.command, "names": names }).to_string();
        Ok(self
            .environment
            .with_files(|files| files.write_atomically(&self.path(), text.as_bytes(), 0o600))?)
    }

    /// Forgets the names: all jails are there, or another command comes after.
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

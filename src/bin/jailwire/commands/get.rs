//! `get PROPERTY JAIL`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::iocage::property;
use jailwire::jail;

use crate::Failure;
use crate::environment::Environment;

pub fn run(environment: &Environment, property: &str, word: &str) -> Result<ExitCode, Failure> {
    let store = &environment.store;
    let mut out = io::stdout().lock();
    let entry = (word != "default").then(|| store.resolve(word)).transpose()?;
    let properties = match &entry {
        Some(entry) => store.properties(entry)?,
        None => store.defaults()?,
    };
    if property == "all" {
        let mut all = properties.all();
        if let Some(entry) = &entry {
            let up = jail::find(&*environment.kernel, &entry.name.kernel_name())?.is_some();
            all.insert("state".into(), if up { "up" } else { "down" }.into());
        }
        for (name, value) in all {
            writeln!(out, "{name}:{value}")?;
        }
    } else {
        let value = properties.get(property).ok_or_else(|| unknown(property))?;
        writeln!(out, "{value}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> String {
    match property::nearest(name) {
        Some(nearest) => format!("{} is not a valid property! Did you mean {nearest}?", name.escape_debug()),
        None => {
            format!("{} is not a valid property! `get all JAIL` prints those there are", name.escape_debug())
        }
    }
}

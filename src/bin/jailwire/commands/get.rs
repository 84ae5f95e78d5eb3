//! `get`: one property of a jail, all its properties, or one property of every jail.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use jailwire::iocage::properties::Properties;
use jailwire::iocage::property;
use jailwire::iocage::store::Entry;
use jailwire::jail;
use serde_json::{Value, json};

use super::operands;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;
use crate::output;

/// The message for too many operands.
const TOO_MANY: &str = "one word too many: get PROPERTY JAIL, get -a|-s|-j JAIL, or get -r PROPERTY";

pub fn run(environment: &Environment, args: &cli::Get) -> Result<ExitCode, CommandError> {
    if args.pool {
        return pool(environment);
    }
    let word = |index: usize| args.words.get(index).map(String::as_str);
    match (word(0), word(1)) {
        _ if args.words.len() > 2 => Err(operands(ErrorKind::TooManyValues, TOO_MANY)),
        (Some(property), None) if args.recursive => recursive(environment, property, args.header),
        (Some(jail), None) if args.all => one(environment, "all", jail),
        (Some(jail), None) if args.state => one(environment, "state", jail),
        (Some(jail), None) if args.jid => one(environment, "jid", jail),
        (Some(property), Some(jail)) if !(args.recursive || args.all || args.state || args.jid) => {
            one(environment, property, jail)
        }
        (Some(_), None) => {
            Err(operands(ErrorKind::MissingRequiredArgument, "a JAIL is missing: get PROPERTY JAIL"))
        }
        _ => Err(operands(ErrorKind::TooManyValues, TOO_MANY)),
    }
}

fn one(environment: &Environment, property: &str, word: &str) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    let entry = (word != "default").then(|| store.resolve(word)).transpose()?;
    let properties = match &entry {
        Some(entry) => store.properties(entry)?,
        None => store.defaults()?,
    };
    let name = entry.as_ref().map_or("default", |entry| entry.name.as_str());
    let mut out = io::stdout().lock();
    if property == "all" {
        let mut all = properties.all();
        if let Some(entry) = &entry {
            all.insert("state".into(), state(environment, entry)?.into());
        }
        if environment.json {
            drop(out);
            output::json(&json!({ "name": name, "properties": all }))?;
            return Ok(ExitCode::SUCCESS);
        }
        for (name, value) in all {
            writeln!(out, "{name}:{value}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let value = match (property, &entry) {
        ("state", Some(entry)) => state(environment, entry)?.to_owned(),
        ("jid", Some(entry)) => jid(environment, entry)?,
        _ => value(&properties, property).ok_or_else(|| unknown(property))?,
    };
    if environment.json {
        drop(out);
        output::json(&json!({ "name": name, "property": property, "value": value }))?;
    } else {
        writeln!(out, "{value}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a property of every jail and template.
fn recursive(environment: &Environment, property: &str, bare: bool) -> Result<ExitCode, CommandError> {
    if property == "all" {
        return Err("get -r prints one property of every jail: name it".into());
    }
    let entries = environment.store.entries()?;
    let running = match property {
        "state" | "jid" => Some(Running::now(environment)?),
        _ => None,
    };
    let known = property::find(property).is_some() || running.is_some();
    let mut rows = Vec::new();
    for (entry, properties) in entries.iter().zip(environment.store.properties_of(&entries)?) {
        let jid = running.as_ref().map(|running| running.jid(entry));
        let value = match (property, jid) {
            ("state", Some(jid)) => Some(if jid.is_some() { "up" } else { "down" }.to_owned()),
            ("jid", Some(jid)) => Some(jid.map_or_else(|| "-".to_owned(), |jid| jid.to_string())),
            _ => match &properties {
                Ok(properties) => value(properties, property),
                Err(error) => {
                    output::warn(&error.to_string());
                    None
                }
            },
        };
        rows.extend(value.map(|value| vec![entry.name.to_string(), value]));
    }
    if !known && rows.is_empty() {
        return Err(unknown(property).into());
    }
    if environment.json {
        let row = |row: &Vec<String>| json!({ "name": row[0], "value": row[1] });
        output::json(
            &json!({ "property": property, "values": rows.iter().map(row).collect::<Vec<Value>>() }),
        )?;
    } else if bare {
        output::bare(&rows)?;
    } else {
        output::table(&["NAME", &format!("PROP - {property}")], rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The running jails, read once.
pub struct Running {
    up: std::collections::HashMap<String, i32>,
    dying: Vec<(String, i32)>,
}

impl Running {
    /// Reads the jails that run now.
    pub fn now(environment: &Environment) -> Result<Running, CommandError> {
        let (dying, up): (Vec<_>, Vec<_>) =
            jail::list(&*environment.kernel, true)?.into_iter().partition(|jail| jail.dying);
        let of = |jail: jail::JailInfo| (jail.name, jail.jid.get());
        Ok(Running { up: up.into_iter().map(of).collect(), dying: dying.into_iter().map(of).collect() })
    }

    /// The jid of one of iocage's jails.
    pub fn jid(&self, entry: &Entry) -> Option<i32> {
        self.up.get(&entry.name.kernel_name()).copied()
    }

    /// The jids of the lingering jails with this jail's name.
    pub fn dying(&self, entry: &Entry) -> Vec<i32> {
        let name = entry.name.kernel_name();
        self.dying.iter().filter(|(other, _)| *other == name).map(|(_, jid)| *jid).collect()
    }
}

fn state(environment: &Environment, entry: &Entry) -> Result<&'static str, CommandError> {
    let up = jail::find(&*environment.kernel, &entry.name.kernel_name())?.is_some();
    Ok(if up { "up" } else { "down" })
}

fn jid(environment: &Environment, entry: &Entry) -> Result<String, CommandError> {
    let jid = jail::find(&*environment.kernel, &entry.name.kernel_name())?;
    Ok(jid.map_or_else(|| "-".to_owned(), |jid| jid.to_string()))
}

/// The text that iocage prints for a property.
fn value(properties: &Properties, property: &str) -> Option<String> {
    let value = properties.get(property)?;
    Some(if property == "last_started" && value == "none" { "never".to_owned() } else { value })
}

fn pool(environment: &Environment) -> Result<ExitCode, CommandError> {
    let root = environment.store.root();
    let mounts = environment.kernel.mounts()?;
    let dataset = mounts.iter().rev().find(|mounted| mounted.on == root && mounted.fstype == "zfs");
    let Some(dataset) = dataset else {
        return Err(format!("no pool is active: {} is a plain directory", root.display()).into());
    };
    let pool = dataset.from.split('/').next().unwrap_or(&dataset.from);
    match environment.json {
        true => output::json(&json!({ "pool": pool }))?,
        false => writeln!(io::stdout(), "{pool}")?,
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

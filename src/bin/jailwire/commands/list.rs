//! `list`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::jail;

use crate::Failure;
use crate::environment::Environment;
use crate::output;

pub fn run(environment: &Environment) -> Result<ExitCode, Failure> {
    let store = &environment.store;
    let mut table = output::table(["JID", "NAME", "STATE", "RELEASE", "IP4"]);
    for entry in store.jails()? {
        // A jail whose config cannot be read is still there, and may be running.
        let properties = store.properties(&entry);
        let property = |name| properties.as_ref().ok().and_then(|properties| properties.get(name));
        let jid = jail::find(&*environment.kernel, &entry.name.kernel_name())?;
        let (state, jid) = match jid {
            _ if properties.is_err() => ("CORRUPT", "-".to_owned()),
            Some(jid) => ("up", jid.to_string()),
            None => ("down", "-".to_owned()),
        };
        let release = property("release").unwrap_or_else(|| "-".into());
        let address = short_address(&property("ip4_addr").unwrap_or_default());
        table.add_row([jid, entry.name.to_string(), state.to_owned(), release, address]);
    }
    writeln!(io::stdout().lock(), "{table}")?;
    Ok(ExitCode::SUCCESS)
}

/// Only the addresses: without interfaces and prefix lengths.
fn short_address(value: &str) -> String {
    if value.is_empty() || value == "none" {
        return "-".into();
    }
    let short = |entry: &str| {
        let address = entry.rsplit_once('|').map_or(entry, |(_, address)| address);
        address.split('/').next().unwrap_or(address).trim().to_owned()
    };
    value.split(',').map(short).collect::<Vec<_>>().join(",")
}

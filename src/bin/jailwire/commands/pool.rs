//! `activate` and `df`, and the commands that only iocage has.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::iocage::zfs::{self, ACTIVE};
use serde_json::json;

use super::manage::mounts;
use super::sorting::natural;
use crate::CommandError;
use crate::cli::{self, Cli, DfSort};
use crate::environment::Environment;
use crate::output;

/// The datasets of iocage's directory.
const DATASETS: [&str; 7] = [
    "iocage",
    "iocage/download",
    "iocage/images",
    "iocage/jails",
    "iocage/log",
    "iocage/releases",
    "iocage/templates",
];

/// Marks a pool as iocage's active pool, and makes missing datasets in it.
pub fn activate(cli: &Cli, args: &cli::Activate) -> Result<ExitCode, CommandError> {
    let kernel = Environment::kernel_alone(cli)?;
    if !kernel.privileged() {
        return Err("you need to be root to activate a pool: run it as root".into());
    }
    let pool = &args.pool;
    let listed = zfs::run(&["list", "-H", "-d", "0", "-o", &format!("name,{ACTIVE}")])?;
    let pools: BTreeMap<&str, &str> = listed.lines().filter_map(|line| line.split_once('\t')).collect();
    if !pools.contains_key(pool.as_str()) {
        let names: Vec<&str> = pools.keys().copied().collect();
        let names = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
        return Err(format!("ZFS pool '{}' not found! Pools: {names}", pool.escape_debug()).into());
    }
    // Activate this pool before the others are deactivated. If the command is killed in between, two pools are
    // active, and the next command reports them. If no pool were active, it would take any pool.
    zfs::run(&["set", &format!("{ACTIVE}=yes"), pool])?;
    for (other, _) in pools.iter().filter(|(name, active)| **name != pool.as_str() && **active == "yes") {
        zfs::run(&["set", &format!("{ACTIVE}=no"), other])?;
    }
    let answer = zfs::run(&["list", "-H", "-r", "-t", "filesystem", "-o", "name", pool])?;
    let (mut out, mut created) = (io::stdout(), Vec::new());
    for dataset in DATASETS.map(|dataset| format!("{pool}/{dataset}")) {
        if answer.lines().any(|name| name == dataset) {
            continue;
        }
        if !cli.json {
            writeln!(out, "Creating {dataset}")?;
        }
        let words = ["create", "-o", "aclmode=passthrough", "-o", "aclinherit=passthrough", &dataset];
        let heard = zfs::run_and_hear(&words)?;
        let mounted = zfs::run(&["list", "-H", "-o", "mounted", &dataset])?;
        if mounted.trim() != "yes" {
            return Err(format!(
                "{dataset} was made, and is not mounted: {heard}; set a mountpoint on {pool}/iocage, and run `zfs mount {dataset}`"
            )
            .into());
        }
        created.push(dataset);
    }
    if cli.json {
        output::json(&json!({ "pool": pool, "created": created }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "ZFS pool '{pool}' successfully activated.")?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the space that jails and templates use.
pub fn df(environment: &Environment, args: &cli::Df) -> Result<ExitCode, CommandError> {
    let mounts = mounts(environment)?;
    let store = &environment.store;
    let Some(root) = zfs::dataset_on(&mounts, store.root()) else {
        return Err(format!(
            "{} is a plain directory, and no dataset: df shows what ZFS knows of datasets",
            store.root().display()
        )
        .into());
    };
    let columns = "name,compressratio,reservation,quota,used,available";
    let answer = zfs::run(&["list", "-H", "-r", "-d", "2", "-t", "filesystem", "-o", columns, root])?;
    let mut rows: Vec<Vec<String>> = answer
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once('\t')?;
            let beneath = name.strip_prefix(root)?;
            let jail = beneath.strip_prefix("/jails/").or_else(|| beneath.strip_prefix("/templates/"))?;
            Some(std::iter::once(jail).chain(rest.split('\t')).map(str::to_owned).collect())
        })
        .collect();
    rows.sort_by_cached_key(|row| row.first().map(|name| natural(name)));
    let by = match args.sort {
        DfSort::Name => 0,
        DfSort::Crt => 1,
        DfSort::Res => 2,
        DfSort::Qta => 3,
        DfSort::Use => 4,
        DfSort::Ava => 5,
    };
    if by > 0 {
        rows.sort_by_key(|row| row.get(by).map_or(0, |cell| magnitude(cell)));
    }
    if environment.json {
        let keys = ["name", "compressratio", "reservation", "quota", "used", "available"];
        let row = |row: &Vec<String>| {
            keys.iter()
                .zip(row)
                .map(|(key, cell)| ((*key).to_owned(), json!(cell)))
                .collect::<serde_json::Map<_, _>>()
        };
        output::json(&rows.iter().map(row).collect::<Vec<_>>().into())?;
        return Ok(ExitCode::SUCCESS);
    }
    match args.header {
        true => output::bare(&rows)?,
        false => output::table(&["NAME", "CRT", "RES", "QTA", "USE", "AVA"], rows)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A size such as `1.5G`, or a ratio, as a number to sort by: in thousandths of bytes. A cell without a number
/// comes first.
pub fn magnitude(cell: &str) -> u128 {
    let digits = cell.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match cell[digits.len()..].chars().next() {
        Some(unit) => "KMGTPE".find(unit).map_or(0, |at| at + 1),
        None => 0,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let thousandths = format!("{part:0<3}");
    let number = whole.parse::<u128>().ok().zip(thousandths[..3].parse::<u128>().ok());
    number.map_or(0, |(whole, part)| (whole * 1000 + part) << (10 * power))
}

/// The error for a command that only iocage has.
pub fn stays(command: &str) -> CommandError {
    let instead = match command {
        "fetch" => "; or give create a directory with a base system: create -r ./base",
        "update" | "upgrade" => "; or run freebsd-update -b on the jail's root",
        "export" | "import" => "; or use zfs send and zfs receive, with snapshot before",
        "migrate" => {
            "; jails of legacy iocage are read as they are, and get a config.json with their first set"
        }
        "chroot" => "; or start the jail and use console",
        "pkg" => "; or run pkg in the jail: exec JAIL pkg",
        "debug" => "; or see doctor, show and list -l",
        "clean" => "; or destroy what is not needed one by one",
        "deactivate" => "; or run zfs set org.freebsd.ioc:active=no POOL",
        _ => "",
    };
    format!("{command} stays with iocage: run the {command} of iocage itself{instead}").into()
}

#[cfg(test)]
mod tests {
    use super::magnitude;

    #[test]
    fn sizes_are_sorted_as_sizes() {
        let mut cells = ["1.50G", "none", "96K", "1G", "999M", "1.03x", "12B"];
        cells.sort_by_key(|cell| magnitude(cell));
        assert_eq!(cells, ["none", "1.03x", "12B", "96K", "999M", "1G", "1.50G"]);
    }
}

//! `fstab`: the mounts of a jail.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use jailwire::iocage::fstab::Mount;
use jailwire::iocage::lifecycle::Report as _;
use jailwire::iocage::manage::FstabFile;
use jailwire::iocage::store::Entry;
use serde_json::json;

use super::manage::write_files_of;
use super::preview::{self, Line};
use super::work::Work;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;
use crate::output;

const FORM: &str =
    "Please specify a valid fstab entry!\n\nExample:\n  /the/source /dest FSTYPE FSOPTIONS FSDUMP FSPASS";
const WRITE: [&str; 4] = ["openat", "write", "fsync", "renameat"];

pub fn run(environment: &Environment, args: &cli::Fstab) -> Result<ExitCode, CommandError> {
    let entry = environment.store.resolve(&args.jail)?;
    if args.list {
        return list(environment, &entry, args.header);
    }
    if args.edit {
        environment.require_root("change the fstab of")?;
        return edit(environment, &entry);
    }
    if args.entry.is_empty() {
        return Err("Please supply an fstab entry or jail! --add, --remove, --edit, --replace INDEX or --list says what to do".into());
    }
    let change = match (args.add, args.remove, args.replace) {
        (true, ..) => Change::Add(wanted(&entry, &args.entry)?),
        (_, true, _) => match index(&args.entry) {
            Some(index) => Change::Remove(index),
            None => Change::Remove(FstabFile::read(&entry.fstab())?.find(&mount_of(&entry, &args.entry)?)?),
        },
        (.., Some(index)) => Change::Replace(index, wanted(&entry, &args.entry)?),
        _ => return Err("say what to do with the entry: --add, --remove or --replace INDEX".into()),
    };
    change.make(environment, &entry, args.dry_run)
}

/// A change of one line.
enum Change {
    Add(Mount),
    Remove(usize),
    Replace(usize, Mount),
}

impl Change {
    /// Changes the file. If the jail runs, also mounts or unmounts the file system.
    fn make(self, environment: &Environment, entry: &Entry, dry_run: bool) -> Result<ExitCode, CommandError> {
        let name = &entry.name;
        let work = Work::begin(environment.json, false);
        let lock = environment.store.lock(entry)?;
        let mut file = FstabFile::read(&entry.fstab())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (old, new, said) = match self {
            Change::Add(mount) => {
                file.add(&mount, now)?;
                (None, Some(mount), format!("Successfully added mount to {name}'s fstab"))
            }
            Change::Remove(index) => {
                (Some(file.remove(index)?), None, format!("Successfully removed mount from {name}'s fstab"))
            }
            Change::Replace(index, mount) => {
                (Some(file.replace(index, &mount, now)?), Some(mount), format!("Index {index} replaced."))
            }
        };
        if dry_run {
            let mut lines = vec![Line::new(format!("write {}", file.path().display()), &WRITE)];
            let running = environment.with_host_to_look_at(|host| host.running(entry))??.is_some();
            if running {
                lines.extend(
                    old.map(|old| Line::new(format!("unmount {}", old.target.display()), &["unmount"])),
                );
                lines
                    .extend(new.map(|new| Line::new(format!("mount {}", new.target.display()), &["nmount"])));
            }
            preview::lines(&work, name, "changed", &lines);
            return work.end();
        }
        environment.require_root("change the fstab of")?;
        write_files_of(environment, entry, |files| file.write(files))??;
        drop(lock);
        work.report().say(&said);
        // As in iocage, the line stays in the file if only the running jail could not be changed.
        environment.with_host(|host| {
            let mut report = work.report();
            if let Some(Err(error)) = old.map(|old| host.unmount_in_running(entry, &old, &mut work.report()))
            {
                report.warn(&format!("Unmounting entry failed: {error}"));
            }
            if let Some(Err(error)) = new.map(|new| host.mount_in_running(entry, &new, &mut work.report())) {
                report.warn(&format!("Mounting entry failed: {error}"));
            }
        })?;
        work.done(name, "changed", json!({}));
        work.end()
    }
}

/// Reads an index, which may stand in place of a line.
fn index(words: &[String]) -> Option<usize> {
    match words {
        [word] => word.parse().ok(),
        _ => None,
    }
}

/// Makes a mount from words of the command line. Its mount point is beneath the jail's root.
fn mount_of(entry: &Entry, words: &[String]) -> Result<Mount, CommandError> {
    let mut mount = match words {
        [line] if line.split_whitespace().count() > 1 => {
            line.parse::<Mount>().map_err(|error| format!("{FORM}\n{error}"))?
        }
        // A single directory is mounted read-only in the jail, at the same path.
        [source] => mount_with(source, source, "nullfs", "ro", 0, 0),
        [source, target, fstype, options, numbers @ ..] if numbers.len() <= 2 => {
            let number = |index: usize| match numbers.get(index).map(String::as_str) {
                None => Ok(0),
                Some(text @ ("0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9")) => {
                    Ok(text.parse::<u32>().unwrap_or_default())
                }
                Some(other) => Err(format!("{FORM}\n`{}` is not one digit", other.escape_debug())),
            };
            mount_with(source, target, fstype, options, number(0)?, number(1)?)
        }
        _ => return Err(FORM.into()),
    };
    let root = entry.root();
    if !mount.target.starts_with(&root) {
        let beneath = mount.target.strip_prefix("/").unwrap_or(&mount.target).to_owned();
        mount.target = root.join(beneath);
    }
    mount.beneath(&root)?;
    Ok(mount)
}

fn mount_with(source: &str, target: &str, fstype: &str, options: &str, frequency: u32, pass: u32) -> Mount {
    let options = options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    Mount::new(source, target, fstype).with_options(options).with_frequency(frequency).with_pass(pass)
}

/// Makes a new mount for the fstab, with a source that exists.
fn wanted(entry: &Entry, words: &[String]) -> Result<Mount, CommandError> {
    let mount = mount_of(entry, words)?;
    let (source, target) = (&mount.source, &mount.target);
    if mount.fstype == "nullfs" {
        if !source.is_absolute() {
            return Err(format!("Source: {} must use an absolute path!", source.display()).into());
        }
        if !source.exists() {
            return Err(format!("Source: {} does not exist!", source.display()).into());
        }
    }
    // The mount point of a file is a file, and any other mount point is a directory.
    let is_file = mount.fstype == "nullfs" && source.is_file();
    if !(if is_file { target.is_file() } else { target.is_dir() }) {
        let kind = if is_file { "file" } else { "directory" };
        return Err(format!(
            "Destination: {} does not exist or is not a {kind}. Make it in the jail first",
            target.display()
        )
        .into());
    }
    Ok(mount)
}

fn list(environment: &Environment, entry: &Entry, header: bool) -> Result<ExitCode, CommandError> {
    let mounts = FstabFile::read(&entry.fstab())?.mounts()?;
    let fields = |mount: &Mount| {
        let options = if mount.options.is_empty() { "rw".to_owned() } else { mount.options.join(",") };
        [
            mount.source.display().to_string(),
            mount.target.display().to_string(),
            mount.fstype.clone(),
            options,
            mount.frequency.to_string(),
            mount.pass.to_string(),
        ]
    };
    if environment.json {
        let mount = |(index, mount): (usize, &Mount)| {
            let [source, target, fstype, options, ..] = fields(mount);
            json!({ "index": index, "source": source, "target": target, "fstype": fstype, "options": options, "dump": mount.frequency, "pass": mount.pass })
        };
        output::json(&mounts.iter().enumerate().map(mount).collect::<Vec<_>>().into())?;
        return Ok(ExitCode::SUCCESS);
    }
    match header {
        true => {
            let row = |(index, mount): (usize, &Mount)| {
                std::iter::once(index.to_string()).chain(fields(mount)).collect::<Vec<_>>()
            };
            output::bare(&mounts.iter().enumerate().map(row).collect::<Vec<_>>())?;
        }
        false => {
            let row = |(index, mount): (usize, &Mount)| vec![index.to_string(), fields(mount).join(" ")];
            output::table(&["INDEX", "FSTAB ENTRY"], mounts.iter().enumerate().map(row).collect())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets the user edit a copy. The copy replaces the file if it is a valid fstab.
fn edit(environment: &Environment, entry: &Entry) -> Result<ExitCode, CommandError> {
    let editor = std::env::var("EDITOR").unwrap_or_else(|_| "/usr/bin/vi".to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().ok_or("EDITOR is empty: set it to an editor")?;
    let path = entry.fstab();
    // The directory of a template is read-only.
    let copy = environment.store.root().join(format!(".{}.fstab.edited", entry.name));
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    environment.with_files(|files| files.write_atomically(&copy, &text, 0o600))?;
    let edited = edited(program, words, &copy);
    let removed = environment.with_files(|files| files.remove_file_if_present(&copy));
    let edited = edited?;
    removed?;
    if edited == text {
        return Ok(ExitCode::SUCCESS);
    }
    let _lock = environment.store.lock(entry)?;
    if std::fs::read(&path).unwrap_or_default() != text {
        let path = path.display();
        return Err(format!("{path} was changed by another program meanwhile: edit it again").into());
    }
    write_files_of(environment, entry, |files| files.write_atomically(&path, &edited, 0o644))??;
    writeln!(
        io::stdout(),
        "{} has been changed: the change takes effect at the jail's next start",
        path.display()
    )?;
    if let Err(error) = FstabFile::read(&path) {
        output::warn(&error.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

fn edited<'a>(
    program: &str,
    words: impl Iterator<Item = &'a str>,
    copy: &Path,
) -> Result<Vec<u8>, CommandError> {
    let status = Command::new(program).args(words).arg(copy).stdin(Stdio::inherit()).status();
    let status = status.map_err(|error| format!("cannot run {program}: {error}; set EDITOR to an editor"))?;
    match status.success() {
        true => Ok(std::fs::read(copy)?),
        false => Err(format!("An error occurred within {program}! The fstab stays as it is").into()),
    }
}

//! host-local's files, in the format of the original plugin, so that a host can go back to that plugin at any time.
//!
//! The directory of a network has a file for each address that is given out, named by the address, with the
//! container's id, a carriage return, a line feed, and the name of the interface. `last_reserved_ip.N` has the
//! address that was given out last from the N-th range, and every process that changes a file locks `lock`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jailwire::files::Files;

use crate::cni::error::{Code, Failure, Result};

const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o755;

/// The text between the container's id and the interface.
const BREAK: &str = "\r\n";

/// A network's directory, locked.
#[derive(Debug)]
pub struct Store<'a> {
    directory: PathBuf,
    files: Files<'a>,
    _lock: File,
}

impl<'a> Store<'a> {
    /// Opens a network's directory, and locks it. A missing directory is made.
    pub fn open(directory: &Path, files: Files<'a>) -> Result<Store<'a>> {
        files.create_dir_all(directory, DIRECTORY_MODE)?;
        let path = directory.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
        let lock = options.open(&path).and_then(|file| file.lock().map(|()| file));
        let lock =
            lock.map_err(|error| Failure::new(Code::Io, format!("cannot lock {}: {error}", path.display())))?;
        let store = Store { directory: directory.to_owned(), files, _lock: lock };
        // A process that was killed while it wrote may have left this file.
        store.files.remove_file_if_present(&store.new_file())?;
        Ok(store)
    }

    /// Opens a network's directory, and locks it. Returns `None` if the directory does not exist.
    pub fn open_existing(directory: &Path, files: Files<'a>) -> Result<Option<Store<'a>>> {
        if directory.is_dir() { Store::open(directory, files).map(Some) } else { Ok(None) }
    }

    /// Returns the addresses that are given out, with what their files say.
    pub fn all(&self) -> Result<BTreeMap<IpAddr, String>> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Ok(address) = name.parse() {
                all.insert(address, String::from_utf8_lossy(&fs::read(&path)?).into_owned());
            }
        }
        Ok(all)
    }

    /// Returns whether a file is of an attachment. Files of the oldest versions have the container alone.
    pub fn is_of(text: &str, container: &str, interface: &str) -> bool {
        let text = text.trim();
        text == format!("{container}{BREAK}{interface}") || text == container
    }

    /// Gives a free address out.
    pub fn reserve(&self, address: IpAddr, range: usize, container: &str, interface: &str) -> Result<()> {
        self.write(&address.to_string(), &format!("{container}{BREAK}{interface}"))?;
        self.write(&last(range), &address.to_string())
    }

    /// Returns the address that was given out last from a range.
    pub fn last_reserved(&self, range: usize) -> Result<Option<IpAddr>> {
        match fs::read_to_string(self.directory.join(last(range))) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the addresses of an attachment back.
    pub fn release(&self, container: &str, interface: &str) -> Result<()> {
        self.release_all(|text| Store::is_of(text, container, interface))
    }

    /// Takes back all addresses for whose files `which` returns true.
    pub fn release_all(&self, which: impl Fn(&str) -> bool) -> Result<()> {
        for (address, text) in self.all()? {
            if which(&text) {
                self.files.remove_file_if_present(&self.directory.join(address.to_string()))?;
            }
        }
        Ok(())
    }

    fn new_file(&self) -> PathBuf {
        self.directory.join("new")
    }

    /// Writes a file atomically.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let new = self.new_file();
        let written = self.files.append(&new, text.as_bytes(), FILE_MODE);
        let written = written.and_then(|()| self.files.rename(&new, &self.directory.join(name)));
        // Report the first error.
        Ok(written.inspect_err(|_| drop(self.files.remove_file_if_present(&new)))?)
    }
}

fn last(range: usize) -> String {
    format!("last_reserved_ip.{range}")
}

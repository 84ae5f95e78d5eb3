//! The records of attachments, and of bridges that were made for them.
//!
//! The directory is `/var/run/jailwire-containers`. The file of an attachment is written before anything is made,
//! with the ending `pending`. When everything is made, it gets the ending `attached`. If a file is pending and its
//! container is not locked, a killed process has left the file.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jailwire::files::Files;
use jailwire::jail::JailInfo;
use jailwire::types::{InterfaceName, Jid};
use jailwire::wiring::{Lock, Mode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::defaults::FormerDefault;
use super::{Isolation, Masquerade};
use crate::net::Net;

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The ending of a file that is being written.
const NEW: &str = "new";

/// The key of an attachment: a container has one attachment for each network and interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The container's id.
    pub container: String,
    /// The network's name.
    pub network: String,
    /// The name of the interface in the jail.
    pub interface: String,
}

impl Key {
    /// Returns the attachment of a container to a network.
    pub fn new(container: &str, network: &str, interface: &InterfaceName) -> Key {
        let (container, network) = (container.to_owned(), network.to_owned());
        Key { container, network, interface: interface.to_string() }
    }
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `kern.boot_id` when it was made.
    pub boot: String,
    /// Which attachment this is.
    #[serde(flatten)]
    pub key: Key,
    /// The jail.
    pub jail: String,
    /// The jail's jid at that time.
    pub jid: i32,
    /// Whether it has an epair. Ports may be published for an attachment of another program.
    pub epair: bool,
    /// The bridge of the host's end of the epair.
    pub bridge: Option<String>,
    /// The jail's addresses, for the packet filter.
    pub addresses: Vec<IpAddr>,
    /// Whether what leaves the jail gets an address of the host.
    pub masquerade: Masquerade,
    /// Which other networks the network is kept apart from.
    pub isolation: Isolation,
    /// The networks of the jail's addresses, where others may have to be kept apart from them.
    pub networks: Vec<Net>,
    /// Ports of the host that lead into the jail, in the words of the library.
    pub published: Vec<String>,
    /// The routers on this network that may be the jail's default.
    pub routers: Vec<IpAddr>,
    /// The metric. Of two networks with routers, the network with the lower metric has the default route.
    pub metric: u32,
    /// When it was begun, in nanoseconds on the kernel's clock. Of two networks with the same metric, the older has
    /// the default route.
    pub begun: u64,
    /// The interfaces that the jail had before.
    pub present: Vec<String>,
    /// Routes that do not go with the interface.
    #[serde(default)]
    pub lasting: Vec<LastingRoute>,
    /// The addresses that were given out.
    pub reservation: Option<Reservation>,
}

impl Record {
    /// Returns a record of something that needs no epair.
    pub fn without_epair(boot: &str, key: Key, jail: &JailInfo) -> Record {
        Record {
            boot: boot.to_owned(),
            key,
            jail: jail.name.clone(),
            jid: jail.jid.get(),
            epair: false,
            bridge: None,
            addresses: Vec::new(),
            masquerade: Masquerade::No,
            isolation: Isolation::None,
            networks: Vec::new(),
            published: Vec::new(),
            routers: Vec::new(),
            metric: 0,
            begun: 0,
            present: Vec::new(),
            lasting: Vec::new(),
            reservation: None,
        }
    }
}

/// A route that does not go with the interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastingRoute {
    /// The destination of the route.
    pub destination: Net,
    /// How packets get there.
    pub via: LastingVia,
}

/// How packets get to the destination of a route that does not go with the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastingVia {
    /// Through a router that another interface leads to.
    Router(IpAddr),
    /// The kernel drops the packets.
    Blackhole,
    /// The kernel drops the packets, and reports that to their sender.
    Reject,
}

/// The default routes that a jail had before networks replaced them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultsRecord {
    /// `kern.boot_id` when they were replaced.
    pub boot: String,
    /// The jail.
    pub jail: String,
    /// The routes.
    pub routes: Vec<FormerDefault>,
}

/// Addresses that host-local has given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The directory of host-local's files.
    pub directory: PathBuf,
}

/// A bridge that was made or changed for attachments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BridgeRecord {
    /// `kern.boot_id` when it was made.
    pub boot: String,
    /// The name that the kernel gave the bridge when it was made. `None` when the bridge existed before.
    pub made_as: Option<String>,
    /// Whether the bridge was renamed already.
    pub named: bool,
    /// The addresses that were added to a bridge that existed before.
    pub addresses: Vec<Net>,
    /// Whether the VLAN filter was switched on, on a bridge that existed before.
    pub filter: bool,
    /// The IPv6 flags of a bridge that existed before, before the bridge got an IPv6 address.
    #[serde(default)]
    pub nd6_flags: Option<u32>,
    /// Whether a bridge that existed before was brought up.
    #[serde(default)]
    pub raised: bool,
    /// The MTU of a bridge that existed before and had no members: the first member changes the MTU.
    #[serde(default)]
    pub mtu: Option<u32>,
}

/// Forwarding as it was before it was switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardingRecord {
    /// `kern.boot_id` when it was switched on.
    pub boot: String,
    /// The sysctls that were 0.
    pub switched_on: Vec<String>,
}

/// How far an attachment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The attachment is being made, or was being made when a process was killed.
    Pending,
    /// The attachment is complete.
    Attached,
}

impl Progress {
    fn ending(self) -> &'static str {
        match self {
            Progress::Pending => "pending",
            Progress::Attached => "attached",
        }
    }
}

/// The directory of records.
#[derive(Debug)]
pub struct Records {
    directory: PathBuf,
    boot: String,
}

impl Records {
    pub fn new(directory: PathBuf, boot: String) -> Records {
        Records { directory, boot }
    }

    /// Makes the directory.
    pub fn open(&self, files: Files<'_>) -> jailwire::Result<()> {
        files.create_dir_all(&self.directory, DIRECTORY_MODE)
    }

    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// Takes the lock on what attachments share: bridges, and forwarding. It is held only for a moment, until the result
    /// is dropped. The lock is on the directory: a file for the lock would be made and removed each time.
    pub fn lock_shared(&self, files: Files<'_>) -> super::Result<File> {
        let lock = File::open(&self.directory)?;
        lock.lock()?;
        for entry in self.entries()? {
            // A process that was killed while it wrote has left this file.
            if entry.extension().is_some_and(|ending| ending == NEW) {
                files.remove_file_if_present(&entry)?;
            }
        }
        Ok(lock)
    }

    /// Takes the lock on the attachments of a container.
    pub fn lock_container(&self, container: &str) -> io::Result<Lock> {
        Lock::take(&self.container_lock(container), Mode::Exclusive, |_| {})
    }

    /// Returns whether a process works on the attachments of a container.
    pub fn is_locked(&self, container: &str) -> bool {
        Lock::is_held(&self.container_lock(container))
    }

    fn container_lock(&self, container: &str) -> PathBuf {
        self.directory.join(format!("{:016x}.lock", hash([container])))
    }

    /// The path of an attachment's file, by its bridge, key and progress.
    fn path(&self, bridge: Option<&str>, key: &Key, progress: Progress) -> PathBuf {
        let Key { container, network, interface } = key;
        let number = hash([container, network, interface]);
        self.directory.join(format!("{}~{number:016x}.{}", file_name(bridge), progress.ending()))
    }

    /// Writes down that an attachment is about to be made. The lock prevents other processes from reading an
    /// incomplete file.
    pub fn begin(&self, files: Files<'_>, record: &Record) -> super::Result<()> {
        let _lock = self.lock_shared(files)?;
        let path = self.path(record.bridge.as_deref(), &record.key, Progress::Pending);
        Ok(files.append(&path, &to_json(record), FILE_MODE)?)
    }

    /// Writes down that an attachment is there.
    pub fn complete(&self, files: Files<'_>, record: &Record) -> jailwire::Result<()> {
        let from = self.path(record.bridge.as_deref(), &record.key, Progress::Pending);
        files.rename(&from, &self.path(record.bridge.as_deref(), &record.key, Progress::Attached))
    }

    /// Writes down that an attachment is about to be removed, unless its file is pending already.
    pub fn undo(&self, files: Files<'_>, record: &Record) -> jailwire::Result<()> {
        let from = self.path(record.bridge.as_deref(), &record.key, Progress::Attached);
        if from.exists() {
            files.rename(&from, &self.path(record.bridge.as_deref(), &record.key, Progress::Pending))?;
        }
        Ok(())
    }

    /// Forgets an attachment.
    pub fn forget(&self, files: Files<'_>, record: &Record) -> jailwire::Result<()> {
        for progress in [Progress::Attached, Progress::Pending] {
            let path = self.path(record.bridge.as_deref(), &record.key, progress);
            files.remove_file_if_present(&path)?;
        }
        Ok(())
    }

    /// Returns all attachments of this boot. A file that cannot be read was being written when a process was
    /// killed. Nothing was made for it yet, and the file is removed.
    pub fn all(&self, files: Files<'_>) -> super::Result<Vec<(Record, Progress)>> {
        let mut all = Vec::new();
        for entry in self.entries()? {
            let progress = match entry.extension().and_then(|ending| ending.to_str()) {
                Some("pending") => Progress::Pending,
                Some("attached") => Progress::Attached,
                _ => continue,
            };
            let mut record: Option<Record> = read(&entry)?;
            if record.is_none() && entry.exists() {
                // A process is writing the file now, or was killed while it wrote. Wait for the lock to find out.
                let _lock = self.lock_shared(files)?;
                record = read(&entry)?;
                if record.is_none() {
                    files.remove_file_if_present(&entry)?;
                }
            }
            match record {
                Some(record) if record.boot == self.boot => all.push((record, progress)),
                Some(_) => drop(files.remove_file_if_present(&entry)?),
                None => {}
            }
        }
        all.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        Ok(all)
    }

    /// Returns whether there is an attachment, or with `bridge` an attachment on this bridge.
    pub fn any(&self, bridge: Option<&str>) -> io::Result<bool> {
        let beginning = bridge.map(|bridge| format!("{}~", file_name(Some(bridge))));
        Ok(self.entries()?.iter().any(|entry| {
            let ending = entry.extension().and_then(|ending| ending.to_str());
            let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            matches!(ending, Some("pending" | "attached"))
                && beginning.as_ref().is_none_or(|beginning| name.starts_with(beginning.as_str()))
        }))
    }

    /// Returns the names of the bridges that have a record.
    pub fn bridges(&self) -> io::Result<Vec<String>> {
        let named = |entry: &PathBuf| {
            let name = entry.file_name()?.to_str()?.strip_suffix(".bridge")?;
            Some(name.to_owned())
        };
        Ok(self.entries()?.iter().filter_map(named).collect())
    }

    /// Reads the record of a bridge. Returns `None` also for a record of another boot.
    pub fn bridge(&self, name: &str) -> io::Result<Option<BridgeRecord>> {
        let record: Option<BridgeRecord> = read(&self.bridge_path(name))?;
        Ok(record.filter(|record| record.boot == self.boot))
    }

    /// Writes the record of a bridge, or removes it.
    pub fn set_bridge(
        &self,
        files: Files<'_>,
        name: &str,
        record: Option<&BridgeRecord>,
    ) -> jailwire::Result<()> {
        set(files, &self.bridge_path(name), record)
    }

    fn bridge_path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.bridge"))
    }

    /// Reads what is known of forwarding.
    pub fn forwarding(&self) -> io::Result<Option<ForwardingRecord>> {
        let record: Option<ForwardingRecord> = read(&self.directory.join("forwarding"))?;
        Ok(record.filter(|record| record.boot == self.boot))
    }

    /// Writes the record of forwarding, or removes it.
    pub fn set_forwarding(
        &self,
        files: Files<'_>,
        record: Option<&ForwardingRecord>,
    ) -> jailwire::Result<()> {
        set(files, &self.directory.join("forwarding"), record)
    }

    /// Reads the default routes that a jail had before.
    pub fn defaults(&self, jid: Jid) -> io::Result<Option<DefaultsRecord>> {
        let record: Option<DefaultsRecord> = read(&self.defaults_path(jid))?;
        Ok(record.filter(|record| record.boot == self.boot))
    }

    /// Writes the record of the default routes that a jail had before, or removes it.
    pub fn set_defaults(
        &self,
        files: Files<'_>,
        jid: Jid,
        record: Option<&DefaultsRecord>,
    ) -> jailwire::Result<()> {
        set(files, &self.defaults_path(jid), record)
    }

    fn defaults_path(&self, jid: Jid) -> PathBuf {
        self.directory.join(format!("{jid}.defaults"))
    }

    fn entries(&self) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(&self.directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }
}

fn to_json<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("strings and numbers can be written")
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        // The file is incomplete, because a process was killed. Nothing was made for it yet.
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
    }
}

/// Replaces a record atomically, by renaming a file beside it. A restart of the machine makes records void, so
/// nothing is synced.
fn set<T: Serialize>(files: Files<'_>, path: &Path, record: Option<&T>) -> jailwire::Result<()> {
    let Some(record) = record else { return files.remove_file_if_present(path).map(drop) };
    let new = path.with_extension(NEW);
    let written = files.append(&new, &to_json(record), FILE_MODE).and_then(|()| files.rename(&new, path));
    // Report the first error.
    written.inspect_err(|_| drop(files.remove_file_if_present(&new)))
}

/// The part of a file's name for the bridge. An interface's name may have any character except a slash and a space.
fn file_name(bridge: Option<&str>) -> String {
    bridge.unwrap_or_default().to_owned()
}

/// FNV-1a of words, 64 bits: names of files for names that a file cannot have.
pub fn hash<const N: usize>(words: [&str; N]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

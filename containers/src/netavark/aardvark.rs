//! The configuration of aardvark-dns, the DNS server for names of containers.
//!
//! Its directory has a file for each network. The first line has the addresses on which the server listens, and the
//! servers that it asks. Each other line has a container: id, IPv4 addresses, IPv6 addresses, names, and the
//! servers for its requests. When the server gets SIGHUP, it reads the files again.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jailwire::files::Files;
use jailwire::kernel::{Kernel, Output, Program};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::{Failure, Result};
use crate::net::Net;
use crate::say;

const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;

/// The time in which the server has to start.
const START: Duration = Duration::from_secs(60);

/// A container on a network with DNS.
#[derive(Debug, Clone)]
pub struct Entry {
    pub network: String,
    pub internal: bool,
    /// The addresses that the server listens on.
    pub listen: Vec<IpAddr>,
    pub network_servers: Vec<IpAddr>,
    pub container: String,
    pub addresses: Vec<Net>,
    pub names: Vec<String>,
    pub container_servers: Vec<IpAddr>,
}

/// The server's directory.
#[derive(Debug)]
pub struct Aardvark<'a> {
    kernel: &'a dyn Kernel,
    files: Files<'a>,
    directory: PathBuf,
    binary: Option<OsString>,
    port: u16,
}

/// Returns the port of the server, which podman may change.
pub fn port() -> Result<u16> {
    match std::env::var("NETAVARK_DNS_PORT") {
        Ok(text) => {
            text.parse().map_err(|error| Failure::new(format!("Invalid NETAVARK_DNS_PORT {text}: {error}")))
        }
        Err(_) => Ok(53),
    }
}

/// Whether a word can stand in the file.
fn check_word(word: &str) -> std::result::Result<(), &'static str> {
    match word {
        "" => Err("name is empty"),
        word if word.contains([',', '\n', ' ']) => Err("name contains invalid chars"),
        _ => Ok(()),
    }
}

/// Returns the names that the server can have, after a warning about others.
pub fn names<'a>(all: impl Iterator<Item = &'a String>) -> Vec<String> {
    all.filter(|name| match check_word(name) {
        Ok(()) => true,
        Err(reason) => {
            say::warn(&format!("invalid network alias {name:?}: {reason}, ignoring this name"));
            false
        }
    })
    .cloned()
    .collect()
}

fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(",")
}

impl Entry {
    fn line(&self) -> String {
        let of_family = |ipv4: bool| {
            let of_family = self.addresses.iter().filter(move |net| net.0.is_ipv4() == ipv4);
            list(of_family.map(|net| net.0.ip()))
        };
        let mut words = vec![self.container.clone(), of_family(true), of_family(false), list(&self.names)];
        if !self.container_servers.is_empty() {
            words.push(list(&self.container_servers));
        }
        words.join(" ") + "\n"
    }

    fn header(&self) -> String {
        header(&list(&self.listen), &list(&self.network_servers))
    }
}

fn header(listen: &str, servers: &str) -> String {
    if servers.is_empty() { format!("{listen}\n") } else { format!("{listen} {servers}\n") }
}

impl<'a> Aardvark<'a> {
    /// Returns the server whose directory is below podman's.
    pub fn new(
        kernel: &'a dyn Kernel,
        files: Files<'a>,
        config: &Path,
        binary: Option<&OsString>,
        port: u16,
    ) -> Aardvark<'a> {
        let binary = binary.filter(|binary| Path::new(binary).is_file()).cloned();
        Aardvark { kernel, files, directory: config.join("aardvark-dns"), binary, port }
    }

    /// Returns whether the server can be started.
    pub fn is_there(&self) -> bool {
        self.binary.is_some()
    }

    /// Writes entries, and notifies the server. The server's program has to be there.
    pub fn add(&self, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        check_loops(entries)?;
        for entry in entries {
            check_word(&entry.container).map_err(|reason| {
                Failure::new(format!("invalid container id {}: {reason}", entry.container))
            })?;
        }
        self.files.create_dir_all(&self.directory, DIRECTORY_MODE).map_err(of_file)?;
        let lock = self.lock()?;
        for entry in entries {
            self.write(entry)?;
        }
        drop(lock);
        let told = self.tell(true);
        if told.is_err() {
            // Report the first error.
            let _ = self.remove(entries);
        }
        told
    }

    fn write(&self, entry: &Entry) -> Result<()> {
        let path = self.path(&entry.network, entry.internal);
        if entry.internal {
            // The network may not have been internal before.
            let open = self.path(&entry.network, false);
            if open.exists() {
                self.files.rename(&open, &path).map_err(of_file)?;
            }
        }
        let mut text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => entry.header(),
            Err(error) => return Err(of_io(&path, error)),
        };
        text.push_str(&entry.line());
        self.replace(&path, &text)
    }

    /// Removes the entries of containers and tells the server.
    pub fn remove(&self, entries: &[Entry]) -> Result<()> {
        if !self.directory.exists() {
            return Ok(());
        }
        let lock = self.lock()?;
        let mut changed = false;
        for entry in entries {
            for internal in [false, true] {
                changed |= self.remove_from(&self.path(&entry.network, internal), &entry.container)?;
            }
        }
        drop(lock);
        if changed { self.tell(false) } else { Ok(()) }
    }

    fn remove_from(&self, path: &Path, container: &str) -> Result<bool> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(of_io(path, error)),
        };
        let of_container = |line: &str| line.split(' ').next() == Some(container);
        let mut lines = text.split_inclusive('\n');
        let head = lines.next().unwrap_or_default();
        let (gone, left): (Vec<&str>, Vec<&str>) = lines.partition(|line| of_container(line));
        if gone.is_empty() {
            return Ok(false);
        }
        if left.is_empty() {
            self.files.remove_file_if_present(path).map_err(of_file)?;
        } else {
            self.replace(path, &(head.to_owned() + &left.concat()))?;
        }
        Ok(true)
    }

    /// Changes the servers of a network. A network without running containers has no file, and gets its servers
    /// with the first container.
    pub fn set_network_servers(&self, network: &str, servers: &str) -> Result<()> {
        if !self.directory.exists() {
            return Ok(());
        }
        let lock = self.lock()?;
        let mut changed = false;
        for internal in [false, true] {
            let path = self.path(network, internal);
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(of_io(&path, error)),
            };
            let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let listen = head.split(' ').next().unwrap_or_default();
            self.replace(&path, &(header(listen, servers) + rest))?;
            changed = true;
        }
        drop(lock);
        if changed { self.tell(false) } else { Ok(()) }
    }

    fn path(&self, network: &str, internal: bool) -> PathBuf {
        self.directory.join(format!("{network}{}", if internal { "%int" } else { "" }))
    }

    /// Replaces a file. The new file is made outside of the directory, because the server reads all files in it.
    fn replace(&self, path: &Path, text: &str) -> Result<()> {
        let new = self.new_file();
        let written = self.files.append(&new, text.as_bytes(), FILE_MODE);
        let written = written.and_then(|()| self.files.rename(&new, path));
        // Report the first error.
        written.inspect_err(|_| drop(self.files.remove_file_if_present(&new))).map_err(of_file)
    }

    /// Takes the lock that netavark takes too.
    fn lock(&self) -> Result<File> {
        let path = self.directory.with_file_name("aardvark.lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let lock = file.and_then(|file| file.lock().map(|()| file)).map_err(|error| of_io(&path, error))?;
        // A process that was killed while it wrote may have left this file.
        self.files.remove_file_if_present(&self.new_file()).map_err(of_file)?;
        Ok(lock)
    }

    fn new_file(&self) -> PathBuf {
        self.directory.with_extension("new")
    }

    /// Makes the server read its files again. With `start`, a missing server is started.
    fn tell(&self, start: bool) -> Result<()> {
        match self.pid()? {
            Some(pid) if self.reload(pid)? => Ok(()),
            // The server ends when its last file is gone.
            _ if !start => Ok(()),
            _ => self.start(),
        }
    }

    fn pid(&self) -> Result<Option<Pid>> {
        let path = self.directory.join("aardvark.pid");
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse::<i32>() {
                Ok(pid) if pid > 1 => Ok(Some(Pid::from_raw(pid))),
                _ => Err(Failure::new(format!("parse aardvark pid: {} has {text:?}", path.display()))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(of_io(&path, error)),
        }
    }

    /// Notifies the server. Returns whether a server runs.
    fn reload(&self, pid: Pid) -> Result<bool> {
        match kill(pid, Signal::SIGHUP) {
            Ok(()) => Ok(true),
            Err(Errno::ESRCH) => Ok(false),
            Err(errno) => Err(Failure::new(format!("failed to send SIGHUP to aardvark: {errno}"))),
        }
    }

    fn start(&self) -> Result<()> {
        let Some(binary) = &self.binary else { return Ok(()) };
        let mut words = vec![binary.clone(), "--config".into(), self.directory.clone().into_os_string()];
        words.extend(["-p".into(), self.port.to_string().into(), "run".into()]);
        // The program returns when the server listens.
        let program = Program::on_host(words).with_output(Output::Capture).with_timeout(START);
        let finished = self.kernel.run(&program).map_err(|failure| {
            Failure::new(format!("aardvark-dns failed to start: {}: {failure}", binary.display()))
        })?;
        if finished.succeeded() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&finished.output);
        Err(Failure::new(format!("aardvark-dns failed to start: {}", said.trim())))
    }
}

/// Refuses a server that would ask itself.
fn check_loops(entries: &[Entry]) -> Result<()> {
    let owner = |server: &IpAddr| entries.iter().find(|entry| entry.listen.contains(server));
    for entry in entries {
        for (what, servers) in
            [("DNS server", &entry.container_servers), ("network DNS server", &entry.network_servers)]
        {
            for server in servers {
                if let Some(owner) = owner(server) {
                    return Err(Failure::new(format!(
                        "{what} {server} is the gateway of network {:?}; using it would cause aardvark-dns to forward queries to itself.",
                        owner.network
                    )));
                }
            }
        }
    }
    Ok(())
}

fn of_file(error: jailwire::Error) -> Failure {
    Failure::new(error.to_string())
}

fn of_io(path: &Path, error: io::Error) -> Failure {
    Failure::new(format!("IO error: {}: {error}", path.display()))
}

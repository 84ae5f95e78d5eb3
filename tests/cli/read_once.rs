//! A command reads a jail's configuration once, so two parts of the command never see different contents.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Root, text};

const JAILS: [&str; 3] = ["db", "web", "proxy"];

/// inotify(7) on directories.
struct Watch {
    events: File,
    directories: BTreeMap<i32, PathBuf>,
}

impl Watch {
    fn on(directories: &[PathBuf]) -> Watch {
        // SAFETY: inotify_init1(2) takes flags.
        let number = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
        assert!(number >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the call above made this descriptor, and nothing else owns it.
        let events = unsafe { File::from_raw_fd(number) };
        let mut watch = Watch { events, directories: BTreeMap::new() };
        for directory in directories {
            let path = CString::new(directory.as_os_str().as_bytes()).unwrap();
            // Watch closing too: the kernel merges two equal adjacent events into one.
            let mask = libc::IN_OPEN | libc::IN_CLOSE;
            // SAFETY: inotify_add_watch(2) reads a string that ends.
            let number = unsafe { libc::inotify_add_watch(watch.events.as_raw_fd(), path.as_ptr(), mask) };
            assert!(number >= 0, "{}: {}", directory.display(), std::io::Error::last_os_error());
            watch.directories.insert(number, directory.clone());
        }
        watch
    }

    /// The number of times that each file was opened.
    fn opened(&mut self) -> BTreeMap<PathBuf, usize> {
        const HEAD: usize = 16;
        let (mut counts, mut buffer) = (BTreeMap::new(), vec![0; 64 << 10]);
        loop {
            let length = match self.events.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return counts,
                other => other.expect("events"),
            };
            let mut rest = &buffer[..length];
            while rest.len() >= HEAD {
                let word = |at: usize| u32::from_ne_bytes(rest[at..at + 4].try_into().expect("four bytes"));
                let (watch, mask, named) = (word(0) as i32, word(4), word(12) as usize);
                assert_eq!(mask & libc::IN_Q_OVERFLOW, 0, "events were lost");
                let name = rest[HEAD..HEAD + named].split(|byte| *byte == 0).next().unwrap_or_default();
                if mask & libc::IN_OPEN != 0 && !name.is_empty() {
                    let path = self.directories[&watch].join(OsStr::from_bytes(name));
                    *counts.entry(path).or_default() += 1;
                }
                rest = &rest[HEAD + named..];
            }
        }
    }
}

/// The number of times that a command opened each config.json and defaults.json.
fn opened_by(root: &Root, words: &[&str]) -> Vec<(String, usize)> {
    let mut directories = vec![root.path().to_owned()];
    directories.extend(JAILS.map(|jail| root.jail(jail)));
    let mut watch = Watch::on(&directories);
    let output = root.run(words);
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    let is_wanted = |path: &Path| path.ends_with("config.json") || path.ends_with("defaults.json");
    let shown = |path: &Path| path.strip_prefix(root.path()).expect("below it").display().to_string();
    watch
        .opened()
        .iter()
        .filter(|(path, _)| is_wanted(path))
        .map(|(path, count)| (shown(path), *count))
        .collect()
}

#[test]
fn each_configuration_is_read_once_in_a_command() {
    let root = Root::new();
    root.ok(&["list"]);
    let mut wrong = Vec::new();
    for words in [
        &["start", "db"][..],
        &["start", "ALL"],
        &["restart", "db"],
        &["restart", "ALL"],
        &["list"],
        &["doctor"],
        &["doctor", "--fix"],
        &["gc"],
        &["map"],
        &["show", "db"],
        &["get", "all", "db"],
        &["set", "notes=none", "db"],
        &["restart", "-s", "ALL"],
        &["restart", "--dry-run", "ALL"],
        &["stop", "--dry-run", "ALL"],
        &["stop", "db"],
        &["stop", "ALL"],
        &["start", "--dry-run", "ALL"],
        &["exec", "-f", "db", "ifconfig"],
        &["destroy", "-f", "db"],
    ] {
        let opened = opened_by(&root, words);
        println!("{words:?}: {opened:?}");
        let is_seen = opened.iter().any(|(path, _)| path.ends_with("config.json"));
        assert!(is_seen || matches!(words, ["gc" | "map" | "show", ..]), "{words:?}: nothing was seen");
        // A file that will be written is read once more, under its lock.
        let most = if words[0] == "set" { 2 } else { 1 };
        wrong.extend(opened.into_iter().filter(|(_, count)| *count > most).map(|one| (words, one)));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

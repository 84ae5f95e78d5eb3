//! A real pool, and FreeBSD's kernel.
//!
//! The pool is a real one on FreeBSD, for root, if `JAILWIRE_TEST_POOL` names one, or in a guest of `vm/test` that
//! has ZFS. A missing pool is made on a file, and stays. On a pool, only a dataset of the test itself is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use jailwire::kernel::Kernel;

use crate::support::text;

/// The size of a pool that is made. Its file is sparse.
const SIZE: u64 = 1 << 30;

/// The script in the place of `zfs`, which runs the real one.
pub const SCRIPT: &str = r#"#!/bin/sh
cd 'CONTROL' || exit 1
echo "$*" >>asked
number=$(($(wc -l <asked)))
if [ -s refuse ]; then
    while read -r words || [ -n "$words" ]; do
        case "$*" in "$words"*) echo "out of space" >&2; exit 1 ;; esac
    done <refuse
fi
if [ -e kill ] && [ "$(cat kill)" = "$number" ]; then
    /sbin/zfs "$@" >/dev/null 2>&1
    kill -9 $PPID
    exit 0
fi
exec /sbin/zfs "$@"
"#;

/// The programs that commands in a jail need.
const USERLAND: [&str; 8] = [
    "libexec/ld-elf.so.1",
    "lib/libc.so.7",
    "lib/libsys.so.7",
    "lib/libedit.so.8",
    "lib/libtinfow.so.9",
    "bin/sh",
    "bin/hostname",
    "usr/bin/true",
];

/// The turn of one test on the real pool.
pub struct Turn {
    pool: &'static str,
    _guard: MutexGuard<'static, ()>,
}

impl Turn {
    /// The name of the dataset of a test whose files are in this directory.
    pub fn dataset(&self, directory: &Path) -> String {
        let unique = directory.file_name().expect("a directory").to_string_lossy().replace('.', "");
        format!("{}/{unique}", self.pool)
    }
}

/// Waits for a turn on the real pool. Returns `None` if the model is used.
pub fn turn() -> Option<Turn> {
    static POOL: OnceLock<Option<String>> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let pool = POOL.get_or_init(name).as_deref()?;
    // A failed test has poisoned the lock.
    let guard = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Some(Turn { pool, _guard: guard })
}

/// Whether everything on this machine may be changed, also other pools.
pub fn in_guest() -> bool {
    std::env::var_os("JAILWIRE_GUEST").is_some()
}

fn name() -> Option<String> {
    let named = std::env::var("JAILWIRE_TEST_POOL").ok();
    if !cfg!(target_os = "freebsd") || named.is_none() && !(in_guest() && has_zfs()) {
        assert!(named.is_none(), "JAILWIRE_TEST_POOL: a real pool needs FreeBSD");
        return None;
    }
    let name = named.unwrap_or_else(|| "jailwiretest".to_owned());
    if !succeeds("zpool", &["list", &name]) {
        create(&name, None);
    }
    Some(name)
}

fn has_zfs() -> bool {
    Path::new("/sbin/zpool").exists()
        && (succeeds("kldstat", &["-q", "-m", "zfs"]) || succeeds("kldload", &["zfs"]))
}

/// Makes a pool on a file.
pub fn create(name: &str, mountpoint: Option<&Path>) {
    let file = std::env::temp_dir().join(format!("{name}.pool"));
    fs::File::create(&file).and_then(|file| file.set_len(SIZE)).expect("the file of a pool");
    let mountpoint = mountpoint.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let made = Command::new("zpool").args(["create", "-f", "-m", &mountpoint, name]).arg(&file).output();
    let made = made.expect("zpool");
    assert!(made.status.success(), "{}", text(&made.stderr));
}

/// Destroys a pool that [`create`] made.
pub fn destroy_pool(name: &str) {
    assert!(succeeds("zpool", &["destroy", "-f", name]));
    let _ = fs::remove_file(std::env::temp_dir().join(format!("{name}.pool")));
}

fn succeeds(program: &str, words: &[&str]) -> bool {
    Command::new(program).args(words).output().is_ok_and(|output| output.status.success())
}

/// Runs `zfs`. Returns the exit status and the output.
pub fn zfs(words: &[&str]) -> (Option<i32>, Vec<u8>, Vec<u8>) {
    let output = Command::new("/sbin/zfs").args(words).output().expect("zfs");
    (output.status.code(), output.stdout, output.stderr)
}

/// Destroys what a test has made. Holds are released first.
pub fn destroy(dataset: &str) {
    let (_, held, _) = zfs(&["list", "-H", "-r", "-t", "snapshot", "-o", "name,userrefs", dataset]);
    for line in text(&held).lines() {
        if let Some((name, "1")) = line.split_once('\t') {
            zfs(&["release", "keep", name]);
        }
    }
    let (status, _, said) = zfs(&["destroy", "-R", "-f", dataset]);
    if status != Some(0) {
        eprintln!("{dataset} is left: {}", text(&said));
    }
}

/// Copies the programs that commands in a jail need.
pub fn userland(root: &Path) {
    for path in USERLAND.iter().filter(|path| Path::new("/").join(path).exists()) {
        let copy = root.join(path);
        fs::create_dir_all(copy.parent().expect("not /")).expect("a directory");
        fs::copy(PathBuf::from("/").join(path), copy).expect("a copy");
    }
}

#[cfg(target_os = "freebsd")]
pub fn kernel() -> Arc<dyn Kernel> {
    Arc::new(jailwire::kernel::freebsd::FreeBsd::new().expect("the kernel"))
}

#[cfg(not(target_os = "freebsd"))]
pub fn kernel() -> Arc<dyn Kernel> {
    panic!("a real pool needs FreeBSD")
}

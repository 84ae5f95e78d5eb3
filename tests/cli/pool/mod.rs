//! Jails on a pool: the program with `zfs(8)`, on a model of it, or on a real pool.
//!
//! `zfs` is a script on PATH. Without a real pool, it runs this test program again, which then acts as `zfs`. With
//! a real pool, it runs the real `zfs`. Both count the runs, and can fail, or kill the program, at a given run. See
//! `real` for when the pool is real.

mod commands;
mod dry_runs;
pub mod json;
mod killed;
mod model;
mod real;
mod states;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jailwire::jail;
use jailwire::jail::devfs::Devfs;
use jailwire::kernel::Kernel;
use jailwire::sim::Sim;
use jailwire::vnet::Vnet;
use tempfile::TempDir;

use crate::memory;
use crate::support::{copy, restore, text};
use real::Turn;

/// The script in the place of `zfs`. Its standard output and error are passed on as descriptors 3 and 4, because
/// the test program prints lines of its own.
const SCRIPT: &str = r#"#!/bin/sh
n=0
for word; do n=$((n + 1)); eval "export ZFS_WORD_$n=\$word"; done
export ZFS_WORDS=$# ZFS_MODEL='CONTROL'
unset JAILWIRE_SIM_FAULT
exec 3>&1 4>&2
exec 'PROGRAM' --exact pool::answers_for_zfs --nocapture >/dev/null 2>/dev/null
"#;

/// Acts as `zfs` if the script has started this program. Otherwise it does nothing.
#[test]
fn answers_for_zfs() {
    let Some(model) = std::env::var_os("ZFS_MODEL") else { return };
    let number: usize = std::env::var("ZFS_WORDS").unwrap().parse().unwrap();
    let words: Vec<String> = (1..=number).map(|n| std::env::var(format!("ZFS_WORD_{n}")).unwrap()).collect();
    let open = |path: &str| fs::OpenOptions::new().write(true).open(path).unwrap();
    let (mut out, mut err) = (open("/dev/fd/3"), open("/dev/fd/4"));
    std::process::exit(model::answer(Path::new(&model), &words, &mut out, &mut err));
}

/// A pool with iocage's datasets, a release, and nothing else.
pub struct Pool {
    directory: Arc<TempDir>,
    dataset: String,
    /// On a real pool, one test runs at a time, because the tests share the kernel and its names.
    real: Option<Turn>,
    /// The state of the host without jails.
    before: Host,
}

impl Pool {
    pub fn new() -> Pool {
        let real = real::turn();
        let directory = Arc::new(tempfile::tempdir_in(memory::directory().canonicalize().unwrap()).unwrap());
        let dataset = match &real {
            Some(turn) => turn.dataset(directory.path()),
            None => "tank/iocage".to_owned(),
        };
        let mut pool = Pool { directory, dataset, real, before: Host::default() };
        let (bin, control) = (pool.directory.path().join("bin"), pool.control());
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(&control).unwrap();
        let program = std::env::current_exe().unwrap();
        let script = if pool.is_real() { real::SCRIPT } else { SCRIPT };
        let script = script
            .replace("CONTROL'", &format!("{}'", control.display()))
            .replace("PROGRAM", &program.to_string_lossy());
        fs::write(bin.join("zfs"), script).unwrap();
        fs::set_permissions(bin.join("zfs"), fs::Permissions::from_mode(0o755)).unwrap();
        if !pool.is_real() {
            fs::write(control.join("sim"), pool.root().join(".sim").to_string_lossy().as_bytes()).unwrap();
            pool.zfs(&["create", "-o", "canmount=off", "-o", "mountpoint=none", "tank"]);
            fs::create_dir_all(pool.root()).unwrap();
        }
        let mountpoint = format!("mountpoint={}", pool.root().display());
        pool.zfs(&["create", "-o", &mountpoint, &pool.dataset]);
        for beneath in
            ["jails", "log", "releases", "releases/15.1-RELEASE", "releases/15.1-RELEASE/root", "templates"]
        {
            pool.zfs(&["create", &pool.name(beneath)]);
        }
        let release = pool.root().join("releases/15.1-RELEASE/root");
        for directory in ["bin", "dev", "etc", "usr/bin", "usr/share"] {
            fs::create_dir_all(release.join(directory)).unwrap();
        }
        fs::write(release.join("bin/freebsd-version"), "USERLAND_VERSION=\"15.1-RELEASE-p1\"\n").unwrap();
        fs::write(release.join("etc/hosts"), "127.0.0.1\t\tlocalhost\n").unwrap();
        fs::write(release.join("usr/bin/vi"), "an editor").unwrap();
        if pool.is_real() {
            real::userland(&release);
        }
        pool.before = pool.host();
        pool
    }

    /// Creates the jail `shop`, which starts and stops without a userland.
    pub fn create_shop(&self) {
        let commands = ["exec_start=/usr/bin/true", "exec_stop=/usr/bin/true"];
        self.ok(&[&["create", "-n", "shop", "-r", "15.1-RELEASE"][..], &commands].concat());
    }

    /// The directory for the script's count of runs, and for the model's pool.
    fn control(&self) -> PathBuf {
        self.directory.path().join("zfs")
    }

    /// The mount point of iocage's dataset.
    pub fn root(&self) -> PathBuf {
        self.directory.path().join("iocage")
    }

    pub fn jail(&self, name: &str) -> PathBuf {
        self.root().join("jails").join(name)
    }

    /// The name of a dataset beneath iocage's.
    pub fn name(&self, beneath: &str) -> String {
        format!("{}/{beneath}", self.dataset)
    }

    /// Runs `zfs` without the script. The model runs inside this process, because starting this program again takes
    /// far longer.
    #[track_caller]
    pub fn zfs(&self, words: &[&str]) -> String {
        let (status, out, err) = match &self.real {
            Some(_) => real::zfs(words),
            None => {
                let (mut out, mut err) = (Vec::new(), Vec::new());
                let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
                (Some(model::answer(&self.control(), &words, &mut out, &mut err)), out, err)
            }
        };
        assert_eq!(status, Some(0), "zfs {words:?}: {}", text(&err));
        text(&out)
    }

    /// Runs the program on the pool.
    pub fn run(&self, words: &[&str]) -> Output {
        self.run_with(words, &[])
    }

    /// Runs the program on the pool, with more environment variables.
    pub fn run_with(&self, words: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        let system = if self.is_real() { "/sbin:/bin:/usr/sbin:/usr/bin" } else { "/bin:/usr/bin" };
        command.env_clear().env("PATH", format!("{}:{system}", self.directory.path().join("bin").display()));
        if !self.is_real() {
            command.arg("--kernel").arg("sim");
        }
        command.envs(environment.iter().copied());
        command.arg("--root").arg(self.root()).args(words).output().unwrap()
    }

    #[track_caller]
    pub fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}{}", text(&output.stderr), text(&output.stdout));
        text(&output.stdout)
    }

    /// Runs the program, expects exit status 1, and returns its standard error.
    #[track_caller]
    pub fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{words:?}: {}{}",
            text(&output.stderr),
            text(&output.stdout)
        );
        text(&output.stderr)
    }

    /// All datasets and snapshots beneath iocage's: whether they are mounted, and their origins.
    pub fn state(&self) -> Vec<String> {
        let all = self.zfs(&[
            "list",
            "-H",
            "-r",
            "-t",
            "filesystem,snapshot",
            "-o",
            "name,mounted,origin",
            &self.dataset,
        ]);
        let mut lines: Vec<String> =
            all.lines().map(|line| line.replace(&format!("{}/", self.dataset), "")).collect();
        lines.retain(|line| !line.starts_with(&self.dataset));
        lines.sort();
        lines
    }

    /// Ends the program with SIGKILL at the n-th run of `zfs` from now on, after it has had its effect.
    pub fn kill_at(&self, n: usize) {
        let asked = fs::read_to_string(self.control().join("asked")).unwrap_or_default();
        fs::write(self.control().join("kill"), (asked.lines().count() + n).to_string()).unwrap();
    }

    pub fn kill_no_more(&self) {
        fs::remove_file(self.control().join("kill")).unwrap();
    }

    /// From now on `zfs` fails if its arguments begin with these words.
    pub fn refuse(&self, words: &str) {
        fs::write(self.control().join("refuse"), words).unwrap();
    }

    /// Removes the journal of a jail's start, as if iocage had started the jail.
    pub fn forget_journal(&self, jail: &str) {
        let state = match self.is_real() {
            true => PathBuf::from("/var/run/jailwire"),
            false => self.root().join(".sim/run/jailwire"),
        };
        fs::remove_file(state.join(format!("ioc-{jail}.journal"))).unwrap();
    }

    /// The file systems that are mounted beneath iocage's directory, by mount point.
    pub fn mounts(&self) -> Vec<(String, PathBuf)> {
        let mut found: Vec<_> = self
            .kernel()
            .mounts()
            .unwrap()
            .into_iter()
            .filter_map(|one| Some((one.fstype, one.on.strip_prefix(self.root()).ok()?.to_owned())))
            .collect();
        found.sort();
        found
    }

    fn kernel(&self) -> Arc<dyn Kernel> {
        match self.is_real() {
            false => Arc::new(Sim::open(&self.root().join(".sim")).unwrap()),
            true => real::kernel(),
        }
    }

    /// The jails, including dying ones, interfaces and devfs rulesets. No command may leave any of these when all
    /// jails are down.
    fn host(&self) -> Host {
        let kernel = self.kernel();
        let jails = jail::list(&*kernel, true).unwrap().into_iter().map(|jail| jail.name).collect();
        let interfaces = Vnet::host(kernel.clone()).interfaces().unwrap();
        let interfaces = interfaces.into_iter().map(|interface| interface.name.to_string()).collect();
        let rulesets = Devfs::open(kernel, "/dev".as_ref()).unwrap().rulesets().unwrap();
        Host { jails, interfaces, rulesets: rulesets.into_iter().collect() }
    }

    /// A copy of the pool. A real pool cannot be copied.
    fn saved(&self) -> Option<Saved> {
        if self.is_real() {
            return None;
        }
        let files = tempfile::tempdir_in(self.directory.path().parent().unwrap()).unwrap();
        copy(self.directory.path(), files.path());
        let (directory, dataset) = (Arc::clone(&self.directory), self.dataset.clone());
        Some(Saved { directory, dataset, before: self.before.clone(), files })
    }

    /// Whether this is a real pool, on FreeBSD's kernel.
    pub fn is_real(&self) -> bool {
        self.real.is_some()
    }

    pub fn config(&self, name: &str) -> serde_json::Value {
        let path = self.jail(name).join("config.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }
}

/// A pool as it was at a moment: the files of the model, of the simulated kernel and of the jails.
struct Saved {
    directory: Arc<TempDir>,
    dataset: String,
    before: Host,
    files: TempDir,
}

impl Saved {
    /// The pool as it was, at the same place. The pool at this place is no more.
    fn pool(&self) -> Pool {
        restore(self.directory.path(), &self.files);
        let (directory, dataset) = (Arc::clone(&self.directory), self.dataset.clone());
        Pool { directory, dataset, real: None, before: self.before.clone() }
    }
}

/// Pools that are all alike. Making a pool runs `zfs` many times, so a pool is made once for each thread, and copied.
pub struct Alike<Make> {
    make: Make,
    idle: Mutex<Vec<Saved>>,
}

impl<Make: Fn() -> Pool> Alike<Make> {
    pub fn new(make: Make) -> Alike<Make> {
        Alike { make, idle: Mutex::default() }
    }

    /// Passes a pool to `work`.
    pub fn with<T>(&self, work: impl FnOnce(&Pool) -> T) -> T {
        let idle = self.idle.lock().unwrap().pop();
        let (pool, saved) = match idle {
            Some(saved) => (saved.pool(), Some(saved)),
            None => {
                let pool = (self.make)();
                let saved = pool.saved();
                (pool, saved)
            }
        };
        let result = work(&pool);
        // This checks that nothing of a jail is left on the host.
        drop(pool);
        self.idle.lock().unwrap().extend(saved);
        result
    }
}

/// The result of [`Pool::host`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Host {
    jails: BTreeSet<String>,
    interfaces: BTreeSet<String>,
    rulesets: BTreeSet<u16>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A failed test may have left running jails.
            if self.is_real() {
                self.run(&["stop", "-f", "ALL"]);
                real::destroy(&self.dataset);
            }
            return;
        }
        // The kernel takes a moment to remove a jail completely.
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut after = self.host();
        while after != self.before && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
            after = self.host();
        }
        if self.is_real() {
            real::destroy(&self.dataset);
        }
        assert_eq!(after, self.before, "what is left on the host at the end of the test");
    }
}

//! Tests of `vm/`: its scripts, run with programs on the search path that stand in for QEMU, bhyve, curl and cargo.
//! The stand-ins check their arguments, and write them to a log.

#![cfg(unix)]

mod bhyve;
mod cross;
mod image;
mod qemu;
mod run;
mod scripts;
mod suite;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The tools that the scripts and the stand-ins need.
const TOOLS: &[&str] = &[
    "awk", "basename", "cat", "chmod", "cksum", "cp", "cut", "date", "df", "dirname", "env", "grep", "head",
    "ln", "mkdir", "mkfifo", "mktemp", "mv", "od", "rm", "rmdir", "sed", "sh", "sleep", "sort", "tail",
    "tar", "touch", "tr", "wc",
];

/// The tools that they use if the system has them.
const MORE_TOOLS: &[&str] =
    &["bsdtar", "genisoimage", "makefs", "sha512", "sha512sum", "shasum", "timeout", "xorriso", "xz"];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file())
}

/// A place to run one script in, with its own search path, cache and temporary folder. All are removed on drop.
struct Place {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Place {
    /// A place with these stand-ins on its search path. `None`, with a line that says why, where the system
    /// lacks a tool that the scripts need, or is itself such a guest.
    fn with(stand_ins: &[&str]) -> Option<Place> {
        if std::env::var_os("JAILWIRE_GUEST").is_some() {
            println!("skipped: in a guest, which starts no others and takes minutes for this");
            return None;
        }
        let missing: Vec<_> = TOOLS.iter().filter(|tool| find(tool).is_none()).collect();
        if !missing.is_empty() || !workspace().join("vm/run").exists() {
            println!("skipped: no vm/run, or missing: {missing:?}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        for part in ["bin", "tmp", "cache"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let fakes = workspace().join("tests/vm/fake");
        let place = Place { variables: BTreeMap::new(), folder };
        for tool in TOOLS.iter().chain(MORE_TOOLS).filter(|tool| !stand_ins.contains(tool)) {
            if let Some(file) = find(tool) {
                symlink(file, place.file("bin").join(tool)).unwrap();
            }
        }
        for name in stand_ins.iter().chain(&["uname", "id"]) {
            symlink(fakes.join(name), place.file("bin").join(name)).unwrap();
        }
        fs::write(place.file("kernel"), "a kernel").unwrap();
        fs::write(place.file("root"), "a root file system").unwrap();
        Some(
            place
                .set("FAKE_LIB", fakes.to_str().unwrap())
                .set_file("FAKE", "")
                .set_file("PATH", "bin")
                .set_file("HOME", "")
                .set_file("TMPDIR", "tmp")
                .set_file("JAILWIRE_CACHE", "cache"),
        )
    }

    /// A place where QEMU runs a kernel with a root file system.
    fn with_kernel() -> Option<Place> {
        let place = Place::with(&["qemu-system-x86_64"])?;
        Some(
            place
                .set_file("JAILWIRE_VM_KERNEL", "kernel")
                .set_file("JAILWIRE_VM_ROOT", "root")
                .set("JAILWIRE_VM_KVM", "/nonexistent"),
        )
    }

    fn set(mut self, name: &str, value: &str) -> Place {
        self.variables.insert(name.into(), value.into());
        self
    }

    fn set_file(self, name: &str, file: &str) -> Place {
        let value = self.file(file);
        self.set(name, value.to_str().unwrap().trim_end_matches('/'))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_script(&self, name: &str, body: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    fn command(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(workspace().join(script));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn start(&self, script: &str, arguments: &[&str]) -> Child {
        use nix::sys::signal::{SigHandler, Signal, signal};

        // If the tests run in the background, SIGINT may be ignored, and a shell cannot change that. SAFETY: the
        // default action runs no code of this process.
        unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }.unwrap();
        self.command(script, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Answer {
        let answer = Answer::from(self.command(script, arguments).output().unwrap());
        self.assert_nothing_left();
        answer
    }

    /// The command lines of a stand-in's calls: one argument a line, and `--` after each call.
    fn log(&self, stand_in: &str) -> String {
        self.read(&format!("{stand_in}.log"))
    }

    /// Checks that no hypervisor, machine or temporary file has outlived a script.
    fn assert_nothing_left(&self) {
        let running = || {
            let pids = self.read("pids");
            pids.lines().filter(|pid| alive(pid)).map(String::from).collect::<Vec<_>>()
        };
        let left =
            || fs::read_dir(self.file("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        // A guardian process may need a moment to notice that its script was killed.
        wait_for(Duration::from_secs(10), || running().is_empty() && left().is_empty());
        assert_eq!(running(), Vec::<String>::new(), "processes left");
        assert_eq!(left(), Vec::<PathBuf>::new(), "files left");
        let machines = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let machines: Vec<_> =
            machines.filter(|name| name.to_string_lossy().starts_with("machine-")).collect();
        assert!(machines.is_empty(), "machines left: {machines:?}");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for pid in self.read("pids").lines().filter(|pid| alive(pid)) {
            signal("KILL", pid);
        }
    }
}

fn signal(name: &str, pid: &str) -> bool {
    // The shell's own `kill` is used, because not every system has a program of that name.
    let kill = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", name, pid]).status();
    kill.is_ok_and(|status| status.success())
}

/// Whether a process runs. A zombie does not count.
fn alive(pid: &str) -> bool {
    signal("0", pid) && {
        let state = Command::new("ps").args(["-o", "state=", "-p", pid]).output();
        state.is_ok_and(|output| !String::from_utf8_lossy(&output.stdout).trim_start().starts_with('Z'))
    }
}

/// Waits until a condition holds. Returns whether it did in time.
fn wait_for(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// The output of a script, and its exit status.
#[derive(Debug)]
struct Answer {
    output: String,
    errors: String,
    status: Option<i32>,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Answer {
        Answer {
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status.code(),
        }
    }
}

impl Answer {
    /// Checks the status, and that the only line of the error has this text.
    #[track_caller]
    fn complains(&self, status: i32, text: &str) {
        assert_eq!(self.status, Some(status), "{self:?}");
        assert!(self.errors.contains(text), "{self:?}");
    }

    /// Checks that the error is a single line.
    #[track_caller]
    fn complains_in_one_line(&self, status: i32, text: &str) {
        self.complains(status, text);
        assert_eq!(self.errors.lines().count(), 1, "{self:?}");
    }
}

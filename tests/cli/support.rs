//! A copy of the example root, for running the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jailwire::kernel::{Calls, Sysctl};
use jailwire::sim::Sim;
use tempfile::TempDir;

/// A test's own directory with the example jails.
pub struct Root {
    directory: Arc<TempDir>,
    kernel: OnceLock<Sim>,
}

impl Root {
    /// A fresh copy of the example root.
    pub fn new() -> Root {
        // In memory if possible, because these tests make thousands of roots.
        let directory = tempfile::tempdir_in(crate::memory::directory()).expect("a temporary directory");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/iocage"), directory.path());
        let _ = fs::remove_dir_all(directory.path().join(".sim"));
        Root { directory: Arc::new(directory), kernel: OnceLock::new() }
    }

    /// A copy of all files, with the simulated kernel's own.
    pub fn saved(&self) -> TempDir {
        let saved = tempfile::tempdir_in(self.path().parent().expect("a parent")).expect("a directory");
        copy(self.path(), saved.path());
        saved
    }

    /// This root once more, at the same place, as it was when it was saved. The root before it is no more.
    pub fn restored(&self, saved: &TempDir) -> Root {
        restore(self.path(), saved);
        Root { directory: Arc::clone(&self.directory), kernel: OnceLock::new() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The directory of a jail.
    pub fn jail(&self, name: &str) -> PathBuf {
        self.path().join("jails").join(name)
    }

    /// Runs `jailwire --root … ARGUMENTS`.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_fault(arguments, None)
    }

    /// Runs the program with `JAILWIRE_SIM_FAULT`.
    pub fn run_with_fault(&self, arguments: &[&str], fault: Option<&str>) -> Output {
        let mut command = self.command(arguments);
        if let Some(fault) = fault {
            command.env("JAILWIRE_SIM_FAULT", fault);
        }
        command.output().expect("the program starts")
    }

    /// Whether a command makes at least `call` calls: then it is killed at that call, and otherwise it succeeds.
    #[track_caller]
    pub fn is_killed(&self, arguments: &[&str], call: usize) -> bool {
        use std::os::unix::process::ExitStatusExt as _;

        let output = self.run_with_fault(arguments, Some(&format!("{call}:kill")));
        match output.status.signal() {
            Some(9) => true,
            None => {
                assert!(output.status.success(), "call {call}: {}", text(&output.stderr));
                false
            }
            Some(other) => panic!("call {call}: ended by signal {other}"),
        }
    }

    /// Runs the program with input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        use std::io::Write as _;
        use std::process::Stdio;

        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // Ignore an error: a program that reads nothing may have ended.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("the program ends")
    }

    /// The program on this root, with a clean environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        command.env_clear().arg("--kernel").arg("sim").arg("--root").arg(self.path()).args(arguments);
        command
    }

    /// Runs the program, expects success, and returns what the program printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}\n{}", output.status, text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs the program, expects this exit status, and returns what the program wrote to standard error.
    pub fn fails(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    }

    /// The simulated kernel. It is opened once, because each opening reads the whole log.
    pub fn kernel(&self) -> Sim {
        let open = || Sim::open(&self.path().join(".sim")).expect("the simulated kernel");
        self.kernel.get_or_init(open).clone()
    }

    /// The whole state of the simulated kernel, as text.
    pub fn kernel_state(&self) -> String {
        let sim = self.kernel();
        // Its time advances with each call.
        let _ = sim.sysctl(&Sysctl::read("kern.osreldate"));
        sim.describe()
    }

    /// The state of the simulated kernel after duplicate address detection, which changes the state by itself.
    pub fn quiet_state(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let state = self.kernel_state();
            // Only IN6_IFF_TENTATIVE is set.
            let tentative = |line: &str| line.contains("Address6 {") && line.contains(" flags: 2,");
            if !state.lines().any(tentative) || Instant::now() > deadline {
                return state;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the kernel is in this state. After the end of a process, the kernel may take a moment to remove
    /// what the process held.
    #[track_caller]
    pub fn settles(&self, expected: &str, what: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.kernel_state() != expected && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_same(&self.kernel_state(), expected, what);
    }

    /// Every file below the root with its contents, except the simulated kernel's own files. The program must
    /// restore all of them.
    pub fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        walk(self.path(), &mut files);
        files.retain(|(path, _)| {
            let inside = path.strip_prefix(self.path()).expect("below the root");
            // Leave out the kernel's log, locks, and values that iocage writes at every start too.
            !inside.starts_with(".sim/log")
                && inside.extension().is_none_or(|extension| extension != "lock")
                && !inside.starts_with("log")
        });
        files.sort();
        files
    }
}

fn walk(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files);
        } else {
            let contents = fs::read(&path).unwrap_or_default();
            files.push((path, text(&contents)));
        }
    }
}

/// Compares two texts line by line, and shows only what differs.
#[track_caller]
pub fn assert_same(left: &str, right: &str, what: &str) {
    if left == right {
        return;
    }
    let lines = |text: &str, other: &str, sign: &str| {
        let other: Vec<&str> = other.lines().collect();
        text.lines()
            .filter(|line| !other.contains(line))
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    panic!("{what}:\n{}{}", lines(left, right, "+"), lines(right, left, "-"));
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Replaces what is in a directory with a copy of what is in another directory.
pub fn restore(directory: &Path, saved: &TempDir) {
    for entry in fs::read_dir(directory).expect("the directory") {
        let entry = entry.expect("an entry");
        match entry.file_type().expect("a type").is_dir() {
            true => fs::remove_dir_all(entry.path()).expect("a directory"),
            false => fs::remove_file(entry.path()).expect("a file"),
        }
    }
    copy(saved.path(), directory);
}

pub fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the example root") {
        let entry = entry.expect("an entry");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_symlink() {
            let leads_to = fs::read_link(&source).expect("a link");
            std::os::unix::fs::symlink(leads_to, &target).expect("a link");
        } else if source.is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("a file");
            // Commands compare the times of files.
            let time = source.metadata().and_then(|about| about.modified()).expect("a time");
            let copied = fs::OpenOptions::new().append(true).open(&target).expect("a file");
            copied.set_modified(time).expect("the new file takes a time");
        }
    }
}

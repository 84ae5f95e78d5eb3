//! Runs the program to its end, or kills it on the way.

use std::io::Read as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::world::World;

/// The time limit of any command, on a slow machine with other processes at work.
const HANGS: Duration = Duration::from_secs(180);

/// How a command ended.
#[derive(Debug)]
pub enum Ended {
    Killed,
    /// The command ended with this status, and printed this text.
    By(i32, String),
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl World {
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        command.env_clear().arg("--root").arg(self.path("")).stdin(Stdio::null());
        if self.sim.is_some() {
            command.args(["--kernel", "sim"]);
        }
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}: {said}", output.status);
        said
    }

    /// Runs the program, and kills it with SIGKILL unless it has ended by then.
    pub fn run_until(&self, arguments: &[&str], killed_after: Option<Duration>) -> Ended {
        use std::os::unix::process::ExitStatusExt as _;

        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut said = child.stderr.take().expect("a pipe");
        // The thread reads all output, so that the program never waits for a reader.
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = said.read_to_end(&mut text);
            text
        });
        let status = wait(&mut child, arguments, killed_after);
        if status.signal() == Some(9) {
            // A background process may keep the pipe open for a moment.
            drop(reader);
            return Ended::Killed;
        }
        let said = text(&reader.join().expect("a reader"));
        let code = status.code().unwrap_or_else(|| panic!("{arguments:?} ended by {status}: {said}"));
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        Ended::By(code, said)
    }
}

fn wait(child: &mut Child, arguments: &[&str], killed_after: Option<Duration>) -> std::process::ExitStatus {
    let begun = Instant::now();
    let mut killed = false;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if !killed && killed_after.is_some_and(|after| begun.elapsed() >= after) {
            killed = true;
            let _ = child.kill();
        }
        assert!(begun.elapsed() < HANGS, "{arguments:?} hangs");
        std::thread::sleep(Duration::from_micros(300));
    }
}

//! Finds a C compiler with FreeBSD's headers, and runs it.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::facts::Fact;
use crate::releases::Release;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Architecture {
    Amd64,
    Arm64,
}

impl Architecture {
    /// Rust's name of it, which clang and zig share.
    pub fn rust(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        })
    }
}

pub struct Compiler {
    /// The program and its first arguments.
    words: Vec<String>,
    architecture: Architecture,
}

/// Why C does not agree with a fact.
pub struct CompilerRefusal {
    pub message: String,
}

impl CompilerRefusal {
    /// Whether the compiler does not know the name at all.
    pub fn is_absence(&self) -> bool {
        ["undeclared", "incomplete type", "incomplete definition", "no member named"]
            .iter()
            .any(|words| self.message.contains(words))
    }
}

/// Names a compiler with the headers of FreeBSD 16, which is not released: without such a compiler nothing is
/// proven for it.
pub const NEXT: &str = "JAILWIRE_FREEBSD16_CC";

const WRAPPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/wrapper.h");

impl Compiler {
    /// A compiler whose headers are those of FreeBSD `major`, or the reason why there is none.
    pub fn find(major: u32, architecture: Architecture) -> Result<(Self, Release), String> {
        let mut reasons = Vec::new();
        for (words, chosen) in candidates(architecture) {
            let compiler = Self { words, architecture };
            let name = compiler.words.join(" ");
            match compiler.release() {
                Ok(release) if release.major() == major => return Ok((compiler, release)),
                Ok(release) => reasons.push(format!("`{name}` has the headers of {release}")),
                Err(reason) if chosen => panic!("`{name}` does not work: {reason}"),
                Err(reason) => reasons.push(format!("`{name}` does not work: {reason}")),
            }
        }
        Err(reasons.join("; "))
    }

    /// Finds out the release of the headers, by the newest system call, and from FreeBSD 16 on by the version.
    fn release(&self) -> Result<Release, String> {
        let text = "#if __FreeBSD_version >= 1600000\nrelease 16\n#elif defined(SYS_pdrfork)\nrelease 15.1\n#elif defined(SYS_jail_attach_jd)\nrelease 15.0\n\
                    #else\nrelease 14\n#endif\n";
        let output = self.run(text, &["-E"])?;
        if !output.status.success() {
            return Err(complaint(&output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        match text.lines().rev().find_map(|line| line.strip_prefix("release ")) {
            Some("14") => Ok(Release::V14),
            Some("15.0") => Ok(Release::V15_0),
            Some("15.1") => Ok(Release::V15_1),
            Some("16") => Ok(Release::V16),
            _ => Err(complaint(&output.stderr)),
        }
    }

    /// The names of all macros that the headers define.
    pub fn macros(&self) -> Vec<String> {
        let output = self.run("", &["-E", "-dM"]).expect("the compiler worked before");
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split([' ', '(']).next())
            .map(str::to_owned)
            .collect()
    }

    /// The facts that do not hold, by their index.
    pub fn check(&self, facts: &[Fact]) -> HashMap<usize, CompilerRefusal> {
        // Line 1 includes the headers. Line 2 is a false assertion: a compiler that accepts it does not check
        // assertions.
        let canary = "_Static_assert(sizeof(struct ifreq) == 1, \"\");\n".to_owned();
        let lines = facts.iter().map(|fact| fact.assertion() + "\n");
        let text: String = std::iter::once(canary).chain(lines).collect();
        let output =
            self.run(&text, &["-fsyntax-only", "-ferror-limit=0"]).expect("the compiler worked before");

        let messages = String::from_utf8_lossy(&output.stderr);
        let mut failures = HashMap::new();
        for (line, message) in messages.lines().filter_map(error) {
            // Keep the first error of a line: later errors may only follow from it.
            failures.entry(line).or_insert(CompilerRefusal { message: message.to_owned() });
        }
        assert!(failures.remove(&2).is_some(), "the compiler accepts what is wrong:\n{messages}");
        failures.into_iter().map(|(line, failure)| (line - 3, failure)).collect()
    }

    /// Compiles `text`, with the headers before it on line 1.
    fn run(&self, text: &str, arguments: &[&str]) -> Result<Output, String> {
        let folder = Scratch::new();
        let file = folder.0.join("proof.c");
        fs::write(&file, format!("#include \"{WRAPPER}\"\n{text}")).map_err(|error| error.to_string())?;
        Command::new(&self.words[0])
            .args(&self.words[1..])
            .arg("-target")
            .arg(format!("{}-freebsd", self.architecture.rust()))
            .args(["-w", "-fno-color-diagnostics", "-fno-caret-diagnostics"])
            .args(arguments)
            .arg(&file)
            .env("LC_ALL", "C")
            .output()
            .map_err(|error| error.to_string())
    }
}

/// The line of `proof.c` and the message, if `line` reports an error.
fn error(line: &str) -> Option<(usize, &str)> {
    let (place, message) = line.split_once(": error: ").or_else(|| line.split_once(": fatal error: "))?;
    let place = place.rsplit_once("proof.c:").map(|(_, place)| place);
    let number = place.and_then(|place| place.split(':').next()?.parse().ok());
    Some((number.unwrap_or_else(|| panic!("the headers do not compile: {line}")), message))
}

/// The compilers to try, and whether an environment variable names them.
fn candidates(architecture: Architecture) -> Vec<(Vec<String>, bool)> {
    let split = |command: String| command.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut candidates: Vec<_> = ["JAILWIRE_FREEBSD_CC", "JAILWIRE_FREEBSD14_CC", NEXT]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .map(|command| (split(command), true))
        .collect();
    if std::env::var_os("JAILWIRE_FREEBSD_CC").is_none() {
        candidates.push((split("python3 -m ziglang cc".to_owned()), false));
        // FreeBSD's own compiler comes with the headers of its own architecture only.
        if cfg!(target_os = "freebsd") && architecture.rust() == std::env::consts::ARCH {
            candidates.push((vec!["cc".to_owned()], false));
        }
    }
    candidates
}

/// A folder for one compilation, because compilations run in parallel.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("proof-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("cargo's folder for tests can be written to");
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The line with the error.
fn complaint(messages: &[u8]) -> String {
    let messages = String::from_utf8_lossy(messages);
    let mut lines = messages.lines().filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or("it says nothing");
    lines.find(|line| line.contains("error: ")).unwrap_or(first).to_owned()
}

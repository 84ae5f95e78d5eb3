//! Completions and manual pages: every command and option can be completed, and is described.

use clap::{Arg, Command, CommandFactory as _};

use crate::support::{Root, text};

// The command line of the program.
#[allow(dead_code, unused_imports)]
#[path = "../../src/bin/jailwire/cli/mod.rs"]
mod cli;

// The texts from which build.rs makes the pages.
#[allow(dead_code)]
#[path = "../../src/bin/jailwire/cli/manual.rs"]
mod manual;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

/// The long names of options, and the names of commands, with the path of the command that has them.
fn all(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
    let longs = command.get_arguments().filter_map(Arg::get_long);
    found.extend(longs.map(|name| (path.to_owned(), format!("--{name}"))));
    for below in shown(command) {
        let name = below.get_name();
        found.push((path.to_owned(), name.to_owned()));
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}-{name}") };
        all(below, &path, found);
    }
}

/// All commands without subcommands, with the words of their parents.
pub fn commands() -> Vec<String> {
    fn beneath(command: &Command, path: &str, found: &mut Vec<String>) {
        for below in shown(command).filter(|below| below.get_name() != "help") {
            let path = format!("{path} {}", below.get_name());
            match shown(below).next() {
                Some(_) => beneath(below, &path, found),
                None => found.push(path.trim().to_owned()),
            }
        }
    }
    let mut found = Vec::new();
    beneath(&cli::Cli::command(), "", &mut found);
    found
}

fn everything() -> Vec<(String, String)> {
    let mut program = cli::Cli::command();
    program.build();
    let mut found = Vec::new();
    all(&program, "", &mut found);
    assert!(found.len() > 80, "{found:?}");
    found
}

/// The completions of the program for the last of these words.
fn offered(root: &Root, words: &[&str]) -> Vec<String> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_jailwire"))
        .env("COMPLETE", "fish")
        .env("JAILWIRE_ROOT", root.path())
        .args(["--", "jailwire", "--kernel", "sim"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{words:?}: a shell shows that in the middle of the line");
    // A line is a word, a tab, and a description.
    text(&output.stdout).lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_command_and_option_can_be_completed() {
    let root = Root::new();
    for (path, word) in everything() {
        // The words of a command may contain hyphens.
        let before = path.splitn(2, '-').filter(|word| !word.is_empty());
        // Complete the whole word, because hidden words are not offered for a part.
        let words: Vec<&str> = before.chain([word.as_str()]).collect();
        assert!(offered(&root, &words).contains(&word), "{word} of {path}");
    }
}

#[test]
fn jails_properties_and_interfaces_that_are_there_can_be_completed() {
    let root = Root::new();
    root.ok(&["create", "-e", "-n", "worker"]);
    assert_eq!(offered(&root, &["start", "w"]), ["web", "worker"]);
    assert_eq!(offered(&root, &["stop", "A"]), ["ALL"]);
    assert_eq!(offered(&root, &["exec", "we"]), ["web"]);
    assert_eq!(offered(&root, &["get", "ip4_a"]), ["ip4_addr"]);
    assert_eq!(offered(&root, &["set", "ip4_a"]), ["ip4_addr="]);
    assert_eq!(offered(&root, &["set", "vnet=on", "wo"]), ["worker"]);
    assert_eq!(offered(&root, &["net", "attach", "ioc"]), [""; 0], "no jail runs");
    root.ok(&["start", "web"]);
    assert_eq!(offered(&root, &["net", "attach", "ioc"]), ["ioc-db", "ioc-web"]);
    assert_eq!(offered(&root, &["net", "attach", "ioc-web", "--bridge", "bri"]), ["bridge0"]);
}

#[test]
fn each_shell_gets_a_script_that_asks_the_program() {
    let root = Root::new();
    for shell in SHELLS {
        let script = root.ok(&["completions", shell]);
        assert!(script.contains("COMPLETE") && script.contains("jailwire"), "{shell}: {script}");
    }
    let wrong = root.fails(&["completions", "csh"], 1);
    assert!(wrong.contains("csh") && wrong.contains("zsh"), "{wrong}");
}

/// The program accepts the line of each example.
#[test]
fn examples_of_the_manual_pages_are_command_lines() {
    use clap::Parser as _;
    let mut pages: Vec<String> = vec![String::new()];
    pages.extend(
        everything()
            .into_iter()
            .filter(|(_, word)| !word.starts_with("--"))
            .map(|(path, word)| if path.is_empty() { word } else { format!("{path}-{word}") }),
    );
    for page in &pages {
        let found = manual::EXAMPLES.iter().find(|(name, _)| name == page);
        let (_, lines) = found.unwrap_or_else(|| panic!("the page of {page:?} has no example"));
        for (purpose, line) in *lines {
            assert!(purpose.ends_with(':'), "{purpose}");
            if let Err(error) = cli::Cli::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
    }
    assert!(manual::EXAMPLES.iter().all(|(name, _)| pages.iter().any(|page| page == name)));
}

#[test]
fn a_manual_page_has_the_sections_that_are_looked_for() {
    let root = Root::new();
    let page = root.ok(&["man", "start"]);
    let sections = ["NAME", "SYNOPSIS", "DESCRIPTION", "ARGUMENTS", "OPTIONS", "ENVIRONMENT", "FILES"];
    let mut rest = page.as_str();
    for section in sections.into_iter().chain(["\"EXIT STATUS\"", "EXAMPLES", "\"SEE ALSO\""]) {
        let heading = format!(".SH {section}\n");
        let at = rest
            .find(&heading)
            .unwrap_or_else(|| panic!("{section} is missing, or not in its place:\n{page}"));
        rest = &rest[at + heading.len()..];
    }
    assert!(page.starts_with(".ie") && page.contains(".TH JAILWIRE-START 8"), "{page}");
    let options = page.split(".SH OPTIONS").nth(1).unwrap().split(".SH").next().unwrap();
    assert!(!options.contains("JAIL"), "a jail is no option:\n{options}");
    // roff writes a hyphen with a backslash before it.
    let plain = |words: &[&str]| root.ok(words).replace('\\', "");
    let all = plain(&["man"]);
    for (path, _, pages) in manual::FILES {
        assert!(all.contains(path), "the program's page lists {path}");
        for page in *pages {
            assert!(plain(&["man", page]).contains(path), "the page of {page} lists {path}");
        }
    }
}

#[test]
fn every_command_and_option_is_in_a_manual_page() {
    let root = Root::new();
    // Format the page with groff.
    let page = |path: &str| {
        let words = if path.is_empty() { vec!["man"] } else { vec!["man", path] };
        root.ok(&words).replace("\\-", "-")
    };
    for (path, word) in everything() {
        assert!(page(&path).contains(&word), "{word} in the page of {path}");
    }
    let wrong = root.fails(&["man", "nosuch"], 1);
    assert!(wrong.contains("net-attach") && wrong.contains("start"), "{wrong}");
}

#[test]
fn completions_are_for_the_name_that_the_program_is_called_by() {
    let root = Root::new();
    let bin = tempfile::tempdir().unwrap();
    let iocage = bin.path().join("iocage");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jailwire"), &iocage).unwrap();
    for shell in SHELLS {
        let own = root.ok(&["completions", shell]);
        assert!(own.contains("jailwire") && !own.contains("iocage"), "{shell}: {own}");
        let output = std::process::Command::new(&iocage).args(["completions", shell]).output().unwrap();
        let linked = text(&output.stdout);
        assert!(linked.contains("iocage") && !linked.contains("jailwire"), "{shell}: {linked}");
    }
}

#[test]
fn bash_completes_what_is_typed() {
    // Run the script in bash: give it the words of a line, and read the completions of the last word.
    let root = Root::new();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_jailwire")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let offered = |line: &str| {
        let script = format!(
            "{}\nCOMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _clap_complete_jailwire jailwire \"${{COMP_WORDS[COMP_CWORD]}}\" \"\"; echo \"${{COMPREPLY[@]}}\"",
            root.ok(&["completions", "bash"])
        );
        let mut bash = std::process::Command::new("bash");
        bash.env("PATH", &path).env("JAILWIRE_ROOT", root.path()).args(["--norc", "-c", &script]);
        bash.output().ok().filter(|output| output.status.success()).map(|output| text(&output.stdout))
    };
    // FreeBSD has no bash.
    let Some(commands) = offered("jailwire re") else { return };
    let mut commands: Vec<&str> = commands.split_whitespace().collect();
    commands.sort_unstable();
    assert_eq!(commands, ["rename", "restart"]);
    assert_eq!(offered("jailwire start --dry").unwrap().trim(), "--dry-run");
    assert_eq!(offered("jailwire --kernel sim start we").unwrap().trim(), "web");
}

//! Completions and manual pages: all that there is can be completed, and is told of.

use clap::{Arg, Command, CommandFactory as _};

use crate::support::{Root, text};

// The definition that the program itself is made from.
#[allow(dead_code, unused_imports)]
#[path = "../../src/bin/jailwire/cli/mod.rs"]
mod cli;

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

fn everything() -> Vec<(String, String)> {
    let mut program = cli::Cli::command();
    program.build();
    let mut found = Vec::new();
    all(&program, "", &mut found);
    assert!(found.len() > 80, "{found:?}");
    found
}

#[test]
fn every_command_and_option_can_be_completed() {
    let root = Root::new();
    for shell in SHELLS {
        let script = root.ok(&["completions", shell]);
        for (path, word) in everything() {
            // fish writes `-l name` for `--name`.
            let word = match (shell, word.strip_prefix("--")) {
                ("fish", Some(long)) => format!("-l {long}"),
                _ => word,
            };
            assert!(script.contains(&word), "{shell}: {word} of {path}");
        }
    }
}

#[test]
fn every_command_and_option_is_in_a_manual_page() {
    let root = Root::new();
    // As groff shows it.
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
    for (shell, mark) in [
        ("bash", "complete -F _PROGRAM -o"),
        ("elvish", "edit:completion:arg-completer[PROGRAM]"),
        ("fish", "complete -c PROGRAM"),
        ("powershell", "-CommandName 'PROGRAM'"),
        ("zsh", "#compdef PROGRAM"),
    ] {
        let own = root.ok(&["completions", shell]);
        assert!(own.contains(&mark.replace("PROGRAM", "jailwire")), "{shell}: {own}");
        let output = std::process::Command::new(&iocage).args(["completions", shell]).output().unwrap();
        let linked = text(&output.stdout);
        assert!(linked.contains(&mark.replace("PROGRAM", "iocage")), "{shell}: {linked}");
        assert!(!linked.contains(&mark.replace("PROGRAM", "jailwire")), "{shell}");
    }
}

#[test]
fn bash_completes_what_is_typed() {
    // The script as bash has it: the words of a line, and what is offered for the last of them.
    let root = Root::new();
    let offered = |line: &str| {
        let script = format!(
            "{}\nCOMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _jailwire jailwire \"${{COMP_WORDS[COMP_CWORD]}}\" \"\"; echo \"${{COMPREPLY[@]}}\"",
            root.ok(&["completions", "bash"])
        );
        let output = std::process::Command::new("bash").args(["--norc", "-c", &script]).output();
        output.ok().filter(|output| output.status.success()).map(|output| text(&output.stdout))
    };
    // FreeBSD has no bash.
    let Some(commands) = offered("jailwire re") else { return };
    assert_eq!(commands.trim(), "restart rename", "{commands}");
    assert_eq!(offered("jailwire start --dry").unwrap().trim(), "--dry-run");
}

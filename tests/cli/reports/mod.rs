//! Problems that users of jail managers reported, on small hosts with iocage's files. Each test checks what the
//! user would have expected.

mod fresh;
mod link_local;
mod more;
mod paths;
mod refusals;
mod silence;
mod threads;

use std::fs;
use std::path::PathBuf;

use crate::support::{Root, text};

/// A host without jails.
fn empty() -> Root {
    let root = Root::new();
    for name in ["web", "db", "proxy"] {
        fs::remove_dir_all(root.jail(name)).unwrap();
    }
    fs::write(root.path().join("defaults.json"), "{}").unwrap();
    root
}

/// A jail with a small root directory and an empty fstab.
fn jail(root: &Root, name: &str, members: &str) -> PathBuf {
    let directory = root.jail(name);
    for inside in ["dev", "etc", "tmp", "mnt", "mnt2"] {
        fs::create_dir_all(directory.join("root").join(inside)).unwrap();
    }
    fs::write(directory.join("config.json"), format!("{{{members}}}")).unwrap();
    fs::write(directory.join("fstab"), "").unwrap();
    directory
}

/// Runs a command. Returns its exit status and all its output.
fn try_to(root: &Root, arguments: &[&str]) -> (i32, String) {
    let output = root.run(arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().expect("it ends by itself"), said)
}

/// Runs a command, and expects success and all these words.
#[track_caller]
fn right(root: &Root, arguments: &[&str], words: &[&str]) -> String {
    let (status, said) = try_to(root, arguments);
    assert_eq!(status, 0, "{arguments:?}: {said}");
    assert_words(&said, words);
    said
}

/// Runs a command, and expects a failure before anything is started, and all these words.
#[track_caller]
fn refused(root: &Root, arguments: &[&str], words: &[&str]) -> String {
    let (status, said) = try_to(root, arguments);
    assert_eq!(status, 1, "{arguments:?}: {said}");
    assert_words(&said, words);
    assert!(!said.contains("* Starting"), "{said}");
    said
}

#[track_caller]
fn assert_words(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing: {said}");
    }
}

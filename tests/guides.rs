//! What the guides say of tests, files and commands is there.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What is between backquotes, outside of blocks of code.
fn quoted(text: &str) -> Vec<String> {
    let mut inside = false;
    let prose = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !fence && !inside
    });
    let prose: Vec<&str> = prose.collect();
    prose.join("\n").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_contract_test_that_the_guide_names_is_there() {
    let mut named = 0;
    for word in quoted(&read("docs/guide/kernel.md")) {
        let Some((file, test)) = word.split_once("::") else { continue };
        // Types and methods are written with capitals.
        if !word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:".contains(&byte))
        {
            continue;
        }
        // Functions of the library are links, and begin with a module of it.
        if file == "jail" || file == "kernel" {
            continue;
        }
        let path = root().join("tests/contract").join(format!("{file}.rs"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{word}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "there is no {word}");
        named += 1;
    }
    assert!(named > 40, "the guide names {named} tests");
}

#[test]
fn every_guide_is_in_the_documentation_and_named_by_the_crate_page() {
    let (module, page) = (read("src/guide.rs"), read("docs/crate.md"));
    for entry in fs::read_dir(root().join("docs/guide")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(module.contains(&format!("../docs/guide/{name}")), "{name} is not included");
        let name = name.strip_suffix(".md").unwrap();
        assert!(page.contains(&format!("guide::{name})")), "the crate page does not name {name}");
    }
}

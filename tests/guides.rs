//! The tests, files and commands that the guides name exist.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts between backquotes, outside of blocks of code.
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

/// The files that the port installs below the prefix, by its Makefile.
fn installed() -> Vec<String> {
    let makefile = read("etc/port/Makefile").replace("\\\n", " ");
    let line = |name: &str| {
        let found =
            makefile.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
        found.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut files = line("PLIST_FILES=");
    assert!(files.pop().unwrap().starts_with("${MANUALS:"));
    files.push("share/man/man8/jailwire*.8.gz".to_owned());
    files.push(format!("etc/rc.d/{}", line("USE_RC_SUBR=")[0]));
    assert_eq!(line("PORTEXAMPLES="), ["*"]);
    files.push("share/examples/jailwire".to_owned());
    files.sort();
    files
}

#[test]
fn the_tutorial_says_where_every_file_of_the_port_lies() {
    let page = read("docs/guide/tutorial.md");
    let (_, table) = page.split_once("\n## Which files lie where\n").unwrap();
    let mut told: Vec<String> = table
        .lines()
        .filter(|line| line.ends_with("| the port |"))
        .map(|line| line.split('`').nth(1).unwrap().strip_prefix("/usr/local/").unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, installed());
    // The manual pages name the same places.
    let manual = read("src/bin/jailwire/cli/manual.rs");
    for name in ["/usr/local/etc/rc.d/jailwire", "/var/run/jail.ioc-NAME.conf", "/var/run/jailwire"] {
        assert!(table.contains(&format!("`{name}`")) && manual.contains(&format!("\"{name}\"")), "{name}");
    }
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

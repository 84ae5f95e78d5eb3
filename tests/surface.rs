//! The table in `docs/surface.md` is complete and true.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// An operation, and the C names by which the documentation's search finds it.
type Operation = (String, Vec<String>);

struct Row {
    operation: Operation,
    source: String,
    releases: String,
    test: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn table() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/surface.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [operation, names, source, releases, test] = cells[..] else { panic!("five cells: {line}") };
        Row {
            operation: (quoted(operation).concat(), quoted(names)),
            source: quoted(source).concat(),
            releases: releases.to_owned(),
            test: test.to_owned(),
        }
    });
    rows.collect()
}

/// The library's files above the kernel trait.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let skipped = ["kernel", "iocage", "wiring", "bin"];
        if path.is_dir() && !skipped.iter().any(|name| path.ends_with(name)) {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a C name is the name of a request to the kernel or of its answer, and not of a flag.
fn asks(name: &str) -> bool {
    let families = ["SIOC", "BRDG", "RTM_", "DEVFSIO_", "NET_RT_", "jail_", "SO_", "EVFILT_", "DIOC"];
    families.iter().any(|family| name.starts_with(family))
        || ["nmount", "getfsstat", "sysctl", "PF_ROUTE"].contains(&name)
}

/// The functions and variants that have such a name as an alias.
fn operations() -> BTreeSet<Operation> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut operations = BTreeSet::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mount = path.ends_with("jail/mount.rs");
        let (mut owner, mut names) = (String::new(), Vec::new());
        for line in text.lines() {
            let code = line.trim();
            let word = |code: &str| -> String {
                code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
            };
            if let Some(rest) = code.strip_prefix("#[doc(alias = \"") {
                names.extend(rest.split('"').next().filter(|name| asks(name)).map(str::to_owned));
                continue;
            }
            if let Some(rest) = line.strip_prefix("impl ").or_else(|| line.strip_prefix("pub enum ")) {
                owner = word(rest);
            }
            if code.starts_with("#[") || code.starts_with("//") {
                continue;
            }
            let names = std::mem::take(&mut names);
            if names.is_empty() || code.starts_with("const ") {
                continue;
            }
            let (method, item) = match code.strip_prefix("pub fn ") {
                Some(rest) => (line.starts_with(' '), word(rest)),
                None if owner == "Event" => (true, word(code)),
                None => continue,
            };
            let operation = match (method, mount) {
                (true, _) => format!("{owner}::{item}"),
                (false, true) => format!("jail::mount::{item}"),
                (false, false) => format!("jail::{item}"),
            };
            operations.insert((operation, names));
        }
    }
    operations
}

#[test]
fn every_operation_is_in_the_table_and_no_other() {
    let rows = table();
    let listed: BTreeSet<Operation> = rows.iter().map(|row| row.operation.clone()).collect();
    assert_eq!(listed.len(), rows.len(), "a row is there twice");
    let there = operations();
    assert!(there.len() > 90, "only {} operations were found in src", there.len());
    let missing: Vec<_> = there.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&there).collect();
    assert!(missing.is_empty() && gone.is_empty(), "missing: {missing:?}; gone: {gone:?}");
}

/// The body of a test in tests/contract: `module::name`.
fn contract_test(path: &str) -> Option<String> {
    let (module, name) = path.split_once("::")?;
    let text = fs::read_to_string(root().join(format!("tests/contract/{module}.rs"))).ok()?;
    let start = text.find(&format!("#[test]\nfn {name}() {{"))?;
    let body = &text[start..];
    Some(body[..body.find("\n}\n")?].to_owned())
}

#[test]
fn every_row_has_a_test_that_uses_the_operation_or_a_reason() {
    for Row { operation: (operation, names), test, .. } in table() {
        if let Some(reason) = test.strip_prefix("none") {
            assert!(reason.len() > 20, "{operation}: why is there no test?");
            for file in quoted(reason).iter().filter(|name| name.ends_with(".rs")) {
                assert!(root().join(file).exists(), "{operation}: {file}");
            }
            continue;
        }
        let path = quoted(&test).concat();
        let body = contract_test(&path).unwrap_or_else(|| panic!("{operation}: there is no test {path}"));
        let item = operation.rsplit("::").next().unwrap();
        let used = body.contains(&format!("{item}("))
            || body.contains(&format!("Event::{item}"))
            || names.iter().any(|name| body.contains(name.as_str()));
        assert!(used, "{path} does not use {operation}");
    }
}

#[test]
fn every_row_names_a_source_and_releases() {
    for Row { operation: (operation, names), source, releases, .. } in table() {
        let (file, function) = source.split_once(".c:").unwrap_or_else(|| panic!("{operation}: {source}"));
        assert!(file.contains('/') && !function.is_empty(), "{operation}: {source}");
        assert!(["14, 15", "15"].contains(&releases.as_str()), "{operation}: {releases}");
        for name in names.iter().filter(|name| name.starts_with("SIOC")) {
            let known = jailwire_sys::request::all().any(|(known, _)| known == name);
            assert!(known, "{operation}: {name}");
        }
    }
}

//! The library's package: it has no more dependencies than promised, and none that needs a newer Rust.
//!
//! The tests ask cargo, without the network. Without cargo, as in a guest, they check nothing.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// The packages that the library may depend on, with their own dependencies.
const PROMISED: [&str; 6] = ["bitflags", "bytes", "ipnetwork", "libc", "nix", "thiserror"];
const NEEDED: [&str; 8] =
    ["cfg-if", "cfg_aliases", "memoffset", "proc-macro2", "quote", "syn", "thiserror-impl", "unicode-ident"];
/// Packages for build scripts only: `cfg_aliases` and memoffset's build script.
const BUILDING: [&str; 1] = ["autocfg"];

fn cargo(arguments: &[&str]) -> Option<String> {
    let cargo = std::env::var_os("CARGO")?;
    let ask = |options: &[&str]| {
        let mut command = Command::new(&cargo);
        command.args(arguments).args(options).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.output().expect("cargo starts")
    };
    let mut output = ask(&["--offline", "--locked"]);
    if !output.status.success() {
        // Packages for other systems, which a build does not need, are downloaded only on demand.
        output = ask(&["--locked"]);
    }
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// The names of all packages of the library's tree without its default features, at these depths.
fn tree(more: &[&str]) -> Option<BTreeSet<String>> {
    let words = ["tree", "--package", "jailwire", "--no-default-features", "--edges", "normal,build"];
    let text = cargo(&[&words[..], &["--prefix", "none", "--format", "{p}"], more].concat())?;
    let names = text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    Some(names.collect())
}

#[test]
fn the_library_alone_depends_on_no_more_than_it_promises() {
    for target in ["x86_64-unknown-freebsd", "aarch64-unknown-freebsd", "x86_64-unknown-linux-gnu"] {
        let Some(direct) = tree(&["--target", target, "--depth", "1"]) else { return };
        let ours = ["jailwire", "jailwire-sys"];
        let promised: BTreeSet<String> = PROMISED.into_iter().chain(ours).map(str::to_owned).collect();
        assert_eq!(direct, promised, "for {target}");

        let all = tree(&["--target", target]).expect("cargo was there");
        let known: BTreeSet<&str> = PROMISED.into_iter().chain(NEEDED).chain(BUILDING).chain(ours).collect();
        let unknown: Vec<_> = all.iter().filter(|name| !known.contains(name.as_str())).collect();
        assert!(unknown.is_empty(), "for {target}: {unknown:?}");
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust() {
    let Some(text) = cargo(&["metadata", "--format-version", "1"]) else { return };
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let version = |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap()).collect() };
    let ours = packages.iter().find(|package| package["name"] == "jailwire").expect("jailwire");
    let minimum = version(ours["rust_version"].as_str().expect("rust-version is stated"));
    let mut looked_at = 0;
    for package in packages {
        let Some(asks) = package["rust_version"].as_str() else { continue };
        assert!(version(asks) <= minimum, "{} asks for Rust {asks}", package["name"]);
        looked_at += 1;
    }
    assert!(looked_at > 20, "{looked_at} packages say what they ask for");
}

#[test]
fn the_package_has_what_it_needs_and_no_more() {
    let Some(files) = cargo(&["package", "--package", "jailwire", "--list", "--allow-dirty"]) else { return };
    let files: BTreeSet<&str> = files.lines().collect();
    for needed in
        ["src/lib.rs", "docs/crate.md", "docs/guide/kernel.md", "etc/rc.d/jailwire", "LICENSE", "build.rs"]
    {
        assert!(files.contains(needed), "{needed} is missing");
    }
    for file in files {
        let unwanted = ["vm/", "fuzz/", ".ci", ".github"].iter().any(|with| file.starts_with(with));
        assert!(!unwanted, "{file}");
        assert!(!file.contains("/.sim/"), "{file}: the state of a simulated kernel");
    }
}

//! vm/cross: its choice of the toolchain and of the linker.

use super::*;

fn place(rustup: &str) -> Option<Place> {
    let place = Place::with(&["cargo", "rustup", "zig"])?;
    fs::create_dir_all(place.file("binaries")).unwrap();
    Some(
        place
            .set("FAKE_RUSTUP", rustup)
            .set("ZIG", "zig")
            .set_file("FAKE_BINARIES", "binaries")
            .set_file("JAILWIRE_CROSS_TARGET_DIR", "target"),
    )
}

#[test]
fn arguments_and_target_reach_cargo() {
    let Some(place) = place("x86_64-unknown-freebsd aarch64-unknown-freebsd") else {
        return;
    };
    let answer = place.run("vm/cross", &["clippy", "--", "-D", "warnings"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    assert_eq!(place.log("cargo"), "clippy\n--\n-D\nwarnings\n--\n");
    let environment = place.read("cargo.env");
    assert!(environment.contains("CARGO_TARGET_X86_64_UNKNOWN_FREEBSD_LINKER="), "{environment}");
    assert!(!environment.contains("BUILD_STD"), "{environment}");

    let place = place.set("TARGET", "aarch64-unknown-freebsd");
    assert_eq!(place.run("vm/cross", &["build"]).status, Some(0));
    assert!(place.log("cargo-environment").contains("aarch64-unknown-freebsd\n"));
    assert!(place.read("cargo.env").contains("JAILWIRE_CROSS_TRIPLE=aarch64-freebsd.14.0-none"));

    let place = place.set("TARGET", "riscv64gc-unknown-freebsd");
    place.run("vm/cross", &["build"]).complains(1, "riscv64gc-unknown-freebsd");
}

#[test]
fn the_library_is_built_where_there_is_none() {
    let Some(place) = place("rust-src") else {
        return;
    };
    let answer = place.run("vm/cross", &["build"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    let environment = place.read("cargo.env");
    assert!(
        environment.contains("CARGO_UNSTABLE_BUILD_STD=std") && environment.contains("RUSTC_BOOTSTRAP=1")
    );
    // The answer is kept, so that rustup is not asked again for a target that it does not have.
    assert_eq!(place.read("target/toolchain-x86_64-unknown-freebsd"), "rust-src\n");
}

#[test]
fn a_toolchain_can_be_chosen() {
    let Some(place) = place("rust-src") else {
        return;
    };
    let place = place.set("JAILWIRE_TOOLCHAIN", "rustup");
    place
        .run("vm/cross", &["build"])
        .complains_in_one_line(1, "no toolchain rustup for x86_64-unknown-freebsd");
    let place = place.set("JAILWIRE_TOOLCHAIN", "cobol");
    place.run("vm/cross", &["build"]).complains_in_one_line(1, "rustup, rust-src and debian are known");
}

#[test]
fn the_linker_drops_what_zig_has_not() {
    let Some(place) = Place::with(&["zig"]) else {
        return;
    };
    let place =
        place.set("JAILWIRE_CROSS_ZIG", "zig").set("JAILWIRE_CROSS_TRIPLE", "x86_64-freebsd.14.0-none");
    place.run(
        "vm/lib/cc",
        &["a.o", "-lkvm", "-lc", "-lmemstat", "-o", "a b", "-lprocstat", "-ldevstat", "-lpthread"],
    );
    assert_eq!(place.log("zig"), "cc\n-target\nx86_64-freebsd.14.0-none\na.o\n-lc\n-o\na b\n-lpthread\n--\n");
}

#[test]
fn freebsd_needs_none_of_it() {
    let Some(place) = place("") else { return };
    let place = place.set("FAKE_SYSTEM", "FreeBSD");
    assert_eq!(place.run("vm/cross", &["build"]).status, Some(0));
    assert!(!place.read("cargo.env").contains("LINKER"));
}

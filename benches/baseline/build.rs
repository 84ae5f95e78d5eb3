//! Builds `baseline.c`, on and for FreeBSD; for other systems there is nothing to build.

use std::env;
use std::path::PathBuf;

const SOURCE: &str = "baseline.c";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("freebsd") {
        return;
    }
    let program = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("baseline");
    // vm/cross gives a cross compiler its target.
    let compiler = cc::Build::new().no_default_flags(true).get_compiler();
    let mut command = compiler.to_command();
    command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", SOURCE, "-o"]).arg(&program);
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

//! Builds the C programs for FreeBSD. For other systems nothing is built.

use std::env;
use std::path::PathBuf;

const PROGRAMS: [&str; 3] = ["baseline", "change", "command"];

fn main() {
    println!("cargo::rerun-if-changed=requests.h");
    for program in PROGRAMS {
        println!("cargo::rerun-if-changed={program}.c");
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("freebsd") {
        return;
    }
    let directory = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // vm/cross gives a cross compiler its target.
    let compiler = cc::Build::new().no_default_flags(true).get_compiler();
    for program in PROGRAMS {
        let mut command = compiler.to_command();
        command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]);
        command.arg(format!("{program}.c")).arg("-o").arg(directory.join(program));
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?}: {status}");
    }
}

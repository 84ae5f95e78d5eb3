//! The network of containers on FreeBSD, in one program.
//!
//! The name by which the program is called selects the protocol. `netavark` is podman's program for networks.
//! `bridge`, `ptp`, `host-local`, `portmap` and `loopback` are plugins of the Container Network Interface (CNI), as
//! CRI-O runs them. All of them are the same file: the plugins are links to it.
//!
//! Every change to the network goes through the jailwire library, and no process is run for it.
// `expect` is for cases that cannot happen, with the reason.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::todo, clippy::print_stdout, clippy::print_stderr)
)]

mod cni;
mod host;
mod json;
mod kernel;
mod net;
mod netavark;
mod say;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match cni::Plugin::named(name) {
        Some(plugin) => cni::main(plugin),
        None => netavark::main(),
    }
}

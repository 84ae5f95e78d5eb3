//! FreeBSD kernel ABI.
#![no_std]

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("jailwire-sys has FreeBSD's ABI for x86_64 (amd64) and aarch64 (arm64) only");

#[cfg_attr(target_arch = "x86_64", path = "bindings/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "bindings/aarch64.rs")]
#[rustfmt::skip]
#[allow(missing_docs, clippy::all, non_camel_case_types, non_snake_case, non_upper_case_globals)]
mod bindings;

pub use bindings::*;

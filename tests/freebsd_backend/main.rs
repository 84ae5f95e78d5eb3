//! The FreeBSD back end on a running FreeBSD kernel, method by method.
//!
//! These tests make jails, interfaces and mounts, so they need root, and say so and pass without.
//! What the requests mean to the kernel is the matter of the contract tests; here it is whether they
//! arrive, and whether the answers come back.
#![cfg(target_os = "freebsd")]

mod support;

mod calls;
mod children;
mod fork_server;
mod jails;
mod mounts;
mod programs;
mod random;
mod trees;

//! The FreeBSD back end on a running FreeBSD kernel, method by method.
//!
//! These tests make jails, interfaces and mounts, so they need root. Without root, they say so and pass. The
//! contract tests check what the requests mean to the kernel. These tests check that requests arrive at the kernel,
//! and that the answers come back.
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

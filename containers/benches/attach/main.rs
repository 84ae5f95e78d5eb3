//! What it takes to attach containers to a network with NAT and a published port, and to detach them: by this
//! package's CNI plugins, by the CNI plugins of `dfr/plugins`, and by the commands that those run, without the plugins.
//! The variants take turns, in one boot.
//!
//! It is for a guest of FreeBSD, as root: it loads pf, writes pf's main ruleset, and makes jails. Elsewhere it measures
//! nothing.
//!
//!     vm/bench -p jailwire-containers --bench attach
//!
//! `JAILWIRE_BENCH_CONTAINERS` is the number of containers, 8 without it, and `JAILWIRE_BENCH_ROUNDS` the number of
//! rounds, 5 without it. `JAILWIRE_BENCH_PLUGINS` is a directory with `bridge`, `host-local` and `portmap` of
//! `dfr/plugins`, built for FreeBSD. Without the variable, that variant is left out.

#[cfg(target_os = "freebsd")]
// Another benchmark uses the rest of it.
#[allow(dead_code)]
#[path = "../../../benches/start_stop/accounts.rs"]
mod accounts;
#[cfg(target_os = "freebsd")]
mod commands;
#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "freebsd")]
mod plugins;

/// What may fail here, fails altogether.
#[cfg(target_os = "freebsd")]
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "freebsd")]
fn main() -> Fallible {
    freebsd::main()
}

#[cfg(not(target_os = "freebsd"))]
fn main() {
    println!("the plugins are for FreeBSD: vm/bench -p jailwire-containers --bench attach");
}

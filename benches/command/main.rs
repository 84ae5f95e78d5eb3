//! What whole commands take, on iocage's files: `start` and `stop` of the program for one jail and for many, beside a C program
//! that makes the same calls with the same files and mounts, and beside the programs that iocage runs for the same jails;
//! interleaved, in one boot. Then `list` and `get` with all jails up.
//!
//! It is for FreeBSD, as root. It prints CSV, the first field of each line the name of its table.
//! `JAILWIRE_BENCH_PLAN` says what is measured, as words `VARIANTS/KINDS/JAILS/ROUNDS`, the parts of each separated by
//! commas:
//!
//! * variants: `jailwire` (the program that was built with the benchmark), `other` (the program that
//!   `JAILWIRE_BENCH_OTHER` names, to compare two builds), `c` (`benches/baseline/command.c`), `iocage` (iocage's programs);
//! * kinds: `none` (no mounts), `plain` (devfs with its ruleset, and fdescfs), `seven` (and five directories by
//!   nullfs), `base` (and twelve), `shared` (as `plain`, with an address of the host's);
//! * jails: how many;
//! * rounds: how often.
//!
//! `JAILWIRE_BENCH_POOL` names a ZFS pool: then the programs of ZFS are among those of iocage. Without it they are left out.
//!
//!     JAILWIRE_BENCH_PLAN='jailwire,iocage/none,plain/1,10/3' cargo bench --bench command

#[cfg(target_os = "freebsd")]
#[path = "../start_stop/accounts.rs"]
#[allow(dead_code)]
mod accounts;
#[cfg(target_os = "freebsd")]
mod files;
#[cfg(target_os = "freebsd")]
mod measure;
#[cfg(target_os = "freebsd")]
mod programs;

/// What may fail here, fails altogether.
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "freebsd")]
fn main() -> Fallible {
    measure::all()
}

#[cfg(not(target_os = "freebsd"))]
fn main() -> Fallible {
    println!("this benchmark needs FreeBSD");
    Ok(())
}

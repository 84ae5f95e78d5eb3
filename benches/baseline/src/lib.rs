//! The baseline of jailwire's benchmark: a C program that makes the library's requests in the library's
//! order, with no library. What it is told and what it says is written at the top of `baseline.c`.

/// The program, as a file of this machine's kind. There is none but for FreeBSD.
#[cfg(target_os = "freebsd")]
pub const PROGRAM: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/baseline")));

/// The program, as a file of this machine's kind. There is none but for FreeBSD.
#[cfg(not(target_os = "freebsd"))]
pub const PROGRAM: Option<&[u8]> = None;

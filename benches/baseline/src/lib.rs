//! The baselines of jailwire's benchmarks: C programs that make the library's requests in the library's order, with no
//! library. What they are told and what they say is written at the top of `baseline.c` and `change.c`.

macro_rules! program {
    ($name:literal) => {{
        #[cfg(target_os = "freebsd")]
        {
            Some(include_bytes!(concat!(env!("OUT_DIR"), "/", $name)))
        }
        #[cfg(not(target_os = "freebsd"))]
        {
            None
        }
    }};
}

/// `baseline.c`, which starts and stops jails, as a file of this machine's kind. There is none but for FreeBSD.
pub const PROGRAM: Option<&[u8]> = program!("baseline");

/// `change.c`, which changes rules of packet filters, as a file of this machine's kind. There is none but for FreeBSD.
pub const CHANGE: Option<&[u8]> = program!("change");

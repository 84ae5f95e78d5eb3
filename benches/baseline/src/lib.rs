//! The baselines of jailwire's benchmarks: C programs that make the same requests as the library, in the same
//! order, without the library. Their arguments and output are described at the top of `baseline.c`, `change.c`
//! and `command.c`.

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

/// The executable of `baseline.c`, which starts and stops jails. `None` on systems other than FreeBSD.
pub const PROGRAM: Option<&[u8]> = program!("baseline");

/// The executable of `change.c`, which changes rules of packet filters. `None` on systems other than FreeBSD.
pub const CHANGE: Option<&[u8]> = program!("change");

/// The executable of `command.c`, which does what whole commands do. `None` on systems other than FreeBSD.
pub const COMMAND: Option<&[u8]> = program!("command");

//! Wire FreeBSD jails to the network by talking to the kernel directly.

pub mod kernel;

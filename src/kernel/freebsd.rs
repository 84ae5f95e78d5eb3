//! The FreeBSD kernel.

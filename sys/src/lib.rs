//! FreeBSD kernel ABI.

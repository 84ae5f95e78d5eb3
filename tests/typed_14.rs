//! The typed operations on a simulated FreeBSD 14, which differs from 15 in places.

#[path = "typed/main.rs"]
mod typed;

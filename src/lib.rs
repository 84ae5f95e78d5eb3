//! jailwire.

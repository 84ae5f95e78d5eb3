//! Guides: how to use this library, and why it works this way.
//!
//! Every block of code in them is run as a test, on the simulated kernel.

#[doc = include_str!("../docs/guide/manager.md")]
pub mod manager {}

#[doc = include_str!("../docs/guide/kernel.md")]
pub mod kernel {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/tutorial.md")]
pub mod tutorial {}

#[doc = include_str!("../docs/guide/iocage.md")]
pub mod iocage {}

//! What all tests use: a network stack for each test, raw requests, events, and other processes as callers.

#![allow(dead_code, unused_imports, reason = "not every test needs all of it")]

mod caller;
mod events;
mod exceptions;
mod host;
pub mod quiet;
mod raw;
mod world;

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use jailwire::InterfaceName;
use jailwire::kernel::{Errno, Failure};

pub use caller::{Caller, call_as};
pub use events::Listener;
pub use exceptions::{SIMULATED_ONLY, simulated_only};
pub use host::Host;
pub use raw::{
    ask, assert_bytes, command, driver, of_member, route_message, sockaddr_dl, sockaddr_in, sockaddr_in6,
    with,
};
pub use world::{FREEBSD_15, World, fresh_name, kernel};

/// The longest wait for an event that is certain to come.
pub const SOON: Duration = Duration::from_secs(30);

/// Parses an interface name.
#[track_caller]
pub fn n(name: &str) -> InterfaceName {
    name.parse().unwrap()
}

/// Parses an IPv4 address and its prefix length.
#[track_caller]
pub fn net4(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

/// Parses an IPv6 address and its prefix length.
#[track_caller]
pub fn net6(text: &str) -> Ipv6Network {
    text.parse().unwrap()
}

/// Parses the destination of a route.
#[track_caller]
pub fn net(text: &str) -> IpNetwork {
    text.parse().unwrap()
}

#[track_caller]
pub fn ip4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[track_caller]
pub fn ip6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[track_caller]
pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An error, of the library or of the kernel itself.
pub trait Refusal: Debug {
    fn number(&self) -> Errno;
    fn words(&self) -> Option<&str>;
}

impl Refusal for jailwire::Error {
    fn number(&self) -> Errno {
        self.errno().expect("the kernel refused")
    }
    fn words(&self) -> Option<&str> {
        self.kernel_text()
    }
}

impl Refusal for Failure {
    fn number(&self) -> Errno {
        self.errno
    }
    fn words(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// `result.refused(Errno::EEXIST)`.
pub trait Refused {
    /// Fails the test unless the kernel refused with this error number.
    fn refused(self, errno: Errno);
    /// As `refused`, and checks the kernel's message. An empty text stands for no message.
    fn refused_saying(self, errno: Errno, words: &str);
}

impl<T: Debug, E: Refusal> Refused for Result<T, E> {
    #[track_caller]
    fn refused(self, errno: Errno) {
        match self {
            Err(error) => assert_eq!(error.number(), errno, "{error:?}"),
            Ok(done) => panic!("{errno:?} was expected, and it was done: {done:?}"),
        }
    }

    #[track_caller]
    fn refused_saying(self, errno: Errno, words: &str) {
        match self {
            Err(error) => {
                assert_eq!((error.number(), error.words().unwrap_or_default()), (errno, words));
            }
            Ok(done) => panic!("{errno:?} was expected, and it was done: {done:?}"),
        }
    }
}

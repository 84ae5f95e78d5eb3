//! The interfaces, addresses and routes of a network stack, read at once.

use crate::error::{During as _, Error, Result};
use crate::interface::{Interface, list};
use crate::kernel::{self, Errno, Sysctl};
use crate::route::{RouteEntry, table};
use crate::types::Fib;
use crate::vnet::Vnet;

/// The interfaces, addresses and routes of a network stack.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// The interfaces and their addresses.
    pub interfaces: Vec<Interface>,
    /// The routes of one routing table.
    pub routes: Vec<RouteEntry>,
}

impl Vnet {
    /// Lists the interfaces, addresses and routes of this stack at once. For a jail, one child process reads them.
    ///
    /// # Arguments
    ///
    /// * `fib`: the routing table.
    ///
    /// # Errors
    ///
    /// * EINVAL: the stack has no such routing table.
    /// * as [`Vnet::sysctls`].
    ///
    /// # Source
    ///
    /// [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) with NET_RT_IFLISTL and NET_RT_DUMP,
    /// `net/rtsock.c:sysctl_rtsock`.
    #[doc(alias = "NET_RT_IFLISTL")]
    #[doc(alias = "NET_RT_DUMP")]
    pub fn snapshot(&self, fib: Fib) -> Result<Snapshot> {
        Snapshot::read(self.sysctls(Snapshot::sysctls(fib))?)
    }
}

impl Snapshot {
    /// Returns the sysctls that a snapshot is read by.
    pub(crate) fn sysctls(fib: Fib) -> Vec<Sysctl> {
        vec![Sysctl::read(list::oid(0)), Sysctl::read(table::oid(fib))]
    }

    /// Reads the results of [`Snapshot::sysctls`].
    pub(crate) fn read(answers: Vec<kernel::Result<Vec<u8>>>) -> Result<Snapshot> {
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(Errno::ENOENT.into()));
        let interfaces = next().during("list interfaces", "", "NET_RT_IFLISTL")?;
        let routes = next().during("list routes", "", "NET_RT_DUMP")?;
        Ok(Snapshot {
            interfaces: list::parse_interfaces(&interfaces)
                .map_err(|why| Error::malformed("list interfaces", "", "NET_RT_IFLISTL", why))?,
            routes: table::parse_dump(&routes)
                .map_err(|why| Error::malformed("list routes", "", "NET_RT_DUMP", why))?,
        })
    }
}

//! The result of a start.

use ipnetwork::Ipv6Network;

use crate::types::{InterfaceName, Jid};

/// A jail that is up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Up {
    /// The jail's jid.
    pub jid: Jid,
    /// The devfs ruleset that the jail was given.
    pub ruleset: u16,
    /// The host's ends of the jail's epairs.
    pub epairs: Vec<InterfaceName>,
    /// The NICs whose address from a router's advertisement was waited for, with the address, or `None` when no address
    /// came.
    pub autoconf: Vec<(InterfaceName, Option<Ipv6Network>)>,
}

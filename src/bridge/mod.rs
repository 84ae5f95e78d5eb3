//! Bridges: creating, members, the address table, parameters and VLAN filtering.

mod member;
mod parameters;
mod table;
mod vlan;

use std::fmt;
use std::mem::offset_of;

use jailwire_sys::{ifbreq, ifdrv};

pub use member::{Member, MemberFlags, PortState};
pub use parameters::SpanningTree;
pub use table::{AddressFlags, BridgeAddress};
pub use vlan::{BridgeFlags, VlanSet};

use crate::abi::call;
use crate::error::{During, Result};
use crate::kernel::{self, Block};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// A bridge command: its C name and number, and the direction of its argument.
///
/// The kernel demands SIOCGDRVSPEC for commands with an answer, SIOCSDRVSPEC for all others, and the exact length
/// of the argument (`net/if_bridge.c:bridge_ioctl`).
#[derive(Clone, Copy)]
struct Command {
    name: &'static str,
    number: u64,
    answers: bool,
}

macro_rules! command {
    (get $name:ident) => {
        $crate::bridge::Command { name: stringify!($name), number: jailwire_sys::$name as u64, answers: true }
    };
    (set $name:ident) => {
        $crate::bridge::Command {
            name: stringify!($name),
            number: jailwire_sys::$name as u64,
            answers: false,
        }
    };
}
use command;

/// `kern.osreldate` of the first release that refuses addresses on bridge members.
const NO_MEMBER_ADDRESSES: i32 = 1_600_000;

/// Whether a kernel accepts addresses on bridge members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberAddresses {
    /// The kernel accepts them: releases before 15 have no setting for that.
    Taken,
    /// `net.link.bridge.member_ifaddrs` decides it.
    Setting(bool),
    /// The kernel refuses them: releases from 16 on have no such setting any more.
    Refused,
}

impl Vnet {
    /// Returns whether the kernel accepts addresses on bridge members, and by which rule. A kernel that does not
    /// report its release is taken for release 16.
    pub(crate) fn member_addresses(&self) -> MemberAddresses {
        if let Ok(allowed) = self.sysctl_int("net.link.bridge.member_ifaddrs") {
            return MemberAddresses::Setting(allowed != 0);
        }
        match self.sysctl_int("kern.osreldate") {
            Ok(release) if release < NO_MEMBER_ADDRESSES => MemberAddresses::Taken,
            _ => MemberAddresses::Refused,
        }
    }

    /// Returns whether the kernel accepts addresses on bridge members now.
    pub(crate) fn takes_member_addresses(&self) -> bool {
        matches!(self.member_addresses(), MemberAddresses::Taken | MemberAddresses::Setting(true))
    }

    /// Creates a bridge, and loads the module `if_bridge` where that is missing.
    ///
    /// It forwards nothing until it is up and its members are.
    ///
    /// # Errors
    ///
    /// As [`Vnet::create`].
    ///
    /// # Source
    ///
    /// `SIOCIFCREATE2`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_clone_create`.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// # let pair = host.create_epair()?;
    /// let bridge = host.create_bridge()?;
    /// host.add_member(&bridge, &pair.a)?;
    /// host.up(&pair.a)?;
    /// host.up(&bridge)?;
    /// assert_eq!(host.members(&bridge)?[0].name, pair.a);
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "SIOCIFCREATE2")]
    pub fn create_bridge(&self) -> Result<InterfaceName> {
        self.create("bridge")
    }

    /// Adds an interface to a bridge. Neither is brought up.
    ///
    /// The first member gives the bridge its MTU, and later ones get the bridge's. Capabilities that not
    /// all members have are turned off on all of them.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: no such interface in this stack.
    /// * EEXIST: it is a member of this bridge.
    /// * EBUSY: it is a member of another, or a span port.
    /// * EINVAL: it is not Ethernet, vlan or gif; it does not take the bridge's MTU; or it has addresses and
    ///   `net.link.bridge.member_ifaddrs` is 0; or the interface called bridge is none.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGADD`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_add`.
    #[doc(alias = "BRDGADD")]
    pub fn add_member(&self, bridge: &InterfaceName, member: &InterfaceName) -> Result<()> {
        let object = format_args!("{member} to {bridge}");
        self.command(command!(set BRDGADD), bridge, of_member(member), "add member", object).map(drop)
    }

    /// Takes an interface out of a bridge.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: it is not a member.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGDEL`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_del`. Moving or destroying a member takes
    /// it out as well, but leaves a moved one promiscuous.
    #[doc(alias = "BRDGDEL")]
    pub fn delete_member(&self, bridge: &InterfaceName, member: &InterfaceName) -> Result<()> {
        let object = format_args!("{member} from {bridge}");
        self.command(command!(set BRDGDEL), bridge, of_member(member), "delete member", object).map(drop)
    }

    /// Gives a command to a bridge. Returns the command's argument as the kernel left it.
    fn command(
        &self,
        command: Command,
        bridge: &InterfaceName,
        argument: Block,
        operation: &'static str,
        object: impl fmt::Display,
    ) -> Result<Block> {
        self.attempt_command(command, bridge, argument).during(operation, object, command.name)
    }

    fn attempt_command(
        &self,
        command: Command,
        bridge: &InterfaceName,
        argument: Block,
    ) -> kernel::Result<Block> {
        let mut ask = if command.answers { call!(SIOCGDRVSPEC) } else { call!(SIOCSDRVSPEC) }.on(bridge);
        let block = ask.argument();
        block.put(offset_of!(ifdrv, ifd_cmd), &command.number.to_ne_bytes());
        block.put(offset_of!(ifdrv, ifd_len), &(argument.bytes.len() as u64).to_ne_bytes());
        block.point(offset_of!(ifdrv, ifd_data), argument);
        self.attempt(&mut ask)?;
        let answer = ask.argument().child_mut(offset_of!(ifdrv, ifd_data));
        Ok(answer.map(std::mem::take).unwrap_or_default())
    }
}

/// The argument of a command about one member.
fn of_member(member: &InterfaceName) -> Block {
    let mut argument = Block::zeroed(size_of::<ifbreq>());
    argument.put(offset_of!(ifbreq, ifbr_ifsname), member.as_ifname());
    argument
}

/// Reads an array of records of the same length. The records are copied into the same memory one after the other,
/// because there may be thousands.
fn parse_all<T>(bytes: &[u8], length: usize, parse: impl Fn(&Block) -> Option<T>) -> Vec<T> {
    let mut record = Block::zeroed(length);
    let mut records = Vec::with_capacity(bytes.len() / length);
    for bytes in bytes.chunks_exact(length) {
        record.put(0, bytes);
        records.extend(parse(&record));
    }
    records
}

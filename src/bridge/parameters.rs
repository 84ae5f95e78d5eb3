//! Parameters of a bridge as a whole.

use std::mem::offset_of;
use std::time::Duration;

use jailwire_sys::{ifbropreq, ifbrparam};

use super::{Command, command};
use crate::error::Result;
use crate::kernel::Block;
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// The state of a bridge in the spanning tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "ifbropreq")]
#[non_exhaustive]
pub struct SpanningTree {
    /// Its own id: priority and MAC.
    pub id: u64,
    /// The id of the root.
    pub root: u64,
    /// The cost of the path to the root.
    pub root_path_cost: u32,
    /// The port towards the root; 0 on the root.
    pub root_port: u16,
    /// Its priority.
    pub priority: u16,
    /// Seconds between hellos.
    pub hello_time: u8,
    /// Seconds until it forwards.
    pub forward_delay: u8,
    /// Seconds until what it knows is too old.
    pub max_age: u8,
}

impl Vnet {
    /// Returns how many addresses the table of a bridge may have.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge.
    ///
    /// # Source
    ///
    /// `BRDGGCACHE`.
    #[doc(alias = "BRDGGCACHE")]
    pub fn bridge_cache_size(&self, bridge: &InterfaceName) -> Result<u32> {
        self.bridge_parameter(command!(get BRDGGCACHE), bridge, "read cache size of")
    }

    /// Limits how many addresses the table of a bridge may have: 2000 by default. Frames for addresses that are not
    /// in the table go to all members.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSCACHE`.
    #[doc(alias = "BRDGSCACHE")]
    pub fn set_bridge_cache_size(&self, bridge: &InterfaceName, addresses: u32) -> Result<()> {
        self.set_bridge_parameter(command!(set BRDGSCACHE), bridge, addresses, "set cache size of")
    }

    /// Returns how long a bridge keeps the addresses that it has learned. `None` stands for ever.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge.
    ///
    /// # Source
    ///
    /// `BRDGGTO`.
    #[doc(alias = "BRDGGTO")]
    pub fn bridge_cache_time(&self, bridge: &InterfaceName) -> Result<Option<Duration>> {
        let seconds = self.bridge_parameter(command!(get BRDGGTO), bridge, "read cache time of")?;
        Ok((seconds != 0).then(|| Duration::from_secs(seconds.into())))
    }

    /// Sets how long a bridge keeps the addresses that it has learned, in whole seconds: 1200 by default. `None`
    /// stands for ever.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSTO`.
    #[doc(alias = "BRDGSTO")]
    pub fn set_bridge_cache_time(&self, bridge: &InterfaceName, time: Option<Duration>) -> Result<()> {
        // Round up to a second, because 0 means for ever.
        let seconds = time.map_or(0, |time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1));
        self.set_bridge_parameter(command!(set BRDGSTO), bridge, seconds, "set cache time of")
    }

    /// Returns the spanning tree priority of a bridge.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge.
    ///
    /// # Source
    ///
    /// `BRDGGPRI`.
    #[doc(alias = "BRDGGPRI")]
    pub fn bridge_priority(&self, bridge: &InterfaceName) -> Result<u16> {
        let asked = Block::zeroed(size_of::<ifbrparam>());
        let answer = self.command(command!(get BRDGGPRI), bridge, asked, "read priority of", bridge)?;
        Ok(answer.u16_at(0))
    }

    /// Sets the spanning tree priority of a bridge: 0 to 61440, rounded down to a multiple of 4096. The
    /// default is 32768, and the lowest becomes the root.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: above 61440, or it is no bridge. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSPRI`.
    #[doc(alias = "BRDGSPRI")]
    pub fn set_bridge_priority(&self, bridge: &InterfaceName, priority: u16) -> Result<()> {
        let mut asked = Block::zeroed(size_of::<ifbrparam>());
        asked.put(0, &priority.to_ne_bytes());
        let object = format_args!("{bridge} to {priority}");
        self.command(command!(set BRDGSPRI), bridge, asked, "set priority of", object).map(drop)
    }

    /// Returns the state of a bridge in the spanning tree.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge.
    ///
    /// # Source
    ///
    /// `BRDGPARAM`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_gbparam`.
    #[doc(alias = "BRDGPARAM")]
    pub fn spanning_tree(&self, bridge: &InterfaceName) -> Result<SpanningTree> {
        let asked = Block::zeroed(size_of::<ifbropreq>());
        let answer = self.command(command!(get BRDGPARAM), bridge, asked, "read spanning tree of", bridge)?;
        let byte = |offset: usize| answer.get::<1>(offset)[0];
        Ok(SpanningTree {
            id: answer.u64_at(offset_of!(ifbropreq, ifbop_bridgeid)),
            root: answer.u64_at(offset_of!(ifbropreq, ifbop_designated_root)),
            root_path_cost: answer.u32_at(offset_of!(ifbropreq, ifbop_root_path_cost)),
            root_port: answer.u16_at(offset_of!(ifbropreq, ifbop_root_port)),
            priority: answer.u16_at(offset_of!(ifbropreq, ifbop_priority)),
            hello_time: byte(offset_of!(ifbropreq, ifbop_hellotime)),
            forward_delay: byte(offset_of!(ifbropreq, ifbop_fwddelay)),
            max_age: byte(offset_of!(ifbropreq, ifbop_maxage)),
        })
    }

    /// Reads a parameter of 32 bits.
    pub(super) fn bridge_parameter(
        &self,
        command: Command,
        bridge: &InterfaceName,
        operation: &'static str,
    ) -> Result<u32> {
        let asked = Block::zeroed(size_of::<ifbrparam>());
        Ok(self.command(command, bridge, asked, operation, bridge)?.u32_at(0))
    }

    /// Sets a parameter of 32 bits.
    pub(super) fn set_bridge_parameter(
        &self,
        command: Command,
        bridge: &InterfaceName,
        value: u32,
        operation: &'static str,
    ) -> Result<()> {
        let asked = Block::new(value.to_ne_bytes());
        self.command(command, bridge, asked, operation, format_args!("{bridge} to {value}")).map(drop)
    }
}

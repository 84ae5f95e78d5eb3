//! Vlans: interfaces that send and receive frames with one VLAN tag on a parent.

use std::mem::offset_of;

use jailwire_sys::{ETHERTYPE_QINQ, ETHERTYPE_VLAN, IFNAMSIZ, vlanreq};

use crate::abi::{IFRU, call, small};
use crate::error::{Error, Result};
use crate::kernel::{Block, Errno, Failure};
use crate::types::{InterfaceName, VlanId};
use crate::vnet::Vnet;

/// The kind of tag that a vlan's frames have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum VlanProtocol {
    /// IEEE 802.1Q.
    #[default]
    #[doc(alias = "ETHERTYPE_VLAN")]
    Dot1q,
    /// IEEE 802.1ad, the outer of two tags.
    #[doc(alias = "ETHERTYPE_QINQ")]
    Dot1ad,
}

impl VlanProtocol {
    pub(crate) const fn raw(self) -> u16 {
        match self {
            VlanProtocol::Dot1q => small!(ETHERTYPE_VLAN => u16),
            VlanProtocol::Dot1ad => small!(ETHERTYPE_QINQ => u16),
        }
    }

    pub(crate) fn from_raw(protocol: u16) -> Option<VlanProtocol> {
        [VlanProtocol::Dot1q, VlanProtocol::Dot1ad].into_iter().find(|known| known.raw() == protocol)
    }
}

/// The parameters of a vlan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vlan {
    /// The interface that its frames go through.
    pub parent: InterfaceName,
    /// Its tag.
    pub tag: VlanId,
    /// The kind of tag.
    pub protocol: VlanProtocol,
}

impl Vnet {
    /// Creates a vlan(4) on a parent, with a name.
    ///
    /// The vlan(4) has the parent's MAC address and MTU, and is down.
    ///
    /// The kernel can do all this in one request, from a name such as `em0.5`. But if the parent's name has no
    /// digit, as in `lan.5`, the kernel makes a vlan(4) with unit 5 that is attached to nothing, and returns no
    /// error. So this function creates a vlan(4) without a name, attaches it and renames it. If a later step fails,
    /// the vlan(4) is destroyed again.
    ///
    /// # Arguments
    ///
    /// * `name`: the name. `None` for the kernel's choice, such as `vlan0`.
    /// * `priority`: IEEE 802.1p priority of its frames, 0 to 7. `None` for the kernel's choice.
    ///
    /// # Errors
    ///
    /// * ENOENT: no such parent.
    /// * EEXIST: the parent has a vlan with that tag, or the name is taken.
    /// * EPROTONOSUPPORT: the parent cannot have vlans. A bridge can from FreeBSD 15 on.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSETVLAN`: [`vlan(4)`](https://man.freebsd.org/vlan(4)), `net/if_vlan.c:vlan_clone_create`, `vlan_config`.
    #[doc(alias = "SIOCSETVLAN")]
    pub fn create_vlan(
        &self,
        vlan: &Vlan,
        name: Option<&InterfaceName>,
        priority: Option<u8>,
    ) -> Result<InterfaceName> {
        let made = self.create("vlan")?;
        let finished = self.finish_vlan(&made, vlan, name, priority);
        if finished.is_err() {
            // Report the first error, also if this call fails.
            let _ = self.destroy(&made);
        }
        finished
    }

    fn finish_vlan(
        &self,
        made: &InterfaceName,
        vlan: &Vlan,
        name: Option<&InterfaceName>,
        priority: Option<u8>,
    ) -> Result<InterfaceName> {
        let mut wanted = Block::zeroed(size_of::<vlanreq>());
        wanted.put(offset_of!(vlanreq, vlr_parent), vlan.parent.as_ifname());
        wanted.put(offset_of!(vlanreq, vlr_tag), &vlan.tag.get().to_ne_bytes());
        wanted.put(offset_of!(vlanreq, vlr_proto), &vlan.protocol.raw().to_ne_bytes());
        let mut ask = call!(SIOCSETVLAN).on(made);
        ask.argument().point(IFRU, wanted);
        self.perform(
            &mut ask,
            "attach vlan",
            format_args!("{made} with tag {} to {}", vlan.tag, vlan.parent),
        )?;
        if let Some(priority) = priority {
            self.set_vlan_priority(made, priority)?;
        }
        match name {
            Some(name) => self.rename(made, name).map(|()| *name),
            None => Ok(*made),
        }
    }

    /// Sets the IEEE 802.1p priority of a vlan's frames, 0 to 7.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EINVAL: above 7, or it is no vlan.
    /// * EPERM: not root, or the vlan is not in the stack it was made in.
    ///
    /// # Source
    ///
    /// `SIOCSVLANPCP`.
    #[doc(alias = "SIOCSVLANPCP")]
    pub fn set_vlan_priority(&self, name: &InterfaceName, priority: u8) -> Result<()> {
        let object = format_args!("{name} to {priority}");
        if priority > 7 {
            let failure = Failure::with_text(Errno::EINVAL, "a VLAN priority is 0 to 7");
            return Err(Error::new("set VLAN priority of", object, "SIOCSVLANPCP", failure));
        }
        self.perform(
            &mut call!(SIOCSVLANPCP).on(name).with(IFRU, &[priority]),
            "set VLAN priority of",
            object,
        )
    }

    /// Returns the parent and tag of a vlan(4). Returns `None` if it is attached to nothing, as after its parent
    /// has gone.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EINVAL: it is no vlan.
    /// * EPERM: the vlan(4) is not in the stack in which it was made.
    ///
    /// # Source
    ///
    /// `SIOCGETVLAN`: [`vlan(4)`](https://man.freebsd.org/vlan(4)), `net/if_vlan.c:vlan_ioctl`.
    #[doc(alias = "SIOCGETVLAN")]
    pub fn vlan(&self, name: &InterfaceName) -> Result<Option<Vlan>> {
        let mut ask = call!(SIOCGETVLAN).on(name);
        ask.argument().point(IFRU, Block::zeroed(size_of::<vlanreq>()));
        self.perform(&mut ask, "look at vlan", name)?;
        let Some(found) = ask.argument().child(IFRU) else { return Ok(None) };
        let Some(parent) =
            InterfaceName::from_ifname(&found.get::<IFNAMSIZ>(offset_of!(vlanreq, vlr_parent)))
        else {
            return Ok(None);
        };
        let tag = VlanId::new(found.u16_at(offset_of!(vlanreq, vlr_tag)));
        let tag = tag.map_err(|error| Error::malformed("look at vlan", name, "SIOCGETVLAN", error))?;
        let protocol = found.u16_at(offset_of!(vlanreq, vlr_proto));
        let protocol = VlanProtocol::from_raw(protocol)
            .ok_or_else(|| Error::malformed("look at vlan", name, "SIOCGETVLAN", "an unknown kind of tag"))?;
        Ok(Some(Vlan { parent, tag, protocol }))
    }
}

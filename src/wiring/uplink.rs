//! The uplink of a NIC: an interface of the host that is to be on the NIC's bridge.

use crate::types::InterfaceName;

/// An interface of the host that is to be on the bridge of a NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Uplink {
    /// The interface.
    pub interface: InterfaceName,
    /// Whether the jail must not be started without the uplink. If it is not required, an interface that
    /// cannot be on the bridge is left out, and [`Plan::notes`](super::Plan::notes) says why.
    pub required: bool,
}

impl From<InterfaceName> for Uplink {
    /// An uplink that is required.
    fn from(interface: InterfaceName) -> Uplink {
        Uplink { interface, required: true }
    }
}

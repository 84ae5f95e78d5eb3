//! The VLANs of a NIC, on a bridge that filters them.
//!
//! A port is given its VLANs after it has joined the bridge and before it is up: until then the kernel passes
//! no frame to the port and no frame from it. So no frame of another VLAN passes the port at any moment.

use std::fmt;

use crate::bridge::VlanSet;
use crate::types::VlanId;

/// The VLANs that a NIC is in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct NicVlans {
    /// The VLAN of the frames without a tag.
    pub untagged: Option<VlanId>,
    /// The VLANs whose frames have their tag.
    pub tagged: VlanSet,
}

impl NicVlans {
    /// Returns all VLANs, tagged and untagged.
    pub fn all(&self) -> VlanSet {
        self.tagged.iter().chain(self.untagged).collect()
    }
}

impl fmt::Display for NicVlans {
    /// `untagged 20, tagged 30,40-49`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.untagged, self.tagged.is_empty()) {
            (Some(untagged), true) => write!(f, "untagged {untagged}"),
            (Some(untagged), false) => write!(f, "untagged {untagged}, tagged {}", self.tagged),
            (None, true) => f.write_str("none"),
            (None, false) => write!(f, "tagged {}", self.tagged),
        }
    }
}

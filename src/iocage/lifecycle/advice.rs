//! Problems of wiring, in the words of iocage's properties.

use std::fmt;

use crate::iocage::config::{DefaultInterface, JailConfig, Network};
use crate::wiring::Problem;

/// A problem, and the property that is to be changed.
pub(super) struct Advised<'a>(pub &'a Problem);

impl fmt::Display for Advised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        match property(self.0) {
            Some(property) => write!(f, " ({property})"),
            None => Ok(()),
        }
    }
}

/// The property that a problem is about, if that is not clear from its own words.
fn property(problem: &Problem) -> Option<&'static str> {
    Some(match problem {
        Problem::NoUplink { .. }
        | Problem::UplinkType { .. }
        | Problem::UplinkElsewhere { .. }
        | Problem::UplinkIsSpan { .. }
        | Problem::UplinkLent { .. }
        | Problem::UplinkMtu { .. }
        | Problem::AddressOnMember { .. } => "property vnet_default_interface",
        Problem::NicMtu { .. } => "properties vnetN_mtu and vnet_default_interface",
        Problem::MtuMismatch { .. } => "property vnetN_mtu",
        _ => return None,
    })
}

/// What a start tells of an uplink that it leaves out.
pub(super) fn left_out(config: &JailConfig, problem: &Problem) -> String {
    let word = match &config.network {
        Network::Vnet(network) if network.default_interface == DefaultInterface::Auto => {
            "vnet_default_interface=auto"
        }
        _ => "vnet_default_interface",
    };
    format!("{}: {word} puts nothing on the bridge: {problem}", config.name)
}

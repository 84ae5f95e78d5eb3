//! Interfaces with another end outside of the host: gif(4), gre(4), wg(4), tun(4), tap(4) and lagg(4).
//!
//! Their traffic is not simulated. A bridge accepts only Ethernet interfaces and gif(4).

use jailwire_sys as sys;

use super::caller::Caller;
use super::clone::blank;
use super::world::{Interface, Kind, World};

/// The initial state of an interface.
struct Model {
    cloner: &'static str,
    link: sys::ifType,
    mtu: u32,
    flags: i32,
    capabilities: u32,
}

const FAR: i32 = sys::IFF_POINTOPOINT | sys::IFF_MULTICAST;
const ETHERNET: i32 = sys::IFF_BROADCAST | sys::IFF_SIMPLEX | sys::IFF_MULTICAST;
const LINK_STATE: u32 = sys::IFCAP_LINKSTATE as u32;

/// `gif_clone_create`, `gre_clone_create`, `wg_clone_create`, `tuncreate` and `lagg_clone_create`.
const MODELS: [Model; 6] = [
    Model { cloner: "gif", link: sys::IFT_GIF, mtu: 1280, flags: FAR, capabilities: LINK_STATE },
    Model { cloner: "gre", link: sys::IFT_TUNNEL, mtu: 1476, flags: FAR, capabilities: LINK_STATE },
    Model {
        cloner: "wg",
        link: sys::IFT_WIREGUARD,
        mtu: 1420,
        flags: sys::IFF_NOARP | sys::IFF_MULTICAST,
        capabilities: LINK_STATE,
    },
    Model { cloner: "tun", link: sys::IFT_PPP, mtu: 1500, flags: FAR, capabilities: LINK_STATE },
    Model { cloner: "tap", link: sys::IFT_ETHER, mtu: 1500, flags: ETHERNET, capabilities: LINK_STATE },
    Model { cloner: "lagg", link: sys::IFT_ETHER, mtu: 1500, flags: ETHERNET, capabilities: 0 },
];

impl World {
    /// A new interface of one of these cloners. `None` for another cloner.
    pub(super) fn tunnel(
        &mut self,
        caller: Caller,
        cloner: &str,
        name: String,
        unit: u16,
    ) -> Option<Interface> {
        let model = MODELS.iter().find(|model| model.cloner == cloner)?;
        let mac = if model.link == sys::IFT_ETHER { self.generate_mac(caller.jid, &name) } else { [0; 6] };
        Some(Interface {
            mac,
            permanent_mac: mac,
            mtu: model.mtu,
            flags: model.flags as u32,
            capabilities: model.capabilities,
            enabled_capabilities: model.capabilities,
            ..blank(name, cloner, Some(unit), Kind::Tunnel { link: model.link as u8 })
        })
    }
}

/// Whether the driver accepts an MTU: `gif_ioctl`, `gre_ioctl`, `wg_ioctl`, `tunifioctl`.
pub(super) fn takes_mtu(link: u8, mtu: u32) -> bool {
    match u32::from(link) {
        sys::IFT_GIF => (1280..=8192).contains(&mtu),
        sys::IFT_TUNNEL => mtu >= 576,
        sys::IFT_WIREGUARD => mtu <= 65535 - 80,
        _ => true,
    }
}

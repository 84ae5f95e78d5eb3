//! Two VLANs on one wire, with a bridge for each VLAN. From FreeBSD 15 on, also with one bridge that filters VLANs.
//!
//!     cargo run --example bridge_vlans
//!
//! The wire is an epair, so that no real interface is changed. Everything is removed at the end.

use std::error::Error;
use std::io::{self, Write};

use jailwire::bridge::{BridgeFlags, VlanSet};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{InterfaceName, VlanId, Vnet, kernel};

fn main() -> Result<(), Box<dyn Error>> {
    run(&Vnet::host(kernel::here()?), &mut io::stdout().lock())
}

/// Makes vlans and bridges, shows them, and destroys them.
///
/// # Errors
///
/// What the kernel refuses, or `out`.
pub fn run(host: &Vnet, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut made = Vec::new();
    let shown = show(host, &mut made, out);
    // Destroy the newest interface first, also after an error.
    for name in made.iter().rev() {
        host.destroy(name)?;
    }
    shown
}

fn show(host: &Vnet, made: &mut Vec<InterfaceName>, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let wire = host.create_epair()?;
    made.push(wire.a);
    host.up(&wire.a)?;

    // A bridge for each VLAN, which works on every release.
    for tag in [10, 20] {
        let vlan = Vlan { parent: wire.a, tag: VlanId::new(tag)?, protocol: VlanProtocol::Dot1q };
        let vlan = host.create_vlan(&vlan, Some(&format!("wire.{tag}").parse()?), None)?;
        made.push(vlan);
        let bridge = host.create_bridge()?;
        made.push(bridge);
        host.add_member(&bridge, &vlan)?;
        host.up(&vlan)?;
        host.up(&bridge)?;
        writeln!(out, "VLAN {tag}: {bridge} with {}", list(host, &bridge)?)?;
    }

    // One bridge for both VLANs: 10 is untagged, and 20 is tagged.
    if host.sysctl_int("kern.osreldate")? < 1_500_000 {
        writeln!(out, "this release has no bridges that filter")?;
        return Ok(());
    }
    let bridge = host.create_bridge()?;
    made.push(bridge);
    host.change_bridge_flags(&bridge, BridgeFlags::VLAN_FILTER, BridgeFlags::empty())?;
    host.add_member(&bridge, &wire.b)?;
    host.set_member_pvid(&bridge, &wire.b, Some(VlanId::new(10)?))?;
    let tagged: VlanSet = [VlanId::new(20)?].into_iter().collect();
    host.set_member_vlans(&bridge, &wire.b, &tagged)?;
    host.up(&bridge)?;
    let vlans = host.member_vlans(&bridge, &wire.b)?;
    writeln!(out, "{bridge} filters: {} takes {vlans} tagged, and 10 without a tag", list(host, &bridge)?)?;
    Ok(())
}

fn list(host: &Vnet, bridge: &InterfaceName) -> Result<String, jailwire::Error> {
    let names = host.members(bridge)?.into_iter().map(|member| member.name.to_string());
    Ok(names.collect::<Vec<_>>().join(", "))
}

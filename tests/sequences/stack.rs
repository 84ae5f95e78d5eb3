//! Plays operations that need only a network stack.

use jailwire::bridge::MemberFlags;
use jailwire::interface::{Capabilities, InterfaceFlags};
use jailwire::nd6::Nd6Flags;
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{Fib, Mtu, Result, Route, Via, VlanId, Vnet};

use crate::operation::{Bits, Operation};
use crate::stage::{DONE, Outcome};

/// Plays an operation that needs only a network stack.
pub fn change(vnet: &Vnet, operation: &Operation) -> Result<Option<Outcome>> {
    let flags = |bits: &Bits| InterfaceFlags::from_bits_retain(bits.0);
    match operation {
        Operation::Create { cloner } => {
            return vnet.create(cloner.as_str()).map(|name| Some(format!("ok {name}")));
        }
        Operation::Destroy { name } => vnet.destroy(name)?,
        Operation::Rename { name, new } => vnet.rename(name, new)?,
        Operation::Up { name } => vnet.up(name)?,
        Operation::Down { name } => vnet.down(name)?,
        Operation::Flags { name, set, clear } => drop(vnet.change_flags(name, flags(set), flags(clear))?),
        Operation::Mtu { name, bytes } => {
            let Ok(mtu) = Mtu::new(*bytes) else { return Ok(None) };
            vnet.set_mtu(name, mtu)?;
        }
        Operation::Mac { name, mac } => vnet.set_mac(name, *mac)?,
        Operation::Describe { name, text } => vnet.set_description(name, text)?,
        Operation::Undescribe { name } => vnet.set_description(name, "")?,
        Operation::Group { name, group } => vnet.add_group(name, group)?,
        Operation::Ungroup { name, group } => vnet.delete_group(name, group)?,
        Operation::Fib { name, fib } => vnet.set_interface_fib(name, Fib::new(*fib).unwrap_or_default())?,
        Operation::Capabilities { name, enable, disable } => {
            let of = |bits: &Bits| Capabilities::from_bits_retain(bits.0);
            vnet.change_capabilities(name, of(enable), of(disable))?;
        }
        Operation::Nd6 { name, set, clear } => {
            let of = |bits: &Bits| Nd6Flags::from_bits_retain(bits.0);
            vnet.change_nd6_flags(name, of(set), of(clear))?;
        }
        Operation::Inet { name, network } => vnet.add_ipv4(name, *network)?,
        Operation::NoInet { name, address } => vnet.remove_ipv4(name, *address)?,
        Operation::Inet6 { name, network } => vnet.add_ipv6(name, *network)?,
        Operation::NoInet6 { name, address } => vnet.remove_ipv6(name, *address)?,
        Operation::Route { destination, gateway } => {
            vnet.add_route(&Route::new(*destination, Via::Gateway((*gateway).into())))?;
        }
        Operation::RouteOn { destination, name } => {
            let index = vnet.index(name)?;
            vnet.add_route(&Route::new(*destination, Via::Interface(index)))?;
        }
        Operation::Blackhole { destination } => vnet.add_route(&Route::new(*destination, Via::Blackhole))?,
        Operation::Change { destination, gateway } => {
            vnet.change_route(&Route::new(*destination, Via::Gateway((*gateway).into())))?;
        }
        Operation::Unroute { destination } => vnet.delete_route(*destination, None, Fib::DEFAULT)?,
        Operation::UnrouteVia { destination, gateway } => {
            vnet.delete_route(*destination, Some((*gateway).into()), Fib::DEFAULT)?;
        }
        Operation::Member { bridge, name } => vnet.add_member(bridge, name)?,
        Operation::NoMember { bridge, name } => vnet.delete_member(bridge, name)?,
        Operation::MemberFlags { bridge, name, set, clear } => {
            let of = |bits: &Bits| MemberFlags::from_bits_retain(bits.0);
            vnet.change_member_flags(bridge, name, of(set), of(clear))?;
        }
        Operation::MemberCost { bridge, name, cost } => vnet.set_member_path_cost(bridge, name, *cost)?,
        Operation::Pvid { bridge, name, vlan } => {
            vnet.set_member_pvid(bridge, name, VlanId::new(*vlan).ok())?
        }
        Operation::Vlan { parent, tag } => {
            let Ok(tag) = VlanId::new(*tag) else { return Ok(None) };
            let vlan = Vlan { parent: *parent, tag, protocol: VlanProtocol::Dot1q };
            return vnet.create_vlan(&vlan, None, None).map(|name| Some(format!("ok {name}")));
        }
        // Lend and Reclaim move interfaces between the caller's stack and another, so they are played elsewhere.
        _ => return Ok(None),
    }
    Ok(Some(DONE.to_owned()))
}

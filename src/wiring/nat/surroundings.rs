//! The state of the host that NAT depends on: the interfaces that packets leave by, the addresses, and
//! whether pf is ready.

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnetwork::IpNetwork;
use jailwire_sys as sys;

use super::super::problem::Problem;
use super::{JailNat, top};
use crate::error::{During as _, Error, Result};
use crate::interface::Interface;
use crate::kernel::{Block, Errno, Request};
use crate::packet_filter::{Family, PacketFilter, Rule, RuleKind};
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;

/// The state of the host that rules depend on.
#[derive(Debug)]
pub(super) struct Surroundings {
    interfaces: Vec<Interface>,
    /// The interface that the default route of each family leaves by.
    out4: Option<InterfaceName>,
    out6: Option<InterfaceName>,
}

impl Surroundings {
    pub fn of(host: &Vnet) -> Result<Surroundings> {
        let interfaces = host.interfaces()?;
        let everything: [IpNetwork; 2] = [
            IpNetwork::new(Ipv4Addr::UNSPECIFIED.into(), 0).expect("a length of the family"),
            IpNetwork::new(Ipv6Addr::UNSPECIFIED.into(), 0).expect("a length of the family"),
        ];
        let mut outs = [None, None];
        for (out, destination) in outs.iter_mut().zip(everything) {
            let route = host.route(destination, Fib::DEFAULT)?;
            let index = route.map(|route| route.index);
            *out = interfaces.iter().find(|interface| Some(interface.index) == index).map(|one| one.name);
        }
        let [out4, out6] = outs;
        Ok(Surroundings { interfaces, out4, out6 })
    }

    /// Returns whether this network stack has an address.
    pub fn has(&self, address: IpAddr) -> bool {
        let mut all = self.interfaces.iter().flat_map(|interface| &interface.addresses);
        all.any(|own| own.network.ip() == address)
    }

    /// Returns the interface that packets of a family leave by, and the address that they get there.
    pub fn way_out(&self, family: Family, chosen: Option<InterfaceName>) -> Option<(InterfaceName, IpAddr)> {
        let name = chosen.or(match family {
            Family::Inet => self.out4,
            Family::Inet6 => self.out6,
        })?;
        let interface = self.interfaces.iter().find(|interface| interface.name == name)?;
        let usable = |address: &IpAddr| {
            Family::of(*address) == family
                && match address {
                    IpAddr::V4(address) => !address.is_unspecified(),
                    IpAddr::V6(address) => !address.is_unicast_link_local() && !address.is_unspecified(),
                }
        };
        let address = interface.addresses.iter().map(|address| address.network.ip()).find(usable)?;
        Some((name, address))
    }

    /// Returns the interface whose network an address is in, so that no router is needed, with that interface's own
    /// address and network.
    pub fn link_of(&self, address: IpAddr) -> Option<(InterfaceName, IpNetwork)> {
        self.interfaces.iter().find_map(|interface| {
            let mut own = interface.addresses.iter().map(|own| own.network);
            let near = own.find(|own| {
                let single = own.prefix() == if own.is_ipv4() { 32 } else { 128 };
                !single && own.contains(address) && own.ip() != address
            })?;
            Some((interface.name, near))
        })
    }
}

/// Reports what else keeps rules from working: pf itself, and forwarding.
pub(super) fn in_the_way(
    host: &Vnet,
    pf: &PacketFilter,
    wanted: &JailNat,
    rules: &[Rule],
    surroundings: &Surroundings,
) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    if !wanted.switches_pf_on && !pf.is_running()? {
        problems.push(Problem::PfOff);
    }
    let mut missing = Vec::new();
    for kind in [RuleKind::Nat, RuleKind::Redirect] {
        if rules.iter().any(|rule| rule.kind() == kind) && !pf.calls(kind, &top())? {
            missing.push(kind);
        }
    }
    let published = rules.iter().any(|rule| rule.kind() == RuleKind::Redirect);
    let needed = !wanted.blocked.is_empty() || (published && pf.blocks()?);
    if needed && !pf.calls(RuleKind::Filter, &top())? {
        missing.push(RuleKind::Filter);
    }
    if !missing.is_empty() {
        problems.push(Problem::AnchorNotCalled { lines: lines(&missing) });
    }
    for family in [Family::Inet, Family::Inet6] {
        problems.extend(forwarding_off(host, wanted, surroundings, family)?);
    }
    Ok(problems)
}

/// Reports that forwarding is off for a family, if a jail needs it.
pub(super) fn forwarding_off(
    host: &Vnet,
    wanted: &JailNat,
    surroundings: &Surroundings,
    family: Family,
) -> Result<Option<Problem>> {
    let sysctl = match family {
        Family::Inet => "net.inet.ip.forwarding",
        Family::Inet6 => "net.inet6.ip6.forwarding",
    };
    // A shared-IP jail needs no forwarding: it sends and receives as the host does.
    let mut addresses = wanted.addresses.iter();
    let behind = !wanted.shares
        && addresses.any(|address| Family::of(*address) == family && !surroundings.has(*address));
    let off = behind && host.sysctl_int(sysctl)? == 0;
    Ok(off.then_some(Problem::ForwardingOff { sysctl }))
}

/// The lines of pf.conf(5) that call the anchors of jails.
pub(crate) fn lines(kinds: &[RuleKind]) -> String {
    let line = |kind: &RuleKind| format!("{} \"{}/*\"", kind.anchor_word(), top());
    kinds.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What an administrator does on FreeBSD, done to a simulated host: see [`super::prepare_simulated`].
pub(super) fn prepare_simulated(host: &Vnet) -> Result<()> {
    const WHAT: &str = "prepare";
    let kernel = host.kernel();
    if !kernel.simulated() {
        return Err(Error::new(WHAT, "pf", "open /dev/pf", Errno::EOPNOTSUPP));
    }
    kernel.load_module("pf").during(WHAT, "pf", "kldload")?;
    for module in ["ipfw", "ipfw_nat"] {
        kernel.load_module(module).during(WHAT, module, "kldload")?;
    }
    for sysctl in ["net.inet.ip.forwarding", "net.inet6.ip6.forwarding"] {
        host.set_sysctl_int(sysctl, 1)?;
    }
    host.set_sysctl_int("net.inet.ip.fw.one_pass", 0)?;
    let handle = kernel.open_device(Path::new("/dev/pf")).during(WHAT, "pf", "open /dev/pf")?;
    let outcome = call_our_anchors(&mut |request| kernel.ioctl(handle, request));
    kernel.close(handle);
    outcome.during(WHAT, "pf", "DIOCXCOMMIT")
}

type Ask<'a> = &'a mut dyn FnMut(&mut Request) -> crate::kernel::Result<()>;

fn call_our_anchors(ask: Ask<'_>) -> crate::kernel::Result<()> {
    use sys::pfioc_trans_pfioc_trans_e as element;

    match ask(&mut Request::new(sys::DIOCSTART)) {
        Err(failure) if failure.errno == Errno::EEXIST => {}
        other => other?,
    }
    let call = format!("{}/*", top());
    for (ruleset, action) in [
        (sys::PF_RULESET_NAT, sys::PF_NAT),
        (sys::PF_RULESET_RDR, sys::PF_RDR),
        (sys::PF_RULESET_FILTER, sys::PF_PASS),
    ] {
        let mut array = Block::zeroed(size_of::<element>());
        array.put(offset_of!(element, rs_num), &ruleset.to_ne_bytes());
        let mut transaction = |number: u64, array: Block| -> crate::kernel::Result<Block> {
            let mut request = Request::new(number);
            request.argument.put(offset_of!(sys::pfioc_trans, size), &1i32.to_ne_bytes());
            let size = size_of::<element>() as i32;
            request.argument.put(offset_of!(sys::pfioc_trans, esize), &size.to_ne_bytes());
            request.argument.point(offset_of!(sys::pfioc_trans, array), array);
            ask(&mut request)?;
            Ok(request.argument.children.remove(0).1)
        };
        let array = transaction(sys::DIOCXBEGIN, array)?;
        let ticket: [u8; 4] = array.get(offset_of!(element, ticket));
        let mut pool = Request::new(sys::DIOCBEGINADDRS);
        ask(&mut pool)?;
        let pool: [u8; 4] = pool.argument.get(offset_of!(sys::pfioc_pooladdr, ticket));
        let mut rule = Request::new(sys::DIOCADDRULE);
        let argument = &mut rule.argument;
        argument.put(offset_of!(sys::pfioc_rule, ticket), &ticket);
        argument.put(offset_of!(sys::pfioc_rule, pool_ticket), &pool);
        argument.put(offset_of!(sys::pfioc_rule, anchor_call), call.as_bytes());
        argument.put(offset_of!(sys::pfioc_rule, rule) + offset_of!(sys::pf_rule, action), &[action]);
        ask(&mut rule)?;
        let mut request = Request::new(sys::DIOCXCOMMIT);
        request.argument.put(offset_of!(sys::pfioc_trans, size), &1i32.to_ne_bytes());
        let size = size_of::<element>() as i32;
        request.argument.put(offset_of!(sys::pfioc_trans, esize), &size.to_ne_bytes());
        request.argument.point(offset_of!(sys::pfioc_trans, array), array);
        ask(&mut request)?;
    }
    Ok(())
}

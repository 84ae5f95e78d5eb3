//! From a specification and the present state of the host to a list of steps.

use std::collections::HashMap;
use std::net::IpAddr;

use super::nat::JailNat;
use super::problem::Problem;
use super::spec::{Alias, Devfs, JailSpec, Network, Nic, Router, Shared, VnetSpec};
use super::step::{JailInterface, Step};
use super::survey::Survey;
use super::uplink::{Uplink, Uplinking};
use crate::interface::Interface;
use crate::types::{InterfaceName, Mtu};

/// IPV6_MMTU: no link with a smaller MTU does IPv6.
const MTU_OF_INET6: u32 = 1280;

/// The steps that bring a jail up, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Vec<Step>,
    uplinks: Vec<(InterfaceName, InterfaceName)>,
    left_out: Vec<Problem>,
    empty: Vec<InterfaceName>,
    spec: JailSpec,
}

impl Plan {
    /// Works out the steps, after checking everything that can be wrong: nothing is changed before
    /// all of it is known to be right, as far as that can be known.
    ///
    /// # Errors
    ///
    /// Every problem there is, not just the first.
    pub fn new(spec: &JailSpec, survey: &Survey) -> Result<Plan, Vec<Problem>> {
        let mut planner = Planner::new(survey);
        planner.check_jail(spec);
        if let Devfs::Generate { first, rules } = &spec.devfs {
            planner.steps.push(Step::CreateRuleset { first: *first, rules: rules.clone() });
        }
        planner.steps.extend(spec.mounts.iter().cloned().map(Step::Mount));
        planner.problems.extend_from_slice(survey.nat_problems());
        match &spec.network {
            Network::Shared(shared) => planner.shared(shared, spec.nat.as_ref()),
            Network::Vnet(vnet) => planner.vnet(vnet, spec.nat.as_ref()),
        }
        planner.finish(spec)
    }

    /// Works out the steps that give NICs and routes to a jail that is there, with a network stack of its own.
    pub(super) fn attaching(spec: &JailSpec, survey: &Survey) -> Result<Plan, Vec<Problem>> {
        let Network::Vnet(vnet) = &spec.network else {
            return Err(vec![Problem::NoStack { jail: spec.name.clone() }]);
        };
        let mut planner = Planner::new(survey);
        planner.problems.extend_from_slice(survey.nat_problems());
        planner.check_macs(&vnet.nics);
        for (number, nic) in vnet.nics.iter().enumerate() {
            planner.nic(number, nic);
        }
        planner.inside(vnet);
        planner.publish(spec.nat.as_ref());
        // It has its loopback.
        planner.steps.retain(|step| !matches!(step, Step::StartLoopback));
        // The host's half first: its name is in the journal, so that an attempt that was killed can be undone.
        for place in 1..planner.steps.len() {
            if let [Step::NameJailHalf { .. }, Step::NameHostHalf { .. }] = planner.steps[place - 1..=place] {
                planner.steps.swap(place - 1, place);
            }
        }
        planner.finish(spec)
    }

    /// What the jail is to look like.
    pub fn spec(&self) -> &JailSpec {
        &self.spec
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Why uplinks that are not required are left out.
    pub fn left_out(&self) -> &[Problem] {
        &self.left_out
    }

    /// The interfaces of the host that are on the bridges of the jail while it runs, by these: those that the plan puts
    /// there, and those that are there already.
    pub(super) fn uplinks(&self) -> &[(InterfaceName, InterfaceName)] {
        &self.uplinks
    }

    /// The bridges of the host without members that get another MTU from their first one.
    pub(super) fn empty(&self) -> &[InterfaceName] {
        &self.empty
    }
}

struct Planner<'a> {
    survey: &'a Survey,
    steps: Vec<Step>,
    problems: Vec<Problem>,
    /// The MTU of bridges once the NICs planned so far are on them.
    mtus: HashMap<InterfaceName, Mtu>,
    uplinks: Vec<(InterfaceName, InterfaceName)>,
    left_out: Vec<Problem>,
    empty: Vec<InterfaceName>,
}

impl<'a> Planner<'a> {
    fn new(survey: &'a Survey) -> Planner<'a> {
        Planner {
            survey,
            steps: Vec::new(),
            problems: Vec::new(),
            mtus: HashMap::new(),
            uplinks: Vec::new(),
            left_out: Vec::new(),
            empty: Vec::new(),
        }
    }

    /// The plan; or every problem, once.
    fn finish(self, spec: &JailSpec) -> Result<Plan, Vec<Problem>> {
        let mut problems = Vec::new();
        for problem in self.problems {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let Planner { steps, uplinks, left_out, empty, .. } = self;
        Ok(Plan { steps, uplinks, left_out, empty, spec: spec.clone() })
    }

    fn check_jail(&mut self, spec: &JailSpec) {
        if let Some(jid) = self.survey.jail {
            self.problems.push(Problem::JailExists { name: spec.name.clone(), jid });
        }
        if !self.survey.root_exists {
            self.problems.push(Problem::NoRoot { path: spec.path.clone() });
        }
        if matches!(spec.network, Network::Vnet(_)) && !self.survey.vimage {
            self.problems.push(Problem::NoVimage);
        }
    }

    fn publish(&mut self, nat: Option<&JailNat>) {
        self.steps.extend(nat.filter(|nat| !nat.is_empty()).cloned().map(Step::Publish));
    }

    fn shared(&mut self, shared: &Shared, nat: Option<&JailNat>) {
        for Alias { interface, network } in &shared.ip4 {
            let Some(interface) = interface else { continue };
            if self.on_host(interface) && !self.survey.has_address(interface, network.ip().into()) {
                self.steps.push(Step::AddAlias4(*interface, *network));
            }
        }
        for Alias { interface, network } in &shared.ip6 {
            let Some(interface) = interface else { continue };
            if self.on_host(interface) && !self.survey.has_address(interface, network.ip().into()) {
                self.steps.push(Step::AddAlias6(*interface, *network));
            }
        }
        self.publish(nat);
        self.steps.push(Step::CreateJail);
    }

    /// Whether the host has the interface, and a problem if not.
    fn on_host(&mut self, name: &InterfaceName) -> bool {
        let found = self.survey.has_interface(name);
        if !found {
            self.problems.push(Problem::NoInterface { name: *name });
        }
        found
    }

    fn vnet(&mut self, vnet: &VnetSpec, nat: Option<&JailNat>) {
        self.check_macs(&vnet.nics);
        for name in &vnet.lent {
            self.on_host(name);
            if vnet.nics.iter().any(|nic| nic.uplink.is_some_and(|uplink| uplink.interface == *name)) {
                self.problems.push(Problem::UplinkLent { member: *name });
            }
        }
        self.steps.push(Step::HoldJail);
        for (number, nic) in vnet.nics.iter().enumerate() {
            self.nic(number, nic);
        }
        self.inside(vnet);
        self.publish(nat);
        self.steps.push(Step::Commit);
        self.steps.extend(vnet.lent.iter().copied().map(Step::Lend));
    }

    /// The epair of one NIC, up to its place on the bridge.
    fn nic(&mut self, nic: usize, spec: &Nic) {
        let uplink = spec.bridge.and_then(|bridge| self.uplink(bridge, spec.uplink?));
        let mtu = self.mtu(spec, uplink);
        self.steps.push(Step::CreateEpair { nic, unit: epair_unit(&spec.jail_name) });
        self.steps.push(Step::NameJailHalf { nic, name: spec.jail_name });
        self.steps.push(Step::NameHostHalf { nic, name: spec.host_name.clone() });
        if let Some((host, jail)) = spec.macs {
            self.steps.push(Step::SetMacs { nic, host, jail });
        }
        self.steps.push(Step::SetMtu { nic, mtu });
        self.steps.push(Step::Describe { nic, text: spec.description.clone() });
        self.steps.push(Step::TakeOut { nic });
        if let Some(bridge) = spec.bridge {
            if let Some((member, _)) = uplink {
                self.steps.push(Step::AddUplink { bridge, member });
            }
            self.steps.push(Step::Join { nic, bridge });
        }
        self.steps.push(Step::BringUp { nic });
    }

    /// The interface of the host that has to be put on the bridge of a NIC, and its MTU, if there is one.
    fn uplink(&mut self, bridge: InterfaceName, uplink: Uplink) -> Option<(InterfaceName, Mtu)> {
        let member = uplink.interface;
        let other = self.uplinks.iter().find(|(_, planned)| *planned == member).map(|(other, _)| *other);
        let mtu = self.mtu_of(&bridge);
        let uplinking = match other {
            // An earlier NIC has put it there.
            Some(other) if other == bridge => Ok(Uplinking::IsThere),
            Some(other) => Err(Problem::UplinkElsewhere { member, other, wanted: bridge }),
            None => self.survey.uplinking(&bridge, &member, mtu),
        };
        match uplinking {
            Ok(Uplinking::Itself) => None,
            Ok(Uplinking::IsThere) => {
                self.uplinks.extend(other.is_none().then_some((bridge, member)));
                None
            }
            Ok(Uplinking::Add(mtu)) => {
                self.uplinks.push((bridge, member));
                Some((member, mtu))
            }
            Err(problem) => {
                if uplink.required { &mut self.problems } else { &mut self.left_out }.push(problem);
                None
            }
        }
    }

    /// The MTU of a bridge, if it has members by now.
    fn mtu_of(&self, bridge: &InterfaceName) -> Option<Mtu> {
        self.mtus.get(bridge).copied().or_else(|| self.survey.bridge_mtu(bridge))
    }

    /// The MTU of both halves: the bridge's, which its first member sets: an uplink, or this NIC.
    fn mtu(&mut self, nic: &Nic, uplink: Option<(InterfaceName, Mtu)>) -> Mtu {
        let Some(bridge) = nic.bridge else { return nic.mtu.unwrap_or(nic.default_mtu) };
        match self.survey.interface(&bridge) {
            Some(_) if !self.survey.is_bridge(&bridge) => {
                self.problems.push(Problem::NotABridge { name: bridge });
            }
            // The kernel makes a bridge under such a name only.
            None if !is_cloned_bridge_name(&bridge) => self.problems.push(Problem::NoBridge { name: bridge }),
            Some(_) | None => {}
        }
        if let Some(member) = self.survey.would_lose_inet6(&bridge) {
            self.problems.push(Problem::LinkLocalOverlap { member, bridge });
        }
        let known = self.mtu_of(&bridge);
        if let (Some(asked), Some(has)) = (nic.mtu, known)
            && asked != has
        {
            self.problems.push(Problem::MtuMismatch { nic: nic.jail_name, asked, bridge, has });
        }
        if let (Some(asked), None, Some((uplink, has))) = (nic.mtu, known, uplink)
            && asked != has
        {
            self.problems.push(Problem::NicMtu { nic: nic.jail_name, asked, bridge, uplink, has });
        }
        let mtu = known.or(uplink.map(|(_, mtu)| mtu)).or(nic.mtu).unwrap_or(nic.default_mtu);
        let has_inet6 = nic.accept_rtadv || !nic.inet6.is_empty();
        if has_inet6 && mtu.get() < MTU_OF_INET6 {
            self.problems.push(Problem::MtuOfInet6 { nic: nic.jail_name, mtu });
        }
        let is_other = |interface: &Interface| interface.mtu != mtu.get();
        if known.is_none() && self.survey.interface(&bridge).is_some_and(is_other) {
            self.empty.push(bridge);
        }
        self.mtus.insert(bridge, mtu);
        mtu
    }

    /// Two interfaces with one MAC address cannot both be heard on a bridge.
    fn check_macs(&mut self, nics: &[Nic]) {
        let mut seen = HashMap::new();
        for nic in nics {
            for mac in nic.macs.iter().flat_map(|(host, jail)| [host, jail]) {
                if let Some(other) = seen.insert(*mac, nic.jail_name) {
                    self.problems.push(Problem::DuplicateMac {
                        mac: *mac,
                        first: other,
                        second: nic.jail_name,
                    });
                } else if let Some(other) = self.survey.owner_of_mac(*mac) {
                    self.problems.push(Problem::DuplicateMac {
                        mac: *mac,
                        first: *other,
                        second: nic.jail_name,
                    });
                }
            }
        }
    }

    /// What is configured inside the jail.
    fn inside(&mut self, vnet: &VnetSpec) {
        self.steps.push(Step::StartLoopback);
        for network in &vnet.loopback4 {
            self.steps.push(Step::AddAddress4(JailInterface::Loopback, *network));
        }
        for network in &vnet.loopback6 {
            self.steps.push(Step::AddAddress6(JailInterface::Loopback, *network));
        }
        for (nic, spec) in vnet.nics.iter().enumerate() {
            if spec.accept_rtadv {
                self.steps.push(Step::AcceptRtadv { nic });
            }
            let interface = JailInterface::Nic(nic);
            self.steps.extend(spec.inet.iter().map(|network| Step::AddAddress4(interface, *network)));
            self.steps.extend(spec.inet6.iter().map(|network| Step::AddAddress6(interface, *network)));
            if spec.inet.is_empty() {
                self.steps.push(Step::BringUpInside { nic });
            }
        }
        for router in vnet.default4.iter().chain(&vnet.default6) {
            self.check_router(vnet, router);
            self.steps.push(Step::DefaultRoute(*router));
        }
    }

    /// The kernel resolves a router by the addresses there are; without one whose prefix covers it
    /// the route is refused with ENETUNREACH (`rt_getifa_fib`).
    fn check_router(&mut self, vnet: &VnetSpec, router: &Router) {
        let mut nics = vnet.nics.iter();
        let covered = match router.address {
            IpAddr::V4(address) => nics.flat_map(|nic| &nic.inet).any(|network| network.contains(address)),
            IpAddr::V6(address) if address.is_unicast_link_local() => router.nic.is_some(),
            IpAddr::V6(address) => {
                nics.any(|nic| nic.accept_rtadv || nic.inet6.iter().any(|network| network.contains(address)))
            }
        };
        if !covered && vnet.lent.is_empty() {
            self.problems.push(Problem::UnreachableRouter { router: router.address });
        }
    }
}

/// The unit under which the kernel itself names the second half of an epair so.
fn epair_unit(name: &InterfaceName) -> Option<u16> {
    let unit = name.as_str().strip_prefix("epair")?.strip_suffix('b')?;
    (unit == "0" || !unit.starts_with('0')).then(|| unit.parse().ok()).flatten()
}

fn is_cloned_bridge_name(name: &InterfaceName) -> bool {
    let unit = name.as_str().strip_prefix("bridge").unwrap_or_default();
    !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_digit())
}

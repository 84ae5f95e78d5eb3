//! From a specification and the present state of the host to a list of steps.

use std::collections::HashMap;
use std::net::IpAddr;

use super::problem::Problem;
use super::spec::{Alias, Devfs, JailSpec, Network, Nic, Router, Shared, VnetSpec};
use super::step::{JailInterface, Step};
use super::survey::Survey;
use crate::types::{InterfaceName, Mtu};

/// The steps that bring a jail up, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Vec<Step>,
}

impl Plan {
    /// Works out the steps, after checking everything that can be wrong: nothing is changed before
    /// all of it is known to be right, as far as that can be known.
    ///
    /// # Errors
    ///
    /// Every problem there is, not just the first.
    pub fn new(spec: &JailSpec, survey: &Survey) -> Result<Plan, Vec<Problem>> {
        let mut planner = Planner { survey, steps: Vec::new(), problems: Vec::new() };
        planner.check_jail(spec);
        if let Devfs::Generate { first, rules } = &spec.devfs {
            planner.steps.push(Step::CreateRuleset { first: *first, rules: rules.clone() });
        }
        planner.steps.extend(spec.mounts.iter().cloned().map(Step::Mount));
        match &spec.network {
            Network::Shared(shared) => planner.shared(shared),
            Network::Vnet(vnet) => planner.vnet(vnet),
        }
        planner.finish()
    }

    /// Works out the steps that give NICs and routes to a jail that is there, with a network stack of its own.
    pub(super) fn attaching(vnet: &VnetSpec, survey: &Survey) -> Result<Plan, Vec<Problem>> {
        let mut planner = Planner { survey, steps: Vec::new(), problems: Vec::new() };
        planner.check_macs(&vnet.nics);
        for (number, nic) in vnet.nics.iter().enumerate() {
            planner.nic(number, nic);
        }
        planner.inside(vnet);
        // It has its loopback.
        planner.steps.retain(|step| !matches!(step, Step::StartLoopback));
        // The host's half first: its name is in the journal, so that an attempt that was killed can be undone.
        for place in 1..planner.steps.len() {
            if let [Step::NameJailHalf { .. }, Step::NameHostHalf { .. }] = planner.steps[place - 1..=place] {
                planner.steps.swap(place - 1, place);
            }
        }
        planner.finish()
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

struct Planner<'a> {
    survey: &'a Survey,
    steps: Vec<Step>,
    problems: Vec<Problem>,
}

impl Planner<'_> {
    /// The plan; or every problem, once.
    fn finish(self) -> Result<Plan, Vec<Problem>> {
        let mut problems = Vec::new();
        for problem in self.problems {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(Plan { steps: self.steps }) } else { Err(problems) }
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

    fn shared(&mut self, shared: &Shared) {
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

    fn vnet(&mut self, vnet: &VnetSpec) {
        self.check_macs(&vnet.nics);
        for name in &vnet.lent {
            self.on_host(name);
        }
        self.steps.push(Step::HoldJail);
        for (number, nic) in vnet.nics.iter().enumerate() {
            self.nic(number, nic);
        }
        self.inside(vnet);
        self.steps.push(Step::Commit);
        self.steps.extend(vnet.lent.iter().copied().map(Step::Lend));
    }

    /// The epair of one NIC, up to its place on the bridge.
    fn nic(&mut self, nic: usize, spec: &Nic) {
        let mtu = self.mtu(spec);
        self.steps.push(Step::CreateEpair { nic, unit: epair_unit(&spec.jail_name) });
        self.steps.push(Step::NameJailHalf { nic, name: spec.jail_name });
        self.steps.push(Step::NameHostHalf { nic, name: spec.host_name.clone() });
        if let Some((host, jail)) = spec.macs {
            self.steps.push(Step::SetMacs { nic, host, jail });
        }
        self.steps.push(Step::SetMtu { nic, mtu });
        self.steps.push(Step::Describe { nic, text: spec.description.clone() });
        self.steps.push(Step::TakeOut { nic });
        if let Some(bridge) = &spec.bridge {
            if let Some(uplink) = &spec.uplink {
                self.uplink(bridge, uplink);
            }
            self.steps.push(Step::Join { nic, bridge: *bridge });
        }
        self.steps.push(Step::BringUp { nic });
    }

    /// An interface of the host that goes on the bridge too, unless it is there already.
    fn uplink(&mut self, bridge: &InterfaceName, member: &InterfaceName) {
        let Some(interface) = self.survey.interface(member) else {
            return self.problems.push(Problem::NoInterface { name: *member });
        };
        if let Some(other) = self.survey.bridge_of(member) {
            if other != bridge {
                let (member, other, wanted) = (*member, *other, *bridge);
                self.problems.push(Problem::UplinkElsewhere { member, other, wanted });
            }
        } else if !interface.addresses.is_empty() && !self.survey.member_addresses_allowed {
            self.problems.push(Problem::AddressOnMember { member: *member, bridge: *bridge });
        } else if !self
            .steps
            .iter()
            .any(|step| matches!(step, Step::AddUplink { member: other, .. } if other == member))
        {
            self.steps.push(Step::AddUplink { bridge: *bridge, member: *member });
        }
    }

    /// The MTU of both halves: the one asked for, else the bridge's, which its first member set.
    fn mtu(&mut self, nic: &Nic) -> Mtu {
        let mut bridge_mtu = None;
        if let Some(name) = &nic.bridge {
            match self.survey.interface(name) {
                Some(_) if !self.survey.is_bridge(name) => {
                    self.problems.push(Problem::NotABridge { name: *name })
                }
                // The kernel makes a bridge under such a name only.
                None if !is_cloned_bridge_name(name) => self.problems.push(Problem::NoBridge { name: *name }),
                Some(_) | None => bridge_mtu = self.survey.bridge_mtu(name),
            }
        }
        if let (Some(asked), Some(has), Some(bridge)) = (nic.mtu, bridge_mtu, nic.bridge)
            && asked != has
        {
            self.problems.push(Problem::MtuMismatch { nic: nic.jail_name, asked, bridge, has });
        }
        nic.mtu.or(bridge_mtu).unwrap_or(nic.default_mtu)
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

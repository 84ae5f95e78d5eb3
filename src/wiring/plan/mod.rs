//! Makes a list of steps from a specification and the present state of the host.

mod inside;
mod vlans;

use std::borrow::Cow;
use std::collections::HashMap;

use super::nat::JailNat;
use super::problem::{Problem, Problems};
use super::spec::{Alias, Devfs, HostName, JailSpec, Network, Nic, Shared, VnetSpec};
use super::step::Step;
use super::survey::Survey;
use super::survey::Uplinking;
use super::survey::{Separated, VlanUplink};
use super::uplink::Uplink;
use crate::Snapshot;
use crate::bridge::VlanSet;
use crate::interface::Interface;
use crate::types::{InterfaceName, Jid, Mtu};

/// IPV6_MMTU: IPv6 needs a link with at least this MTU.
const MTU_OF_INET6: u32 = 1280;

/// The steps that bring a jail up, in order.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "crate::spelling::Plan"))]
pub struct Plan {
    steps: Vec<Step>,
    uplinks: Vec<(InterfaceName, InterfaceName)>,
    notes: Vec<Problem>,
    empty: Vec<InterfaceName>,
    spec: JailSpec,
    filtering: Vec<InterfaceName>,
    carried: Vec<Carried>,
    vlan_uplinks: Vec<VlanUplink>,
    avoided: Vec<Jid>,
}

/// VLANs of a bridge, and the interface of the host that is to carry them.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    pub bridge: InterfaceName,
    pub member: InterfaceName,
    pub vlans: VlanSet,
}

impl Plan {
    /// Works out the steps. First it checks the specification against the host, so that problems are found
    /// before anything is changed.
    ///
    /// # Errors
    ///
    /// All problems that were found.
    pub fn new(spec: &JailSpec, survey: &Survey) -> Result<Plan, Problems> {
        let separated = survey.separate(spec);
        let mut planner = Planner::new(survey);
        let adopted = planner.adopt(separated);
        let spec = &*adopted;
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

    /// Works out the steps that give NICs and routes to an existing jail with a network stack of its own.
    /// `inside` is the present state of that network stack.
    pub(super) fn attaching(spec: &JailSpec, survey: &Survey, inside: &Snapshot) -> Result<Plan, Problems> {
        let separated = survey.separate(spec);
        let mut planner = Planner::new(survey);
        let adopted = planner.adopt(separated);
        let spec = &*adopted;
        let Network::Vnet(vnet) = &spec.network else {
            return Err(Problems(vec![Problem::NoStack { jail: spec.name.clone() }]));
        };
        planner.problems.extend_from_slice(survey.nat_problems());
        planner.inside = Some(inside);
        planner.check_macs(&vnet.nics);
        for (number, nic) in vnet.nics.iter().enumerate() {
            planner.nic(number, nic);
        }
        planner.inside(vnet);
        planner.publish(spec.nat.as_ref());
        // An existing jail has its loopback already.
        planner.steps.retain(|step| !matches!(step, Step::StartLoopback));
        // Name the host's end first. The journal has that name, so an attempt that is killed can be undone.
        for place in 1..planner.steps.len() {
            if let [Step::NameJailEnd { .. }, Step::NameHostEnd { .. }] = planner.steps[place - 1..=place] {
                planner.steps.swap(place - 1, place);
            }
        }
        planner.finish(spec)
    }

    /// Returns what the jail is to look like.
    pub fn spec(&self) -> &JailSpec {
        &self.spec
    }

    /// Returns the steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns what is unusual but does not prevent the start: an uplink that is left out, because it is not
    /// required; a NIC that is in no VLAN of its bridge.
    pub fn notes(&self) -> &[Problem] {
        &self.notes
    }

    /// The bridges of the jail, each with the host's interface on it: an uplink that the plan puts there, or
    /// that is there already.
    pub(super) fn uplinks(&self) -> &[(InterfaceName, InterfaceName)] {
        &self.uplinks
    }

    /// The bridges that have to filter VLANs. A missing bridge is made with the filter on.
    pub(super) fn filtering(&self) -> &[InterfaceName] {
        &self.filtering
    }

    /// The VLANs that interfaces of the host carry while the jail runs.
    pub(super) fn carried(&self) -> &[Carried] {
        &self.carried
    }

    /// The vlan(4) interfaces that are made, if they are missing, before they are put on bridges.
    pub(super) fn vlan_uplinks(&self) -> &[VlanUplink] {
        &self.vlan_uplinks
    }

    /// The jids that the jail must not get: an interface of the host has the name that the host's end of one of the
    /// jail's epairs would get.
    pub(super) fn avoided(&self) -> &[Jid] {
        &self.avoided
    }

    /// The bridges of the host that have no members, and get another MTU from their first member.
    pub(super) fn empty(&self) -> &[InterfaceName] {
        &self.empty
    }
}

pub(super) struct Planner<'a> {
    pub(super) survey: &'a Survey,
    steps: Vec<Step>,
    pub(super) problems: Vec<Problem>,
    /// The MTU of bridges once the NICs planned so far are on them.
    mtus: HashMap<InterfaceName, Mtu>,
    uplinks: Vec<(InterfaceName, InterfaceName)>,
    pub(super) notes: Vec<Problem>,
    empty: Vec<InterfaceName>,
    carried: Vec<Carried>,
    /// Whether bridges filter VLANs once the NICs planned so far are on them.
    pub(super) filtering: HashMap<InterfaceName, bool>,
    /// The vlan(4) interfaces that take the place of uplinks.
    vlan_uplinks: Vec<VlanUplink>,
    /// The bridges of single VLANs: unlike other bridges, they are made whatever their name is.
    vlan_bridges: Vec<InterfaceName>,
    avoided: Vec<Jid>,
    /// The present state of a running jail's network stack.
    inside: Option<&'a Snapshot>,
}

impl<'a> Planner<'a> {
    fn new(survey: &'a Survey) -> Planner<'a> {
        Planner {
            survey,
            steps: Vec::new(),
            problems: Vec::new(),
            mtus: HashMap::new(),
            uplinks: Vec::new(),
            notes: Vec::new(),
            empty: Vec::new(),
            carried: Vec::new(),
            filtering: HashMap::new(),
            vlan_uplinks: Vec::new(),
            vlan_bridges: Vec::new(),
            avoided: Vec::new(),
            inside: None,
        }
    }

    /// Takes over a specification that works on a kernel without VLAN filter, with its notes and problems.
    fn adopt<'s>(&mut self, separated: Separated<'s>) -> Cow<'s, JailSpec> {
        let Separated { spec, uplinks, bridges, problems, notes } = separated;
        self.problems.extend(problems);
        self.notes.extend(notes);
        (self.vlan_uplinks, self.vlan_bridges) = (uplinks, bridges);
        spec
    }

    /// Returns the plan, or all problems, each once.
    fn finish(self, spec: &JailSpec) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        for problem in self.problems {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let Planner { steps, uplinks, notes, empty, filtering, carried, mut vlan_uplinks, avoided, .. } =
            self;
        vlan_uplinks.retain(|made| uplinks.iter().any(|(_, member)| *member == made.name));
        let filtering =
            filtering.into_iter().filter(|(_, filters)| *filters).map(|(bridge, _)| bridge).collect();
        let spec = spec.clone();
        Ok(Plan { steps, uplinks, notes, empty, spec, filtering, carried, vlan_uplinks, avoided })
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

    /// Whether the host has the interface. Adds a problem if not.
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
        self.check_host_names(&vnet.nics);
        self.steps.push(Step::HoldJail);
        for (number, nic) in vnet.nics.iter().enumerate() {
            self.nic(number, nic);
        }
        self.inside(vnet);
        self.publish(nat);
        self.steps.push(Step::Commit);
        self.steps.extend(vnet.lent.iter().copied().map(Step::Lend));
    }

    /// Reports names for the host's ends that are taken. A name with the jid in it is not known yet: the jail is not
    /// to get a jid with which the name would be taken.
    fn check_host_names(&mut self, nics: &[Nic]) {
        for nic in nics {
            match &nic.host_name {
                HostName::Fixed(name) if self.survey.interface(name).is_some() => {
                    self.problems.push(Problem::NameTaken { name: *name, place: "the host" });
                }
                HostName::Fixed(_) => {}
                HostName::WithJid(prefix) => self.avoided.extend(self.survey.jids_after(prefix)),
            }
        }
    }

    /// The epair of one NIC, up to its place on the bridge.
    fn nic(&mut self, nic: usize, spec: &Nic) {
        let uplink = spec.bridge.and_then(|bridge| self.uplink(bridge, spec.uplink?));
        let mtu = self.mtu(spec, uplink);
        self.check_vlans(spec);
        self.steps.push(Step::CreateEpair { nic, unit: epair_unit(&spec.jail_name) });
        self.steps.push(Step::NameJailEnd { nic, name: spec.jail_name });
        self.steps.push(Step::NameHostEnd { nic, name: spec.host_name.clone() });
        if let Some((host, jail)) = spec.macs {
            self.steps.push(Step::SetMacs { nic, host, jail });
        }
        self.steps.push(Step::SetMtu { nic, mtu });
        self.steps.push(Step::Describe { nic, text: spec.description.clone() });
        self.steps.push(Step::TakeOut { nic });
        if let Some(bridge) = spec.bridge {
            if let Some((member, _)) = uplink {
                let is_missing =
                    |made: &&VlanUplink| made.name == member && self.survey.interface(&member).is_none();
                if let Some(VlanUplink { name, parent, tag }) = self.vlan_uplinks.iter().find(is_missing) {
                    self.steps.push(Step::MakeVlan { vlan: *name, parent: *parent, tag: *tag });
                }
                self.steps.push(Step::AddUplink { bridge, member });
            }
            self.carry(bridge, spec);
            self.steps.push(Step::Join { nic, bridge });
            if let Some(vlans) = &spec.vlans {
                self.steps.push(Step::SetVlans { nic, bridge, vlans: vlans.clone() });
            }
            if spec.isolated {
                self.steps.push(Step::Isolate { nic, bridge });
            }
        }
        for network in &spec.host_addresses {
            self.steps.push(Step::AddHostAddress { nic, network: *network });
        }
        self.steps.push(Step::BringUp { nic });
    }

    /// The interface of the host that has to be put on the bridge of a NIC, and its MTU, if there is one.
    fn uplink(&mut self, bridge: InterfaceName, uplink: Uplink) -> Option<(InterfaceName, Mtu)> {
        let member = uplink.interface;
        let other = self.uplinks.iter().find(|(_, planned)| *planned == member).map(|(other, _)| *other);
        let mtu = self.mtu_of(&bridge);
        let uplinking = match other {
            // An earlier NIC of this jail puts the uplink there.
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
                if uplink.required { &mut self.problems } else { &mut self.notes }.push(problem);
                None
            }
        }
    }

    /// Adds the VLANs of a NIC to those that its uplink carries.
    fn carry(&mut self, bridge: InterfaceName, nic: &Nic) {
        let (Some(vlans), Some(uplink)) = (&nic.vlans, nic.uplink) else { return };
        let member = uplink.interface;
        if !self.uplinks.contains(&(bridge, member)) {
            return;
        }
        self.carried.push(Carried { bridge, member, vlans: vlans.all() });
        let carried = self.survey.carried(&bridge, &member);
        let missing: VlanSet = vlans.all().iter().filter(|vlan| !carried.contains(*vlan)).collect();
        if !missing.is_empty() {
            self.steps.push(Step::Carry { bridge, member, vlans: missing });
        }
    }

    /// The MTU of a bridge, if it has members or gets members by this plan.
    fn mtu_of(&self, bridge: &InterfaceName) -> Option<Mtu> {
        self.mtus.get(bridge).copied().or_else(|| self.survey.bridge_mtu(bridge))
    }

    /// Chooses the MTU of both ends: the MTU of the bridge. If the bridge has no members, its first member
    /// sets the MTU: the uplink, or this NIC.
    fn mtu(&mut self, nic: &Nic, uplink: Option<(InterfaceName, Mtu)>) -> Mtu {
        let Some(bridge) = nic.bridge else { return nic.mtu.unwrap_or(nic.default_mtu) };
        match self.survey.interface(&bridge) {
            Some(_) if !self.survey.is_bridge(&bridge) => {
                self.problems.push(Problem::NotABridge { name: bridge });
            }
            // The kernel makes a bridge only under a name like bridge0.
            None if !is_cloned_bridge_name(&bridge) && !self.vlan_bridges.contains(&bridge) => {
                self.problems.push(Problem::NoBridge { name: bridge })
            }
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

    /// Reports two interfaces with the same MAC address: on one bridge, only one of them would get frames.
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
}

/// The unit with which the kernel itself gives this name to the second end of an epair.
fn epair_unit(name: &InterfaceName) -> Option<u16> {
    let unit = name.as_str().strip_prefix("epair")?.strip_suffix('b')?;
    (unit == "0" || !unit.starts_with('0')).then(|| unit.parse().ok()).flatten()
}

pub(super) fn is_cloned_bridge_name(name: &InterfaceName) -> bool {
    let unit = name.as_str().strip_prefix("bridge").unwrap_or_default();
    !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_digit())
}

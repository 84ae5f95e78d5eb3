//! Finds what prevents jails from working: on the host, in their configurations, and in the state of running jails.
//!
//! [`Scene::take`] reads the state once, and [`Scene::examine`] judges it. Nothing is changed. A [`Finding`] says
//! how to mend the problem.

mod bridges;
mod devd;
mod finding;
mod host;
mod jails;
mod leftovers;
mod lending;
mod nat;
mod reach;
mod remedies;
mod vlans;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use finding::{Finding, Fix, Kind, Level};

use super::config::{JailConfig, Network, VnetNetwork};
use super::name::JailName;
use super::store::{Entry, Store};
use crate::Snapshot;
use crate::error::Error;
use crate::interface::{Interface, InterfaceType};
use crate::jail;
use crate::route::RouteEntry;
use crate::types::{Fib, InterfaceName, Jid};
use crate::vlan::Vlan;
use crate::vnet::Vnet;
use crate::wiring::HostEnd;

/// The state of the host and its jails that the doctor judges.
#[derive(Debug)]
pub struct Scene<'a> {
    store: &'a Store,
    vnet: &'a Vnet,
    interfaces: Vec<Interface>,
    routes: Vec<RouteEntry>,
    /// The members of all bridges.
    members: BTreeMap<InterfaceName, Vec<InterfaceName>>,
    /// The vlan(4) interfaces, with their parents.
    vlans: BTreeMap<InterfaceName, Vlan>,
    /// The host's ends of jails' epairs.
    ends: BTreeMap<InterfaceName, HostEnd>,
    jails: Vec<Subject>,
    /// All running jails, by the kernel's names.
    running: BTreeMap<String, Jid>,
    /// The files and directories with the rules of devd(8).
    devd: Vec<PathBuf>,
}

/// A jail that is examined.
#[derive(Debug)]
struct Subject {
    entry: Entry,
    config: Result<JailConfig, Error>,
    jid: Option<Jid>,
}

impl Subject {
    fn name(&self) -> &JailName {
        &self.entry.name
    }

    /// The jail's network, if it is a VNET jail and its configuration has no errors.
    fn vnet(&self) -> Option<&VnetNetwork> {
        match &self.config.as_ref().ok()?.network {
            Network::Vnet(network) => Some(network),
            Network::Shared(_) => None,
        }
    }
}

impl<'a> Scene<'a> {
    /// Looks at the host and at all jails.
    ///
    /// # Errors
    ///
    /// Those of dumping interfaces and routes, of listing jails, and of reading directories.
    pub fn take(vnet: &'a Vnet, store: &'a Store) -> Result<Scene<'a>, Error> {
        let Snapshot { interfaces, routes } = vnet.snapshot(Fib::DEFAULT)?;
        let members = vnet.bridges_among(&interfaces)?.into_iter().collect();
        let ends = HostEnd::among(vnet, &interfaces)?.into_iter().map(|end| (end.name, end)).collect();
        let is_vlan = |interface: &&Interface| interface.kind == InterfaceType::VLAN;
        // A vlan(4) that has no parent, or has left the host meanwhile, is left out.
        let vlan = |name| vnet.vlan(&name).ok().flatten().map(|vlan| (name, vlan));
        let vlans = interfaces.iter().filter(is_vlan).filter_map(|interface| vlan(interface.name)).collect();
        let running: BTreeMap<String, Jid> =
            jail::list(&**vnet.kernel(), false)?.into_iter().map(|jail| (jail.name, jail.jid)).collect();
        let entries = store.jails()?;
        let properties = store.properties_of(&entries)?;
        let subject = |(entry, properties): (Entry, Result<_, Error>)| Subject {
            config: properties.and_then(|properties| JailConfig::from_properties(store, &entry, &properties)),
            jid: running.get(&entry.name.kernel_name()).copied(),
            entry,
        };
        let jails = entries.into_iter().zip(properties).map(subject).collect();
        let devd = ["/etc/devd.conf", "/etc/devd", "/usr/local/etc/devd"].map(PathBuf::from).into();
        Ok(Scene { store, vnet, interfaces, routes, members, vlans, ends, jails, running, devd })
    }

    /// Looks for devd's rules elsewhere than in the system's own places.
    pub fn with_devd(mut self, paths: &[&Path]) -> Scene<'a> {
        self.devd = paths.iter().map(|path| path.to_path_buf()).collect();
        self
    }

    /// Judges everything. The worst findings come first. With `ask` it also finds out whether the routers of
    /// running jails answer, which takes a moment.
    pub fn examine(&self, ask: bool) -> Vec<Finding> {
        let mut found = self.examine_quickly();
        if ask {
            self.reach(&mut found);
        }
        sorted(found)
    }

    /// Judges what concerns jails that are about to be started. Each problem is reported once. Left out are notes,
    /// and what a start itself checks and reports: its configuration, whether the kernel has VIMAGE, missing
    /// bridges, and what an earlier start has left. Routers are not asked, because the question needs a running
    /// jail.
    pub fn before_starts(&self, names: &BTreeSet<JailName>) -> Vec<Finding> {
        let mut found = Vec::new();
        self.host(&mut found);
        self.bridges(&mut found);
        self.defaults(&mut found);
        self.lending(&mut found);
        self.duplicates(&mut found);
        self.names(&mut found);
        self.epairs(&mut found);
        let concerns = |finding: &Finding| finding.jails.iter().any(|jail| names.contains(jail));
        found.retain(|finding| {
            finding.level >= Level::Warning && !finding.kind.is_refused_by_a_start() && concerns(finding)
        });
        sorted(found)
    }

    fn examine_quickly(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        self.host(&mut found);
        self.devd(&mut found);
        self.bridges(&mut found);
        self.configurations(&mut found);
        self.defaults(&mut found);
        self.misfits(&mut found);
        self.lending(&mut found);
        self.duplicates(&mut found);
        self.names(&mut found);
        self.leftovers(&mut found);
        found
    }

    fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == *name)
    }

    /// The VNET jails.
    fn vnet_jails(&self) -> impl Iterator<Item = (&Subject, &VnetNetwork)> {
        self.jails.iter().filter_map(|subject| Some((subject, subject.vnet()?)))
    }

    /// The jails with a NIC on this bridge.
    fn jails_on(&self, bridge: &InterfaceName) -> Vec<&JailName> {
        let is_on = |network: &VnetNetwork| network.nics.iter().any(|nic| nic.bridge == Some(*bridge));
        self.vnet_jails().filter(|(_, network)| is_on(network)).map(|(subject, _)| subject.name()).collect()
    }

    fn sysctl(&self, name: &str) -> Option<i32> {
        self.vnet.sysctl_int(name).ok()
    }
}

fn sorted(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    found
}

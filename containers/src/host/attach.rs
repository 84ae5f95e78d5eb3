//! Attaching a container to networks, and detaching it.

use std::net::IpAddr;
use std::path::Path;

use ipnetwork::IpNetwork;
use jailwire::bridge::MemberFlags;
use jailwire::error::ErrorKind;
use jailwire::jail::{self, JailInfo};
use jailwire::nd6::Nd6Flags;
use jailwire::types::{InterfaceName, MacAddr, Mtu, VlanId};
use jailwire::wiring::nat::Publication;
use jailwire::wiring::{self, AttachedNic, Lock};
use jailwire::{Route, Via, Vnet};

use super::record::{Progress, hash};
use super::{BridgeWanted, Failure, Host, Isolation, Key, Record, Reservation, Result, StaticRoute, inside};
use crate::net::Net;

/// A network that a container is to be attached to.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// The network's name.
    pub network: String,
    /// The name of the interface in the jail.
    pub interface: InterfaceName,
    /// The name of the host's end of the epair. Without one it is the first of `vnet0.JID`, `vnet1.JID` … that is free.
    pub host_interface: Option<InterfaceName>,
    /// The MAC address in the jail.
    pub mac: Option<MacAddr>,
    /// The MTU of both ends. Without one it is that of the bridge, or of the interface that the host's default
    /// route leaves by.
    pub mtu: Option<Mtu>,
    /// Where the host's end of the epair leads to.
    pub link: Link,
    /// The VLAN that untagged frames of the container belong to.
    pub vlan: Option<VlanId>,
    /// Whether the container is to reach no other container on the bridge that is kept apart, too.
    pub apart: bool,
    /// The container's addresses.
    pub addresses: Vec<Net>,
    /// Whether IPv6 addresses are checked for duplicates, which takes about a second.
    pub detect_duplicates: bool,
    /// The routers that may be the jail's default.
    pub routers: Vec<IpAddr>,
    /// Of two networks with routers the one with the lower metric has the default route.
    pub metric: u32,
    /// More routes.
    pub routes: Vec<StaticRoute>,
    /// The addresses that were given out for this.
    pub reservation: Option<Reservation>,
    /// Whether what leaves the container gets an address of the host.
    pub masquerade: super::Masquerade,
    /// Which other networks the network is kept apart from.
    pub isolation: Isolation,
    /// Ports of the host that lead into the container.
    pub published: Vec<Publication>,
}

/// What the host's end of the epair of an epair is joined with.
#[derive(Debug, Clone)]
pub enum Link {
    /// A bridge.
    Bridge(BridgeWanted),
    /// The host itself, which routes to the container, and has these addresses on its end of the epair.
    Host {
        /// The container's gateways.
        gateways: Vec<IpAddr>,
        /// The sysctls of forwarding that have to be on.
        forwarding: Vec<&'static str>,
    },
}

impl Link {
    fn bridge(&self) -> Option<&BridgeWanted> {
        match self {
            Link::Bridge(bridge) => Some(bridge),
            Link::Host { .. } => None,
        }
    }
}

/// A container that is about to be attached: its names are free, and its lock is held.
#[derive(Debug)]
pub struct Prepared {
    jail: JailInfo,
    container: String,
    /// The interfaces of the jail.
    present: Vec<InterfaceName>,
    _lock: Lock,
}

impl Host {
    /// Gets ready to attach a container: takes its lock, takes away what a killed command left of the same attachments,
    /// and looks whether the names are free in the jail. Nothing new is made.
    ///
    /// # Errors
    ///
    /// [`Failure::Exists`] when the jail has an interface of that name.
    pub fn prepare(
        &self,
        jail: JailInfo,
        container: &str,
        wanted: &[(String, InterfaceName)],
    ) -> Result<Prepared> {
        self.sweep_killed()?;
        let lock = self.records.lock_container(container)?;
        let known = self.with_files(|files| self.records.all(files))?;
        for (network, interface) in wanted {
            let key = Key::new(container, network, interface);
            for (record, progress) in known.iter().filter(|(record, _)| record.key == key) {
                // An attachment in this very jail is reported below, by its interface.
                if *progress == Progress::Pending || record.jid != jail.jid.get() {
                    self.take_away(record, *progress)?;
                }
            }
        }
        let present = Vnet::enter(self.kernel().clone(), jail.jid)?.links()?;
        let present: Vec<InterfaceName> = present.into_iter().map(|link| link.name).collect();
        for (_, interface) in wanted {
            if present.contains(interface) {
                return Err(Failure::Exists(format!(
                    "interface {interface} already exists in jail {}: detach it, or choose another name",
                    jail.name
                )));
            }
        }
        Ok(Prepared { jail, container: container.to_owned(), present, _lock: lock })
    }

    /// Attaches a container to networks: to all of them, or to none.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] when something does not fit this host, [`Failure::Refused`] when the kernel refuses. All
    /// of it is undone then.
    pub fn attach(&self, prepared: &Prepared, wanted: &[Attachment]) -> Result<Vec<AttachedNic>> {
        let Prepared { jail, container, present, .. } = prepared;
        for one in wanted {
            if one.link.bridge().is_some() {
                inside::check_routers(&one.routers, &one.addresses)?;
            }
            one.routes.iter().try_for_each(inside::check_route)?;
        }
        let begun = u64::try_from(self.kernel().now().as_nanos()).unwrap_or(u64::MAX);
        let records: Vec<Record> = wanted
            .iter()
            .map(|one| Record {
                boot: self.records.boot().to_owned(),
                key: Key::new(container, &one.network, &one.interface),
                jail: jail.name.clone(),
                jid: jail.jid.get(),
                epair: true,
                bridge: one.link.bridge().map(|bridge| bridge.name.to_string()),
                addresses: one.addresses.iter().map(|address| address.0.ip()).collect(),
                masquerade: one.masquerade,
                isolation: one.isolation,
                networks: one.addresses.iter().map(|address| address.network()).collect(),
                published: one.published.iter().map(ToString::to_string).collect(),
                routers: one.routers.clone(),
                metric: one.metric,
                begun,
                present: present.iter().map(ToString::to_string).collect(),
                routes: one.lasting_routes(),
                reservation: one.reservation.clone(),
            })
            .collect();
        let begin = |record| self.with_files(|files| self.records.begin(files, record));
        let begun = records.iter().try_for_each(begin);
        let made = begun.and_then(|()| self.make(jail, container, wanted, &records));
        if made.is_err() {
            // The first failure is the one to tell. What cannot be undone stays on the record.
            for record in &records {
                let _ = self.take_away(record, Progress::Pending);
            }
            let _ = self.sweep_shared();
        }
        made
    }

    fn make(
        &self,
        jail: &JailInfo,
        container: &str,
        wanted: &[Attachment],
        records: &[Record],
    ) -> Result<Vec<AttachedNic>> {
        for one in wanted {
            match &one.link {
                Link::Bridge(bridge) => self.ensure_bridge(bridge)?,
                Link::Host { forwarding, .. } => self.ensure_forwarding(forwarding)?,
            }
        }
        let mut attachment = self.wiring.attach(jail.jid);
        for one in wanted {
            attachment = match one.link.bridge() {
                Some(bridge) => attachment.nic(bridge.name),
                None => attachment.nic_alone(),
            };
            attachment = attachment.named(one.interface);
            if let Some(name) = one.host_interface {
                attachment = attachment.host_named(name);
            }
            if let Some(mac) = one.mac {
                attachment = attachment.macs(host_mac(container, &one.interface), mac);
            }
            if let Some(mtu) = one.mtu.or(self.default_mtu(one.link.bridge())?) {
                attachment = attachment.mtu(mtu);
            }
            for address in one.addresses.iter().filter(|address| address.0.is_ipv4()) {
                attachment = attachment.address(address.0);
            }
        }
        let attached = attachment.apply()?;
        for (one, nic) in wanted.iter().zip(&attached.nics) {
            self.finish_host_end(one, &nic.host)?;
        }
        let inside = Vnet::enter(self.kernel().clone(), attached.jid)?;
        inside::start_loopback(&inside)?;
        for (one, nic) in wanted.iter().zip(&attached.nics) {
            inside::configure(&inside, &nic.jail, one)?;
        }
        self.settle_defaults(&inside, jail, records)?;
        drop(inside);
        if records.iter().any(Record::needs_pf) {
            self.settle_nat(&jail.name, records)?;
        }
        for record in records {
            self.with_files(|files| self.records.complete(files, record))?;
        }
        Ok(attached.nics)
    }

    /// What the host's end of the epair gets besides its place on a bridge.
    fn finish_host_end(&self, one: &Attachment, end: &InterfaceName) -> Result<()> {
        let host = self.wiring.host();
        match &one.link {
            Link::Bridge(bridge) => {
                if let Some(vlan) = one.vlan {
                    host.set_member_pvid(&bridge.name, end, Some(vlan))?;
                }
                if one.apart {
                    let private = MemberFlags::PRIVATE;
                    host.change_member_flags(&bridge.name, end, private, MemberFlags::empty())?;
                }
            }
            Link::Host { gateways, .. } => {
                for gateway in gateways {
                    match IpNetwork::from(*gateway) {
                        IpNetwork::V4(network) => host.add_ipv4(end, network)?,
                        IpNetwork::V6(network) => {
                            host.change_nd6_flags(end, Nd6Flags::NO_DAD, Nd6Flags::empty())?;
                            host.add_ipv6(end, network)?;
                        }
                    }
                }
                let index = host.index(end)?;
                for address in &one.addresses {
                    host.add_route(&Route::new(IpNetwork::from(address.0.ip()), Via::Interface(index)))?;
                }
            }
        }
        Ok(())
    }

    /// Returns the MTU for the first container on a bridge: that of the interface that the host's default route
    /// leaves by. Members of a bridge share one MTU, so the later ones have no choice.
    fn default_mtu(&self, bridge: Option<&BridgeWanted>) -> Result<Option<Mtu>> {
        let host = self.wiring.host();
        if let Some(bridge) = bridge
            && !host.member_names(&bridge.name)?.is_empty()
        {
            return Ok(None);
        }
        let everywhere = IpNetwork::new(IpAddr::from([0, 0, 0, 0]), 0).expect("0 is a prefix length");
        let Some(route) = host.route(everywhere, jailwire::types::Fib::DEFAULT)? else { return Ok(None) };
        let Some(interface) = route.interface else { return Ok(None) };
        Ok(Mtu::new(host.mtu(&interface)?).ok())
    }

    /// Detaches a container from a network. Where it is not attached, or its jail is gone, only what is left of it is
    /// taken away.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] when the kernel kept something.
    pub fn detach(&self, namespace: Option<&JailInfo>, key: &Key) -> Result<()> {
        self.sweep_killed()?;
        let _lock = self.records.lock_container(&key.container)?;
        let known = self.with_files(|files| self.records.all(files))?;
        let mut found = false;
        for (record, progress) in known.iter().filter(|(record, _)| record.key == *key) {
            found = true;
            self.take_away(record, *progress)?;
        }
        // The records may have been removed. The description of the host's end of the epair says whose it is.
        if let (false, Some(jail)) = (found, namespace) {
            let of_another = |record: &Record| {
                record.epair && record.jid == jail.jid.get() && record.key.interface == key.interface
            };
            if !known.iter().any(|(record, _)| of_another(record)) {
                self.detach_epair(&jail.name, &key.interface)?;
            }
        }
        self.sweep_shared()
    }

    /// Takes away what other processes left that were killed.
    fn sweep_killed(&self) -> Result<()> {
        for (record, progress) in self.with_files(|files| self.records.all(files))? {
            if progress == Progress::Pending && !self.records.is_locked(&record.key.container) {
                let _lock = self.records.lock_container(&record.key.container)?;
                // Somebody may have done it meanwhile, and attached the container anew.
                let again = self.with_files(|files| self.records.all(files))?;
                if again.contains(&(record.clone(), Progress::Pending)) {
                    self.take_away(&record, Progress::Pending)?;
                }
            }
        }
        Ok(())
    }

    /// Takes away all attachments to a network but the valid ones. What fails does not keep the others.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub fn collect(&self, network: &str, is_valid: impl Fn(&Record) -> Result<bool>) -> Result<()> {
        let mut first_failure = None;
        for (record, progress) in self.with_files(|files| self.records.all(files))? {
            if record.key.network != network {
                continue;
            }
            let collected = is_valid(&record).and_then(|valid| {
                if valid {
                    return Ok(());
                }
                let _lock = self.records.lock_container(&record.key.container)?;
                self.take_away(&record, progress)
            });
            if let Err(failure) = collected {
                first_failure.get_or_insert(failure);
            }
        }
        if let Err(failure) = self.sweep_shared() {
            first_failure.get_or_insert(failure);
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// Tells whether the jail of an attachment runs. A jail of that name with another jid is another jail.
    ///
    /// # Errors
    ///
    /// As [`jail::get`].
    pub fn has_jail_of(&self, record: &Record) -> Result<bool> {
        let jail = jail::get(&**self.kernel(), record.jail.as_str())?;
        Ok(jail.is_some_and(|info| info.jid.get() == record.jid))
    }

    /// Takes an attachment away, under the container's lock. The record goes last.
    pub(super) fn take_away(&self, record: &Record, progress: Progress) -> Result<()> {
        self.with_files(|files| self.records.undo(files, record))?;
        // The ports first: the address may be another container's next.
        self.settle_nat_without(record)?;
        if !record.epair {
            return Ok(self.with_files(|files| self.records.forget(files, record))?);
        }
        // A jail of that name with another jid is another jail. The epair of the first one went with it.
        let jail = jail::get(&**self.kernel(), record.jail.as_str())?;
        match jail.filter(|info| info.jid.get() == record.jid && info.vnet) {
            Some(info) => {
                self.undo_killed(&info.name)?;
                self.detach_epair(&info.name, &record.key.interface)?;
                if progress == Progress::Pending {
                    self.destroy_nameless(&info, record)?;
                }
                self.tidy_inside(&info, record)?;
            }
            None => self.undo_killed(&record.jail)?,
        }
        if let Some(reservation) = &record.reservation {
            self.release_reservation(&reservation.directory, &record.key)?;
        }
        Ok(self.with_files(|files| self.records.forget(files, record))?)
    }

    /// Takes away what was being attached when somebody was killed.
    fn undo_killed(&self, jail: &str) -> Result<()> {
        let site = self.wiring.site();
        if !site.state.attaching(jail).exists() {
            return Ok(());
        }
        let claim = wiring::Claim::take(&site, jail, |_| {})?;
        match claim.clear_attaching(&site)?.failures.first() {
            Some((owned, failure)) => {
                Err(Failure::Refused(format!("{owned} could not be taken away: {failure}")))
            }
            None => Ok(()),
        }
    }

    /// Destroys an epair that was made in a jail and has no name of its own yet: the journal cannot have it, since the
    /// kernel tells its name only afterwards. The jail is claimed, so no other process is about to name it.
    fn destroy_nameless(&self, jail: &JailInfo, record: &Record) -> Result<()> {
        let _claim = wiring::Claim::take(&self.wiring.site(), &jail.name, |_| {})?;
        let inside = Vnet::enter(self.kernel().clone(), jail.jid)?;
        for found in inside.interfaces()? {
            let is_new = !record.present.iter().any(|present| found.name == present.as_str());
            if is_new && is_first_end(&found.name) && !found.is_up() && found.addresses.is_empty() {
                inside.destroy(&found.name)?;
            }
        }
        Ok(())
    }

    /// Destroys the epair whose end in a jail was made under this name.
    fn detach_epair(&self, jail: &str, interface: &str) -> Result<()> {
        for (host_end, jail_end) in self.wiring.epairs_of(jail)? {
            if jail_end == *interface {
                match self.wiring.detach(&host_end) {
                    // The jail went meanwhile, and took it along.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Takes away what stays in a jail when an interface goes, and leads the default routes through the networks that
    /// are left.
    fn tidy_inside(&self, jail: &JailInfo, record: &Record) -> Result<()> {
        let others = self.with_files(|files| self.records.all(files))?;
        let left = others.iter().any(|(other, progress)| {
            other.jid == record.jid && *progress == Progress::Attached && !other.routers.is_empty()
        });
        if record.routes.is_empty() && !left {
            return Ok(());
        }
        let inside = Vnet::enter(self.kernel().clone(), jail.jid)?;
        inside::remove_routes(&inside, &record.routes)?;
        self.settle_defaults(&inside, jail, &[])
    }

    /// Gives addresses back.
    fn release_reservation(&self, directory: &Path, key: &Key) -> Result<()> {
        let released = self.with_files(|files| {
            crate::cni::ipam::store::Store::open(directory, files)?.release(&key.container, &key.interface)
        });
        released.map_err(|error| Failure::Refused(error.to_string()))
    }
}

/// Whether a name is one that the kernel gives to the first end of an epair.
fn is_first_end(name: &InterfaceName) -> bool {
    let unit = name.as_str().strip_prefix("epair").and_then(|rest| rest.strip_suffix('a'));
    unit.is_some_and(|unit| !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The MAC address of the host's end of the epair, where that of the jail's end of the epair is given: from the names, under the prefix that
/// the library uses.
fn host_mac(container: &str, interface: &InterfaceName) -> MacAddr {
    let [a, b, c, d, ..] = hash([container, interface.as_str()]).to_be_bytes();
    MacAddr([0x02, a, b, c, d, 0x0a])
}

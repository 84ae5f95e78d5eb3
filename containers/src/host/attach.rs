//! Attaching a container to networks, and detaching it.

use std::net::IpAddr;
use std::path::Path;

use ipnetwork::IpNetwork;
use jailwire::bridge::MemberFlags;
use jailwire::error::ErrorKind;
use jailwire::jail::{self, JailInfo};
use jailwire::nd6::Nd6Flags;
use jailwire::types::{InterfaceName, Jid, MacAddr, Mtu, VlanId};
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
    /// The name of the host's end of the epair. The default is the first free name of `vnet0.JID`, `vnet1.JID` ….
    pub host_interface: Option<InterfaceName>,
    /// The MAC address in the jail.
    pub mac: Option<MacAddr>,
    /// The MTU of both ends. The default is the MTU of the bridge, or of the interface of the host's default route.
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
    /// The metric. Of two networks with routers, the network with the lower metric has the default route.
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
    /// The host itself, which routes to the container, and has these addresses on the host's end of the epair.
    Host {
        /// The container's gateways.
        gateways: Vec<IpAddr>,
        /// The forwarding sysctls that have to be on.
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
    /// The jail's network stack. A child process enters the jail once for it.
    inside: Vnet,
    /// The interfaces of the jail.
    present: Vec<InterfaceName>,
    _lock: Lock,
}

impl Host {
    /// Prepares an attachment: takes the container's lock, removes what a killed command has left of the same
    /// attachments, and checks that the names are free in the jail. Nothing new is made.
    ///
    /// # Errors
    ///
    /// [`Failure::Exists`] when the jail has an interface with the name.
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
                // An existing attachment in this jail is reported below, by its interface.
                if *progress == Progress::Pending || record.jid != jail.jid.get() {
                    self.take_away(record, *progress)?;
                }
            }
        }
        let inside = Vnet::enter(self.kernel().clone(), jail.jid)?;
        let present: Vec<InterfaceName> = inside.links()?.into_iter().map(|link| link.name).collect();
        for (_, interface) in wanted {
            if present.contains(interface) {
                return Err(Failure::Exists(format!(
                    "interface {interface} already exists in jail {}: detach it, or choose another name",
                    jail.name
                )));
            }
        }
        Ok(Prepared { jail, container: container.to_owned(), inside, present, _lock: lock })
    }

    /// Attaches a container to networks: to all of them, or to none.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] when something does not fit this host or this jail, [`Failure::Refused`] when the kernel
    /// refuses. All of it is undone then.
    pub fn attach(&self, prepared: &Prepared, wanted: &[Attachment]) -> Result<Vec<AttachedNic>> {
        let Prepared { jail, container, inside, present, .. } = prepared;
        for one in wanted {
            if one.link.bridge().is_some() {
                inside::check_routers(&one.routers, &one.addresses)?;
            }
            one.routes.iter().try_for_each(inside::check_route)?;
        }
        inside::check_destinations(inside, jail, wanted)?;
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
                lasting: one.lasting_routes(),
                reservation: one.reservation.clone(),
            })
            .collect();
        let begin = |record| self.with_files(|files| self.records.begin(files, record));
        let begun = records.iter().try_for_each(begin);
        let made = begun.and_then(|()| self.make(prepared, wanted, &records));
        if made.is_err() {
            // Report the first error. What cannot be undone stays in its record.
            for record in &records {
                let _ = self.take_away(record, Progress::Pending);
            }
            let _ = self.sweep_shared();
        }
        made
    }

    fn make(
        &self,
        prepared: &Prepared,
        wanted: &[Attachment],
        records: &[Record],
    ) -> Result<Vec<AttachedNic>> {
        let Prepared { jail, container, inside, .. } = prepared;
        for one in wanted {
            match &one.link {
                Link::Bridge(bridge) => self.ensure_bridge(bridge)?,
                Link::Host { forwarding, .. } => self.ensure_forwarding(forwarding)?,
            }
        }
        self.keep_ticking();
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
        inside::start_loopback(inside)?;
        for (one, nic) in wanted.iter().zip(&attached.nics) {
            inside::configure(inside, &nic.jail, one)?;
        }
        self.settle_defaults(inside, jail, records)?;
        if records.iter().any(Record::needs_pf) {
            self.settle_nat(&jail.name, records)?;
        }
        for record in records {
            self.with_files(|files| self.records.complete(files, record))?;
        }
        Ok(attached.nics)
    }

    /// Configures the host's end of the epair, after it was put on its bridge.
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

    /// Returns the MTU for the first container on a bridge: the MTU of the interface of the host's default route.
    /// Later members get the bridge's MTU, because all members of a bridge share one MTU.
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

    /// Detaches a container from a network. If it is not attached, or its jail is gone, only remains are removed.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] when the kernel refused to remove something.
    pub fn detach(&self, namespace: Option<&JailInfo>, key: &Key) -> Result<()> {
        self.sweep_killed()?;
        let _lock = self.records.lock_container(&key.container)?;
        let known = self.with_files(|files| self.records.all(files))?;
        let mut found = false;
        for (record, progress) in known.iter().filter(|(record, _)| record.key == *key) {
            found = true;
            self.take_away(record, *progress)?;
        }
        // The records may have been removed. The description of the host's end of the epair names the container.
        if let (false, Some(jail)) = (found, namespace) {
            let of_another = |record: &Record| {
                record.epair && record.jid == jail.jid.get() && record.key.interface == key.interface
            };
            if !known.iter().any(|(record, _)| of_another(record)) {
                self.detach_epair(&jail.name, &key.interface)?;
                self.settle_defaults_without(jail, key)?;
            }
        }
        self.sweep_shared()
    }

    /// Removes what killed processes have left.
    fn sweep_killed(&self) -> Result<()> {
        for (record, progress) in self.with_files(|files| self.records.all(files))? {
            if progress == Progress::Pending && !self.records.is_locked(&record.key.container) {
                let _lock = self.records.lock_container(&record.key.container)?;
                // Another process may have done this meanwhile, and attached the container again.
                let again = self.with_files(|files| self.records.all(files))?;
                if again.contains(&(record.clone(), Progress::Pending)) {
                    self.take_away(&record, Progress::Pending)?;
                }
            }
        }
        Ok(())
    }

    /// Removes all attachments to a network except the valid ones. If one fails, the others are removed all the
    /// same.
    ///
    /// # Errors
    ///
    /// The first error.
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

    /// Removes an attachment. The caller has the container's lock. The record is removed last.
    pub(super) fn take_away(&self, record: &Record, progress: Progress) -> Result<()> {
        self.with_files(|files| self.records.undo(files, record))?;
        // Remove the ports first: another container may get the address next.
        self.settle_nat_without(record)?;
        if !record.epair {
            return Ok(self.with_files(|files| self.records.forget(files, record))?);
        }
        self.keep_ticking();
        // A jail with this name and another jid is another jail. The epair was removed with the first jail.
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
            None => {
                self.undo_killed(&record.jail)?;
                if let Ok(jid) = Jid::new(record.jid) {
                    self.with_files(|files| self.records.set_defaults(files, jid, None))?;
                }
            }
        }
        if let Some(reservation) = &record.reservation {
            self.release_reservation(&reservation.directory, &record.key)?;
        }
        Ok(self.with_files(|files| self.records.forget(files, record))?)
    }

    /// Removes the unfinished attachment of a killed process.
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

    /// Destroys an epair that was made in a jail and was not renamed yet. The journal cannot have it, because the
    /// kernel returns its name only afterwards. The caller has the claim on the jail, so no other process is about
    /// to rename the epair.
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

    /// Destroys the epair whose jail's end had this name when it was made.
    fn detach_epair(&self, jail: &str, interface: &str) -> Result<()> {
        for (host_end, jail_end) in self.wiring.epairs_of(jail)? {
            if jail_end == *interface {
                self.keep_ticking();
                match self.wiring.detach(&host_end) {
                    // The jail has gone meanwhile, and the epair with it.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Removes what stays in a jail when an interface is removed, and sets the jail's default routes.
    fn tidy_inside(&self, jail: &JailInfo, record: &Record) -> Result<()> {
        if !record.lasting.is_empty() {
            let inside = Vnet::enter(self.kernel().clone(), jail.jid)?;
            inside::remove_routes(&inside, &record.lasting)?;
        }
        if record.routers.is_empty() { Ok(()) } else { self.settle_defaults_without(jail, &record.key) }
    }

    /// Takes addresses back.
    fn release_reservation(&self, directory: &Path, key: &Key) -> Result<()> {
        let released = self.with_files(|files| {
            crate::cni::ipam::store::Store::open(directory, files)?.release(&key.container, &key.interface)
        });
        released.map_err(|error| Failure::Refused(error.to_string()))
    }
}

/// Whether the kernel gives this name to the first end of an epair.
fn is_first_end(name: &InterfaceName) -> bool {
    let unit = name.as_str().strip_prefix("epair").and_then(|rest| rest.strip_suffix('a'));
    unit.is_some_and(|unit| !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The MAC address of the host's end of the epair, if the MAC address of the jail's end is given. It is derived
/// from the names, with the prefix that the library uses.
fn host_mac(container: &str, interface: &InterfaceName) -> MacAddr {
    let [a, b, c, d, ..] = hash([container, interface.as_str()]).to_be_bytes();
    MacAddr([0x02, a, b, c, d, 0x0a])
}

//! Epairs for a jail that exists already, of any manager.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnetwork::IpNetwork;

use super::claim::{self, Claim, Standing};
use super::host_end::{HostEnd, jid_of_host_end};
use super::identity::Identity;
use super::journal::{Journal, Owned};
use super::nat::{Backend, Publication};
use super::nic::{Draft, jail_end, nat_methods, nic_methods};
use super::nic_address::NicAddress;
use super::open::{Wiring, nothing_owed};
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::run::{self, Site};
use super::shared;
use super::spec::{Devfs, HostName, JailSpec, Network, VnetSpec};
use super::step::Step;
use super::survey::Survey;
use super::undo::{self, Owed};
use super::value_or_text::ValueOrText;
use crate::Error;
use crate::bridge::VlanSet;
use crate::jail::{self, JailInfo, JailKey, JailParameters};
use crate::kernel::Errno;
use crate::types::{Fib, InterfaceName, Jid, MacAddr, Mtu, VlanId};
use crate::vnet::Vnet;

/// NICs that are being described for a jail that exists already: made by [`Wiring::attach`], finished by
/// [`Attachment::apply`].
#[derive(Debug, Clone)]
#[must_use = "describing a NIC attaches nothing: call `apply`"]
pub struct Attachment<'a> {
    wiring: &'a Wiring,
    jail: JailKey,
    draft: Draft,
}

/// An epair that was attached to a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The jail.
    pub jid: Jid,
    /// Its name.
    pub jail: String,
    /// Its new NICs, in the order they were described.
    pub nics: Vec<AttachedNic>,
    /// Problems that are no errors: see [`Plan::notes`].
    pub notes: Vec<Problem>,
}

/// An epair between the host and a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttachedNic {
    /// The name of the host's end.
    pub host: InterfaceName,
    /// The name of the jail's end.
    pub jail: InterfaceName,
    /// The MAC address of the host's end.
    pub host_mac: Option<MacAddr>,
    /// The MAC address of the jail's end.
    pub jail_mac: Option<MacAddr>,
    /// Their MTU, in bytes.
    pub mtu: u32,
    /// The bridge that the host's end was put on.
    pub bridge: Option<InterfaceName>,
}

/// What was described, made into steps.
struct Planned {
    vnet: VnetSpec,
    plan: Plan,
    survey: Survey,
}

impl<'a> Attachment<'a> {
    /// Begins another NIC, on a bridge. A missing bridge is made.
    pub fn nic(mut self, bridge: impl ValueOrText<InterfaceName>) -> Attachment<'a> {
        self.draft.begin();
        if let Some(bridge) = self.draft.take("the bridge", bridge) {
            self.draft.nic().bridge = Some(bridge);
        }
        self
    }

    /// Begins another NIC, on no bridge.
    pub fn nic_alone(mut self) -> Attachment<'a> {
        self.draft.begin();
        self
    }

    nic_methods!();
    nat_methods!();

    /// Attaches what was described: all of it, or nothing.
    ///
    /// The epairs are made inside the jail, through sockets that a child process opens there, and are destroyed with
    /// the jail. If a step fails, the steps before it are undone. If the process is killed, the next call for this
    /// jail, or [`Claim::clear_attaching`], takes away what is left. An epair that was made and not named yet remains
    /// until the jail is removed.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): there is no such jail, the jail has no network stack of its own, or the description
    ///   has problems. Nothing was changed.
    /// * a step failed, and the steps before it were undone.
    /// * a call to the kernel or to a file failed, outside any step.
    ///
    /// # Source
    ///
    /// SIOCIFCREATE2 in the jail's stack, SIOCSIFRVNET, and what follows from the description:
    /// [`epair(4)`](https://man.freebsd.org/epair(4)), [`vnet(9)`](https://man.freebsd.org/vnet(9)).
    pub fn apply(self) -> Result<Attached, Error> {
        let wiring = self.wiring;
        let info = wiring.jail_with_stack(self.jail.clone())?;
        let site = wiring.site();
        let claim = Claim::take(&site, &info.name, |_| {})?;
        nothing_owed(claim.clear_attaching(&site)?)?;
        // It may be another one by now.
        let info = wiring.jail_with_stack(self.jail.clone())?;
        if matches!(claim.standing(), Standing::Partial(_)) {
            return Err(Error::from(Problem::Unfinished { name: info.name }));
        }
        let mut journal = Journal::open(&wiring.state.attaching(&info.name), &wiring.boot)?;
        let inside = Vnet::enter(wiring.kernel().clone(), info.jid)?;
        let Some((jid, identity)) = Identity::read(&**wiring.kernel(), info.jid)? else {
            return Err(Error::from(Problem::NoJail { jail: info.name }));
        };
        journal.begin_with(jid, identity);
        let Planned { vnet, plan, .. } = self.planned(&info, &inside)?;
        let epairs = run::apply_inside(&site, &mut journal, &plan, inside)?;
        // From here on the jail owns them.
        if let Err(error) = journal.keep(site.files, Vec::new()) {
            drop(undo_attaching(&site, &info.name)?);
            return Err(error);
        }
        let mut nics = Vec::new();
        let mtus = plan.steps().iter().filter_map(|step| match step {
            Step::SetMtu { mtu, .. } => Some(mtu.get()),
            _ => None,
        });
        for ((nic, epair), mtu) in vnet.nics.iter().zip(epairs).zip(mtus) {
            nics.push(AttachedNic {
                host: epair.a,
                jail: epair.b,
                host_mac: nic.macs.map(|(host, _)| host),
                jail_mac: nic.macs.map(|(_, jail)| jail),
                mtu,
                bridge: nic.bridge,
            });
        }
        Ok(Attached { jid: info.jid, jail: info.name, nics, notes: plan.notes().to_vec() })
    }

    /// Returns what [`Attachment::apply`] would do now: each step, and the requests that it makes to change something,
    /// by their C names. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Problems`](crate::ErrorKind::Problems), as of [`Attachment::apply`]; and the kernel's errors from a look at the jail.
    pub fn plan(self) -> Result<Vec<(Step, Vec<&'static str>)>, Error> {
        let info = self.wiring.jail_with_stack(self.jail.clone())?;
        let inside = Vnet::enter(self.wiring.kernel().clone(), info.jid)?;
        let Planned { plan, survey, .. } = self.planned(&info, &inside)?;
        Ok(plan.requests(&survey).into_iter().map(|(step, requests)| (step.clone(), requests)).collect())
    }

    fn planned(mut self, info: &JailInfo, inside: &Vnet) -> Result<Planned, Error> {
        self.choose_names(inside, info.jid)?;
        self.draft.complete(&info.name, &self.wiring.host_uuid());
        self.check_names(inside)?;
        if !self.draft.mistakes.is_empty() {
            return Err(Problems(self.draft.mistakes).into());
        }
        let vnet = self.draft.vnet;
        let nat = self.draft.nat.of(&info.name, &Network::Vnet(vnet.clone()));
        if nat.is_some() && self.wiring.published()?.iter().any(|other| other.is_of(&info.name)) {
            return Err(Error::from(Problem::HasNat { jail: info.name.clone() }));
        }
        let spec = JailSpec {
            name: info.name.clone(),
            path: PathBuf::new(),
            parameters: JailParameters::default(),
            devfs: Devfs::Existing(0),
            mounts: Vec::new(),
            network: Network::Vnet(vnet.clone()),
            nat,
        };
        let survey = Survey::take(self.wiring.host(), &spec)?;
        let there = inside.snapshot(Fib::DEFAULT)?;
        let plan = Plan::attaching(&spec, &survey, &there)?;
        let vnet = match &plan.spec().network {
            Network::Vnet(planned) => planned.clone(),
            Network::Shared(_) => vnet,
        };
        Ok(Planned { vnet, plan, survey })
    }

    /// Chooses the first free names for NICs without names.
    fn choose_names(&mut self, inside: &Vnet, jid: Jid) -> Result<(), Error> {
        let (mut in_jail, mut on_host) = (0, 0);
        for (nic, (host_chosen, jail_chosen)) in self.draft.vnet.nics.iter_mut().zip(&self.draft.chosen) {
            if !jail_chosen {
                while inside.has_interface(&jail_end(in_jail))? {
                    in_jail += 1;
                }
                nic.jail_name = jail_end(in_jail);
                in_jail += 1;
            }
            if !host_chosen {
                loop {
                    let name = format!("vnet{on_host}.{jid}");
                    let name = InterfaceName::new(&name).map_err(|error| Error::other(error.to_string()))?;
                    on_host += 1;
                    if !self.wiring.host().has_interface(&name)? {
                        nic.host_name = HostName::Fixed(name);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reports chosen names that are in use.
    fn check_names(&mut self, inside: &Vnet) -> Result<(), Error> {
        let mut taken = Vec::new();
        for nic in &self.draft.vnet.nics {
            if inside.has_interface(&nic.jail_name)? {
                taken.push(Problem::NameTaken { name: nic.jail_name, place: "the jail" });
            }
            if let HostName::Fixed(name) = nic.host_name
                && self.wiring.host().has_interface(&name)?
            {
                taken.push(Problem::NameTaken { name, place: "the host" });
            }
        }
        self.draft.mistakes.extend(taken);
        Ok(())
    }
}

/// Whether an interface was made by epair's cloner: the kernel puts those in the group of that name.
///
/// # Errors
///
/// ENXIO: there is no such interface.
pub(super) fn is_epair(host: &Vnet, name: &InterfaceName) -> crate::Result<bool> {
    let groups = host.groups(name)?;
    Ok(groups.iter().any(|group| group.as_str() == "epair"))
}

/// Destroys an epair, given the host's end, whatever program made it. The jail may be alive, dying or gone.
///
/// The jail is known by the end's description, or by its name: `vnetN.JID`. As long as that jail lives it is held
/// meanwhile; one that dies takes the epair along. An epair that says nothing of its jail may have been made in any of
/// them, or on the host: all living jails are held meanwhile, and the end of those that die is waited for.
///
/// # Errors
///
/// Those of SIOCIFDESTROY; ETIMEDOUT: it was to go with its jail, and is still there, or a jail that may have made it
/// goes on dying.
pub fn release_epair(site: &Site<'_>, name: &InterfaceName) -> Result<(), Error> {
    let kernel = site.host.kernel();
    let mut number = jid_of_host_end(name);
    let mut home = number.map(|jid| jail::get(&**kernel, jid)).transpose()?.flatten();
    if home.is_none()
        && number.is_none()
        && let Some(end) = HostEnd::read(site.host, *name)?
    {
        // iocage writes its own name for a jail into the description; `attach` writes the kernel's.
        for jail in [end.jail.clone(), format!("ioc-{}", end.jail)] {
            home = home.or(jail::get(&**kernel, jail.as_str())?);
            let dying = jail::get_even_dying(&**kernel, jail.as_str())?.filter(|jail| jail.dying);
            number = number.or(dying.map(|jail| jail.jid));
        }
    }
    if let Some(jail) = home.filter(|jail| jail.vnet) {
        let _lock = site.state.lock_jail(&jail.name, |_| {})?;
        match Vnet::enter(kernel.clone(), jail.jid) {
            Ok(_home) => return undo::destroy_held(site, name),
            // It has begun to die meanwhile.
            Err(error) if error.errno() == Some(Errno::EINVAL) => {}
            Err(error) => return Err(error),
        }
        return undo::let_epair_go(site, name, Some(jail.jid));
    }
    match number {
        // An epair that another manager made on the host stays when its jail is gone, and has to be destroyed.
        Some(jid) => match undo::let_epair_go(site, name, Some(jid)) {
            Err(_) if jail::get_even_dying(&**kernel, jid)?.is_none() => {
                undo::destroy_of_unknown_home(site, name)
            }
            other => other,
        },
        None => undo::destroy_of_unknown_home(site, name),
    }
}

/// What was not taken out yet is still in the jail.
fn destroy_inside(inside: &Vnet, journal: &Journal) -> crate::Result<()> {
    for owned in journal.owned() {
        if let Owned::Epair(name) = owned
            && inside.has_interface(name)?
        {
            inside.destroy(name)?;
        }
    }
    Ok(())
}

/// Takes away what a process has left that was killed while it attached something to a jail, if one was: on the
/// host, and in the jail if it is the same one still. It works under the jail's lock.
pub(super) fn undo_attaching(site: &Site<'_>, jail: &str) -> Result<Owed, Error> {
    let path = site.state.attaching(jail);
    if !path.exists() {
        return Ok(Owed::default());
    }
    let mut journal = Journal::open(&path, site.boot)?;
    let kernel = site.host.kernel();
    if let Some(own) = journal.jid()
        && jail::get(&**kernel, own)?.is_some_and(|info| info.name == jail && info.vnet)
        && !claim::is_anothers(&**kernel, &journal, own)?
    {
        // Those that were taken out go while their home is held.
        let home = Vnet::enter(kernel.clone(), own)?;
        destroy_inside(&home, &journal)?;
        for owned in journal.owned() {
            if let Owned::Epair(name) = owned {
                undo::destroy_held(site, name)?;
            }
        }
    }
    let owed = undo::undo(site, &mut journal, Standing::Partial(None))?;
    shared::sweep(site)?;
    Ok(owed)
}

impl Wiring {
    /// Begins to describe NICs for a jail that exists already and has a network stack of its own. Any manager may
    /// have made the jail.
    ///
    /// ```
    /// use jailwire::jail::{self, JailParameters};
    /// use jailwire::wiring::Wiring;
    ///
    /// let wiring = Wiring::simulated()?;
    /// jail::create(&**wiring.kernel(), &JailParameters::new("theirs").vnet())?;
    ///
    /// let attached =
    ///     wiring.attach("theirs").nic("bridge0").address("192.0.2.30/24").router("192.0.2.1").apply()?;
    /// assert_eq!(attached.nics[0].jail, "epair0b");
    /// wiring.detach(&attached.nics[0].host)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attach(&self, jail: impl Into<JailKey>) -> Attachment<'_> {
        Attachment { wiring: self, jail: jail.into(), draft: Draft::default() }
    }

    /// Destroys an epair by its end on the host, and takes away a bridge that was made for it and serves no
    /// jail any more.
    ///
    /// While the jail goes that the epair was made in, the kernel is not asked to destroy it, because that can panic
    /// 15.1: then this waits until the epair has gone with the jail, or gives it back to a jail that goes on dying.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): it is no epair.
    /// * As [`Vnet::destroy`]: ENXIO when there is no such interface, EPERM for others than root.
    /// * ETIMEDOUT: it was to go with its jail, and is still there.
    ///
    /// # Source
    ///
    /// SIOCIFDESTROY: [`epair(4)`](https://man.freebsd.org/epair(4)); `net/if_clone.c:if_clone_destroy`.
    pub fn detach(&self, host_end: &InterfaceName) -> Result<(), Error> {
        if !is_epair(self.host(), host_end)? {
            return Err(Error::from(Problem::NotAnEpair { name: *host_end }));
        }
        let jail = self.epairs()?.into_iter().find(|end| end.name == *host_end).map(|end| end.jail);
        let site = self.site();
        release_epair(&site, host_end)?;
        // What is published leads to a NIC: without one it leads nowhere.
        if let Some(jail) = jail
            && self.epairs_of(&jail)?.is_empty()
        {
            self.unpublish(&jail)?;
        }
        shared::sweep(&site)?;
        Ok(())
    }

    /// Lists the epairs of a jail, given the kernel's name for the jail: the name of the host's end, and the name of
    /// the jail's end. The descriptions of the host's ends say so: [`Wiring::attach`], [`Wiring::start`] and iocage
    /// write them.
    ///
    /// # Errors
    ///
    /// As [`Vnet::interfaces`] and [`Vnet::description`].
    pub fn epairs_of(&self, jail: &str) -> Result<Vec<(InterfaceName, InterfaceName)>, Error> {
        let running = jail::list(&**self.kernel(), false)?;
        let is_its = |end: &HostEnd| match end.owner(&running) {
            Some(owner) => owner.name == jail,
            None => end.names(jail),
        };
        let ends = self.epairs()?.into_iter().filter(is_its);
        Ok(ends.map(|end| (end.name, end.nic)).collect())
    }

    /// Lists the host's ends of the epairs of all jails.
    ///
    /// # Errors
    ///
    /// As [`Wiring::epairs_of`].
    pub fn epairs(&self) -> Result<Vec<HostEnd>, Error> {
        HostEnd::among(self.host(), &self.host().interfaces()?)
    }

    /// A jail with a network stack of its own, or what is wrong.
    pub(super) fn jail_with_stack(&self, key: JailKey) -> Result<JailInfo, Error> {
        let shown = key.to_string();
        match jail::get(&**self.kernel(), key)? {
            None => Err(Error::from(Problem::NoJail { jail: shown })),
            Some(info) if !info.vnet => Err(Error::from(Problem::NoStack { jail: info.name })),
            Some(info) => Ok(info),
        }
    }
}

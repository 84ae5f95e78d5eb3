//! Epairs for a jail that exists already, of any manager.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnetwork::IpNetwork;

use super::bulk::{self, Cancel, Job, Limits, Next, Placed, Stage};
use super::claim::Claim;
use super::host_end::HostEnd;
use super::nat::{Backend, Publication};
use super::nic::{Draft, jail_end, nat_methods, nic_methods};
use super::nic_address::NicAddress;
use super::open::{Wiring, unfinished};
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::site::Site;
use super::spec::{Devfs, HostName, JailSpec, Network, VnetSpec};
use super::step::Step;
use super::survey::Survey;
use super::value_or_text::ValueOrText;
use crate::Error;
use crate::bridge::VlanSet;
use crate::jail::{self, JailInfo, JailKey, JailParameters};
use crate::snapshot::Snapshot;
use crate::types::{InterfaceName, Jid, MacAddr, Mtu, VlanId};
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
    /// The jail's name.
    pub jail: String,
    /// The jail's new NICs, in the order in which they were described.
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
    /// The MTU of both ends, in bytes.
    pub mtu: u32,
    /// The bridge that the host's end was put on.
    pub bridge: Option<InterfaceName>,
}

/// NICs on their way to a jail, as the engine takes them through its stages.
struct Attaching<'a, 'w> {
    site: &'a Site<'w>,
    draft: Option<Attachment<'w>>,
    begun: Option<Begun>,
}

/// What is known before anything is changed.
struct Begun {
    claim: Claim,
    info: JailInfo,
    inside: Vnet,
    planned: Planned,
}

impl Attaching<'_, '_> {
    fn begin(&mut self) -> Result<Begun, Error> {
        let draft = self.draft.take().ok_or_else(unfinished)?;
        let (wiring, key) = (draft.wiring, draft.jail.clone());
        let info = wiring.jail_with_stack(key.clone())?;
        let claim = Claim::take(self.site, &info.name, |_| {})?;
        claim.begin_attaching(self.site)?;
        // While this call waited for the lock, another jail may have got the name.
        let info = wiring.jail_with_stack(key)?;
        let (inside, there) = Vnet::enter_and_look(wiring.kernel().clone(), info.jid)?;
        let planned = draft.planned(&info, &inside, &there)?;
        Ok(Begun { claim, info, inside, planned })
    }

    fn attach(&self, begun: Begun) -> Result<Attached, Error> {
        let Begun { claim, info, inside, planned: Planned { vnet, plan, .. } } = begun;
        let epairs = claim.attach(self.site, &plan, inside)?;
        let mtus = plan.steps().iter().filter_map(|step| match step {
            Step::SetMtu { mtu, .. } => Some(mtu.get()),
            _ => None,
        });
        let nics = vnet.nics.iter().zip(epairs).zip(mtus);
        let nics = nics.map(|((nic, epair), mtu)| AttachedNic {
            host: epair.a,
            jail: epair.b,
            host_mac: nic.macs.map(|(host, _)| host),
            jail_mac: nic.macs.map(|(_, jail)| jail),
            mtu,
            bridge: nic.bridge,
        });
        Ok(Attached { jid: info.jid, jail: info.name, nics: nics.collect(), notes: plan.notes().to_vec() })
    }
}

impl Job for Attaching<'_, '_> {
    type Outcome = Result<Attached, Error>;

    fn run(&mut self, _stage: Stage) -> Next<Self::Outcome> {
        match self.begun.take() {
            Some(begun) => Next::Done(self.attach(begun)),
            None => match self.begin() {
                Ok(begun) => {
                    self.begun = Some(begun);
                    Next::Go(Stage::Network)
                }
                Err(error) => Next::Done(Err(error)),
            },
        }
    }

    fn cancel(&mut self, _next: Stage) -> Self::Outcome {
        Err(unfinished())
    }
}

/// The steps that the description needs.
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
        let site = self.wiring.site();
        let jobs = vec![Placed {
            job: Attaching { site: &site, draft: Some(self), begun: None },
            after: Vec::new(),
        }];
        let mut attached = None;
        let ran = bulk::run(jobs, &Limits::ONE, &Cancel::new(), |_, outcome| attached = outcome);
        ran.map_err(|circle| Error::other(circle.to_string()))?;
        attached.unwrap_or_else(|| Err(unfinished()))
    }

    /// Returns what [`Attachment::apply`] would do now: each step, and the requests that it makes to change something,
    /// by their C names. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Problems`](crate::ErrorKind::Problems), as of [`Attachment::apply`]; and the kernel's errors from a look at the jail.
    pub fn plan(self) -> Result<Vec<(Step, Vec<&'static str>)>, Error> {
        let info = self.wiring.jail_with_stack(self.jail.clone())?;
        let (inside, there) = Vnet::enter_and_look(self.wiring.kernel().clone(), info.jid)?;
        let Planned { plan, survey, .. } = self.planned(&info, &inside, &there)?;
        Ok(plan.requests(&survey).into_iter().map(|(step, requests)| (step.clone(), requests)).collect())
    }

    fn planned(mut self, info: &JailInfo, inside: &Vnet, there: &Snapshot) -> Result<Planned, Error> {
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
        let plan = Plan::attaching(&spec, &survey, there)?;
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

    /// Returns the jail, or the problem: it does not exist, or has no network stack of its own.
    pub(super) fn jail_with_stack(&self, key: JailKey) -> Result<JailInfo, Error> {
        let shown = key.to_string();
        match jail::get(&**self.kernel(), key)? {
            None => Err(Error::from(Problem::NoJail { jail: shown })),
            Some(info) if !info.vnet => Err(Error::from(Problem::NoStack { jail: info.name })),
            Some(info) => Ok(info),
        }
    }
}

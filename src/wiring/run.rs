//! Carrying out a plan.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::bulk::{ForkServer, KernelLock};
use super::identity::Identity;
use super::journal::{Journal, Owned};
use super::lending;
use super::nat;
use super::plan::Plan;
use super::shared::{self, Joining, Needed};
use super::site::Site;
use super::span;
use super::spec::{Alias, HostName, JailSpec, MountSpec, Network, Router, StaticRoute};
use super::standing::Standing;
use super::step::{JailInterface, Step};
use super::undo::{self, Owed};
use super::up::Up;
use crate::Error;
use crate::bridge::MemberFlags;
use crate::epair::Epair;
use crate::jail::devfs::{Devfs, DevfsRule};
use crate::jail::mount;
use crate::jail::{self, HeldJail, JailParameters, JailSystem};
use crate::kernel::{Errno, Kernel, MountRequest};
use crate::nd6::Nd6Flags;
use crate::route::{Gateway, Route, Via};
use crate::types::{Fib, InterfaceName, Jid};
use crate::vnet::Vnet;

/// The result of a plan.
pub(super) struct Made {
    /// The jail.
    pub up: Up,
    /// The epairs, in the order in which the plan names its NICs.
    pub epairs: Vec<Epair>,
}

/// Carries out a plan. `before` is called before each step.
///
/// The plan makes the jail, unless `entered` is a handle on the network stack of a jail that exists already.
/// `journal` gets records of what is made; the caller has the jail's lock. The caller completes or empties
/// the journal when nothing more is to follow.
///
/// # Errors
///
/// The step that failed, and why. By then everything made so far is undone. What could not be undone is in
/// [`Error::owed`], and stays in the journal.
pub(super) fn apply(
    site: &Site<'_>,
    journal: &mut Journal,
    plan: &Plan,
    entered: Option<Vnet>,
    mut before: impl FnMut(&Step),
) -> Result<Made, Error> {
    let mut run = Run::new(site, journal, plan, entered);
    let mounts = plan.steps().iter().any(|step| matches!(step, Step::Mount(_)));
    let _children = mounts.then(|| ForkServer::of_one_jail(site.host.kernel()));
    for step in plan.steps() {
        before(step);
        let _span = span::of(&plan.spec().name, step);
        if let Err(failure) = run.step(step) {
            return Err(run.fail(step.to_string(), failure));
        }
    }
    Ok(run.finish())
}

/// A jail's root with symbolic links resolved, as the kernel reports it. The kernel's list of mounts has the
/// same paths.
fn real_root(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The highest unit that a cloner gives: IF_MAXUNIT.
const MAXIMUM_UNIT: u16 = 32767;

/// A plan that is being carried out.
struct Run<'a> {
    site: &'a Site<'a>,
    journal: &'a mut Journal,
    spec: &'a JailSpec,
    plan: &'a Plan,
    ruleset: u16,
    /// The jail's root, once something is mounted beneath it.
    root: Option<PathBuf>,
    held: Option<HeldJail>,
    /// The network stack of a jail that existed before the plan.
    entered: Option<Vnet>,
    jid: Option<Jid>,
    epairs: Vec<Epair>,
    joining: Option<Joining>,
}

impl<'a> Run<'a> {
    fn new(site: &'a Site<'a>, journal: &'a mut Journal, plan: &'a Plan, entered: Option<Vnet>) -> Run<'a> {
        let spec = plan.spec();
        let ruleset = match &spec.devfs {
            super::spec::Devfs::Existing(number) => *number,
            super::spec::Devfs::Generate { .. } => 0,
        };
        Run {
            site,
            journal,
            spec,
            plan,
            ruleset,
            root: None,
            held: None,
            jid: entered.as_ref().and_then(Vnet::jid),
            entered,
            epairs: Vec::new(),
            joining: None,
        }
    }

    fn kernel(&self) -> &Arc<dyn Kernel> {
        self.site.host.kernel()
    }

    fn finish(self) -> Made {
        let jid = self.jid.expect("every plan makes a jail, or is for one that is there");
        let epairs = self.epairs.iter().map(|epair| epair.a).collect();
        let up = Up { jid, ruleset: self.ruleset, epairs, autoconf: Vec::new() };
        Made { up, epairs: self.epairs }
    }

    /// Undoes what was made. The kernel removes the held jail; everything else is undone by the journal.
    fn fail(mut self, step: String, failure: Error) -> Error {
        self.joining = None;
        drop(self.held.take());
        if let Some(inside) = &self.entered {
            // The kernel deletes a route through the new NIC with the NIC.
            undo::delete_routes(inside, self.journal.owned());
            for epair in &self.epairs {
                // The jail's end never leaves the jail. An error because it is gone already needs no
                // handling.
                let _ = inside.destroy(&epair.b);
            }
        }
        let site = self.site;
        let owed = self.standing().and_then(|standing| {
            let owed = undo::undo(site, self.journal, standing)?;
            shared::sweep(site)?;
            Ok(owed)
        });
        let (owed, also) = match owed {
            Ok(owed) => (owed, None),
            Err(failure) => (Owed::default(), Some(failure)),
        };
        Error::of_step(step, failure, owed, also)
    }

    /// The present standing of the journal's jail. A jail that existed before the plan is not removed.
    fn standing(&self) -> Result<Standing, Error> {
        if self.entered.is_some() {
            return Ok(Standing::Partial(None));
        }
        Ok(match Standing::of(&**self.kernel(), &self.spec.name, self.journal)? {
            Standing::Foreign(_) | Standing::Absent => Standing::Partial(None),
            other => other,
        })
    }

    fn intend(&mut self, owned: Owned) -> Result<(), Error> {
        self.journal.intend(self.site.files, owned)
    }

    /// Writes down which jail was made.
    fn made(&mut self, jid: Jid) -> Result<(), Error> {
        self.journal.made(self.site.files, jid, Identity::given(self.spec, self.ruleset))
    }

    fn held(&self) -> &HeldJail {
        self.held.as_ref().expect("the plan holds the jail first")
    }

    fn inside(&self) -> &Vnet {
        self.entered.as_ref().unwrap_or_else(|| self.held().vnet())
    }

    /// The jail that is being wired.
    fn jid(&self) -> Jid {
        self.jid.expect("the plan holds the jail first")
    }

    fn step(&mut self, step: &Step) -> Result<(), Error> {
        let host = self.site.host;
        match step {
            Step::CreateRuleset { first, rules } => self.create_ruleset(*first, rules)?,
            Step::Mount(mount) => self.mount(mount)?,
            Step::AddAlias4(interface, network) => self.add_alias4(interface, *network)?,
            Step::AddAlias6(interface, network) => self.add_alias6(interface, *network)?,
            Step::CreateJail => self.create_jail()?,
            Step::HoldJail => {
                // The kernel removes the held jail. The record makes an undo wait until that is done.
                self.intend(Owned::Jail(self.spec.name.clone()))?;
                let parameters = self.parameters();
                let _pass = self.site.state.pass(KernelLock::Create);
                let mut held = jail::create_held(self.kernel(), &parameters)?;
                // The kernel gives the next jail another jid, also if the jail before it has gone.
                for _ in self.plan.avoided() {
                    if !self.plan.avoided().contains(&held.jid()) {
                        break;
                    }
                    drop(held);
                    held = jail::create_held(self.kernel(), &parameters)?;
                }
                let jid = held.jid();
                self.jid = Some(jid);
                self.held = Some(held);
                // Record the jid before anything is added for the jail. A later undo finds the jail's remains
                // by it.
                self.made(jid)?;
            }
            Step::CreateEpair { unit, .. } => {
                let epair = self.create_epair(*unit)?;
                self.epairs.push(epair);
            }
            Step::NameJailEnd { nic, name } => {
                self.inside().rename(&self.epairs[*nic].b, name)?;
                self.epairs[*nic].b = *name;
            }
            Step::NameHostEnd { nic, name } => self.name_host_end(*nic, name)?,
            Step::SetMacs { nic, host, jail } => {
                self.inside().set_mac(&self.epairs[*nic].a, *host)?;
                self.inside().set_mac(&self.epairs[*nic].b, *jail)?;
            }
            Step::SetMtu { nic, mtu } => {
                self.inside().set_mtu(&self.epairs[*nic].a, *mtu)?;
                self.inside().set_mtu(&self.epairs[*nic].b, *mtu)?;
            }
            Step::Describe { nic, text } => self.inside().set_description(&self.epairs[*nic].a, text)?,
            Step::TakeOut { nic } => {
                let _pass = self.site.state.pass(KernelLock::Detach);
                host.reclaim(&self.epairs[*nic].a, self.jid())?;
            }
            Step::MakeVlan { .. } | Step::AddUplink { .. } | Step::Carry { .. } => self.join_bridges()?,
            Step::Join { nic, bridge } => {
                self.join_bridges()?;
                host.add_member(bridge, &self.epairs[*nic].a)?;
            }
            Step::SetVlans { nic, bridge, vlans } => {
                let end = &self.epairs[*nic].a;
                host.set_member_pvid(bridge, end, vlans.untagged)?;
                if !vlans.tagged.is_empty() {
                    host.set_member_vlans(bridge, end, &vlans.tagged)?;
                }
            }
            Step::Isolate { nic, bridge } => {
                let end = &self.epairs[*nic].a;
                host.change_member_flags(bridge, end, MemberFlags::PRIVATE, MemberFlags::empty())?;
            }
            Step::AddHostAddress { nic, network: IpNetwork::V4(network) } => {
                host.add_ipv4(&self.epairs[*nic].a, *network)?;
            }
            Step::AddHostAddress { nic, network: IpNetwork::V6(network) } => {
                host.add_ipv6(&self.epairs[*nic].a, *network)?;
            }
            Step::BringUp { nic } => host.up(&self.epairs[*nic].a)?,
            Step::StartLoopback => self.start_loopback()?,
            Step::AddAddress4(interface, network) => {
                self.inside().add_ipv4(&self.inside_name(*interface), *network)?;
            }
            Step::AddAddress6(interface, network) => {
                self.inside().add_ipv6(&self.inside_name(*interface), *network)?;
            }
            Step::AcceptRtadv { nic, stable } => {
                let (mut set, clear) =
                    (Nd6Flags::ACCEPT_RTADV | Nd6Flags::AUTO_LINKLOCAL, Nd6Flags::DISABLED);
                set.set(Nd6Flags::STABLE_ADDRESS, *stable);
                self.inside().change_nd6_flags(&self.epairs[*nic].b, set, clear)?;
            }
            Step::BringUpInside { nic } => self.inside().up(&self.epairs[*nic].b)?,
            Step::DefaultRoute(router) => self.default_route(router)?,
            Step::Publish(wanted) => {
                self.intend(Owned::Published(wanted.name().to_owned(), wanted.backend()))?;
                nat::put(host, self.site.state, wanted)?;
            }
            Step::AddRoute(route) => self.add_route(route)?,
            Step::Commit => self.commit()?,
            Step::Lend(interface) => {
                let jid = self.jid.expect("the plan commits the jail first");
                self.intend(Owned::Lent(*interface))?;
                lending::lend(self.site, interface, jid, interface)?;
            }
        }
        Ok(())
    }

    /// All parameters of the jail except `persist`.
    fn parameters(&self) -> JailParameters {
        let mut parameters = self.spec.parameters.clone();
        parameters = parameters.set("name", self.spec.name.as_str()).path(&self.spec.path);
        parameters = parameters.set("devfs_ruleset", i32::from(self.ruleset));
        match &self.spec.network {
            Network::Vnet(_) => parameters.vnet(),
            Network::Shared(shared) => {
                let ip4: Vec<_> = shared.ip4.iter().map(|alias| alias.network.ip()).collect();
                let ip6: Vec<_> = shared.ip6.iter().map(|alias| alias.network.ip()).collect();
                // A list of addresses implies `new`. The kernel refuses `new` without a list, so a jail
                // without addresses gets `disable`.
                parameters = match shared.ip4_mode {
                    JailSystem::New if ip4.is_empty() => parameters.set("ip4", JailSystem::Disable),
                    JailSystem::New => parameters.set("ip4.addr", ip4),
                    other => parameters.set("ip4", other),
                };
                parameters = match shared.ip6_mode {
                    JailSystem::New if ip6.is_empty() => parameters.set("ip6", JailSystem::Disable),
                    JailSystem::New => parameters.set("ip6.addr", ip6),
                    other => parameters.set("ip6", other),
                };
                parameters
                    .set("ip4.saddrsel", shared.ip4_source_selection)
                    .set("ip6.saddrsel", shared.ip6_source_selection)
            }
        }
    }

    fn create_ruleset(&mut self, first: u16, rules: &[DevfsRule]) -> Result<(), Error> {
        let devfs = Devfs::open(self.kernel().clone(), Path::new("/dev"))?;
        // The number has to be in the journal before the ruleset is there. So it is chosen first, and no other
        // start may choose a number meanwhile.
        let state = self.site.state;
        let _lock = state.lock_rulesets()?;
        let free = devfs.first_free(state.rulesets_from(first))?;
        let number = free.ok_or_else(|| {
            Error::other(format!(
                "no devfs ruleset from {first} on is free: `jailwire gc` removes those that no jail uses"
            ))
        })?;
        state.ruleset_taken(first, number);
        self.intend(Owned::Ruleset(number))?;
        for rule in rules {
            devfs.add(number, rule)?;
        }
        self.ruleset = number;
        Ok(())
    }

    fn mount(&mut self, spec: &MountSpec) -> Result<(), Error> {
        let root = self.root.get_or_insert_with(|| real_root(&self.spec.path)).clone();
        let mut request = mount::request(&spec.fstype, &spec.from, &root, &spec.beneath);
        for (name, value) in &spec.options {
            request = request.option(name, value.clone());
        }
        if spec.ruleset && self.ruleset != 0 {
            request = request.option("ruleset", Some(self.ruleset.to_string()));
        }
        self.intend(Owned::Mount { fstype: spec.fstype.clone(), on: request.on() })?;
        mount::mount(&**self.kernel(), &request)?;
        match self.elsewhere(&request)? {
            Some(on) => self.intend(Owned::Mount { fstype: request.fstype, on }),
            None => Ok(()),
        }
    }

    /// The path that the kernel has mounted the file system on, if it is not the intended path. Symbolic
    /// links that stay inside the jail's root are followed. Also a process may have renamed directories there
    /// after the mount point was opened.
    fn elsewhere(&self, request: &MountRequest) -> Result<Option<PathBuf>, Error> {
        let kernel = &**self.kernel();
        let wanted = request.on();
        if let Ok(Some(seen)) = mount::seen_on(kernel, &wanted)
            && seen.fstype == request.fstype
        {
            return Ok(None);
        }
        let journalled = |on: &Path| {
            self.journal
                .owned()
                .iter()
                .any(|owned| matches!(owned, Owned::Mount { on: other, .. } if other == on))
        };
        // The list begins with the newest mount, so the first that fits is this one. An older mount at the
        // right path would be hidden by it.
        let found = mount::beneath(kernel, &request.root)?.into_iter().find(|mounted| {
            mounted.fstype == request.fstype
                && mounted.from == request.from.to_string_lossy()
                && (mounted.on == wanted || !journalled(&mounted.on))
        });
        Ok(found.map(|mounted| mounted.on).filter(|on| *on != wanted))
    }

    fn add_alias4(&mut self, interface: &InterfaceName, network: Ipv4Network) -> Result<(), Error> {
        let host = self.site.host;
        // Do not add an address that exists: the kernel would remove it first, and the start does not own it.
        if host.find_ipv4(interface, network.ip())?.is_none() {
            let _ready = shared::ready_for(self.site, interface, network.ip().into())?;
            self.intend(Owned::Alias4(*interface, network))?;
            host.add_ipv4(interface, network)?;
        }
        Ok(())
    }

    fn add_alias6(&mut self, interface: &InterfaceName, network: Ipv6Network) -> Result<(), Error> {
        let host = self.site.host;
        if host.find_ipv6(interface, network.ip())?.is_none() {
            let _ready = shared::ready_for(self.site, interface, network.ip().into())?;
            self.intend(Owned::Alias6(*interface, network))?;
            host.add_ipv6(interface, network)?;
        }
        Ok(())
    }

    /// Makes a shared-IP jail, while no address can be removed: the jail that used one of the addresses
    /// before may be stopped at the same time.
    fn create_jail(&mut self) -> Result<(), Error> {
        let Network::Shared(shared) = &self.spec.network else { return self.create_persistent() };
        let host = self.site.host;
        loop {
            let joining = shared::hold(self.site.state)?;
            let (mut gone4, mut gone6) = (Vec::new(), Vec::new());
            for Alias { interface, network } in &shared.ip4 {
                if let Some(interface) = interface
                    && host.find_ipv4(interface, network.ip())?.is_none()
                {
                    gone4.push((*interface, *network));
                }
            }
            for Alias { interface, network } in &shared.ip6 {
                if let Some(interface) = interface
                    && host.find_ipv6(interface, network.ip())?.is_none()
                {
                    gone6.push((*interface, *network));
                }
            }
            if gone4.is_empty() && gone6.is_empty() {
                let created = self.create_persistent();
                drop(joining);
                return created;
            }
            drop(joining);
            for (interface, network) in gone4 {
                self.add_alias4(&interface, network)?;
            }
            for (interface, network) in gone6 {
                self.add_alias6(&interface, network)?;
            }
        }
    }

    /// Makes a jail that is `persist` from the start. The owner of the jail has to be known at every moment,
    /// but the jid is known only when the jail exists. So the jail is made under a provisional name that is
    /// used only once. It gets its own name when the jid is written down.
    fn create_persistent(&mut self) -> Result<(), Error> {
        self.intend(Owned::Jail(self.spec.name.clone()))?;
        let kernel = self.kernel().clone();
        // The kernel does not rename a jail below another jail. So a child process holds such a jail until
        // its jid is written down.
        if self.spec.name.contains('.') {
            let held = jail::create_held_plain(&kernel, &self.parameters())?;
            self.jid = Some(held.jid());
            self.made(held.jid())?;
            held.commit()?;
            return Ok(());
        }
        let making = name_used_once(kernel.now());
        self.journal.make_as(self.site.files, &making)?;
        let parameters = self.parameters().set("name", making.as_str()).set("persist", true);
        let _pass = self.site.state.pass(KernelLock::Create);
        let jid = jail::create(&*kernel, &parameters)?;
        self.jid = Some(jid);
        self.made(jid)?;
        jail::update(&*kernel, jid, &JailParameters::default().set("name", self.spec.name.as_str()))?;
        Ok(())
    }

    /// Makes an epair, with this unit if it is free. A renamed epair keeps its unit. If the name of an end is
    /// taken, the kernel does not try the next unit by itself.
    fn create_epair(&self, unit: Option<u16>) -> Result<Epair, Error> {
        let inside = self.inside();
        let mut made = match unit {
            Some(unit) => inside.create_epair_unit(unit),
            None => inside.create_epair(),
        };
        for unit in 0..=MAXIMUM_UNIT {
            match made {
                Err(error) if error.errno() == Some(Errno::EEXIST) => made = inside.create_epair_unit(unit),
                other => return other,
            }
        }
        made
    }

    fn name_host_end(&mut self, nic: usize, name: &HostName) -> Result<(), Error> {
        let name = match name {
            HostName::Fixed(name) => *name,
            HostName::WithJid(prefix) => InterfaceName::new(&format!("{prefix}{}", self.jid()))
                .map_err(|error| Error::other(error.to_string()))?,
        };
        // SIOCSIFRVNET does not check whether the host has an interface of that name.
        if self.site.host.has_interface(&name)? {
            let reason =
                format!("the host has an interface {name} already: destroy it, or give it another name");
            return Err(Error::other(reason));
        }
        // The kernel removes the epair with the held jail. The record makes an undo wait until that is done.
        self.intend(Owned::Epair(name))?;
        self.inside().rename(&self.epairs[nic].a, &name)?;
        self.epairs[nic].a = name;
        Ok(())
    }

    /// Makes the missing bridges of all NICs, in one go.
    fn join_bridges(&mut self) -> Result<(), Error> {
        if self.joining.is_none() {
            let Network::Vnet(vnet) = &self.spec.network else { return Ok(()) };
            let bridges: Vec<_> = vnet.nics.iter().filter_map(|nic| nic.bridge).collect();
            let (site, plan) = (self.site, self.plan);
            let needed = Needed { bridges: &bridges, plan };
            self.joining = Some(shared::join(site, &needed)?);
        }
        Ok(())
    }

    fn inside_name(&self, interface: JailInterface) -> InterfaceName {
        match interface {
            JailInterface::Loopback => InterfaceName::new("lo0").expect("a name that fits"),
            JailInterface::Nic(nic) => self.epairs[nic].b,
        }
    }

    /// Brings lo0 up, which is down in a new network stack. The kernel adds ::1 by itself then, but not
    /// 127.0.0.1.
    fn start_loopback(&mut self) -> Result<(), Error> {
        let loopback = self.inside_name(JailInterface::Loopback);
        let address = Ipv4Network::new(Ipv4Addr::LOCALHOST, 8).expect("8 is a prefix length");
        self.inside().up(&loopback)?;
        self.inside().ensure_ipv4(&loopback, address)?;
        Ok(())
    }

    fn gateway(&self, router: &Router) -> Result<Gateway, Error> {
        Ok(match (router.address, router.nic) {
            (IpAddr::V6(address), Some(nic)) if address.is_unicast_link_local() => {
                Gateway::scoped(address, self.inside().index(&self.epairs[nic].b)?.into())
            }
            (address, _) => Gateway::from(address),
        })
    }

    fn add_route(&mut self, route: &StaticRoute) -> Result<(), Error> {
        let gateway = self.gateway(&route.router)?;
        if self.is_there(route.destination, gateway)? {
            return Ok(());
        }
        match self.inside().add_route(&Route::new(route.destination, Via::Gateway(gateway))) {
            // The same route exists: a different route would have been reported when the plan was made.
            Err(error) if error.errno() == Some(Errno::EEXIST) => Ok(()),
            other => other,
        }
    }

    fn default_route(&mut self, router: &Router) -> Result<(), Error> {
        let gateway = self.gateway(router)?;
        // A new network stack has no such route, unless it accepts router advertisements. So the route is
        // added without a look at the table: reading it means reading all messages on the socket before the
        // answer.
        if self.held.is_some() && router.address.is_ipv4() {
            let added = self.inside().add_route(&Route::default_via(gateway));
            if !added.as_ref().is_err_and(|error| error.errno() == Some(Errno::EEXIST)) {
                return added;
            }
        }
        if !self.is_there(Route::default_via(gateway).destination, gateway)? {
            self.inside().ensure_default(gateway, Fib::DEFAULT)?;
        }
        Ok(())
    }

    /// Whether a jail that existed before the plan has this route. If the jail does not have the route, this writes
    /// down that the route is about to be added. A route through an older NIC of the jail does not go with the new NIC.
    fn is_there(&mut self, to: IpNetwork, gateway: Gateway) -> Result<bool, Error> {
        let Some(inside) = &self.entered else { return Ok(false) };
        let routes = inside.routes(Fib::DEFAULT)?;
        if routes.iter().any(|route| route.destination == to && route.via == Via::Gateway(gateway)) {
            return Ok(true);
        }
        // A route through a link-local router goes with the new NIC.
        if gateway.scope == 0 {
            self.intend(Owned::Route(to, gateway.address))?;
        }
        Ok(false)
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.joining = None;
        let _pass = self.site.state.pass(KernelLock::Create);
        let held = self.held.take().expect("the plan holds the jail first");
        match self.site.programs_follow {
            true => held.commit_for_program()?,
            false => held.commit()?,
        };
        Ok(())
    }
}

/// A name that is used once: no jail has it, and no other jail will get it. The name tells an administrator
/// what the jail is.
fn name_used_once(now: Duration) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("starting_{}_{}_{count}", std::process::id(), now.as_micros())
}

//! A jail described word by word, and started.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnetwork::IpNetwork;

use super::nat::{Backend, Publication};
use super::nic::{Draft, nat_methods, nic_methods};
use super::nic_address::NicAddress;
use super::open::Wiring;
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::spec::{Alias, Devfs, HostName, JailSpec, MountSpec, Network, Shared};
use super::times::AUTOCONF_LIMIT;
use super::up::Up;
use super::value_or_text::ValueOrText;
use crate::Error;
use crate::bridge::VlanSet;
use crate::jail::{JailParameters, JailValue};
use crate::types::{InterfaceName, MacAddr, Mtu, VlanId};
use crate::vnet::Vnet;
use std::net::IpAddr;

/// The state of a builder before its network is described: the jail has a network stack of its own, with a loopback.
#[derive(Debug, Clone, Copy)]
pub enum Unwired {}

/// The jail has a network stack of its own, and what is said next is of the NIC that was begun last.
#[derive(Debug, Clone, Copy)]
pub enum Wired {}

/// The jail shares the host's network stack, and is held to addresses of its own.
#[derive(Debug, Clone, Copy)]
pub enum SharedIp {}

/// A jail that is being described: made by [`Wiring::jail`], finished by [`JailBuilder::start`].
///
/// The stages allow only descriptions that make sense: a NIC is begun before it gets addresses, and a jail with NICs
/// does not share the host's stack. A value is given as a value of its type, or as text. Wrong text is reported when
/// the jail is to be started, together with all other problems.
#[derive(Debug, Clone)]
#[must_use = "describing a jail starts nothing: call `start`"]
pub struct JailBuilder<'a, Stage = Unwired> {
    wiring: &'a Wiring,
    name: String,
    path: PathBuf,
    parameters: JailParameters,
    devfs: Devfs,
    mounts: Vec<MountSpec>,
    shared: Option<Shared>,
    draft: Draft,
    stage: PhantomData<Stage>,
}

impl<'a> JailBuilder<'a> {
    pub(super) fn new(wiring: &'a Wiring, name: &str, path: &Path) -> JailBuilder<'a> {
        JailBuilder {
            wiring,
            name: name.to_owned(),
            path: path.to_owned(),
            parameters: JailParameters::default().hostname(name),
            devfs: Devfs::Existing(0),
            mounts: Vec::new(),
            shared: None,
            draft: Draft::default(),
            stage: PhantomData,
        }
    }
}

impl<'a, Stage> JailBuilder<'a, Stage> {
    fn into_stage<Next>(self) -> JailBuilder<'a, Next> {
        let JailBuilder { wiring, name, path, parameters, devfs, mounts, shared, draft, .. } = self;
        JailBuilder { wiring, name, path, parameters, devfs, mounts, shared, draft, stage: PhantomData }
    }

    /// Sets a parameter of the jail, as [`jail(8)`](https://man.freebsd.org/jail(8)) names it:
    /// `allow.raw_sockets`, `enforce_statfs`, `children.max` … Those about the network follow from the rest.
    pub fn parameter(mut self, name: &str, value: impl Into<JailValue>) -> Self {
        self.parameters = self.parameters.set(name, value);
        self
    }

    /// Sets `host.hostname`. The default is the jail's name.
    pub fn hostname(self, hostname: &str) -> Self {
        self.parameter("host.hostname", hostname)
    }

    /// Sets the devfs rules of the jail's `/dev`: see [`devfs(8)`](https://man.freebsd.org/devfs(8)).
    pub fn devfs(mut self, devfs: Devfs) -> Self {
        self.devfs = devfs;
        self
    }

    /// Mounts a file system in the jail's root, after those that were given before.
    pub fn mount(mut self, mount: MountSpec) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Returns the specification as it stands.
    ///
    /// # Errors
    ///
    /// Every value that could not be read.
    pub fn spec(mut self) -> Result<JailSpec, Problems> {
        self.draft.complete(&self.name, &self.wiring.host_uuid());
        if !self.draft.mistakes.is_empty() {
            return Err(Problems(self.draft.mistakes));
        }
        let wish = self.draft.nat;
        let network = match self.shared {
            Some(shared) => Network::Shared(shared),
            None => Network::Vnet(self.draft.vnet),
        };
        let JailBuilder { name, path, parameters, devfs, mounts, .. } = self;
        let nat = wish.of(&name, &network);
        Ok(JailSpec { name, path, parameters, devfs, mounts, network, nat })
    }

    /// Returns what a start of the jail would do now, step by step. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Problems`](crate::ErrorKind::Problems); and the kernel's errors from a look at the host.
    pub fn plan(self) -> Result<Plan, Error> {
        let wiring = self.wiring;
        wiring.plan(&self.spec()?)
    }

    /// Starts the jail: all of it, or nothing of it.
    ///
    /// If a step fails, the steps before it are undone. If the process is killed, the kernel removes the jail and its
    /// epairs, and the next start or stop of this jail removes the rest.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): all problems of the description, on this host. Nothing was changed.
    /// * a step failed, and the steps before it were undone.
    /// * [`ErrorKind::Owed`](crate::ErrorKind::Owed): what an earlier start has left cannot be taken away.
    /// * a call to the kernel or to a file failed, outside any step.
    pub fn start(self) -> Result<Up, Error> {
        let wiring = self.wiring;
        let waited_for = self.draft.autoconf.clone();
        let spec = self.spec()?;
        let mut up = wiring.start(&spec)?;
        if let Network::Vnet(vnet) = &spec.network
            && !waited_for.is_empty()
        {
            let inside = Vnet::enter(Arc::clone(wiring.kernel()), up.jid)?;
            for nic in waited_for.iter().filter_map(|place| vnet.nics.get(*place)) {
                let came = inside.wait_for_autoconf(&nic.jail_name, AUTOCONF_LIMIT)?;
                up.autoconf.push((nic.jail_name, came.map(|address| address.network)));
            }
        }
        Ok(up)
    }
}

impl<'a> JailBuilder<'a, Unwired> {
    /// Begins a NIC: an epair with one end in the jail, and the other end on a bridge of the host. A missing bridge is
    /// made, and is removed with the last jail on it.
    pub fn nic(self, bridge: impl ValueOrText<InterfaceName>) -> JailBuilder<'a, Wired> {
        self.into_stage::<Wired>().nic(bridge)
    }

    /// Begins a NIC that is on no bridge: the host's end is to be routed to.
    pub fn nic_alone(self) -> JailBuilder<'a, Wired> {
        self.into_stage::<Wired>().nic_alone()
    }

    /// Gives the jail an address of the host's network stack, which the jail shares. If the interface does not have the
    /// address, the start adds it, and the stop removes it.
    pub fn alias(
        self,
        interface: impl ValueOrText<InterfaceName>,
        network: impl ValueOrText<IpNetwork>,
    ) -> JailBuilder<'a, SharedIp> {
        self.into_stage::<SharedIp>().alias(interface, network)
    }
}

impl<'a> JailBuilder<'a, Wired> {
    /// Begins another NIC, on a bridge.
    pub fn nic(mut self, bridge: impl ValueOrText<InterfaceName>) -> JailBuilder<'a, Wired> {
        self.draft.begin();
        if let Some(bridge) = self.draft.take("the bridge", bridge) {
            self.draft.nic().bridge = Some(bridge);
        }
        self
    }

    /// Begins another NIC, on no bridge.
    pub fn nic_alone(mut self) -> JailBuilder<'a, Wired> {
        self.draft.begin();
        self
    }

    /// Lends an interface of the host to the jail. The interface comes back when the jail is removed.
    pub fn lend(mut self, interface: impl ValueOrText<InterfaceName>) -> JailBuilder<'a, Wired> {
        if let Some(name) = self.draft.take("the interface to lend", interface) {
            self.draft.vnet.lent.push(name);
        }
        self
    }

    /// Lets the jail's end take its IPv6 addresses and routers from router advertisements, and has the start wait for
    /// an address, up to [`AUTOCONF_LIMIT`]. [`Up::autoconf`] has the address that came, or says that no address came.
    /// The kernel asks no router by itself: rtsol(8) and rtsold(8) in the jail do.
    pub fn autoconf(mut self) -> JailBuilder<'a, Wired> {
        self.draft.autoconf.push(self.draft.vnet.nics.len().saturating_sub(1));
        self.accept_rtadv()
    }

    nic_methods!();
    nat_methods!();
}

impl<'a> JailBuilder<'a, SharedIp> {
    nat_methods!();

    /// Gives the jail one more address. The first address of each family is the primary address.
    pub fn alias(
        mut self,
        interface: impl ValueOrText<InterfaceName>,
        network: impl ValueOrText<IpNetwork>,
    ) -> JailBuilder<'a, SharedIp> {
        let interface = self.draft.take("the interface of an alias", interface);
        let network = self.draft.take("an address", network);
        let shared = self.shared.get_or_insert_default();
        match network {
            Some(IpNetwork::V4(network)) => shared.ip4.push(Alias { interface, network }),
            Some(IpNetwork::V6(network)) => shared.ip6.push(Alias { interface, network }),
            None => {}
        }
        self
    }
}

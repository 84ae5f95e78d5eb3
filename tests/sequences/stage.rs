//! A kernel with the objects that a sequence makes on it. Plays operations.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jailwire::jail::{self, HeldJail, JailParameters};
use jailwire::kernel::{Domain, Errno, Kernel};
use jailwire::route::message::Request;
use jailwire::route::{Metrics, RouteEntry, RouteFlags, SocketAddress};
use jailwire::sim::{Options, Release, Sim};
use jailwire::{Fib, Jid, Result, Via, Vnet};

use crate::operation::{Operation, Place, Step};
use crate::stack;

/// The longest wait for an event that is certain to come.
const SOON: Duration = Duration::from_secs(30);

/// A jail of a sequence.
#[derive(Debug)]
pub enum Jail {
    /// The jail dies with its holder.
    Held(HeldJail),
    /// The jail stays.
    Kept(Jid, Vnet),
    /// The jail was removed, and sockets keep it dying.
    Dying(Jid, Vnet),
    /// The jail has the host's network stack.
    Sharing(Jid),
}

impl Jail {
    pub fn jid(&self) -> Jid {
        match self {
            Jail::Held(held) => held.jid(),
            Jail::Kept(jid, _) | Jail::Dying(jid, _) | Jail::Sharing(jid) => *jid,
        }
    }

    pub fn vnet(&self) -> Option<&Vnet> {
        match self {
            Jail::Held(held) => Some(held.vnet()),
            Jail::Kept(_, vnet) | Jail::Dying(_, vnet) => Some(vnet),
            Jail::Sharing(_) => None,
        }
    }
}

/// The outcome of an operation: `ok`, the name of the made object, an error's name, or `-` if the place does not
/// exist.
pub type Outcome = String;

/// A kernel, and the objects that a sequence has made on it so far.
#[derive(Debug)]
pub struct Stage {
    pub kernel: Arc<dyn Kernel>,
    host: Vnet,
    pub jails: BTreeMap<Place, Jail>,
    /// The indexes of the interfaces that were there before.
    pub others: Vec<u16>,
    /// The routes that were there before.
    pub other_routes: Vec<String>,
    dad_count: i32,
}

/// A simulated host like a guest, with lo0 and without any network.
pub fn simulated(release: Release) -> Sim {
    let sim = Sim::with(&Options::default().with_release(release));
    let host = Vnet::host(Arc::new(sim.clone()));
    let card = "em0".parse().unwrap();
    for address in host.ipv4_addresses(&card).unwrap() {
        host.remove_ipv4(&card, address.network.ip()).unwrap();
    }
    sim
}

impl Stage {
    /// Takes over a kernel. No other process may change the host's network stack meanwhile.
    pub fn new(kernel: Arc<dyn Kernel>) -> Result<Stage> {
        for module in ["if_epair", "if_bridge"] {
            kernel.load_module(module).unwrap();
        }
        let host = Vnet::host(Arc::clone(&kernel));
        let lo0 = "lo0".parse().unwrap();
        host.up(&lo0)?;
        host.ensure_ipv4(&lo0, "127.0.0.1/8".parse::<ipnetwork::Ipv4Network>().unwrap())?;
        // Without duplicate address detection, addresses are valid at once, so no result depends on timing.
        let dad_count = host.sysctl_int(DAD_COUNT)?;
        host.set_sysctl_int(DAD_COUNT, 0)?;
        let others: Vec<u16> = host.links()?.iter().map(|link| link.index).collect();
        let mut stage =
            Stage { kernel, host, jails: BTreeMap::new(), others, other_routes: Vec::new(), dad_count };
        stage.other_routes = stage.observe()?.routes_of_host();
        Ok(stage)
    }

    pub fn host(&self) -> &Vnet {
        &self.host
    }

    /// The network stack of a place, if the place exists.
    pub fn vnet(&self, place: Place) -> Option<&Vnet> {
        if place == Place::HOST { Some(&self.host) } else { self.jails.get(&place)?.vnet() }
    }

    /// Plays one operation.
    pub fn play(&mut self, step: &Step) -> Outcome {
        match self.attempt(step) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => "-".to_owned(),
            Err(error) => {
                let errno = error.errno().expect("the kernel refused");
                errno.name().map_or_else(|| format!("errno {}", errno.0), str::to_owned)
            }
        }
    }

    fn attempt(&mut self, step: &Step) -> Result<Option<Outcome>> {
        use Operation::*;
        match &step.operation {
            Make {}
            | Hold {}
            | Commit {}
            | Release {}
            | Remove {}
            | Abandon {}
            | LetGo {}
            | Share { .. }
            | Readdress { .. }
            | Hostname { .. } => self.change_jail(step.at, &step.operation),
            Lend { name, to: jail } | Reclaim { name, from: jail } if step.at == Place::HOST => {
                let Some(jid) = self.jails.get(jail).map(Jail::jid) else { return Ok(None) };
                match &step.operation {
                    Lend { .. } => self.host.lend(name, jid)?,
                    _ => self.host.reclaim(name, jid)?,
                }
                Ok(Some(DONE.to_owned()))
            }
            _ => match self.vnet(step.at) {
                Some(vnet) => stack::change(vnet, &step.operation),
                None => Ok(None),
            },
        }
    }

    fn parameters(&self, place: Place) -> JailParameters {
        let name = format!("sequence-{}-{place}", std::process::id());
        JailParameters::new(&name).path(Path::new("/"))
    }

    fn change_jail(&mut self, place: Place, operation: &Operation) -> Result<Option<Outcome>> {
        use Operation::*;
        let kernel = Arc::clone(&self.kernel);
        match (operation, self.jails.remove(&place)) {
            (Make {}, None) => {
                let jid = jail::create(&*kernel, &self.parameters(place).vnet())?;
                let vnet = Vnet::enter(kernel, jid)?;
                vnet.set_sysctl_int(DAD_COUNT, 0)?;
                self.jails.insert(place, Jail::Kept(jid, vnet));
            }
            (Hold {}, None) => {
                let held = jail::create_held(&kernel, &self.parameters(place).vnet())?;
                held.vnet().set_sysctl_int(DAD_COUNT, 0)?;
                self.jails.insert(place, Jail::Held(held));
            }
            (Share { address }, None) => {
                let parameters = self.parameters(place).set("ip4.addr", vec![*address]);
                let jid = jail::create(&*kernel, &parameters)?;
                self.jails.insert(place, Jail::Sharing(jid));
            }
            (Commit {}, Some(Jail::Held(held))) => {
                let jid = held.jid();
                let vnet = held.commit()?;
                self.jails.insert(place, Jail::Kept(jid, vnet));
            }
            (Release {}, Some(Jail::Held(held))) => {
                let jid = held.jid();
                drop(held);
                jail::wait_gone(&*kernel, jid, SOON)?;
            }
            (Remove {}, Some(there @ (Jail::Kept(..) | Jail::Sharing(_)))) => {
                let jid = there.jid();
                drop(there);
                jail::remove(&*kernel, jid)?;
                jail::wait_gone(&*kernel, jid, SOON)?;
            }
            (Abandon {}, Some(Jail::Kept(jid, vnet))) => {
                let removed = jail::remove(&*kernel, jid);
                self.jails.insert(place, Jail::Dying(jid, vnet));
                removed?;
            }
            (LetGo {}, Some(Jail::Dying(jid, vnet))) => {
                drop(vnet);
                jail::wait_gone(&*kernel, jid, SOON)?;
            }
            (Readdress { address }, Some(Jail::Sharing(jid))) => {
                self.jails.insert(place, Jail::Sharing(jid));
                let parameters = JailParameters::default().set("ip4.addr", vec![*address]);
                jail::update(&*kernel, jid, &parameters)?;
            }
            (Hostname { text }, Some(there)) => {
                let jid = there.jid();
                self.jails.insert(place, there);
                jail::update(&*kernel, jid, &JailParameters::default().hostname(text))?;
            }
            (_, there) => {
                self.jails.extend(there.map(|there| (place, there)));
                return Ok(None);
            }
        }
        Ok(Some(DONE.to_owned()))
    }

    /// Removes all objects that were made, and leaves the kernel as it was.
    pub fn clear(mut self) -> Result<()> {
        for (_, there) in std::mem::take(&mut self.jails) {
            let jid = there.jid();
            let stays = matches!(there, Jail::Kept(..) | Jail::Sharing(_));
            drop(there);
            if stays {
                jail::remove(&*self.kernel, jid)?;
            }
            jail::wait_gone(&*self.kernel, jid, SOON)?;
        }
        // After a jail is gone, its interfaces come back one by one, and interfaces that were made in it go. 15.1
        // was seen to panic if interfaces were destroyed meanwhile, so wait until this is over.
        let quiet = Duration::from_millis(1500);
        let (mut last, mut before) = (self.kernel.now(), self.host.links()?);
        while self.kernel.now() - last < quiet {
            self.kernel.sleep(quiet / 20);
            let links = self.host.links()?;
            if links != before {
                (last, before) = (self.kernel.now(), links);
            }
        }
        for link in before.iter().filter(|link| !self.others.contains(&link.index)) {
            // The other end of an epair goes with the first.
            let _ = self.host.destroy(&link.name);
        }
        // A path without a known gateway can be deleted only after the other paths of its route.
        for _ in 0..2 {
            for route in self.routes_made()? {
                match self.delete_whatever_it_is(&route) {
                    Err(error) if error.errno() == Some(Errno::ESRCH) => {}
                    other => other?,
                }
            }
        }
        self.host.set_sysctl_int(DAD_COUNT, self.dad_count)?;
        // The next sequence would begin with the leftovers.
        let left = self.observe()?.lines();
        assert_eq!(left, ["h has "], "left on the host");
        Ok(())
    }

    /// Deletes a route, also a changed route of an address, which outlives the address.
    fn delete_whatever_it_is(&self, route: &RouteEntry) -> Result<()> {
        let gateway = match route.via {
            Via::Gateway(gateway) => Some(gateway),
            _ => None,
        };
        if self.host.delete_route(route.destination, gateway, Fib::DEFAULT).is_ok() {
            return Ok(());
        }
        let address = |ip| match ip {
            IpAddr::V4(ip) => SocketAddress::V4(ip),
            IpAddr::V6(ip) => SocketAddress::V6(ip, route.scope),
        };
        let delete = Request {
            kind: jailwire_sys::RTM_DELETE,
            sequence: 1,
            flags: RouteFlags::PINNED,
            destination: address(route.destination.ip()),
            gateway: gateway.map(|gateway| address(gateway.address)),
            prefix_length: Some(route.destination.prefix()),
            ask_interface: false,
            metrics: Metrics::default(),
        };
        let socket = self.kernel.socket(Domain::Route(0)).unwrap();
        let deleted = self.kernel.send(socket, &delete.encode());
        self.kernel.close(socket);
        deleted.map_err(|failure| jailwire::Error::new("delete", route.destination, "RTM_DELETE", failure))
    }
}

const DAD_COUNT: &str = "net.inet6.ip6.dad_count";

/// The outcome of an operation that succeeded and made no object.
pub const DONE: &str = "ok";

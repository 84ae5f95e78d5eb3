//! The default routes of a jail: which network has them, and which default routes the jail had before.
//!
//! FreeBSD's routes have no metric, so a default route of a network replaces the jail's former default route. The
//! former route is written down first, and is added again when no network with a router of its family is left. If
//! another program has changed the default route meanwhile, the changed route stays.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use jailwire::jail::JailInfo;
use jailwire::kernel::Errno;
use jailwire::route::{Metrics, RouteEntry, RouteFlags};
use jailwire::types::{Fib, InterfaceName};
use jailwire::{Gateway, OptionalExtension as _, Route, Via, Vnet};
use serde::{Deserialize, Serialize};

use super::record::{DefaultsRecord, Progress, Record};
use super::{Host, Key, Result};
use crate::say;

/// A default route as it was before a network replaced the route. The record has the names of interfaces, because the
/// kernel may give an index to another interface later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerDefault {
    ipv6: bool,
    via: FormerVia,
    mtu: Option<u32>,
    weight: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum FormerVia {
    /// A router. A link-local address is on the interface.
    Router {
        address: IpAddr,
        interface: Option<String>,
    },
    /// An interface.
    Interface(String),
    Blackhole,
    Reject,
}

impl FormerDefault {
    fn of(inside: &Vnet, path: &RouteEntry) -> Result<FormerDefault> {
        let name = |index: u32| -> Result<Option<String>> {
            let links = inside.links()?;
            let link = links.into_iter().find(|link| u32::from(link.index) == index);
            Ok(link.map(|link| link.name.to_string()))
        };
        let via = match path.via {
            Via::Gateway(Gateway { address, scope: 0 }) => FormerVia::Router { address, interface: None },
            Via::Gateway(Gateway { address, scope }) => {
                FormerVia::Router { address, interface: name(scope)? }
            }
            Via::Interface(index) => FormerVia::Interface(name(index.into())?.unwrap_or_default()),
            Via::Blackhole => FormerVia::Blackhole,
            Via::Reject => FormerVia::Reject,
        };
        // Without this flag, the MTU is that of the interface.
        let mtu = path.metrics.mtu.filter(|_| path.flags.contains(RouteFlags::FIXED_MTU));
        Ok(FormerDefault { ipv6: path.destination.is_ipv6(), via, mtu, weight: path.metrics.weight })
    }

    /// Returns the route, or `None` if its interface is gone.
    fn route(&self, inside: &Vnet) -> Result<Option<Route>> {
        let index = |name: &str| -> Result<Option<u16>> {
            let name: Option<InterfaceName> = name.parse().ok();
            let index = name.map(|name| inside.index(&name).optional()).transpose()?;
            Ok(index.flatten())
        };
        let via = match &self.via {
            FormerVia::Router { address, interface: None } => Some(Via::Gateway((*address).into())),
            FormerVia::Router { address, interface: Some(name) } => {
                index(name)?.map(|index| Via::Gateway(Gateway { address: *address, scope: index.into() }))
            }
            FormerVia::Interface(name) => index(name)?.map(Via::Interface),
            FormerVia::Blackhole => Some(Via::Blackhole),
            FormerVia::Reject => Some(Via::Reject),
        };
        let mut metrics = Metrics::default();
        (metrics.mtu, metrics.weight) = (self.mtu, self.weight);
        Ok(via.map(|via| Route::new(everything(self.ipv6), via).with_metrics(metrics)))
    }

    /// Adds the route again. A route that cannot be added is reported: its router may be gone.
    fn restore(&self, inside: &Vnet, jail: &str) -> Result<()> {
        let Some(route) = self.route(inside)? else { return Ok(()) };
        match inside.add_route(&route) {
            Ok(()) => {}
            Err(error) if error.errno() == Some(Errno::EEXIST) => {}
            Err(error)
                if matches!(error.errno(), Some(Errno::ENETUNREACH | Errno::EINVAL | Errno::ENXIO)) =>
            {
                say::warn(&format!(
                    "jail {jail} does not get its former default route back: {error}; `route -j {jail} add default ROUTER` adds another one"
                ));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// The destination of the default route of a family.
fn everything(ipv6: bool) -> IpNetwork {
    let unspecified: IpAddr = if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    IpNetwork::new(unspecified, 0).expect("0 is a prefix length of both families")
}

/// Returns the paths of the default route of a family.
fn paths(inside: &Vnet, ipv6: bool) -> Result<Vec<RouteEntry>> {
    match inside.route(everything(ipv6), Fib::DEFAULT)? {
        None => Ok(Vec::new()),
        // A route with a weight has a single path.
        Some(path) if path.metrics.weight.is_some() => Ok(vec![path]),
        Some(_) => {
            let all = inside.routes(Fib::DEFAULT)?;
            Ok(all
                .into_iter()
                .filter(|path| path.is_default() && path.destination.is_ipv6() == ipv6)
                .collect())
        }
    }
}

/// Returns the paths that lead to no router of these attachments.
fn foreign(paths: Vec<RouteEntry>, own: &[Record]) -> Vec<RouteEntry> {
    let is_own = |path: &RouteEntry| match path.via {
        Via::Gateway(gateway) => own.iter().any(|record| record.routers.contains(&gateway.address)),
        _ => false,
    };
    paths.into_iter().filter(|path| !is_own(path)).collect()
}

/// Returns the router of a family that is to be the default, with its place in the list.
fn best(records: &[Record], ipv6: bool) -> Option<(usize, IpAddr)> {
    let router = |record: &Record| record.routers.iter().copied().find(|router| router.is_ipv6() == ipv6);
    let all = records.iter().enumerate().filter_map(|(place, record)| Some((place, router(record)?)));
    all.min_by_key(|(place, _)| (records[*place].metric, records[*place].begun))
}

impl Host {
    /// Sets a jail's default routes through the attached networks with the lowest metric, one for each family.
    /// `begun` are attachments that are being made.
    ///
    /// A default route of another program is replaced only by a network that is being attached.
    pub(super) fn settle_defaults(&self, inside: &Vnet, jail: &JailInfo, begun: &[Record]) -> Result<()> {
        if begun.iter().all(|record| record.routers.is_empty()) {
            return Ok(());
        }
        let attached = attached(&self.with_routers(jail)?);
        let all = [&attached, begun].concat();
        for ipv6 in [false, true] {
            let Some((place, router)) = best(&all, ipv6) else { continue };
            let foreign = foreign(paths(inside, ipv6)?, &attached);
            if !foreign.is_empty() {
                if place < attached.len() {
                    continue;
                }
                self.remember_defaults(inside, jail, ipv6, &foreign)?;
            }
            inside.ensure_default(router, Fib::DEFAULT)?;
        }
        Ok(())
    }

    /// Writes down the default routes that are about to be replaced.
    fn remember_defaults(
        &self,
        inside: &Vnet,
        jail: &JailInfo,
        ipv6: bool,
        paths: &[RouteEntry],
    ) -> Result<()> {
        let mut record = self.former_defaults(jail)?;
        record.routes.retain(|route| route.ipv6 != ipv6);
        for path in paths {
            record.routes.push(FormerDefault::of(inside, path)?);
        }
        self.with_files(|files| {
            let _lock = self.records.lock_shared(files)?;
            Ok(self.records.set_defaults(files, jail.jid, Some(&record))?)
        })
    }

    fn former_defaults(&self, jail: &JailInfo) -> Result<DefaultsRecord> {
        let known = self.records.defaults(jail.jid)?.filter(|record| record.jail == jail.name);
        Ok(known.unwrap_or_else(|| DefaultsRecord {
            boot: self.records.boot().to_owned(),
            jail: jail.name.clone(),
            routes: Vec::new(),
        }))
    }

    /// Gives a jail the default routes of the networks that are left, after the epair of an attachment is gone. If no
    /// network is left, the former default routes come back.
    pub(super) fn settle_defaults_without(&self, jail: &JailInfo, gone: &Key) -> Result<()> {
        let mut others = self.with_routers(jail)?;
        others.retain(|(record, _)| record.key != *gone);
        let former = self.former_defaults(jail)?;
        if others.is_empty() && former.routes.is_empty() {
            return Ok(());
        }
        let left: Vec<Record> = attached(&others);
        let others: Vec<Record> = others.into_iter().map(|(record, _)| record).collect();
        let inside = Vnet::enter(self.kernel().clone(), jail.jid)?;
        let mut kept = former.clone();
        for ipv6 in [false, true] {
            let of_family: Vec<_> = former.routes.iter().filter(|route| route.ipv6 == ipv6).collect();
            let best = best(&left, ipv6);
            if best.is_none() && of_family.is_empty() {
                continue;
            }
            let paths = paths(&inside, ipv6)?;
            let all = paths.len();
            let foreign = foreign(paths, &others);
            if let Some((_, router)) = best {
                if foreign.is_empty() {
                    inside.ensure_default(router, Fib::DEFAULT)?;
                }
                continue;
            }
            // An attachment that a killed process has left may still have the default route, and is removed next.
            if foreign.len() < all {
                continue;
            }
            // If a process was killed here, some of the former paths are there already.
            let present: Vec<FormerDefault> =
                foreign.iter().map(|path| FormerDefault::of(&inside, path)).collect::<Result<_>>()?;
            let is_former = |path: &FormerDefault| of_family.iter().any(|former| former.via == path.via);
            if present.iter().all(is_former) {
                for route in &of_family {
                    if !present.iter().any(|path| path.via == route.via) {
                        route.restore(&inside, &jail.name)?;
                    }
                }
            }
            kept.routes.retain(|route| route.ipv6 != ipv6);
        }
        if kept != former {
            let kept = Some(&kept).filter(|kept| !kept.routes.is_empty());
            self.with_files(|files| {
                let _lock = self.records.lock_shared(files)?;
                Ok::<_, super::Failure>(self.records.set_defaults(files, jail.jid, kept)?)
            })?;
        }
        Ok(())
    }

    /// Returns the attachments of a jail that have routers.
    fn with_routers(&self, jail: &JailInfo) -> Result<Vec<(Record, Progress)>> {
        let mut known = self.with_files(|files| self.records.all(files))?;
        known.retain(|(record, _)| {
            record.jail == jail.name && record.jid == jail.jid.get() && !record.routers.is_empty()
        });
        Ok(known)
    }
}

/// Returns the attachments that are complete.
fn attached(records: &[(Record, Progress)]) -> Vec<Record> {
    let attached = records.iter().filter(|(_, progress)| *progress == Progress::Attached);
    attached.map(|(record, _)| record.clone()).collect()
}

//! Having exactly one default route, and removing all routes.

use super::{Gateway, Route, RouteFlags, Via};
use crate::error::Result;
use crate::kernel::Errno;
use crate::types::Fib;
use crate::vnet::Vnet;

impl Vnet {
    /// Makes this the only default route of its family. Returns whether anything had to change.
    ///
    /// The route is read first: RTM_ADD would add a second path to an existing default route, and RTM_CHANGE
    /// fails for a route with several paths. Only a route with several paths costs a dump.
    ///
    /// # Errors
    ///
    /// As [`Vnet::add_route`], [`Vnet::change_route`], [`Vnet::delete_route`].
    pub fn ensure_default(&self, gateway: impl Into<Gateway>, fib: Fib) -> Result<bool> {
        let gateway = gateway.into();
        let wanted = Route::default_via(gateway).in_fib(fib);
        match self.route(wanted.destination, fib)? {
            None => match self.add_route(&wanted) {
                Ok(()) => return Ok(true),
                // Another process has added the route meanwhile.
                Err(error) if error.errno() == Some(Errno::EEXIST) => {}
                Err(error) => return Err(error),
            },
            // A route with a weight has a single path.
            Some(route) if route.metrics.weight.is_some() => match route.via {
                Via::Gateway(present) if present == gateway => return Ok(false),
                Via::Gateway(_) => {
                    self.change_route(&wanted)?;
                    return Ok(true);
                }
                _ => {
                    self.delete_route(wanted.destination, None, fib)?;
                    self.add_route(&wanted)?;
                    return Ok(true);
                }
            },
            Some(_) => {}
        }
        self.reduce_default(&wanted, gateway)
    }

    /// Reduces several default paths to one.
    fn reduce_default(&self, wanted: &Route, gateway: Gateway) -> Result<bool> {
        let mut paths: Vec<Gateway> = Vec::new();
        for route in self.routes(wanted.fib)? {
            let same_family = route.destination.is_ipv4() == wanted.destination.is_ipv4();
            if let (true, true, Via::Gateway(path)) = (route.is_default(), same_family, route.via) {
                paths.push(path);
            }
        }
        let present = paths.contains(&gateway);
        if present && paths.len() == 1 {
            return Ok(false);
        }
        let mut others = paths.into_iter().filter(|path| *path != gateway);
        // The last path that is left is changed instead of deleted. So there is always a path that works.
        let last = if present { None } else { others.next() };
        for path in others {
            self.delete_route(wanted.destination, Some(path), wanted.fib)?;
        }
        match (present, last) {
            (true, _) => {}
            (false, Some(_)) => self.change_route(wanted)?,
            (false, None) => self.add_route(wanted)?,
        }
        Ok(true)
    }

    /// Deletes all routes of both families that have a router or drop packets (blackhole, reject). Returns the number
    /// of deleted routes.
    ///
    /// Routes of interface addresses and routes to an interface stay, as with `route flush`.
    ///
    /// # Errors
    ///
    /// As [`Vnet::routes`] and [`Vnet::delete_route`]. A route that vanishes meanwhile is no error.
    pub fn flush_routes(&self, fib: Fib) -> Result<usize> {
        let mut flushed = 0;
        for route in self.routes(fib)? {
            let gateway = match route.via {
                Via::Gateway(gateway) if route.flags.contains(RouteFlags::GATEWAY) => Some(gateway),
                Via::Blackhole | Via::Reject if route.flags.contains(RouteFlags::STATIC) => None,
                _ => continue,
            };
            if route.flags.contains(RouteFlags::PINNED) {
                continue;
            }
            match self.delete_route(route.destination, gateway, fib) {
                Ok(()) => flushed += 1,
                Err(error) if error.errno() == Some(Errno::ESRCH) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(flushed)
    }
}

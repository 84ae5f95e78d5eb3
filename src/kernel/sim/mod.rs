//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.
#![allow(dead_code)]

mod address6;
mod asked;
mod dump;
mod events;
mod gateway;
mod inet;
mod inet6;
mod inet_routes;
mod links;
mod messages;
mod multicast;
mod nd6;
mod neighbours;
mod own_routes;
mod prefix6;
mod protocol_state;
mod protocols;
mod route_requests;
mod routed;
mod rtsock;
mod sockaddr;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod vectors;
mod visibility;
mod wire;
mod world;

mod caller {
    pub(crate) use super::world::Caller;
    use super::world::World;
    use crate::kernel::{Errno, Result};
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Privilege {
        Network,
        Route,
    }
    impl World {
        pub fn permit(&self, caller: Caller, _privilege: Privilege) -> Result<()> {
            if caller.root { Ok(()) } else { Err(Errno::EPERM.into()) }
        }
    }
}
mod jails {
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Jails;
}
mod mounts {
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Mounts;
}

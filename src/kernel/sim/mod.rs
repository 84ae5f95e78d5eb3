//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.

mod protocols;
mod table;
// mod world;

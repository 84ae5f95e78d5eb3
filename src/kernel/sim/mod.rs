//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.

mod protocol_state;
mod table;
// mod world;

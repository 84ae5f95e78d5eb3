//! The behaviour of FreeBSD's kernel that the library relies on: every operation, every refusal, every side effect
//! and the order of events.
//!
//! The same tests run on both kernels. On FreeBSD the tests use the running kernel, and fail without
//! root. On other systems they use the simulated kernel, which is believed only as far as these tests check it. `JAILWIRE_SIM_RELEASE`
//! chooses the simulated release.
//!
//! A test has a world of its own: a jail with a network stack ([`World`](support::World)), or the host for what
//! cannot be done in a jail ([`Host`](support::Host)). Where FreeBSD 14 and 15 differ, the test asks for the
//! release, and says what each release does.
//!
//! The tests named `trap_…` check the 38 surprising behaviours. Each test says on which releases a real kernel was
//! seen to behave so.

mod support;

mod address4;
mod address6;
mod all;
mod bridge;
mod bridge_parameters;
mod carp;
mod clone;
mod dad;
mod description;
mod details;
mod devfs;
mod dump;
mod enter;
mod epair;
mod events;
mod flags;
mod found;
mod gifconf;
mod group;
mod hold;
mod ipfw;
mod jail_create;
mod jail_descriptors;
mod jail_events;
mod jail_query;
mod jail_remove;
mod jail_values;
mod mac;
mod monitor;
mod mounts;
mod mtu;
mod multipath;
mod names;
mod nd6;
mod neighbours;
mod packet_filter;
mod route_socket;
mod routes;
mod run;
mod sysctl;
mod traps_addresses;
mod traps_interfaces;
mod traps_jails;
mod traps_messages;
mod traps_stacks;
mod tunnel;
mod vlan;
mod vmove;

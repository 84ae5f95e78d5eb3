//! The hosts, and what each remedy changes on them.

mod bridges;
mod host;
mod jails;
mod leftovers;
mod vlans;

use jailwire::sim::{Hardware, Options, Setting};

use super::Case;
use super::host::Host;
use crate::world::{tuned, vnet};

/// All cases.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [bridges::CASES, host::CASES, jails::CASES, leftovers::CASES, vlans::CASES].into_iter().flatten()
}

/// The usual host, with a second network card that is not used.
pub fn options() -> Options {
    let second = Hardware::new("em", 1, [0x58, 0x9c, 0xfc, 0, 0, 2]);
    // These settings avoid findings that every host would have.
    let quiet = tuned(&[("kern.racct.enable", 1), ("net.link.bridge.pfil_onlyip", 0)]);
    quiet.with_hardware(vec![second])
}

pub fn with(more: &[(&str, i32)]) -> Options {
    let mut options = options();
    options.sysctls.extend(more.iter().map(|(name, value)| ((*name).to_owned(), Setting::Int(*value))));
    options
}

/// The configuration of a jail, with further or changed properties.
pub fn but(address: &str, more: &str) -> String {
    vnet(address).replacen('{', &format!("{{{more},"), 1)
}

/// A host with one jail, web.
pub fn web(config: &str) -> Host {
    Host::new(options(), &[("web", config)])
}

/// As [`web`], with the bridge that the jail needs.
pub fn on_bridge(config: &str) -> Host {
    let host = web(config);
    host.bridge();
    host
}

pub fn started(host: Host) -> Host {
    host.run("iocage start web");
    host
}

pub fn routed(more: &str) -> String {
    but("192.0.2.20/24", more).replace(r#""defaultrouter":"none","#, "")
}

pub const USUAL: &str = "192.0.2.20/24";

/// A jail with NAT and published ports: without pf, or with a pf that skips the packets the host sends to itself.
pub fn natted(pf: u8) -> Host {
    let config = but("10.1.1.10/24", r#""nat":1,"nat_backend":"pf","nat_forwards":"tcp(80)""#);
    let host = Host::new(
        with(&[("net.inet.ip.forwarding", 1), ("net.inet6.ip6.forwarding", 1)]),
        &[("web", &config)],
    );
    host.run("ifconfig bridge0 create up && ifconfig bridge0 inet 10.1.1.1/24");
    if pf > 0 {
        host.run("kldload pf && service pf reload");
    }
    host
}

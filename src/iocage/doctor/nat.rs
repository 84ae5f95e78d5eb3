//! Reports what prevents NAT and published ports from working.

use std::net::IpAddr;

use super::Scene;
use super::finding::{Finding, Kind, Level, list};
use super::remedies::each;
use crate::iocage::config::{JailConfig, Network, VnetNetwork};
use crate::iocage::name::JailName;
use crate::packet_filter::RuleKind;
use crate::wiring::Problem;
use crate::wiring::nat::{self, Backend, JailNat};

impl Scene<'_> {
    /// Reports what a start would refuse, once for all jails, and what else published ports need.
    pub(super) fn nat(&self, found: &mut Vec<Finding>) {
        let mut refused: Vec<(Problem, bool, Vec<&JailName>)> = Vec::new();
        let mut publishing = Vec::new();
        for subject in &self.jails {
            let Ok(config) = &subject.config else { continue };
            let Some(wanted) = wanted(config) else { continue };
            let by_pf = wanted.backend() == Backend::Pf;
            let publishes = by_pf && config.nat.as_ref().is_some_and(|nat| !nat.forwards.is_empty());
            if publishes {
                publishing.push(subject.name());
            }
            for problem in nat::problems(self.vnet, &wanted).unwrap_or_default() {
                match refused.iter_mut().find(|(other, ..)| *other == problem) {
                    Some((_, published, jails)) => {
                        *published |= publishes;
                        jails.push(subject.name());
                    }
                    None => refused.push((problem, publishes, vec![subject.name()])),
                }
            }
        }
        for (problem, published, jails) in refused {
            let words = problem.to_string();
            let what = words.split_once(": ").map_or(&*words, |(what, _)| what);
            found.push(
                Finding::new(Level::Error, Kind::NatRefused, what)
                    .because(format!("nat=1 has no effect for these jails: {}", list(&jails)))
                    .mend_by(ways(&problem, published, &jails))
                    .of(jails),
            );
        }
        let filters_local =
            self.vnet.sysctl("net.pf.filter_local").ok().and_then(|value| value.first().copied());
        if filters_local == Some(0) && !publishing.is_empty() {
            found.push(
                Finding::new(
                    Level::Note,
                    Kind::NatNotLocal,
                    "pf does not see what this host sends to itself",
                )
                .because(format!("the host itself does not reach the ports of: {}", list(&publishing)))
                .mend("sysctl net.pf.filter_local=1 && service pf restart")
                .mend("and for every boot, add to /etc/sysctl.conf: net.pf.filter_local=1")
                .of(publishing),
            );
        }
    }
}

/// The remedies for a problem, and for the problems that would be reported after it.
fn ways(problem: &Problem, publishes: bool, jails: &[&JailName]) -> Vec<String> {
    let at_boot = "for every boot: sysrc pf_enable=YES".to_owned();
    let calls = |lines: &str| lines.lines().map(|line| format!("add to /etc/pf.conf: {line}")).collect();
    match problem {
        Problem::NoPf => {
            let kinds: &[RuleKind] =
                if publishes { &[RuleKind::Nat, RuleKind::Redirect] } else { &[RuleKind::Nat] };
            let mut ways: Vec<String> = calls(&nat::lines(kinds));
            let own = if publishes { "sysctl net.pf.filter_local=1 && " } else { "" };
            ways.push(format!("kldload pf && {own}service pf onestart"));
            ways.push(at_boot);
            if publishes {
                ways.push("for every boot, add to /etc/sysctl.conf: net.pf.filter_local=1".to_owned());
            }
            each(ways)
        }
        Problem::PfOff => each(["service pf onestart".to_owned(), at_boot]),
        Problem::AnchorNotCalled { lines } => {
            let mut ways: Vec<String> = calls(lines);
            ways.push("service pf reload".to_owned());
            each(ways)
        }
        Problem::ForwardingOff { sysctl } => {
            let family = if sysctl.contains("inet6") { "ipv6_" } else { "" };
            each([format!("sysctl {sysctl}=1"), format!("for every boot: sysrc {family}gateway_enable=YES")])
        }
        Problem::PortTaken { .. } => {
            each(jails.iter().map(|jail| format!("iocage set nat_forwards=VALUE {jail}")))
        }
        other => {
            let words = other.to_string();
            vec![words.split_once(": ").map_or(&*words, |(_, how)| how).to_owned()]
        }
    }
}

/// The NAT and published ports in the jail's configuration.
fn wanted(config: &JailConfig) -> Option<JailNat> {
    let nat = config.nat.as_ref()?;
    let addresses: Vec<IpAddr> = match &config.network {
        Network::Vnet(VnetNetwork { nics, .. }) => {
            let ip4 = nics.iter().flat_map(|nic| nic.ip4.iter().map(|own| own.ip().into()));
            ip4.chain(nics.iter().flat_map(|nic| nic.ip6.iter().map(|own| own.ip().into()))).collect()
        }
        Network::Shared(shared) => {
            let ip4 = shared.ip4.iter().map(|own| own.address.address().into());
            ip4.chain(shared.ip6.iter().map(|own| own.address.address().into())).collect()
        }
    };
    // Which address a start chooses does not matter here: use the first address of the prefix.
    let chosen = nat.choice.filter(|_| addresses.is_empty()).and_then(|_| nat.prefix.links().next());
    let addresses = addresses.into_iter().chain(chosen.map(|link| link.jail().ip().into()));
    let mut wanted = JailNat::new(config.name.kernel_name(), addresses).nat().by(nat.backend);
    if matches!(config.network, Network::Shared(_)) {
        wanted = wanted.sharing();
    }
    let wanted = nat.interface.into_iter().fold(wanted, JailNat::through);
    Some(nat.forwards.iter().copied().fold(wanted, JailNat::publish))
}

//! What keeps NAT and published ports from working.

use std::net::IpAddr;

use super::Scene;
use super::finding::{Finding, Level, list};
use crate::iocage::config::{JailConfig, Network, VnetNetwork};
use crate::wiring::nat::{self, Backend, JailNat};

impl Scene<'_> {
    /// What a start would refuse, once for all jails that it concerns; and what published ports lack without it.
    pub(super) fn nat(&self, found: &mut Vec<Finding>) {
        let mut refused: Vec<(String, Vec<_>)> = Vec::new();
        let mut publishing = Vec::new();
        for subject in &self.jails {
            let Ok(config) = &subject.config else { continue };
            let Some(wanted) = wanted(config) else { continue };
            let by_pf = wanted.backend() == Backend::Pf;
            if by_pf && config.nat.as_ref().is_some_and(|nat| !nat.forwards.is_empty()) {
                publishing.push(subject.name());
            }
            for problem in nat::problems(self.vnet, &wanted).unwrap_or_default() {
                let words = problem.to_string();
                match refused.iter_mut().find(|(other, _)| *other == words) {
                    Some((_, jails)) => jails.push(subject.name()),
                    None => refused.push((words, vec![subject.name()])),
                }
            }
        }
        for (words, jails) in refused {
            let (what, mend) = words.split_once(": ").unwrap_or((&words, "see pf.conf(5)"));
            found.push(
                Finding::new(Level::Error, "nat", what)
                    .because(format!("what these jails have of nat=1 has no effect: {}", list(&jails)))
                    .mend(mend)
                    .of(jails),
            );
        }
        let filters_local =
            self.vnet.sysctl("net.pf.filter_local").ok().and_then(|value| value.first().copied());
        if filters_local == Some(0) && !publishing.is_empty() {
            found.push(
                Finding::new(Level::Note, "nat", "pf does not see what this host sends to itself")
                    .because(format!("the host itself does not reach the ports of: {}", list(&publishing)))
                    .mend("sysctl net.pf.filter_local=1, and then switch pf off and on: service pf restart")
                    .mend("and add to /etc/sysctl.conf: net.pf.filter_local=1")
                    .of(publishing),
            );
        }
    }
}

/// What the jail's configuration asks for.
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
    let mut wanted = JailNat::new(config.name.kernel_name(), addresses).nat().by(nat.backend);
    if matches!(config.network, Network::Shared(_)) {
        wanted = wanted.sharing();
    }
    let wanted = nat.interface.into_iter().fold(wanted, JailNat::through);
    Some(nat.forwards.iter().copied().fold(wanted, JailNat::publish))
}

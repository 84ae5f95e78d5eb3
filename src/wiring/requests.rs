//! The requests that each step makes to the kernel, by their C names.

use ipnetwork::IpNetwork;

use super::nat::Backend;
use super::plan::{Plan, is_cloned_bridge_name};
use super::step::{JailInterface, Step};
use super::survey::Survey;
use crate::interface::Interface;
use crate::types::InterfaceName;

impl Plan {
    /// Returns the steps, each with the requests that it makes to change something, in order. Requests that
    /// only read are left out.
    pub fn requests(&self, survey: &Survey) -> Vec<(&Step, Vec<&'static str>)> {
        let mut shared = Some(self.shared_requests(survey));
        let mut of = |step: &Step| match step {
            Step::BringUpInside { nic } if self.has_inet6(*nic) => Vec::new(),
            step => requests(step, &mut shared),
        };
        self.steps().iter().map(|step| (step, of(step))).collect()
    }

    /// Whether a NIC has an IPv6 address: the first IPv6 address brings the NIC up.
    fn has_inet6(&self, nic: usize) -> bool {
        let is =
            |step: &Step| matches!(step, Step::AddAddress6(JailInterface::Nic(other), _) if *other == nic);
        self.steps().iter().any(is)
    }

    /// The requests of the first step that needs a bridge. This step makes all missing bridges, and puts the
    /// host's interfaces on them.
    fn shared_requests(&self, survey: &Survey) -> Vec<&'static str> {
        let mut made: Vec<&InterfaceName> = Vec::new();
        // A bridge that exists and is down is not changed, unless something is missing.
        let is_missing = |step: &Step| match step {
            Step::MakeVlan { .. } | Step::AddUplink { .. } | Step::Carry { .. } => true,
            Step::Join { bridge, .. } => survey.interface(bridge).is_none(),
            _ => false,
        };
        let changes = self.steps().iter().any(is_missing) || !self.empty().is_empty();
        let mut requests = Vec::new();
        for step in self.steps() {
            if let Step::AddUplink { bridge, .. } | Step::Join { bridge, .. } = step
                && !made.contains(&bridge)
            {
                made.push(bridge);
                match survey.interface(bridge) {
                    None if self.filtering().contains(bridge) => {
                        requests.extend(["SIOCIFCREATE2", "BRDGSFLAGS", "SIOCSIFFLAGS"]);
                    }
                    // The kernel does not make a bridge under this name: it is made under another name, and
                    // renamed.
                    None if !is_cloned_bridge_name(bridge) => {
                        requests.extend(["SIOCIFCREATE2", "SIOCSIFNAME", "SIOCSIFFLAGS"]);
                    }
                    None => requests.extend(["SIOCIFCREATE2", "SIOCSIFFLAGS"]),
                    Some(interface) if changes && !interface.is_up() => requests.push("SIOCSIFFLAGS"),
                    Some(_) => {}
                }
            }
        }
        for step in self.steps() {
            if let Step::MakeVlan { parent, .. } = step {
                requests.push("SIOCIFCREATE2");
                if !survey.interface(parent).is_some_and(Interface::is_up) {
                    requests.push("SIOCSIFFLAGS");
                }
            }
            if let Step::AddUplink { member, .. } = step {
                if !survey.interface(member).is_some_and(Interface::is_up) {
                    requests.push("SIOCSIFFLAGS");
                }
                requests.push("BRDGADD");
            }
            if let Step::Carry { .. } = step {
                requests.push("BRDGSIFVLANSET");
            }
        }
        requests
    }
}

fn requests(step: &Step, shared: &mut Option<Vec<&'static str>>) -> Vec<&'static str> {
    match step {
        Step::CreateRuleset { rules, .. } => vec!["DEVFSIO_RADD"; rules.len()],
        Step::Mount(_) => vec!["nmount"],
        Step::AddAlias4(..) | Step::AddAddress4(..) => vec!["SIOCAIFADDR"],
        Step::AddAlias6(..) | Step::AddAddress6(..) => vec!["SIOCAIFADDR_IN6"],
        // The first call uses a provisional name, the second sets the jail's own name.
        Step::CreateJail => vec!["jail_set", "jail_set"],
        Step::HoldJail | Step::Commit => vec!["jail_set"],
        Step::CreateEpair { .. } => vec!["SIOCIFCREATE2"],
        Step::NameJailEnd { .. } | Step::NameHostEnd { .. } => vec!["SIOCSIFNAME"],
        Step::SetMacs { .. } => vec!["SIOCSIFLLADDR"; 2],
        Step::SetMtu { .. } => vec!["SIOCSIFMTU"; 2],
        Step::Describe { .. } => vec!["SIOCSIFDESCR"],
        Step::TakeOut { .. } => vec!["SIOCSIFRVNET"],
        Step::MakeVlan { .. } | Step::AddUplink { .. } | Step::Carry { .. } => {
            shared.take().unwrap_or_default()
        }
        Step::Join { .. } => {
            let mut requests = shared.take().unwrap_or_default();
            requests.push("BRDGADD");
            requests
        }
        Step::SetVlans { vlans, .. } if vlans.tagged.is_empty() => vec!["BRDGSIFPVID"],
        Step::SetVlans { .. } => vec!["BRDGSIFPVID", "BRDGSIFVLANSET"],
        Step::Isolate { .. } => vec!["BRDGSIFFLGS"],
        Step::AddHostAddress { network: IpNetwork::V4(_), .. } => vec!["SIOCAIFADDR"],
        Step::AddHostAddress { network: IpNetwork::V6(_), .. } => vec!["SIOCAIFADDR_IN6"],
        Step::BringUp { .. } | Step::BringUpInside { .. } => vec!["SIOCSIFFLAGS"],
        Step::StartLoopback => vec!["SIOCSIFFLAGS", "SIOCAIFADDR"],
        Step::AcceptRtadv { .. } => vec!["SIOCSIFINFO_FLAGS"],
        Step::DefaultRoute(_) | Step::AddRoute(_) => vec!["RTM_ADD"],
        Step::Publish(nat) => match nat.backend() {
            Backend::Pf => vec!["DIOCXBEGIN", "DIOCADDRULE", "DIOCXCOMMIT"],
            Backend::Ipfw => vec!["IP_FW_XADD", "IP_FW_NAT44_XCONFIG", "IP_FW_TABLE_XADD"],
        },
        Step::Lend(_) => vec!["SIOCSIFFIB", "SIOCSIFVNET"],
    }
}

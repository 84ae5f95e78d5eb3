//! The doctor's checks before a start.

use std::collections::BTreeSet;

use jailwire::iocage::doctor::{Finding, Scene};
use jailwire::iocage::lifecycle::{Host, Report as _};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::vnet::Vnet;

use super::work::Work;
use crate::environment::Environment;

/// The doctor's findings about jails that are about to be started, for output that reports them with each jail.
pub struct Checks(Vec<(String, BTreeSet<JailName>)>);

impl Checks {
    /// Looks at the host and at all jails once. Jails that run already are not checked. In text, each finding is
    /// printed now, and once for all jails that it concerns. In JSON, it is a part of each of these jails.
    pub fn make(environment: &Environment, host: &Host<'_>, turns: &[Turn], work: &Work) -> Checks {
        let is_down = |name: &&JailName| {
            environment.store.find(name).is_some_and(|entry| matches!(host.running(&entry), Ok(None)))
        };
        Checks::of_jails(environment, turns.iter().map(|turn| &turn.name).filter(is_down), work)
    }

    /// As [`Checks::make`], for jails that are down or will be stopped first.
    pub fn of_jails<'a>(
        environment: &Environment,
        jails: impl Iterator<Item = &'a JailName>,
        work: &Work,
    ) -> Checks {
        let jails: BTreeSet<JailName> = jails.cloned().collect();
        if jails.is_empty() {
            return Checks(Vec::new());
        }
        let vnet = Vnet::host(environment.kernel.clone());
        // If something cannot be read, the starts will report it.
        let Ok(scene) = Scene::take(&vnet, &environment.store) else { return Checks(Vec::new()) };
        let found = scene.before_starts(&jails);
        if work.is_json() {
            let about = |finding: &Finding| (in_short(finding), finding.jails.iter().cloned().collect());
            return Checks(found.iter().map(about).collect());
        }
        for finding in &found {
            work.report().warn(&in_short(finding));
        }
        Checks(Vec::new())
    }

    /// The findings about a jail.
    pub fn of(&self, name: &JailName) -> Vec<String> {
        let about = self.0.iter().filter(|(_, jails)| jails.contains(name));
        about.map(|(text, _)| text.clone()).collect()
    }
}

/// A finding as one line.
fn in_short(finding: &Finding) -> String {
    let mend = finding.mend.first().map(|mend| format!(" ({mend})")).unwrap_or_default();
    format!("{}: {}{mend}", finding.what, finding.why)
}

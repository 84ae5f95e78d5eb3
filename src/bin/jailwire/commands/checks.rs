//! The doctor's checks before a start.

use std::collections::BTreeSet;

use jailwire::iocage::doctor::{Finding, Scene};
use jailwire::iocage::lifecycle::{Host, Report as _};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::vnet::Vnet;

use super::work::Work;
use crate::environment::Environment;

/// What the doctor has to say of jails that are about to be started, where it is told with each of them.
pub struct Checks(Vec<(String, BTreeSet<JailName>)>);

impl Checks {
    /// Looks at the host and at all jails once, however many are to be started; those that run already
    /// are not. For people what was found is said now, and once, whatever the number of jails that it
    /// concerns; in JSON it stands with each of them.
    pub fn make(environment: &Environment, host: &Host<'_>, turns: &[Turn], work: &Work) -> Checks {
        let is_down = |name: &&JailName| {
            environment.store.find(name).is_some_and(|entry| matches!(host.running(&entry), Ok(None)))
        };
        Checks::of_jails(environment, turns.iter().map(|turn| &turn.name).filter(is_down), work)
    }

    /// The same for jails that are down, or will have been stopped.
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

    /// What is to be told with this jail.
    pub fn of(&self, name: &JailName) -> Vec<String> {
        let about = self.0.iter().filter(|(_, jails)| jails.contains(name));
        about.map(|(text, _)| text.clone()).collect()
    }
}

/// A finding in one line, printed before the start of the jail that it is about.
fn in_short(finding: &Finding) -> String {
    let mend = finding.mend.first().map(|mend| format!(" ({mend})")).unwrap_or_default();
    format!("{}: {}{mend}", finding.what, finding.why)
}

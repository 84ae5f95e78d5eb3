//! The host as many starts see it: looked at once, and kept up to date by what they plan.

use std::sync::{Mutex, PoisonError};

use crate::types::MacAddr;
use crate::vnet::Vnet;
use crate::wiring::{Failure, JailSpec, Network, Owned, Plan, Problem, Survey};

/// A [`Survey`] that is shared by the starts of a bulk operation.
///
/// To dump the host's interfaces for each jail would take longer for each. What one start plans counts
/// for the next: its MAC addresses are taken, and the first member of a bridge sets its MTU.
#[derive(Debug, Default)]
pub struct View {
    survey: Mutex<Option<Survey>>,
}

impl View {
    /// A view of a host that is looked at when the first jail asks.
    pub fn new() -> View {
        View::default()
    }

    /// Plans the start of a jail.
    ///
    /// # Errors
    ///
    /// Those of [`Survey::take`]; the inner ones are those of [`Plan::new`].
    pub fn plan(&self, host: &Vnet, spec: &JailSpec) -> Result<Result<Plan, Vec<Problem>>, Failure> {
        let mut survey = self.survey.lock().unwrap_or_else(PoisonError::into_inner);
        let survey = match &mut *survey {
            Some(survey) => {
                survey.turn_to(host, spec)?;
                survey
            }
            none => none.insert(Survey::take(host, spec)?),
        };
        let plan = Plan::new(spec, survey);
        if plan.is_ok() {
            survey.expect(spec);
        }
        Ok(plan)
    }

    /// These are gone: what an earlier start left was cleared up.
    pub fn gone(&self, owned: &[Owned]) {
        if let Some(survey) = &mut *self.survey.lock().unwrap_or_else(PoisonError::into_inner) {
            survey.remove(owned);
        }
    }

    /// A start that was planned has failed: its MAC addresses are free again.
    pub fn forget(&self, spec: &JailSpec) {
        if let Some(survey) = &mut *self.survey.lock().unwrap_or_else(PoisonError::into_inner) {
            survey.forget_macs(&macs(spec).collect::<Vec<_>>());
        }
    }
}

/// The MAC addresses that a jail is to have.
fn macs(spec: &JailSpec) -> impl Iterator<Item = MacAddr> {
    let nics = match &spec.network {
        Network::Vnet(vnet) => vnet.nics.as_slice(),
        Network::Shared(_) => &[],
    };
    nics.iter().filter_map(|nic| nic.macs).flat_map(|(host, jail)| [host, jail])
}

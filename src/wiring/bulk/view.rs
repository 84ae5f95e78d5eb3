//! The host as many starts see it: looked at once, and kept up to date by what they plan.

use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::types::MacAddr;
use crate::vnet::Vnet;
use crate::wiring::{JailSpec, Network, Owned, Plan, Problems, Survey};

/// A [`Survey`] that is shared by the starts of a bulk operation.
///
/// To dump the host's interfaces for each jail would take longer for each. What one start plans counts
/// for the next: its MAC addresses are taken, and the first member of a bridge sets its MTU.
#[derive(Debug, Default)]
pub struct View {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    survey: Option<Survey>,
    /// The jails that are counted on.
    expected: Vec<JailSpec>,
}

impl View {
    /// Returns a view of a host that is looked at when the first jail asks.
    pub fn new() -> View {
        View::default()
    }

    /// Plans the start of a jail. What seems to be in its way may have gone since the host was looked at, so
    /// then it is looked at once more.
    ///
    /// # Errors
    ///
    /// Those of [`Survey::take`]; the inner ones are those of [`Plan::new`].
    pub fn plan(&self, host: &Vnet, spec: &JailSpec) -> Result<Result<Plan, Problems>, Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { survey, expected } = &mut *seen;
        let plan = match survey {
            Some(survey) => {
                survey.turn_to(host, spec)?;
                Plan::new(spec, survey).ok().filter(|plan| plan.notes().is_empty())
            }
            None => None,
        };
        let plan = match plan {
            Some(plan) => Ok(plan),
            None => {
                let mut anew = Survey::take(host, spec)?;
                for other in &*expected {
                    anew.expect(host, other)?;
                }
                Plan::new(spec, survey.insert(anew))
            }
        };
        if let (Ok(_), Some(survey)) = (&plan, survey) {
            survey.expect(host, spec)?;
            expected.push(spec.clone());
        }
        Ok(plan)
    }

    /// These are gone: what an earlier start left was cleared up.
    pub fn gone(&self, owned: &[Owned]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(survey) = &mut seen.survey {
            survey.remove(owned);
        }
    }

    /// A start that was planned has failed: its MAC addresses are free again.
    pub fn forget(&self, spec: &JailSpec) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.expected.retain(|other| other.name != spec.name);
        if let Some(survey) = &mut seen.survey {
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

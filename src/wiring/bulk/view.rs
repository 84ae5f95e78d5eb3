//! One look at the host that many starts share. It is kept up to date with what the starts plan.

use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::types::MacAddr;
use crate::vnet::Vnet;
use crate::wiring::{JailSpec, Network, Owned, Plan, Problems, Survey};

/// A [`Survey`] that is shared by the starts of a bulk operation.
///
/// The host's interfaces are listed once, and not once for each jail: the list gets longer with each jail.
/// The plan of one start counts for the next start: its MAC addresses are in use, and the first member of a
/// bridge sets the bridge's MTU.
#[derive(Debug, Default)]
pub struct View {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    survey: Option<Survey>,
    /// The jails whose starts were planned.
    expected: Vec<JailSpec>,
}

impl View {
    /// Returns a view. The host is looked at when the first plan is made.
    pub fn new() -> View {
        View::default()
    }

    /// Plans the start of a jail. If the plan has problems, the host may have changed since it was looked at.
    /// So the host is looked at once more, and the plan is made again.
    ///
    /// # Errors
    ///
    /// The outer errors are those of [`Survey::take`]. The inner errors are those of [`Plan::new`].
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

    /// Removes from the view what an earlier start had left and what is cleared up now.
    pub fn gone(&self, owned: &[Owned]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(survey) = &mut seen.survey {
            survey.remove(owned);
        }
    }

    /// Takes back the plan of a start that has failed: its MAC addresses are free again.
    pub fn forget(&self, spec: &JailSpec) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.expected.retain(|other| other.name != spec.name);
        if let Some(survey) = &mut seen.survey {
            survey.forget_macs(&macs(spec).collect::<Vec<_>>());
        }
    }
}

/// The MAC addresses of a jail's NICs, as its specification gives them.
fn macs(spec: &JailSpec) -> impl Iterator<Item = MacAddr> {
    let nics = match &spec.network {
        Network::Vnet(vnet) => vnet.nics.as_slice(),
        Network::Shared(_) => &[],
    };
    nics.iter().filter_map(|nic| nic.macs).flat_map(|(host, jail)| [host, jail])
}

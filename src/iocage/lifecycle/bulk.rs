//! The state that the starts and stops of a bulk operation share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Host;
use crate::error::Error;
use crate::iocage::config::{JailConfig, Localhost, Network};
use crate::iocage::translate::HostFacts;
use crate::types::Fib;
use crate::wiring::bulk::{Limits, View};
use crate::wiring::{self, JailSpec, Owned, Plan, Problems, Survey};

/// The host, looked at once for all jails.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    view: View,
    /// The facts of the host's network that jails do not change, by routing table.
    facts: Mutex<BTreeMap<Fib, HostFacts>>,
    /// Held while an address is chosen for a jail.
    choice: Mutex<()>,
}

impl Host<'_> {
    /// Gets ready for a bulk operation, by several threads: the host is looked at once, and what jails
    /// share is swept once, by [`Host::end_bulk`].
    pub fn begin_bulk(&mut self, limits: &Limits) {
        self.state = self.state.for_bulk(limits);
        self.bulk = Some(Bulk::default());
    }

    /// Ends a bulk operation: gives the jails that were removed the time that their processes take to be reaped,
    /// and removes what jails shared and no jail needs any more.
    ///
    /// # Errors
    ///
    /// Those of [`wiring::sweep`].
    pub fn end_bulk(&mut self) -> Result<(), Error> {
        self.let_be_reaped();
        let unswept = self.state.is_unswept();
        self.state = self.state.alone();
        self.bulk = None;
        if unswept {
            let site = self.site();
            wiring::sweep(&site)?;
        }
        Ok(())
    }

    /// Plans a start on the host as it is.
    pub(super) fn plan(&self, spec: &JailSpec) -> Result<Result<Plan, Problems>, Error> {
        match &self.bulk {
            Some(bulk) => bulk.view.plan(&self.vnet, spec),
            None => Ok(Plan::new(spec, &Survey::take(&self.vnet, spec)?)),
        }
    }

    /// Notes that remains of an earlier start were removed.
    pub(super) fn is_gone(&self, owned: &[Owned]) {
        if let Some(bulk) = &self.bulk {
            bulk.view.gone(owned);
        }
    }

    /// Notes that a planned start has failed.
    pub(super) fn forget(&self, spec: &JailSpec) {
        if let Some(bulk) = &self.bulk {
            bulk.view.forget(spec);
        }
    }

    /// Takes the lock for choosing an address, if the configuration needs a choice.
    pub(super) fn choosing(&self, config: &JailConfig) -> Option<MutexGuard<'_, ()>> {
        let chooses =
            matches!(&config.network, Network::Shared(network) if network.localhost == Localhost::Choose);
        let bulk = self.bulk.as_ref().filter(|_| chooses)?;
        Some(bulk.choice.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the facts of the host's network that jails do not change, for a routing table.
    pub(super) fn lasting(
        &self,
        fib: Fib,
        look: impl FnOnce() -> Result<HostFacts, Error>,
    ) -> Result<HostFacts, Error> {
        let Some(bulk) = &self.bulk else { return look() };
        let mut known = bulk.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = known.get(&fib) {
            return Ok(facts.clone());
        }
        let facts = look()?;
        known.insert(fib, facts.clone());
        Ok(facts)
    }
}

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ledger::{HoldKey, Timestamp};
use crate::store::StoreError;

/// How long a hold is left out before it is tried again: somebody may have
/// repaired it.
const LEFT_OUT: Duration = Duration::from_secs(30);
/// How many holds are left out at most.
const HOLDS_MAX: usize = 10_000;

/// Expired holds that cannot be ended, because a stored row cannot be read. They are
/// left out for a while, so that the sweep goes on with all others.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    until: Option<Timestamp>,
    holds: BTreeMap<HoldKey, Arc<StoreError>>,
}

impl Quarantine {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all of them go when their time is over.
    pub(super) fn look(&self, now: Timestamp) {
        let mut inner = self.inner();
        // A clock that went back keeps none of them longer.
        let is_over = |until: Timestamp| until <= now || until.since(now) > LEFT_OUT;
        if inner.until.is_some_and(is_over) {
            *inner = Inner::default();
        }
    }

    pub(super) fn add(&self, hold: HoldKey, error: Arc<StoreError>, now: Timestamp) {
        let mut inner = self.inner();
        if inner.holds.len() < HOLDS_MAX {
            let until = inner.until.unwrap_or_else(|| now.saturating_add(LEFT_OUT));
            inner.until = Some(until);
            inner.holds.insert(hold, error);
        }
    }

    pub(super) fn has(&self, hold: &HoldKey) -> bool {
        self.inner().holds.contains_key(hold)
    }

    pub(super) fn len(&self) -> usize {
        self.inner().holds.len()
    }

    /// Each with the error that names the row.
    pub(super) fn list(&self) -> Vec<(HoldKey, Arc<StoreError>)> {
        let holds = &self.inner().holds;
        holds
            .iter()
            .map(|(hold, error)| (*hold, Arc::clone(error)))
            .collect()
    }
}

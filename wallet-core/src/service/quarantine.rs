use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ledger::{HoldKey, Timestamp};
use crate::store::StoreError;

/// The time for which a hold is left out before it is tried again. An operator may
/// have repaired it.
const LEFT_OUT: Duration = Duration::from_secs(30);
/// The greatest number of holds that are left out.
const HOLDS_MAX: usize = 10_000;

/// Expired holds that cannot expire, because a stored row cannot be read. They are
/// left out for a while, so that the sweep continues with the others.
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

    /// Removes all holds from the quarantine when their time is over.
    pub(super) fn look(&self, now: Timestamp) {
        let mut inner = self.inner();
        // A clock that stepped back keeps no hold longer.
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

    /// The holds, each with the error that names the row.
    pub(super) fn list(&self) -> Vec<(HoldKey, Arc<StoreError>)> {
        let holds = &self.inner().holds;
        holds
            .iter()
            .map(|(hold, error)| (*hold, Arc::clone(error)))
            .collect()
    }
}

use std::sync::{Mutex, PoisonError};

use super::Shared;
use crate::ledger::{Decided, Timestamp};
use crate::store::{StoreError, StoreErrorKind};

/// What became of the latest commit that tells whether the store can commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCommit {
    /// When its answer came, by the service's clock.
    pub at: Timestamp,
    /// Why it failed; `None` where it was done.
    pub failure: Option<StoreErrorKind>,
}

/// The same while it changes.
#[derive(Debug, Default)]
pub(super) struct Fate(Mutex<Option<LastCommit>>);

impl Fate {
    pub(super) fn get(&self) -> Option<LastCommit> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, last: LastCommit) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}

impl Shared {
    /// Notes that a batch was committed. One of replays alone wrote nothing, and tells
    /// nothing.
    pub(super) fn committed(&self, decided: &[Decided]) {
        let is_fresh = |decided: &Decided| matches!(decided, Decided::Fresh(_));
        if decided.iter().any(is_fresh) {
            self.ended(None);
        }
    }

    /// Notes that a batch was not committed, or that nobody knows. What a batch alone
    /// is to blame for tells nothing of the next one.
    pub(super) fn failed(&self, error: &StoreError) {
        match error.kind() {
            kind @ (StoreErrorKind::Unavailable | StoreErrorKind::Indeterminate) => {
                self.ended(Some(kind));
            }
            StoreErrorKind::Conflict
            | StoreErrorKind::Invalid
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Internal => {}
        }
    }

    fn ended(&self, failure: Option<StoreErrorKind>) {
        let at = self.clock.now();
        self.fate.set(LastCommit { at, failure });
    }
}

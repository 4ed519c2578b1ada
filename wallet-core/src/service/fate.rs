use std::sync::{Mutex, PoisonError};

use super::Shared;
use crate::ledger::{Decided, Timestamp};
use crate::store::{StoreError, StoreErrorKind};

/// The result of the latest commit that shows whether the store can commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCommit {
    /// The time of the answer, by the service's clock.
    pub at: Timestamp,
    /// The kind of the failure; `None` where the commit succeeded.
    pub failure: Option<StoreErrorKind>,
}

/// The latest commit, behind a lock.
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
    /// Records that a batch was committed. A batch of replays alone wrote nothing
    /// and is ignored.
    pub(super) fn committed(&self, decided: &[Decided]) {
        let is_fresh = |decided: &Decided| matches!(decided, Decided::Fresh(_));
        if decided.iter().any(is_fresh) {
            self.ended(None);
        }
    }

    /// Records that a batch was not committed, or that its result is unknown. An
    /// error that only this batch causes says nothing about the next one and is
    /// ignored.
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

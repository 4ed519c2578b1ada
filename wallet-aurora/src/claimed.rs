use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wallet_core::Timestamp;
use wallet_core::store::RowId;

/// When the rows were written that were claimed and are not complete. A failover or a
/// restore that takes commits back gives their numbers to other rows: what was
/// published of the first must not be marked as done of the second.
#[derive(Debug, Default)]
pub(crate) struct Claimed(Mutex<BTreeMap<RowId, Timestamp>>);

impl Claimed {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<RowId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes rows that are claimed now.
    pub(super) fn note(&self, rows: impl Iterator<Item = (RowId, Timestamp)>) {
        self.rows().extend(rows);
    }

    /// Whether the row is the one that was claimed, as far as is known.
    pub(super) fn is(&self, row: RowId, created_at: Timestamp) -> bool {
        let rows = self.rows();
        rows.get(&row).is_none_or(|claimed| *claimed == created_at)
    }

    pub(super) fn forget(&self, ids: impl Iterator<Item = RowId>) {
        let mut rows = self.rows();
        for id in ids {
            rows.remove(&id);
        }
    }

    /// A new owner begins with nothing in hand.
    pub(super) fn clear(&self) {
        self.rows().clear();
    }
}

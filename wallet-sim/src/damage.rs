use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wallet_core::StoreError;
use wallet_core::ledger::HoldKey;
use wallet_core::request::Batch;
use wallet_core::store::StoreErrorKind;

/// Holds with rows that are unreadable for a while.
#[derive(Debug, Default)]
pub(super) struct Damage {
    inner: Mutex<Inner>,
    /// A planted bug: reads and commits of neighbouring rows fail too.
    pub(super) spreads: bool,
}

#[derive(Debug, Default)]
struct Inner {
    now: BTreeSet<HoldKey>,
    ever: BTreeSet<HoldKey>,
}

impl Damage {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, hold: HoldKey) {
        let mut inner = self.inner();
        inner.now.insert(hold);
        inner.ever.insert(hold);
    }

    pub(super) fn end(&self, hold: HoldKey) {
        self.inner().now.remove(&hold);
    }

    /// Whether one of these holds was ever damaged. A request that names it may
    /// fail.
    pub(super) fn concerns(&self, holds: &[HoldKey]) -> bool {
        let inner = self.inner();
        holds.iter().any(|hold| inner.ever.contains(hold))
    }

    /// Fails where one of these holds cannot be read.
    pub(super) fn check(&self, holds: &[HoldKey]) -> Result<(), StoreError> {
        let inner = self.inner();
        let mut damaged = holds.iter().filter(|hold| inner.now.contains(hold));
        let met = damaged.next().or_else(|| {
            // Only where a neighbouring row is read at all.
            self.spreads.then(|| inner.now.first()).flatten()
        });
        met.map_or(Ok(()), |hold| {
            let context = format!("hold {} cannot be read", hold.id);
            Err(StoreError::new(StoreErrorKind::Corrupt, context))
        })
    }

    /// The same check for the reads of a batch.
    pub(super) fn check_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        self.check(&batch.reads().holds)
    }
}

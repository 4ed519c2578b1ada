use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::{CommitPolicy, OptimisticStore, Shared};
use crate::ledger::AccountKey;
use crate::request::Batch;
use crate::runtime::{Clock, yield_once};
use crate::store::{ChangeSet, Committed, Limits, StoreError, StoreErrorKind, codec};

/// The greatest number of items in one transaction, as in `DynamoDB`'s
/// `TransactWriteItems`.
pub const ITEMS_MAX: usize = 100;

/// Commits only if nothing that was read has changed, at most [`ITEMS_MAX`] items
/// at a time. Some commits fail with an injected `Conflict`, as a seed decides.
#[derive(Debug, Clone)]
pub struct Optimistic {
    random: Arc<AtomicU64>,
    conflicts_per_mille: u64,
}

impl Optimistic {
    /// Whether this commit must fail: splitmix64 over a shared counter.
    fn is_unlucky(&self) -> bool {
        let step = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.random.fetch_add(step, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).checked_rem(1_000) < Some(self.conflicts_per_mille)
    }
}

#[async_trait]
impl CommitPolicy for Optimistic {
    fn limits(&self) -> Limits {
        Limits {
            requests: ITEMS_MAX,
            rows: ITEMS_MAX,
            bytes: 4 << 20,
        }
    }

    fn is_free(&self, _: AccountKey) -> bool {
        true
    }

    async fn transact(&self, shared: &Shared, batch: &Batch) -> Result<Committed, StoreError> {
        let now = shared.now();
        let snapshot = shared.tables().snapshot(batch.reads(), now, |_| true);
        let decision = crate::decide::decide(batch, &snapshot);
        // Others may commit between the read and the write.
        yield_once().await;
        if decision.changes.is_empty() {
            return Ok(Committed {
                decided: decision.decided,
            });
        }
        check_size(&decision.changes)?;
        check_formats(&decision.changes)?;
        if self.is_unlucky() {
            let context = "a conflict that the seed asked for";
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        shared.tables().apply(&decision.changes, now)?;
        Ok(Committed {
            decided: decision.decided,
        })
    }
}

/// Every row counts as one item.
fn check_size(changes: &ChangeSet) -> Result<(), StoreError> {
    let items = [
        changes.records.len(),
        changes.opened.len(),
        changes.updated.len(),
        changes.transfers().len(),
        changes.entries().len(),
        changes.holds.len(),
        changes.reversals.len(),
        changes.currencies.len(),
        usize::from(!changes.accepted.is_empty()),
    ];
    let items = items
        .iter()
        .fold(0_usize, |sum, count| sum.saturating_add(*count));
    if items > ITEMS_MAX {
        let context = format!("{items} items in one transaction");
        return Err(StoreError::new(StoreErrorKind::Invalid, context));
    }
    Ok(())
}

/// The stored form of a record must decode to the answered outcome.
fn check_formats(changes: &ChangeSet) -> Result<(), StoreError> {
    for record in &changes.records {
        let bytes = codec::encode_outcome(&record.outcome);
        let read = codec::decode_outcome(record.key.ledger, &bytes);
        if read.ok().as_ref() != Some(&*record.outcome) {
            let context = "a record does not read back";
            return Err(StoreError::new(StoreErrorKind::Corrupt, context));
        }
    }
    Ok(())
}

impl OptimisticStore {
    /// An empty store with the time from `clock`, without injected conflicts.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_conflicts(clock, 0, 0)
    }

    /// The same store, where `conflicts_per_mille` of 1,000 commits fail. `seed`
    /// selects them.
    #[must_use]
    pub fn with_conflicts(clock: Arc<dyn Clock>, seed: u64, conflicts_per_mille: u64) -> Self {
        let random = Arc::new(AtomicU64::new(seed));
        let policy = Optimistic {
            random,
            conflicts_per_mille,
        };
        Self::with_policy(clock, policy)
    }
}

//! What the records of idempotency keys say about a request before it is decided.
//!
//! - A recorded outcome under the request's own key and fingerprint is replayed;
//!   under another fingerprint the request is a mismatch.
//! - A cancelled key answers `Cancelled` to every request, whatever its
//!   fingerprint.
//! - An item of a bulk request also obeys the record of the bulk request's key,
//!   and waits until the item before it has an outcome.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ledger::{Decided, Fingerprint, Outcome, Record, RecordKey};
use crate::request::{Batch, Membership, Prepared, Purpose};
use crate::store::Snapshot;

/// The records that were read, and those written by this batch.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    snapshot: &'a Snapshot,
    /// Empty where no request of the batch is an item: nothing else looks for
    /// what the batch itself has written.
    written: FxHashMap<RecordKey, Written>,
    has_items: bool,
}

#[derive(Debug, Clone)]
struct Written {
    fingerprint: Fingerprint,
    outcome: Arc<Outcome>,
}

/// Whether a request is to be decided.
pub(super) enum Gate {
    /// It has its answer.
    Answered(Decided),
    /// It is to be decided; where the bulk request that it belongs to has no
    /// record yet, that is to be written with it.
    Open { new_bulk: Option<Membership> },
}

impl<'a> Keys<'a> {
    pub(super) fn new(batch: &Batch, snapshot: &'a Snapshot) -> Self {
        let mut requests = batch.requests().iter();
        Self {
            snapshot,
            written: FxHashMap::default(),
            has_items: requests.any(|request| request.membership().is_some()),
        }
    }

    /// What the records say about `request`.
    pub(super) fn gate(&self, request: &Prepared) -> Gate {
        let new_bulk = match request.membership() {
            None => None,
            Some(membership) => match self.find(membership.key) {
                None => Some(*membership),
                Some((_, bulk)) if bulk.is_cancelled() => {
                    return Gate::Answered(Decided::Replayed(bulk));
                }
                Some((fingerprint, _)) if fingerprint != membership.fingerprint => {
                    return Gate::Answered(Decided::IdempotencyMismatch);
                }
                Some(_) => None,
            },
        };
        if let Some(answer) = self.replay(request) {
            return Gate::Answered(answer);
        }
        let previous = request.membership().and_then(Membership::previous);
        match previous {
            Some(previous) if self.find(previous).is_none() => Gate::Answered(Decided::Blocked),
            Some(_) | None => Gate::Open { new_bulk },
        }
    }

    /// Remembers what this batch writes under a key.
    pub(super) fn note(&mut self, record: &Record) {
        if self.has_items {
            let written = Written {
                fingerprint: record.fingerprint,
                outcome: Arc::clone(&record.outcome),
            };
            self.written.insert(record.key, written);
        }
    }

    /// The recorded answer, if the key has one.
    fn replay(&self, request: &Prepared) -> Option<Decided> {
        let (fingerprint, outcome) = self.find(request.key)?;
        let is_answer = fingerprint == request.fingerprint
            || outcome.is_cancelled()
            || request.purpose == Purpose::Cancellation;
        if is_answer {
            Some(Decided::Replayed(outcome))
        } else {
            Some(Decided::IdempotencyMismatch)
        }
    }

    fn find(&self, key: RecordKey) -> Option<(Fingerprint, Arc<Outcome>)> {
        if let Some(Written {
            fingerprint,
            outcome,
        }) = self.written.get(&key)
        {
            return Some((*fingerprint, Arc::clone(outcome)));
        }
        let records = &self.snapshot.records;
        let found = records.binary_search_by_key(&key, |record| record.key);
        let record = records.get(found.ok()?)?;
        Some((record.fingerprint, Arc::clone(&record.outcome)))
    }
}

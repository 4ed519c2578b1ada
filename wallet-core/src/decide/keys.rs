//! Checks idempotency keys before a request is decided.
//!
//! - A recorded outcome under the request's own key and fingerprint is replayed.
//!   Under another fingerprint the request is a mismatch.
//! - Under a cancelled key every request gets `Cancelled`, whatever its
//!   fingerprint.
//! - An item of a bulk request also depends on the record of the bulk request's
//!   key. It waits until the previous item has an outcome.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ledger::{Decided, Fingerprint, Outcome, Record, RecordKey};
use crate::request::{Batch, Membership, PreparedRequest, Purpose};
use crate::store::Snapshot;

/// The records that were read, and the records that this batch writes.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    snapshot: &'a Snapshot,
    /// The records that this batch writes. It is empty where no request of the
    /// batch is an item, because only items read it.
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
    /// The request already has its answer.
    Answered(Decided),
    /// The request is to be decided. Where its bulk request has no record yet,
    /// `new_bulk` is to be recorded with it.
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

    /// Checks the records for `request`.
    pub(super) fn gate(&self, request: &PreparedRequest) -> Gate {
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

    /// Adds the record that this batch writes under a key.
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
    fn replay(&self, request: &PreparedRequest) -> Option<Decided> {
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

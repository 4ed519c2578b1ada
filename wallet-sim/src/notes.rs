//! The notes of a run: what its clients know at last.
//!
//! Clients write what they know, and the processes write each answer that they give
//! ([`Acknowledged`]). `verify` compares the notes with the store at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wallet_core::Outcome;
use wallet_core::ledger::RecordKey;

use super::oracle::Oracle;
use super::scenario::Counts;
use super::workload::Known;

/// The final knowledge of the clients.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) known: Known,
    /// Every answer that reached a client.
    pub(super) acknowledged: Vec<(RecordKey, Arc<Outcome>)>,
    /// The result that each client knows for a key: one outcome, or that nothing
    /// was done.
    pub(super) settled: BTreeMap<RecordKey, Option<Arc<Outcome>>>,
    /// The number of bulk requests with an outcome for every item, and the number
    /// of their items.
    pub(super) settled_bulks: u64,
    pub(super) settled_items: Vec<(RecordKey, Arc<Outcome>)>,
    pub(super) counts: Counts,
}

/// The notes, for all tasks.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedNotes(Arc<Mutex<Notes>>);

impl SharedNotes {
    pub(super) fn lock(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes every answer that reaches a client: the oracle checks it, the notes keep it.
#[derive(Debug)]
pub(super) struct Acknowledged {
    pub(super) oracle: Arc<Oracle>,
    pub(super) notes: SharedNotes,
}

impl Acknowledged {
    pub(super) fn take(&self, key: RecordKey, outcome: &Arc<Outcome>) {
        self.oracle.acknowledged(key, outcome);
        let mut notes = self.notes.lock();
        notes.acknowledged.push((key, Arc::clone(outcome)));
    }
}

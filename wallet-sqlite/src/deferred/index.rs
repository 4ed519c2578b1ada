//! An index over all deltas, for the lookups of the writer.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use wallet_core::ledger::RecordKey;

use super::Deltas;
use super::delta::{Delta, Moved};
use crate::value::ledger_number;

/// An index over all deltas of the latest state. A writer looks up every account and key of
/// a large commit. Looking into each delta would take half of its time.
#[derive(Debug, Default)]
pub(crate) struct Index {
    deltas: VecDeque<Arc<Delta>>,
    /// The account in the latest delta that has it, with that delta's number.
    moved: FxHashMap<i64, (i64, Moved)>,
    keys: FxHashMap<(i64, [u8; 16]), i64>,
}

impl Index {
    /// Brings the index to the state of `deltas`.
    pub(crate) fn follow(&mut self, deltas: &Deltas) {
        if !self.is_before(deltas) {
            // The file went back to a restored backup. Other deltas may have the same
            // numbers.
            *self = Self::default();
        }
        let first = deltas.0.first().map_or(i64::MAX, |delta| delta.number);
        while self
            .deltas
            .front()
            .is_some_and(|delta| delta.number < first)
        {
            if let Some(gone) = self.deltas.pop_front() {
                self.forget(&gone);
            }
        }
        let last = self.deltas.back().map_or(i64::MIN, |delta| delta.number);
        for delta in deltas.0.iter().filter(|delta| delta.number > last) {
            for moved in delta.moved.all() {
                self.moved.insert(moved.number, (delta.number, *moved));
            }
            let keys = delta.keys.all().iter();
            let keys = keys.map(|key| ((key.ledger, key.hash), key.journal));
            self.keys.extend(keys);
            self.deltas.push_back(Arc::clone(delta));
        }
    }

    /// Whether each delta of this index is in `deltas`, or was merged before their first
    /// one.
    fn is_before(&self, deltas: &Deltas) -> bool {
        let Some(first) = deltas.0.first().map(|delta| delta.number) else {
            return self.deltas.is_empty();
        };
        let ours = self.deltas.iter().skip_while(|delta| delta.number < first);
        let mut theirs = deltas.0.iter();
        ours.into_iter().all(|delta| {
            let same = theirs.next();
            same.is_some_and(|same| same.number == delta.number && same.nonce == delta.nonce)
        })
    }

    fn forget(&mut self, gone: &Delta) {
        for moved in gone.moved.all() {
            let latest = self.moved.get(&moved.number);
            if latest.is_some_and(|(delta, _)| *delta == gone.number) {
                self.moved.remove(&moved.number);
            }
        }
        for key in gone.keys.all() {
            self.keys.remove(&(key.ledger, key.hash));
        }
    }

    /// The account in the latest delta that has it.
    pub(crate) fn moved(&self, number: i64) -> Option<&Moved> {
        self.moved.get(&number).map(|(_, moved)| moved)
    }

    /// The journal row of a key.
    pub(crate) fn key(&self, key: RecordKey) -> Option<i64> {
        let ledger = ledger_number(key.ledger);
        self.keys.get(&(ledger, key.hash)).copied()
    }
}

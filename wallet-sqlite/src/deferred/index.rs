use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use wallet_core::ledger::RecordKey;

use super::Pieces;
use super::piece::{Moved, Piece};
use crate::value::ledger_number;

/// All pieces of the latest state as one: a writer looks up every account and
/// key of a large commit, and looking into each piece would take half its time.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pieces: VecDeque<Arc<Piece>>,
    /// The latest piece that has the account, and the account there.
    moved: FxHashMap<i64, (i64, Moved)>,
    keys: FxHashMap<(i64, [u8; 16]), i64>,
}

impl Index {
    /// Brings it to the state of `pieces`.
    pub(crate) fn follow(&mut self, pieces: &Pieces) {
        if !self.is_before(pieces) {
            // The file went back, to a restored backup: other pieces may have
            // the same numbers.
            *self = Self::default();
        }
        let first = pieces.0.first().map_or(i64::MAX, |piece| piece.number);
        while self
            .pieces
            .front()
            .is_some_and(|piece| piece.number < first)
        {
            if let Some(gone) = self.pieces.pop_front() {
                self.forget(&gone);
            }
        }
        let last = self.pieces.back().map_or(i64::MIN, |piece| piece.number);
        for piece in pieces.0.iter().filter(|piece| piece.number > last) {
            for moved in piece.moved.all() {
                self.moved.insert(moved.number, (piece.number, *moved));
            }
            let keys = piece.keys.all().iter();
            let keys = keys.map(|key| ((key.ledger, key.hash), key.journal));
            self.keys.extend(keys);
            self.pieces.push_back(Arc::clone(piece));
        }
    }

    /// Whether each piece of this index is in `pieces` too, or has been folded
    /// before their first.
    fn is_before(&self, pieces: &Pieces) -> bool {
        let Some(first) = pieces.0.first().map(|piece| piece.number) else {
            return self.pieces.is_empty();
        };
        let ours = self.pieces.iter().skip_while(|piece| piece.number < first);
        let mut theirs = pieces.0.iter();
        ours.into_iter().all(|piece| {
            let same = theirs.next();
            same.is_some_and(|same| same.number == piece.number && same.nonce == piece.nonce)
        })
    }

    fn forget(&mut self, gone: &Piece) {
        for moved in gone.moved.all() {
            let latest = self.moved.get(&moved.number);
            if latest.is_some_and(|(piece, _)| *piece == gone.number) {
                self.moved.remove(&moved.number);
            }
        }
        for key in gone.keys.all() {
            self.keys.remove(&(key.ledger, key.hash));
        }
    }

    /// The account as the latest piece has it.
    pub(crate) fn moved(&self, number: i64) -> Option<&Moved> {
        self.moved.get(&number).map(|(_, moved)| moved)
    }

    /// The journal row of a key.
    pub(crate) fn key(&self, key: RecordKey) -> Option<i64> {
        let ledger = ledger_number(key.ledger);
        self.keys.get(&(ledger, key.hash)).copied()
    }
}

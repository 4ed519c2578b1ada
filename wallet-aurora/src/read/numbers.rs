use std::collections::{HashMap, HashSet};

use wallet_core::{AccountKey, Currency};

/// How many are remembered: some tens of bytes each.
const MOST: usize = 1 << 18;
/// How many that somebody else keeps locked.
const MOST_KEPT: usize = 1 << 12;

/// What never changes about an account and is needed at every use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number in other tables.
    pub(crate) number: i64,
    pub(crate) currency: Currency,
    pub(crate) is_system: bool,
}

/// The places of accounts that were used lately. A place is for ever, so that
/// nobody else's commits can make one wrong; it must have been read outside of
/// a transaction that may yet be rolled back.
///
/// Remembered as well is which accounts somebody else kept locked for longer
/// than one waits. Until they are found free they are not waited for again, so
/// that a long foreign transaction holds others up once and not at every use.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    places: HashMap<AccountKey, Place>,
    kept: HashSet<i64>,
}

impl Numbers {
    pub(crate) fn find(&self, key: AccountKey) -> Option<Place> {
        self.places.get(&key).copied()
    }

    pub(crate) fn note(&mut self, key: AccountKey, place: Place) {
        if self.places.len() >= MOST {
            // Those in use come back with their next reading.
            self.places.clear();
        }
        self.places.insert(key, place);
    }

    /// Those of `numbers` that were kept when they were last asked for.
    pub(crate) fn kept(&self, numbers: impl Iterator<Item = i64>) -> Vec<i64> {
        if self.kept.is_empty() {
            return Vec::new();
        }
        let mut kept: Vec<i64> = numbers
            .filter(|number| self.kept.contains(number))
            .collect();
        kept.sort_unstable();
        kept
    }

    /// Notes which accounts were asked for and which of them are still kept.
    pub(crate) fn note_kept(&mut self, asked: &[i64], kept: &[i64]) {
        for number in asked {
            self.kept.remove(number);
        }
        if self.kept.len() >= MOST_KEPT {
            self.kept.clear();
        }
        self.kept.extend(kept);
    }
}

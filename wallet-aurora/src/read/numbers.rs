use std::collections::{HashMap, HashSet};

use wallet_core::{AccountKey, Currency};

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

/// The places of accounts that were used lately, at most a given number. A place
/// is for ever, so that nobody else's commits can make one wrong; it must have
/// been read outside of a transaction that may yet be rolled back.
///
/// There are two generations of them. When the young one is full, it takes the
/// place of the old one; what is found there grows young again, and the rest is
/// forgotten with the next change.
///
/// Remembered as well is which accounts somebody else kept locked for longer
/// than one waits. Until they are found free they are not waited for again, so
/// that a long foreign transaction holds others up once and not at every use.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// The size of a generation.
    most: usize,
    young: HashMap<AccountKey, Place>,
    old: HashMap<AccountKey, Place>,
    kept: HashSet<i64>,
}

impl Numbers {
    /// Remembers about `most` accounts.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.div_ceil(2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
            kept: HashSet::new(),
        }
    }

    pub(crate) fn find(&mut self, key: AccountKey) -> Option<Place> {
        if let Some(place) = self.young.get(&key) {
            return Some(*place);
        }
        let place = self.old.remove(&key)?;
        self.note(key, place);
        Some(place)
    }

    pub(crate) fn note(&mut self, key: AccountKey, place: Place) {
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, place);
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

#[cfg(test)]
mod tests {
    use wallet_core::{AccountId, LedgerId};

    use super::*;

    fn key(number: i64) -> AccountKey {
        let id = AccountId::from_bytes(i128::from(number).to_be_bytes());
        AccountKey::new(LedgerId::default(), id)
    }

    fn place(number: i64) -> Place {
        Place {
            number,
            currency: Currency::iso("EUR").unwrap(),
            is_system: false,
        }
    }

    #[test]
    fn what_is_in_use_stays_and_what_is_not_is_forgotten() {
        let mut numbers = Numbers::new(20);
        for number in 0..1_000 {
            numbers.note(key(number), place(number));
            assert_eq!(numbers.find(key(0)).unwrap().number, 0, "at {number}");
            assert!(numbers.young.len() + numbers.old.len() <= 20);
        }
        let left = (1..1_000).filter(|number| numbers.find(key(*number)).is_some());
        assert!((9..=19).contains(&left.count()));
    }
}

use std::collections::{HashMap, HashSet};

use wallet_core::ledger::{AccountKey, RecordKey};

/// How many that somebody else keeps locked, or open.
const MOST_KEPT: usize = 1 << 12;

/// The numbers of accounts that were used lately, at most a given number of them.
/// Only a guess at where an account's row is: a failover to a replica that lagged
/// behind, a restore, or a crash of a server that does not flush takes commits back,
/// and gives their numbers to other accounts. So the row that is locked by a number
/// names its account, and where it names another, everything is forgotten
/// ([`forget`](Self::forget)) and asked for again.
///
/// There are two generations of them. When the young one is full, it takes the
/// place of the old one; what is found there grows young again, and the rest is
/// forgotten with the next change.
///
/// Remembered as well is which accounts somebody else kept locked for longer
/// than one waits. Until they are found free they are not waited for again, so
/// that a long foreign transaction holds others up once and not at every use. The same
/// goes for requests that would insert a row which a foreign transaction has inserted
/// and not committed.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// The size of a generation.
    most: usize,
    young: HashMap<AccountKey, i64>,
    old: HashMap<AccountKey, i64>,
    kept: HashSet<i64>,
    open: HashSet<RecordKey>,
}

impl Numbers {
    /// Remembers about `most` accounts.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.div_ceil(2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
            kept: HashSet::new(),
            open: HashSet::new(),
        }
    }

    pub(crate) fn find(&mut self, key: AccountKey) -> Option<i64> {
        if let Some(number) = self.young.get(&key) {
            return Some(*number);
        }
        let number = self.old.remove(&key)?;
        self.note(key, number);
        Some(number)
    }

    pub(crate) fn note(&mut self, key: AccountKey, number: i64) {
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, number);
    }

    /// Forgets everything: some of it was wrong.
    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
        self.kept.clear();
    }

    /// Forgets where these accounts are.
    pub(crate) fn forget_these(&mut self, keys: impl Iterator<Item = AccountKey>) {
        for key in keys {
            self.young.remove(&key);
            self.old.remove(&key);
        }
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

    /// Whether one of these requests was open when it was last looked at.
    pub(crate) fn has_open(&self, mut keys: impl Iterator<Item = RecordKey>) -> bool {
        !self.open.is_empty() && keys.any(|key| self.open.contains(&key))
    }

    /// Notes which requests were looked at and which of them are open.
    pub(crate) fn note_open(
        &mut self,
        asked: impl Iterator<Item = RecordKey>,
        open: impl Iterator<Item = RecordKey>,
    ) {
        for key in asked {
            self.open.remove(&key);
        }
        if self.open.len() >= MOST_KEPT {
            self.open.clear();
        }
        self.open.extend(open);
    }

    /// At most so many of the accounts that are kept, ascending.
    pub(crate) fn left_out(&self, most: usize) -> Vec<i64> {
        let mut kept: Vec<i64> = self.kept.iter().copied().collect();
        kept.sort_unstable();
        kept.truncate(most);
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

    #[test]
    fn what_is_in_use_stays_and_what_is_not_is_forgotten() {
        let mut numbers = Numbers::new(20);
        for number in 0..1_000 {
            numbers.note(key(number), number);
            assert_eq!(numbers.find(key(0)), Some(0), "at {number}");
            assert!(numbers.young.len() + numbers.old.len() <= 20);
        }
        let left = (1..1_000).filter(|number| numbers.find(key(*number)).is_some());
        assert!((9..=19).contains(&left.count()));
    }
}

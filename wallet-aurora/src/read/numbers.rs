//! A cache of account numbers, and of rows that other transactions have locked.

use std::collections::{HashMap, HashSet};

use wallet_core::ledger::{AccountKey, RecordKey};

/// The most locked accounts, and the most open requests, to remember.
const MOST_LOCKED: usize = 1 << 12;

/// A cache of account numbers: those used most recently, up to a limit. A number is only a
/// hint to an account's row. A failover to a replica that lagged, a restore, or a crash of
/// a server that does not flush takes commits back. Their numbers then go to other
/// accounts. So the locked row names its account. If it names another account, the cache is
/// cleared ([`forget`](Self::forget)) and the numbers are read again.
///
/// The cache has two generations. When the young one is full, it replaces the old one. A
/// number found in the old one moves to the young one. The rest is dropped at the next
/// replacement.
///
/// The cache also remembers which accounts another transaction held locked for longer than
/// the lock wait. The store does not wait for them again until it finds them free. So a
/// long foreign transaction delays other requests once and not at every use. The same holds
/// for requests that would insert a row which a foreign transaction has inserted and not
/// committed.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// The size of one generation.
    most: usize,
    young: HashMap<AccountKey, i64>,
    old: HashMap<AccountKey, i64>,
    locked: HashSet<i64>,
    open: HashSet<RecordKey>,
}

impl Numbers {
    /// Creates a cache of about `most` accounts.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.div_ceil(2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
            locked: HashSet::new(),
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

    /// Clears the cache, because a part of it was wrong.
    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
        self.locked.clear();
    }

    /// Removes these accounts from the cache.
    pub(crate) fn forget_these(&mut self, keys: impl Iterator<Item = AccountKey>) {
        for key in keys {
            self.young.remove(&key);
            self.old.remove(&key);
        }
    }

    /// The accounts in `numbers` that were locked when they were last read.
    pub(crate) fn kept(&self, numbers: impl Iterator<Item = i64>) -> Vec<i64> {
        if self.locked.is_empty() {
            return Vec::new();
        }
        let mut locked: Vec<i64> = numbers
            .filter(|number| self.locked.contains(number))
            .collect();
        locked.sort_unstable();
        locked
    }

    /// Whether one of these requests was open when it was last checked.
    pub(crate) fn has_open(&self, mut keys: impl Iterator<Item = RecordKey>) -> bool {
        !self.open.is_empty() && keys.any(|key| self.open.contains(&key))
    }

    /// Notes which requests were checked and which of them are open.
    pub(crate) fn note_open(
        &mut self,
        asked: impl Iterator<Item = RecordKey>,
        open: impl Iterator<Item = RecordKey>,
    ) {
        for key in asked {
            self.open.remove(&key);
        }
        if self.open.len() >= MOST_LOCKED {
            self.open.clear();
        }
        self.open.extend(open);
    }

    /// The accounts that are locked, at most `most`, ascending.
    pub(crate) fn left_out(&self, most: usize) -> Vec<i64> {
        let mut locked: Vec<i64> = self.locked.iter().copied().collect();
        locked.sort_unstable();
        locked.truncate(most);
        locked
    }

    /// Notes which accounts were read and which of them are still locked.
    pub(crate) fn note_kept(&mut self, asked: &[i64], locked: &[i64]) {
        for number in asked {
            self.locked.remove(number);
        }
        if self.locked.len() >= MOST_LOCKED {
            self.locked.clear();
        }
        self.locked.extend(locked);
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

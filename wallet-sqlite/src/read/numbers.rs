use std::collections::HashMap;

use wallet_core::AccountKey;

/// How many are kept: some tens of bytes each.
const MOST: usize = 1 << 18;

/// The numbers of accounts that were read lately. A number is for ever, so
/// that nobody else's commits can make one wrong; it must have been read
/// outside of a transaction that may yet be rolled back.
#[derive(Debug, Default)]
pub(crate) struct Numbers(HashMap<AccountKey, i64>);

impl Numbers {
    pub(super) fn find(&self, key: AccountKey) -> Option<i64> {
        self.0.get(&key).copied()
    }

    pub(super) fn note(&mut self, key: AccountKey, number: i64) {
        if self.0.len() >= MOST {
            // Those in use come back with their next reading.
            self.0.clear();
        }
        self.0.insert(key, number);
    }
}

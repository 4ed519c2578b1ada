use std::collections::HashMap;

use wallet_core::{AccountKey, Currency};

/// How many are kept: some tens of bytes each.
const MOST: usize = 1 << 18;

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
#[derive(Debug, Default)]
pub(crate) struct Numbers(HashMap<AccountKey, Place>);

impl Numbers {
    pub(crate) fn find(&self, key: AccountKey) -> Option<Place> {
        self.0.get(&key).copied()
    }

    pub(crate) fn note(&mut self, key: AccountKey, place: Place) {
        if self.0.len() >= MOST {
            // Those in use come back with their next reading.
            self.0.clear();
        }
        self.0.insert(key, place);
    }
}

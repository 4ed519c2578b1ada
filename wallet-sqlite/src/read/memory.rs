use rustc_hash::FxHashMap;
use wallet_core::{AccountKey, AccountState};

use super::Place;
use super::accounts::{Rows, latest};
use crate::deferred::Index;
use crate::error::Result;

/// How many numbers are kept: some tens of bytes each.
const MOST: usize = 1 << 18;

/// What a writer remembers from one batch to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The numbers of accounts that were read lately. A number is for ever, so
    /// that nobody else's commits can make one wrong; it must have been read
    /// outside of a transaction that may yet be rolled back.
    numbers: FxHashMap<AccountKey, i64>,
    pub(super) deferred: Index,
}

impl Memory {
    /// What [`super::account_state`] finds, faster.
    pub(super) fn account_state(
        &mut self,
        rows: &mut Rows<'_>,
        key: AccountKey,
    ) -> Result<Option<(Place, AccountState)>> {
        let found = if let Some(number) = self.numbers.get(&key) {
            rows.by_number(key, *number)?
        } else {
            let Some(found) = rows.by_key(key)? else {
                return Ok(None);
            };
            self.note(key, found.0.number);
            found
        };
        let moved = |number| self.deferred.moved(number);
        Ok(Some(latest(found, moved)))
    }

    fn note(&mut self, key: AccountKey, number: i64) {
        if self.numbers.len() >= MOST {
            // Those in use come back with their next reading.
            self.numbers.clear();
        }
        self.numbers.insert(key, number);
    }
}

//! The writer's cache of account numbers.

use rustc_hash::FxHashMap;
use wallet_core::ledger::{AccountKey, AccountState};

use super::Place;
use super::accounts::{Rows, latest};
use crate::deferred::Index;
use crate::error::Result;

/// The most numbers in the cache: some tens of bytes each.
const MOST: usize = 1 << 18;

/// The writer's cache from one batch to the next.
#[derive(Debug, Default)]
pub(crate) struct WriterCache {
    /// The numbers of accounts that were read recently. No commit can make one wrong, but a
    /// restored backup can. So each use proves the number by the account's row.
    numbers: FxHashMap<AccountKey, i64>,
    pub(super) deferred: Index,
}

impl WriterCache {
    /// Finds the same as [`super::account_state`], but faster.
    pub(super) fn account_state(
        &mut self,
        rows: &mut Rows<'_>,
        key: AccountKey,
    ) -> Result<Option<(Place, AccountState)>> {
        let remembered = match self.numbers.get(&key) {
            Some(number) => rows.by_number(key, *number)?,
            None => None,
        };
        let found = match remembered {
            Some(found) => found,
            None => match self.by_key(rows, key)? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        let moved = |number| self.deferred.moved(number);
        Ok(Some(latest(found, moved)))
    }

    /// Finds an account whose number is unknown or belongs to another account now.
    fn by_key(
        &mut self,
        rows: &mut Rows<'_>,
        key: AccountKey,
    ) -> Result<Option<(Place, AccountState)>> {
        let found = rows.by_key(key)?;
        match &found {
            Some((place, _)) => self.note(key, place.number),
            None => {
                self.numbers.remove(&key);
            }
        }
        Ok(found)
    }

    fn note(&mut self, key: AccountKey, number: i64) {
        if self.numbers.len() >= MOST {
            // Numbers in use are cached again at their next read.
            self.numbers.clear();
        }
        self.numbers.insert(key, number);
    }
}

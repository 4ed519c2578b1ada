use rustc_hash::FxHashMap;
use wallet_core::ledger::{AccountKey, AccountState};

use super::Place;
use super::accounts::{Rows, latest};
use crate::deferred::Index;
use crate::error::Result;

/// How many numbers are kept: some tens of bytes each.
const MOST: usize = 1 << 18;

/// What a writer remembers from one batch to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The numbers of accounts that were read lately. Nobody's commits can make one
    /// wrong, but a restored backup can: the account's row proves it with each use.
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

    /// Finds an account whose number is not known, or not its any more.
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
            // Those in use come back with their next reading.
            self.numbers.clear();
        }
        self.numbers.insert(key, number);
    }
}

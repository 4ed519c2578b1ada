//! Reads everything that a batch is decided on, with one script.

use std::collections::HashMap;

use wallet_core::ledger::AccountKey;
use wallet_core::request::ReadSet;
use wallet_core::store::{Snapshot, StoreErrorKind};
use wallet_core::{StoreError, Timestamp};

use super::accounts::{Locking, Reading, ask_numbers, ask_states, decode_numbers, state};
use super::currencies::{ask_currencies, decode_currencies};
use super::{
    Resolved, ask_holds, ask_records, ask_transfers, decode_holds, decode_records, decode_transfers,
};
use crate::clock::Time;
use crate::epoch;
use crate::error::Result;
use crate::number::CommitNumber;
use crate::run::{Answers, Row};
use crate::sql::Script;

/// The parts of the script, so that each answer can be matched with its statement. A
/// statement with an empty list is left out.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) reads: &'a ReadSet,
    pub(crate) resolved: &'a Resolved,
    pub(crate) locking: Locking,
    /// Accounts that are never waited for, sorted.
    pub(crate) kept: &'a [i64],
    pub(crate) reading: Reading,
    pub(crate) time: &'a Time,
}

impl Plan<'_> {
    fn is_kept(&self, number: i64) -> bool {
        self.kept.binary_search(&number).is_ok()
    }

    fn missing(&self) -> Vec<AccountKey> {
        let accounts = self.resolved.accounts.iter();
        let missing = accounts.filter(|(_, number)| number.is_none());
        missing.map(|(key, _)| *key).collect()
    }

    /// Reads the epoch first, then locks the accounts. Under these locks it takes the
    /// commit's number and reads the rest, the clock too.
    pub(crate) fn ask(&self, script: &mut Script) {
        match self.locking {
            Locking::None => epoch::ask(script),
            Locking::Wait | Locking::Skip => epoch::ask_locked(script),
        }
        let mut numbers: Vec<i64> = self.resolved.numbers().collect();
        numbers.sort_unstable();
        numbers.retain(|number| !self.is_kept(*number));
        if !numbers.is_empty() {
            ask_states(script, &numbers, self.locking);
        }
        if !self.kept.is_empty() {
            ask_states(script, self.kept, Locking::Skip);
        }
        if self.locking != Locking::None {
            CommitNumber::ask(script);
        }
        self.time.ask(script);
        let missing = self.missing();
        if !missing.is_empty() {
            ask_numbers(script, &missing, self.reading);
        }
        if !self.reads.keys.is_empty() {
            ask_records(script, &self.reads.keys, self.reading);
        }
        if !self.reads.holds.is_empty() {
            ask_holds(script, &self.reads.holds, self.reading);
        }
        if !self.reads.transfers.is_empty() {
            ask_transfers(script, &self.reads.transfers, self.reading);
        }
        if !self.reads.currencies.is_empty() {
            ask_currencies(script, &self.reads.currencies, self.reading);
        }
    }

    /// The snapshot, with the commit's number if the accounts are locked for a commit.
    /// Returns `None` if a number belongs to another account.
    pub(crate) fn decode(
        &self,
        answers: &mut Answers,
    ) -> Result<Option<(Snapshot, Option<CommitNumber>)>> {
        let mut snapshot = Snapshot::at(Timestamp::EPOCH);
        snapshot.epoch = epoch::decode(answers)?;
        let mut states = HashMap::new();
        let is_waited_for = |number| !self.is_kept(number);
        let mut asked = usize::from(self.resolved.numbers().any(is_waited_for));
        asked = asked.saturating_add(usize::from(!self.kept.is_empty()));
        for _ in 0..asked {
            for row in answers.rows() {
                states.insert(row.number::<i64>(0)?, row);
            }
        }
        let mut number = None;
        if self.locking != Locking::None {
            number = Some(CommitNumber::decode(answers)?);
        }
        snapshot.now = self.time.decode(answers)?;
        if !self.missing().is_empty() && !decode_numbers(answers)?.is_empty() {
            // The account did not exist when the accounts were resolved, so it is not
            // locked.
            return Err(conflict("an account was opened meanwhile"));
        }
        if !self.reads.keys.is_empty() {
            snapshot.records = decode_records(answers)?;
        }
        if !self.reads.holds.is_empty() {
            snapshot.holds = decode_holds(answers)?;
        }
        if !self.reads.transfers.is_empty() {
            snapshot.transfers = decode_transfers(answers)?;
        }
        if !self.reads.currencies.is_empty() {
            snapshot.currencies = decode_currencies(answers)?;
        }
        let is_proven = self.accounts(&states, &mut snapshot)?;
        Ok(is_proven.then_some((snapshot, number)))
    }

    /// Adds the accounts. Returns whether every row belongs to the account that it was
    /// looked up for.
    fn accounts(&self, states: &HashMap<i64, Row>, snapshot: &mut Snapshot) -> Result<bool> {
        // A hold or transfer that was committed meanwhile may need accounts that are not
        // locked.
        let needed = self.reads.lock_set(&snapshot.holds, &snapshot.transfers);
        let is_missing = |key: &AccountKey| !self.resolved.accounts.contains_key(key);
        if needed.iter().any(is_missing) {
            return Err(conflict("what the batch needs changed meanwhile"));
        }
        snapshot.accounts.reserve(self.resolved.accounts.len());
        for (key, number) in &self.resolved.accounts {
            let Some(number) = number else {
                snapshot.accounts.push((*key, None));
                continue;
            };
            match states.get(number) {
                Some(row) => {
                    let state = state(row)?;
                    if state.key != *key {
                        return Ok(false);
                    }
                    snapshot.accounts.push((*key, Some(state)));
                }
                // Another transaction holds the lock. Requests that need the account come
                // out as blocked.
                None if self.locking == Locking::Skip || self.is_kept(*number) => {}
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

fn conflict(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, context)
}

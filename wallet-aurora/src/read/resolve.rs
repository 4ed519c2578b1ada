//! Reads without locks before anything is locked: which accounts a batch needs, and the
//! numbers that lock their rows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use wallet_core::Hold;
use wallet_core::ledger::{AccountKey, TransferWithReversals};
use wallet_core::request::{ReadSet, accounts_of};
use wallet_core::store::Snapshot;

use super::accounts::{Reading, ask_numbers, decode_numbers};
use super::{Numbers, ask_holds, ask_transfers, decode_holds, decode_transfers};
use crate::error::Failed;
use crate::run::Runner;
use crate::sql::Script;

/// The accounts to lock, each with its number. `None` if the account does not exist yet.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) accounts: BTreeMap<AccountKey, Option<i64>>,
}

/// Finds the accounts of `reads`. Sends nothing if the cache knows all of them and the
/// batch names no hold or transfer.
pub(crate) async fn resolve(
    runner: &mut Runner<'_>,
    reads: &ReadSet,
    numbers: &Mutex<Numbers>,
) -> Result<Resolved, Failed> {
    // This read only locates rows. They are read again after they are locked.
    let reading = Reading::Consistent;
    let mut resolved = Resolved::default();
    let mut unknown = resolved.recall(reads.accounts.iter().copied(), numbers);
    let mut script = Script::default();
    let names_any = !reads.holds.is_empty() || !reads.transfers.is_empty();
    if names_any {
        ask_holds(&mut script, &reads.holds, reading);
        ask_transfers(&mut script, &reads.transfers, reading);
    }
    if !unknown.is_empty() {
        ask_numbers(&mut script, &unknown, reading);
    }
    if script.steps.is_empty() {
        return Ok(resolved);
    }
    let mut answers = runner.run(&script).await?;
    let (mut holds, mut transfers): (Vec<Hold>, Vec<TransferWithReversals>) = Default::default();
    if names_any {
        holds = decode_holds(&mut answers)?;
        transfers = decode_transfers(&mut answers)?;
    }
    if !unknown.is_empty() {
        resolved.learn(decode_numbers(&mut answers)?, numbers);
    }
    let mut more: Vec<AccountKey> = accounts_of(&holds, &transfers).collect();
    more.retain(|key| !resolved.accounts.contains_key(key));
    more.sort_unstable();
    more.dedup();
    unknown = resolved.recall(more.into_iter(), numbers);
    if !unknown.is_empty() {
        let mut script = Script::default();
        ask_numbers(&mut script, &unknown, reading);
        let mut answers = runner.run(&script).await?;
        resolved.learn(decode_numbers(&mut answers)?, numbers);
    }
    Ok(resolved)
}

impl Resolved {
    /// The numbers of the accounts that exist.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.accounts.values().flatten().copied()
    }

    /// The accounts that exist and are not in `snapshot`. The snapshot's accounts are in
    /// the same order.
    pub(crate) fn missing_in(&self, snapshot: &Snapshot) -> Vec<(AccountKey, i64)> {
        if snapshot.accounts.len() == self.accounts.len() {
            return Vec::new();
        }
        let is_there = |key: &AccountKey| {
            let there = &snapshot.accounts;
            there.binary_search_by_key(key, |(key, _)| *key).is_ok()
        };
        let missing = self.accounts.iter().filter(|(key, _)| !is_there(key));
        missing
            .filter_map(|(key, number)| number.map(|number| (*key, number)))
            .collect()
    }

    /// Adds the accounts whose numbers are cached. Returns the others, sorted like `keys`.
    fn recall(
        &mut self,
        keys: impl Iterator<Item = AccountKey>,
        numbers: &Mutex<Numbers>,
    ) -> Vec<AccountKey> {
        let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unknown = Vec::new();
        for key in keys {
            let number = numbers.find(key);
            if number.is_none() {
                unknown.push(key);
            }
            self.accounts.insert(key, number);
        }
        unknown
    }

    fn learn(&mut self, found: Vec<(AccountKey, i64)>, numbers: &Mutex<Numbers>) {
        let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, number) in found {
            numbers.note(key, number);
            self.accounts.insert(key, Some(number));
        }
    }
}

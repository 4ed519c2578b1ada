//! What is found without locks before anything is locked: which accounts a
//! batch needs, and the numbers that their rows are locked by.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use wallet_core::Hold;
use wallet_core::ledger::{AccountKey, TransferWithReversals};
use wallet_core::request::{Reads, accounts_of};
use wallet_core::store::Snapshot;

use super::accounts::{Reading, ask_numbers, told_numbers};
use super::{Numbers, ask_holds, ask_transfers, told_holds, told_transfers};
use crate::error::Failed;
use crate::run::Runner;
use crate::sql::Script;

/// The accounts to lock, each with its number; none where there is no such
/// account so far.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) accounts: BTreeMap<AccountKey, Option<i64>>,
}

/// Finds the accounts of `reads`. Nothing is sent where all of them are known
/// and no hold or transfer is named.
pub(crate) async fn resolve(
    runner: &mut Runner<'_>,
    reads: &Reads,
    numbers: &Mutex<Numbers>,
) -> Result<Resolved, Failed> {
    // Nothing but where to look: it is read again behind the locks.
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
        holds = told_holds(&mut answers)?;
        transfers = told_transfers(&mut answers)?;
    }
    if !unknown.is_empty() {
        resolved.learn(told_numbers(&mut answers)?, numbers);
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
        resolved.learn(told_numbers(&mut answers)?, numbers);
    }
    Ok(resolved)
}

impl Resolved {
    /// The numbers of those that exist.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.accounts.values().flatten().copied()
    }

    /// Those that exist and are not in `snapshot`, whose accounts stand in the same
    /// order.
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

    /// Takes in the accounts whose numbers are remembered, and answers which
    /// are not, sorted as `keys` are.
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

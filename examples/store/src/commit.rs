//! Writes a change set.

use std::collections::BTreeMap;

use wallet_core::ledger::{AccountState, Timestamp, TransferWithReversals};
use wallet_core::store::{AccountUpdate, ChangeSet, StoreError};

use crate::tables::{StoredRecord, Tables};
use crate::{conflict, corrupt};

impl Tables {
    /// Writes `changes` at `now`. After an error some rows are written, so the
    /// transaction must be dropped.
    ///
    /// This store holds one lock from the snapshot to the commit. So the conditions
    /// on the epoch and on updated accounts always hold. A store that reads without
    /// locks depends on them.
    ///
    /// # Errors
    /// `Conflict`: a row that the decision depends on has changed. `Corrupt`: the
    /// stored rows contradict the change set.
    pub(crate) fn apply(&mut self, changes: &ChangeSet, now: Timestamp) -> Result<(), StoreError> {
        if changes.epoch != self.epochs.current() {
            return Err(conflict("the epoch was raised"));
        }
        for account in &changes.opened {
            insert(&mut self.accounts, account.state.key, account.clone())
                .ok_or_else(|| conflict("the account exists"))?;
        }
        for update in &changes.updated {
            let account = self.accounts.get_mut(&update.after.key);
            let account = account.filter(|account| is_as_read(&account.state, update));
            let account = account.ok_or_else(|| conflict("the account has changed"))?;
            account.state = update.after;
        }
        for currency in &changes.currencies {
            insert(&mut self.currencies, currency.code(), *currency)
                .ok_or_else(|| conflict("the currency exists"))?;
        }
        self.write_transfers(changes)?;
        for update in &changes.holds {
            let before = self.holds.insert(update.hold.key, update.hold.clone());
            if update.is_new && before.is_some() {
                return Err(conflict("the hold exists"));
            }
        }
        for record in &changes.records {
            let stored = StoredRecord {
                record: record.clone(),
                written_at: now,
            };
            insert(&mut self.records, record.key, stored)
                .ok_or_else(|| conflict("the idempotency key was used"))?;
        }
        if let Some(payload) = changes.outbox_payload() {
            self.outbox.append(payload, now)?;
        }
        Ok(())
    }

    /// Writes transfers, their entries, and then the reversed amounts. A transfer
    /// can be reversed in the batch that posts it.
    fn write_transfers(&mut self, changes: &ChangeSet) -> Result<(), StoreError> {
        for transfer in changes.transfers() {
            let row = TransferWithReversals {
                transfer: transfer.clone(),
                reversed: vec![0; transfer.legs.len()],
            };
            insert(&mut self.transfers, transfer.key, row)
                .ok_or_else(|| conflict("the transfer exists"))?;
        }
        for entry in changes.entries() {
            insert(&mut self.entries, (entry.account, entry.sequence), entry)
                .ok_or_else(|| corrupt("the entry exists"))?;
        }
        for total in &changes.reversals {
            let row = self.transfers.get_mut(&total.transfer);
            let leg = row.and_then(|row| row.reversed.get_mut(usize::from(total.leg)));
            *leg.ok_or_else(|| corrupt("the reversed leg does not exist"))? = total.reversed;
        }
        Ok(())
    }
}

/// Inserts a row; `None` where its primary key exists.
fn insert<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, row: V) -> Option<()> {
    match table.insert(key, row) {
        None => Some(()),
        Some(_) => None,
    }
}

/// Whether a stored account is in the state that the decision read.
fn is_as_read(stored: &AccountState, update: &AccountUpdate) -> bool {
    stored.version == update.version_before && stored.last_at == update.last_at_before
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wallet_core::decide::decide;
    use wallet_core::ledger::{RaisedBy, SettlementShards};
    use wallet_core::request::{Batch, PreparedRequest};
    use wallet_core::runtime::Uuid7;
    use wallet_core::store::StoreErrorKind;
    use wallet_core::{
        AccountId, Command, Currency, Deposit, IdempotencyKey, Money, OpenAccount, Owner, Request,
        SettlementName,
    };

    use super::*;
    use crate::Database;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);
    const ADA: AccountId = AccountId::from_bytes([7; 16]);

    /// The changes that the committed state gives for one command.
    fn changes(database: &Database, key: &str, command: impl Into<Command>) -> ChangeSet {
        let key = IdempotencyKey::parse("example", key).unwrap();
        let request = Request::new(key, command);
        let request = PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap();
        let batch = Batch::new(vec![Arc::new(request)]);
        let snapshot = database.read().snapshot(batch.reads(), NOW);
        decide(&batch, &snapshot).changes
    }

    fn commit(database: &Database, changes: &ChangeSet) -> Result<(), StoreError> {
        let mut transaction = database.begin();
        transaction.tables.apply(changes, NOW)?;
        transaction.commit();
        Ok(())
    }

    fn assert_conflict(database: &Database, changes: &ChangeSet) {
        let before = database.read().clone();
        let refused = commit(database, changes).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Conflict, "{refused}");
        assert_eq!(*database.read(), before);
    }

    fn open() -> OpenAccount {
        let euro = Currency::iso("EUR").unwrap();
        OpenAccount::new(Owner::new("ada").unwrap(), euro).with_id(Some(ADA))
    }

    fn deposit() -> Deposit {
        let money = Money::minor(5, Currency::iso("EUR").unwrap()).unwrap();
        Deposit::new(ADA, money, SettlementName::new("bank").unwrap())
    }

    #[test]
    fn a_change_set_is_written_once() {
        let database = Database::new();
        let opened = changes(&database, "open", open());
        commit(&database, &opened).unwrap();
        assert_conflict(&database, &opened);
    }

    #[test]
    fn an_account_that_changed_meanwhile_is_a_conflict() {
        let database = Database::new();
        commit(&database, &changes(&database, "open", open())).unwrap();
        commit(&database, &changes(&database, "one", deposit())).unwrap();
        let (two, three) = (
            changes(&database, "two", deposit()),
            changes(&database, "three", deposit()),
        );
        commit(&database, &two).unwrap();
        assert_conflict(&database, &three);
    }

    #[test]
    fn a_past_balance_that_was_read_meanwhile_is_a_conflict() {
        let database = Database::new();
        commit(&database, &changes(&database, "open", open())).unwrap();
        commit(&database, &changes(&database, "one", deposit())).unwrap();
        let two = changes(&database, "two", deposit());
        let key = two.updated[0].after.key;
        let mut transaction = database.begin();
        transaction.tables.balance_at(key, NOW, NOW).unwrap();
        transaction.commit();
        assert_conflict(&database, &two);
    }

    #[test]
    fn an_epoch_that_was_raised_meanwhile_is_a_conflict() {
        let database = Database::new();
        let opened = changes(&database, "open", open());
        let by = RaisedBy::new("ops").unwrap();
        let mut transaction = database.begin();
        let raised = transaction.tables.epochs.raise(NOW, &by, NOW).unwrap();
        transaction.tables.epochs = transaction.tables.epochs.with(raised);
        transaction.commit();
        assert_conflict(&database, &opened);
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::OutboxTables;
use crate::ledger::{
    Account, AccountId, AccountKey, Currency, CurrencyCode, Entry, Epochs, Fingerprint, Hold,
    HoldId, HoldKey, InLedger, LedgerId, Outcome, Owner, RaisedBy, RaisedEpoch, Record, RecordKey,
    Reference, Timestamp, TransferId, TransferKey, TransferWithReversals,
};
use crate::request::ReadSet;
use crate::store::{ChangeSet, Snapshot, StoreError, StoreErrorKind};

/// The rows of a ledger as plain data.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Accounts by key.
    pub accounts: FxHashMap<AccountKey, Account>,
    /// Account keys in order.
    pub account_order: BTreeSet<AccountKey>,
    /// Accounts by owner.
    pub by_owner: BTreeMap<(LedgerId, Owner), BTreeSet<AccountId>>,
    /// Accounts by currency.
    pub by_currency: BTreeMap<(LedgerId, Currency), BTreeSet<AccountId>>,
    /// Accounts by owner and currency.
    pub by_owner_currency: BTreeMap<(LedgerId, Owner, Currency), BTreeSet<AccountId>>,
    /// Entries by account, in order of their sequence.
    pub entries: FxHashMap<AccountKey, Vec<Entry>>,
    /// Records by key.
    pub records: FxHashMap<RecordKey, StoredRecord>,
    /// Record keys in the order in which they were written.
    pub record_order: BTreeSet<(Timestamp, RecordKey)>,
    /// Transfers by key.
    pub transfers: FxHashMap<TransferKey, TransferWithReversals>,
    /// Transfers by reference.
    pub by_reference: BTreeMap<(LedgerId, Reference), BTreeSet<TransferId>>,
    /// Holds by reference.
    pub held_by_reference: BTreeMap<(LedgerId, Reference), BTreeSet<HoldId>>,
    /// The transfers that capture a hold.
    pub captures: BTreeMap<HoldKey, BTreeSet<TransferId>>,
    /// Holds by key.
    pub holds: BTreeMap<HoldKey, Hold>,
    /// Currencies by code.
    pub currencies: BTreeMap<CurrencyCode, Currency>,
    /// Every raise of the epoch.
    pub epochs: Epochs,
    /// The outbox.
    pub outbox: OutboxTables,
}

/// A record as it is stored.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    /// The fingerprint of the request.
    pub fingerprint: Fingerprint,
    /// The outcome of the request.
    pub outcome: Arc<Outcome>,
    /// The time of the write, by the store's clock.
    pub written_at: Timestamp,
}

impl Tables {
    /// The snapshot for `reads` at `now`. Accounts for which `obtainable` is false
    /// are left out.
    #[must_use]
    pub fn snapshot(
        &self,
        reads: &ReadSet,
        now: Timestamp,
        obtainable: impl Fn(AccountKey) -> bool,
    ) -> Snapshot {
        let holds: Vec<Hold> = pick(&reads.holds, |key| self.holds.get(key).cloned());
        let transfers: Vec<_> = pick(&reads.transfers, |key| self.transfers.get(key).cloned());
        let lock_set = reads.lock_set(&holds, &transfers);
        let accounts = lock_set.into_iter().filter(|key| obtainable(*key));
        Snapshot {
            now,
            epoch: self.epochs.current(),
            accounts: accounts
                .map(|key| (key, self.accounts.get(&key).map(|account| account.state)))
                .collect(),
            records: pick(&reads.keys, |key| self.record(*key)),
            holds,
            transfers,
            currencies: pick(&reads.currencies, |code| self.currencies.get(code).copied()),
        }
    }

    /// The record of a key.
    #[must_use]
    pub fn record(&self, key: RecordKey) -> Option<Record> {
        self.records.get(&key).map(|stored| Record {
            key,
            fingerprint: stored.fingerprint,
            outcome: Arc::clone(&stored.outcome),
        })
    }

    /// Whether `changes` can be applied. The epoch must be unchanged, every
    /// inserted row must be new, and every updated account must be as it was read.
    #[must_use]
    pub fn admits(&self, changes: &ChangeSet) -> bool {
        let records = changes.records.iter();
        let opened = changes.opened.iter();
        let transfers = changes.accepted.iter();
        let currencies = changes.currencies.iter();
        let mut transfers = transfers.flat_map(|(_, outcome)| outcome.transfers());
        let mut updated = changes.updated.iter();
        let mut holds = changes.holds.iter().filter(|update| update.is_new);
        changes.epoch == self.epochs.current()
            && records
                .map(|record| record.key)
                .all(|key| !self.records.contains_key(&key))
            && opened
                .map(|account| account.state.key)
                .all(|key| !self.accounts.contains_key(&key))
            && transfers.all(|transfer| !self.transfers.contains_key(&transfer.key))
            && holds.all(|update| !self.holds.contains_key(&update.hold.key))
            && currencies
                .map(Currency::code)
                .all(|code| !self.currencies.contains_key(&code))
            && updated.all(|update| {
                let stored = self.accounts.get(&update.after.key);
                stored.is_some_and(|stored| {
                    stored.state.version == update.version_before
                        && stored.state.last_at == update.last_at_before
                })
            })
    }

    /// Writes `changes` at `now`, atomically.
    ///
    /// # Errors
    /// `Conflict` when the rows that they depend on have changed; `Internal` when
    /// the outbox has no number left.
    pub fn apply(&mut self, changes: &ChangeSet, now: Timestamp) -> Result<(), StoreError> {
        if !self.admits(changes) {
            let context = "what the batch was decided on has changed";
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        if !self.outbox.has_room() {
            let context = "the numbers of outbox rows are used up";
            return Err(StoreError::new(StoreErrorKind::Internal, context));
        }
        for account in &changes.opened {
            self.open(account);
        }
        for update in &changes.updated {
            if let Some(account) = self.accounts.get_mut(&update.after.key) {
                account.state = update.after;
            }
        }
        self.write_postings(changes);
        for update in &changes.holds {
            let hold = &update.hold;
            if let Some(reference) = hold.details.reference.as_ref().filter(|_| update.is_new) {
                let named = (hold.key.ledger, reference.clone());
                let ids = self.held_by_reference.entry(named).or_default();
                ids.insert(hold.key.id);
            }
            self.holds.insert(hold.key, hold.clone());
        }
        for total in &changes.reversals {
            let row = self.transfers.get_mut(&total.transfer);
            let slot = row.and_then(|row| row.reversed.get_mut(usize::from(total.leg)));
            if let Some(slot) = slot {
                *slot = total.reversed;
            }
        }
        for currency in &changes.currencies {
            self.currencies.insert(currency.code(), *currency);
        }
        for record in &changes.records {
            self.record_order.insert((now, record.key));
            let stored = StoredRecord {
                fingerprint: record.fingerprint,
                outcome: Arc::clone(&record.outcome),
                written_at: now,
            };
            self.records.insert(record.key, stored);
        }
        if let Some(payload) = changes.outbox_payload() {
            self.outbox.append(payload, now);
        }
        Ok(())
    }

    /// Raises the epoch at `now`.
    ///
    /// # Errors
    /// The errors of
    /// [`LedgerStore::raise_epoch`](crate::store::LedgerStore::raise_epoch).
    pub fn raise_epoch(
        &mut self,
        restored_to: Timestamp,
        by: &RaisedBy,
        now: Timestamp,
    ) -> Result<RaisedEpoch, StoreError> {
        let raised = self.epochs.raise(restored_to, by, now)?;
        self.epochs = self.epochs.with(raised.clone());
        Ok(raised)
    }

    fn open(&mut self, account: &Account) {
        let key = account.state.key;
        self.account_order.insert(key);
        let owned = self.by_owner.entry((key.ledger, account.owner.clone()));
        owned.or_default().insert(key.id);
        let currency = account.state.currency;
        let holders = self.by_currency.entry((key.ledger, currency));
        holders.or_default().insert(key.id);
        let named = (key.ledger, account.owner.clone(), currency);
        let owned = self.by_owner_currency.entry(named);
        owned.or_default().insert(key.id);
        self.accounts.insert(key, account.clone());
    }

    fn write_postings(&mut self, changes: &ChangeSet) {
        let outcomes = changes.accepted.iter().map(|(_, outcome)| outcome);
        for posted in outcomes.flat_map(|outcome| outcome.postings()) {
            for entry in posted.entries(changes.epoch) {
                self.entries.entry(entry.account).or_default().push(entry);
            }
            let transfer = &posted.transfer;
            if let Some(reference) = &transfer.details.reference {
                let named = (transfer.key.ledger, reference.clone());
                self.by_reference
                    .entry(named)
                    .or_default()
                    .insert(transfer.key.id);
            }
            if let Some(hold) = transfer.hold {
                let hold = InLedger::new(transfer.key.ledger, hold);
                let captures = self.captures.entry(hold).or_default();
                captures.insert(transfer.key.id);
            }
            let row = TransferWithReversals {
                transfer: transfer.clone(),
                reversed: vec![0; transfer.legs.len()],
            };
            self.transfers.insert(transfer.key, row);
        }
    }
}

fn pick<K, V>(keys: &[K], find: impl Fn(&K) -> Option<V>) -> Vec<V> {
    keys.iter().filter_map(find).collect()
}

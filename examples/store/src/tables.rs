//! The tables, and the snapshot that a decision reads.

use std::collections::BTreeMap;

use wallet_core::ledger::{Account, Currency, Entry, Hold, Record, Timestamp};
use wallet_core::ledger::{
    AccountKey, CurrencyCode, Epochs, HoldKey, RecordKey, Sequence, TransferKey,
    TransferWithReversals,
};
use wallet_core::request::ReadSet;
use wallet_core::store::Snapshot;

use crate::outbox::OutboxTable;

/// All rows of the database. Each table is sorted by its primary key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    pub(crate) accounts: BTreeMap<AccountKey, Account>,
    pub(crate) entries: BTreeMap<(AccountKey, Sequence), Entry>,
    pub(crate) transfers: BTreeMap<TransferKey, TransferWithReversals>,
    pub(crate) holds: BTreeMap<HoldKey, Hold>,
    pub(crate) currencies: BTreeMap<CurrencyCode, Currency>,
    pub(crate) records: BTreeMap<RecordKey, StoredRecord>,
    pub(crate) epochs: Epochs,
    pub(crate) outbox: OutboxTable,
}

/// An idempotency record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) record: Record,
    /// The time of the commit by the store's clock. The purge uses it.
    pub(crate) written_at: Timestamp,
}

impl Tables {
    /// The rows that a decision reads, all of one state.
    pub(crate) fn snapshot(&self, reads: &ReadSet, now: Timestamp) -> Snapshot {
        let mut snapshot = Snapshot::at(now);
        snapshot.epoch = self.epochs.current();
        snapshot.holds = found(&self.holds, &reads.holds);
        snapshot.transfers = found(&self.transfers, &reads.transfers);
        // The accounts of the holds and transfers belong to the snapshot too.
        let accounts = reads.lock_set(&snapshot.holds, &snapshot.transfers);
        let state = |key| self.accounts.get(&key).map(|account| account.state);
        snapshot.accounts = accounts.into_iter().map(|key| (key, state(key))).collect();
        let records = reads.keys.iter().filter_map(|key| self.records.get(key));
        snapshot.records = records.map(|stored| stored.record.clone()).collect();
        snapshot.currencies = found(&self.currencies, &reads.currencies);
        snapshot
    }
}

/// The rows that exist, in the order of `keys`.
fn found<K: Ord, V: Clone>(table: &BTreeMap<K, V>, keys: &[K]) -> Vec<V> {
    keys.iter()
        .filter_map(|key| table.get(key).cloned())
        .collect()
}

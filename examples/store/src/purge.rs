//! Deletes old idempotency records and delivered outbox rows.

use std::collections::BTreeMap;

use wallet_core::ledger::{RecordKey, Timestamp};
use wallet_core::store::{Purge, RowId, RowState};

use crate::queries::length;
use crate::tables::Tables;

impl Tables {
    /// The number of rows that are old enough, at most `purge.limit`.
    pub(crate) fn purgeable(&self, purge: Purge, now: Timestamp) -> u64 {
        let (old, limit) = match purge {
            Purge::Records { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                (self.old_records(bound).len(), limit)
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                (self.old_rows(bound).len(), limit)
            }
        };
        count(old).min(limit.into())
    }

    /// Deletes at most `purge.limit` rows, the oldest first, and returns their
    /// number.
    pub(crate) fn purge(&mut self, purge: Purge, now: Timestamp) -> u64 {
        match purge {
            Purge::Records { older_than, limit } => {
                self.purge_records(now.saturating_sub(older_than), length(limit))
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let mut old = self.old_rows(now.saturating_sub(older_than));
                old.truncate(length(limit));
                for row in &old {
                    self.outbox.rows.remove(row);
                }
                count(old.len())
            }
        }
    }

    /// The records of a bulk request go together. If one of them is too young, the
    /// purge stops there: later records are not older.
    fn purge_records(&mut self, bound: Timestamp, limit: usize) -> u64 {
        let bulk_of = self.bulk_requests();
        let mut deleted: usize = 0;
        for key in self.old_records(bound) {
            let group = self.group(bulk_of.get(&key).copied().unwrap_or(key));
            let is_young = |key| self.written_at(key).is_some_and(|time| time > bound);
            if deleted >= limit || group.iter().any(is_young) {
                break;
            }
            for key in &group {
                self.records.remove(key);
            }
            deleted = deleted.saturating_add(group.len());
        }
        count(deleted)
    }

    /// The records that were written at or before `bound`, the oldest first.
    fn old_records(&self, bound: Timestamp) -> Vec<RecordKey> {
        let records = self.records.iter();
        let old = records.filter(|(_, stored)| stored.written_at <= bound);
        let mut old: Vec<_> = old.map(|(key, stored)| (stored.written_at, *key)).collect();
        old.sort_unstable();
        old.into_iter().map(|(_, key)| key).collect()
    }

    /// The key of the bulk request for each possible item. The record of an item
    /// does not name its bulk request.
    fn bulk_requests(&self) -> BTreeMap<RecordKey, RecordKey> {
        let keys = self.records.keys();
        let items = keys.flat_map(|bulk| self.item_keys(*bulk).map(|item| (item, *bulk)));
        items.collect()
    }

    /// The keys of the items, if `bulk` is the key of a bulk request.
    fn item_keys(&self, bulk: RecordKey) -> impl Iterator<Item = RecordKey> + use<> {
        let stored = self.records.get(&bulk);
        let items = stored.and_then(|stored| stored.record.outcome.bulk_items());
        (0..items.unwrap_or(0)).map(move |index| bulk.item(index))
    }

    /// The stored records that are purged together with `key`: the items of a bulk
    /// request and then its own record, or one record alone.
    fn group(&self, key: RecordKey) -> Vec<RecordKey> {
        let keys = self.item_keys(key).chain([key]);
        keys.filter(|key| self.records.contains_key(key)).collect()
    }

    fn written_at(&self, key: &RecordKey) -> Option<Timestamp> {
        self.records.get(key).map(|stored| stored.written_at)
    }

    /// The complete outbox rows that were written at or before `bound`.
    fn old_rows(&self, bound: Timestamp) -> Vec<RowId> {
        let rows = self.outbox.rows.values();
        let old = rows
            .filter(|stored| stored.state == RowState::Complete && stored.row.created_at <= bound);
        old.map(|stored| stored.row.id).collect()
    }
}

/// A length as a number of rows.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

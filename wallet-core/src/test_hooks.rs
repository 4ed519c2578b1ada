//! What tests of stores need and hosts do not (feature `test-hooks`): to read what
//! a request was prepared for, and to build what no caller could.
//!
//! The test kit plants bugs with these hooks and compares stores with its model.
//! Nothing here is meant for production code.

use crate::audit::AuditRecord;
use crate::edge::Quota;
use crate::ledger::{AccountKey, Fingerprint, HoldKey, RecordKey, Timestamp};
use crate::memory::{MemoryAuditLog, MemoryStore, OutboxTables, Tables};
use crate::request::{Command, Membership, Prepared, Purpose, Request};
use crate::store::{Lease, PartitionId};

/// Who asked for a prepared request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreparedFor {
    /// A caller, by a request.
    Caller,
    /// A caller, by an item of a bulk request.
    Item(BulkItem),
    /// A caller who cancels a key.
    Cancellation,
    /// The sweep of expired holds.
    Sweep,
}

/// An item's bulk request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkItem {
    /// The key of the bulk request.
    pub key: RecordKey,
    /// The fingerprint of all of its items.
    pub fingerprint: Fingerprint,
    /// How many items it has.
    pub items: u32,
    /// The key of the item before this one.
    pub previous: Option<RecordKey>,
}

impl From<&Membership> for BulkItem {
    fn from(item: &Membership) -> Self {
        let previous = item.previous();
        let Membership {
            key,
            fingerprint,
            items,
            index: _,
        } = *item;
        Self {
            key,
            fingerprint,
            items,
            previous,
        }
    }
}

/// Lets every other task run once.
pub async fn yield_once() {
    crate::runtime::yield_once().await;
}

/// Who asked for `request`.
#[must_use]
pub fn prepared_for(request: &Prepared) -> PreparedFor {
    match &request.purpose {
        Purpose::Caller => PreparedFor::Caller,
        Purpose::Item(item) => PreparedFor::Item(item.into()),
        Purpose::Cancellation => PreparedFor::Cancellation,
        Purpose::Sweep => PreparedFor::Sweep,
    }
}

/// The commands of `request`, in order.
#[must_use]
pub fn commands(request: &Prepared) -> Vec<Command> {
    let commands = request.commands.iter();
    commands.map(|one| one.command.clone()).collect()
}

/// The first `count` commands of `request`, under another key.
#[must_use]
pub fn first_commands(request: &Prepared, count: usize, key: RecordKey) -> Prepared {
    let mut first = request.clone();
    first.commands.truncate(count);
    first.key = key;
    first
}

/// Whether `request` is a list of a single command.
#[must_use]
pub fn is_list_of_one(request: &Request) -> bool {
    request.is_list_of_one()
}

/// `quota` with another capacity.
#[must_use]
pub const fn with_capacity(quota: Quota, capacity: u32) -> Quota {
    quota.with_capacity(capacity)
}

/// `quota` where a token takes whole microseconds, rounded down.
#[must_use]
pub fn without_fractions(quota: Quota) -> Quota {
    quota.without_fractions()
}

/// Appends `records` to `log` as they are, whatever their hashes say.
pub fn append_unchecked(log: &MemoryAuditLog, records: Vec<AuditRecord>) {
    log.append_unchecked(records);
}

/// The keys of holds that have expired at `now`, the longest expired first.
#[must_use]
pub fn expired_holds(tables: &Tables, now: Timestamp, limit: u32) -> Vec<HoldKey> {
    tables.expired_holds(now, limit)
}

/// The latest lease of a partition, whether it has ended or not.
#[must_use]
pub fn latest_lease(outbox: &OutboxTables, partition: PartitionId) -> Option<Lease> {
    outbox.lease(partition)
}

/// Whether no foreign transaction keeps `account` locked in `store`.
#[must_use]
pub fn can_lock(store: &MemoryStore, account: AccountKey) -> bool {
    store.can_lock(account)
}

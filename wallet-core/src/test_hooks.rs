//! Hooks for tests of stores (feature `test-hooks`). Tests read the purpose of a
//! prepared request, and build values that no caller could build.
//!
//! The test kit uses these hooks to plant bugs, and to compare stores with its
//! model. Production code must not use them.

use crate::audit::AuditRecord;
use crate::edge::Quota;
use crate::ledger::{AccountKey, Fingerprint, HoldKey, RecordKey, Timestamp};
use crate::memory::{MemoryAuditLog, MemoryStore, OutboxTables, Tables};
use crate::request::{Command, Membership, PreparedRequest, Purpose, Request};
use crate::store::Lease;

/// The origin of a prepared request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreparedFor {
    /// A caller's request.
    Caller,
    /// A caller's item of a bulk request.
    Item(BulkItem),
    /// A caller's cancellation of a key.
    Cancellation,
    /// The sweep of expired holds.
    Sweep,
}

/// The bulk request of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkItem {
    /// The key of the bulk request.
    pub key: RecordKey,
    /// The fingerprint of all of its items.
    pub fingerprint: Fingerprint,
    /// The number of items.
    pub items: u32,
    /// The key of the previous item.
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

/// Yields once, so that every other task can run.
pub async fn yield_once() {
    crate::runtime::yield_once().await;
}

/// The origin of `request`.
#[must_use]
pub fn prepared_for(request: &PreparedRequest) -> PreparedFor {
    match &request.purpose {
        Purpose::Caller => PreparedFor::Caller,
        Purpose::Item(item) => PreparedFor::Item(item.into()),
        Purpose::Cancellation => PreparedFor::Cancellation,
        Purpose::Sweep => PreparedFor::Sweep,
    }
}

/// The commands of `request`, in order.
#[must_use]
pub fn commands(request: &PreparedRequest) -> Vec<Command> {
    let commands = request.commands.iter();
    commands.map(|one| one.command.clone()).collect()
}

/// The first `count` commands of `request`, under another key.
#[must_use]
pub fn first_commands(request: &PreparedRequest, count: usize, key: RecordKey) -> PreparedRequest {
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

/// Appends `records` to `log` without checking their hashes.
pub fn append_unchecked(log: &MemoryAuditLog, records: Vec<AuditRecord>) {
    log.append_unchecked(records);
}

/// The keys of holds that have expired at `now`, the longest expired first.
#[must_use]
pub fn expired_holds(tables: &Tables, now: Timestamp, limit: u32) -> Vec<HoldKey> {
    tables.expired_holds(now, limit)
}

/// The latest lease of the outbox, also when it has ended.
#[must_use]
pub fn latest_lease(outbox: &OutboxTables) -> Option<Lease> {
    outbox.lease()
}

/// Whether no foreign transaction keeps `account` locked in `store`.
#[must_use]
pub fn can_lock(store: &MemoryStore, account: AccountKey) -> bool {
    store.can_lock(account)
}

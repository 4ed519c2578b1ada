use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::ledger::{AccountKey, Timestamp, Version, table};
use crate::store::StoreError;

/// The number of an outbox row. It is assigned while the account locks are held. So
/// for one account the order of numbers is the order of commits. Across accounts
/// rows may appear out of order.
pub type RowId = i64;
/// The index of an event within its row.
pub type EventIndex = u32;
/// The indices of a row's events that are done.
pub type DoneSet = BTreeSet<EventIndex>;

/// The transactional outbox: passes committed effects to the relay that owns it. A
/// row is one commit batch
/// ([`decode_outbox`](crate::store::codec::decode_outbox) reads its payload).
/// Progress is recorded per row.
///
/// Every method with a [`Lease`] fails with [`OutboxError::LeaseLost`] and changes
/// nothing in two cases: the lease has expired by the store's clock, or somebody has
/// acquired the outbox since, the same owner included.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Acquires the lease of the outbox for `owner` until `ttl` from now. Returns
    /// `None` while another owner holds it ([`Lease::is_held`]). The same owner can
    /// acquire it again at any time, which ends its earlier lease. Each success gives a
    /// greater fencing token.
    ///
    /// # Errors
    /// [`OutboxError::Store`]: the store failed.
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError>;

    /// Extends the lease until `ttl` from now under the same fencing token.
    ///
    /// # Errors
    /// [`OutboxError`]: the lease was lost or the store failed.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError>;

    /// Releases the outbox at once.
    ///
    /// # Errors
    /// [`OutboxError`]: the lease was lost or the store failed.
    async fn release(&self, lease: &Lease) -> Result<(), OutboxError>;

    /// Returns at most `limit` open rows, ascending by id, without the rows in
    /// `skip`, which the relay already has in flight.
    ///
    /// # Errors
    /// [`OutboxError`]: the lease was lost or the store failed.
    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError>;

    /// Adds to the done-sets of rows, and sets their states. A complete row stays
    /// complete. The call is atomic and idempotent.
    ///
    /// # Errors
    /// [`OutboxError`]: the lease was lost or the store failed.
    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError>;

    /// Reopens all rows that were put aside and returns their number. Rows behind a
    /// parked event need not be claimed until the parking ends. Then this call
    /// returns them to the open rows.
    ///
    /// # Errors
    /// [`OutboxError`]: the lease was lost or the store failed.
    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError>;

    /// Parks an event: it is visible in [`parked`](Self::parked), and its row is
    /// not complete. The call is idempotent.
    ///
    /// # Errors
    /// [`OutboxError`]: the lease was lost or the store failed.
    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError>;

    /// Returns the parked events, by row and index. The relay publishes no later event
    /// of their groups.
    ///
    /// # Errors
    /// [`OutboxError::Store`]: the store failed.
    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError>;

    /// Ends the parking of an event. The event is skipped for good (marked as
    /// done), or tried again. Returns whether it was parked. Needs no lease.
    ///
    /// # Errors
    /// [`OutboxError::Store`]: the store failed.
    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError>;

    /// Returns the amount of waiting work.
    ///
    /// # Errors
    /// [`OutboxError::Store`]: the store failed.
    async fn depth(&self) -> Result<OutboxDepth, OutboxError>;
}

/// A lease: the exclusive right to publish the outbox's events until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The owner of the lease.
    pub owner: String,
    /// The fencing token: greater than that of every earlier lease.
    pub token: i64,
    /// The end of the lease, by the store's clock.
    pub until: Timestamp,
}

impl Lease {
    /// The greatest valid time until a lease ends. A lease that ends later was
    /// taken while the store's clock was ahead, unless the new owner asks for a
    /// longer one.
    pub const AHEAD_MAX: Duration = Duration::from_secs(300);

    /// Whether a lease until `until` excludes another owner that asks for `ttl` at
    /// `now`. The lease excludes it if it has not ended and does not end
    /// implausibly far ahead. A lease that ends too far ahead came from a clock
    /// that was corrected since. Every store uses this function to acquire a lease.
    #[must_use]
    pub fn is_held(until: Timestamp, now: Timestamp, ttl: Duration) -> bool {
        now < until && until <= now.saturating_add(ttl.max(Self::AHEAD_MAX))
    }
}

/// A committed batch with events left to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The row's number.
    pub id: RowId,
    /// The time of the commit, by the store's clock.
    pub created_at: Timestamp,
    /// The encoded effects.
    pub payload: Vec<u8>,
    /// The events of the row that are done.
    pub done: DoneSet,
}

/// The progress of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProgress {
    /// The row.
    pub row: RowId,
    /// The events that are done now.
    pub done: DoneSet,
    /// The state of the row.
    pub state: RowState,
}

/// The state of an outbox row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RowState {
    /// The row has an event that can be published.
    #[default]
    Open,
    /// All remaining events of the row wait behind parked events. The row is not
    /// claimed until it is [reopened](Outbox::reopen).
    Aside,
    /// The row has no event left to publish.
    Complete,
}

table! {
    RowState {
        Open = 0 "open",
        Complete = 1 "complete",
        Aside = 2 "aside",
    }
}

/// An event that could not be published. It stops its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// The row of the event.
    pub row: RowId,
    /// The index of the event in the row.
    pub index: EventIndex,
    /// The account of the event, which is its group.
    pub account: AccountKey,
    /// The account's version in the event.
    pub version: Version,
    /// The reason, in words.
    pub reason: String,
}

/// The resolution of a parked event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// The event is never published.
    Skip,
    /// The event is tried again.
    Redrive,
}

/// The amount of waiting work in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxDepth {
    /// The number of incomplete rows, including rows put aside.
    pub rows: u64,
    /// The commit time of the oldest incomplete row.
    pub oldest: Option<Timestamp>,
    /// The number of parked events.
    pub parked: u64,
}

/// Errors of an [`Outbox`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The lease has expired or has another owner. Nothing was changed. Stop
    /// publishing.
    #[error("the lease on the outbox is lost")]
    LeaseLost,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::ledger::{AccountKey, Timestamp, Version};
use crate::store::StoreError;

/// A part of the outbox that one relay owns at a time; 0 is the only one by
/// default.
pub type PartitionId = u16;
/// The number of an outbox row: given after the account locks are held, so that
/// for one account the order of numbers is the order of commits. Across
/// accounts rows may appear out of order.
pub type RowId = i64;
/// The index of an event within its row.
pub type EventIndex = u32;
/// The indices of a row's events that are done.
pub type DoneSet = BTreeSet<EventIndex>;

/// Hands committed effects to the relay that owns a partition. A row is one
/// commit batch ([`decode_outbox`](crate::store::codec::decode_outbox) reads its
/// payload); progress is kept per row.
///
/// Every method that takes a [`Lease`] fails with [`OutboxError::LeaseLost`],
/// changing nothing, when the lease has expired by the store's clock or another
/// owner has taken the partition since.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Takes `partition` for `owner` until `ttl` from now, or answers `None`
    /// while somebody else holds it ([`Lease::is_held`]). The same owner gets it again
    /// at any time.
    /// Each success gives a greater token.
    ///
    /// # Errors
    /// [`OutboxError::Store`].
    async fn acquire(
        &self,
        partition: PartitionId,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<Lease>, OutboxError>;

    /// Extends the lease until `ttl` from now under the same token.
    ///
    /// # Errors
    /// [`OutboxError`].
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError>;

    /// Gives the partition back at once.
    ///
    /// # Errors
    /// [`OutboxError`].
    async fn release(&self, lease: &Lease) -> Result<(), OutboxError>;

    /// At most `limit` open rows, ascending by id, without those in `skip` (rows
    /// that the relay has in hand already).
    ///
    /// # Errors
    /// [`OutboxError`].
    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError>;

    /// Adds to the done-sets of rows, and says how they stand; what is complete
    /// stays so. All or nothing; marking twice is marking once.
    ///
    /// # Errors
    /// [`OutboxError`].
    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError>;

    /// Opens all rows that were put aside; answers how many. What waits behind a
    /// parked event need not be looked at until the parking has ended; then this
    /// brings it back.
    ///
    /// # Errors
    /// [`OutboxError`].
    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError>;

    /// Puts an event aside: visible in [`parked`](Self::parked), and its row
    /// is not complete. Parking twice is parking once.
    ///
    /// # Errors
    /// [`OutboxError`].
    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError>;

    /// The parked events of a partition, by row and index. The relay publishes
    /// none of their groups' later events.
    ///
    /// # Errors
    /// [`OutboxError::Store`].
    async fn parked(&self, partition: PartitionId) -> Result<Vec<ParkedEvent>, OutboxError>;

    /// Ends the parking of an event: skipped for good (it is marked done), or
    /// to be tried again. Answers whether it was parked. Needs no lease.
    ///
    /// # Errors
    /// [`OutboxError::Store`].
    async fn unpark(
        &self,
        partition: PartitionId,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError>;

    /// How much is waiting.
    ///
    /// # Errors
    /// [`OutboxError::Store`].
    async fn depth(&self, partition: PartitionId) -> Result<OutboxDepth, OutboxError>;
}

/// The right to publish a partition's events until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which partition.
    pub partition: PartitionId,
    /// Whose it is.
    pub owner: String,
    /// The fencing token: greater than that of every earlier lease.
    pub token: i64,
    /// When it ends, by the store's clock.
    pub until: Timestamp,
}

impl Lease {
    /// A lease that ends further ahead than this was taken while the store's clock was
    /// ahead, unless whoever asks wants a longer one.
    pub const AHEAD_MAX: Duration = Duration::from_secs(300);

    /// Whether a lease until `until` keeps the partition from another owner at `now`,
    /// who asks for `ttl`: it has not ended, and it does not end so far ahead that only
    /// a clock that has been set right since can have said so. Every store takes a
    /// lease by this.
    #[must_use]
    pub fn is_held(until: Timestamp, now: Timestamp, ttl: Duration) -> bool {
        now < until && until <= now.saturating_add(ttl.max(Self::AHEAD_MAX))
    }
}

/// One committed batch that still has something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub id: RowId,
    /// When it was committed, by the store's clock.
    pub created_at: Timestamp,
    /// The encoded effects.
    pub payload: Vec<u8>,
    /// Which of its events are done.
    pub done: DoneSet,
}

/// Progress of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProgress {
    /// Which row.
    pub row: RowId,
    /// Events done now.
    pub done: DoneSet,
    /// How the row stands.
    pub state: RowState,
}

/// How an outbox row stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RowState {
    /// Something of it can be published.
    #[default]
    Open,
    /// All that is left of it waits behind parked events: it is not claimed until
    /// it is [reopened](Outbox::reopen).
    Aside,
    /// Nothing of it is left to publish.
    Complete,
}

/// An event that could not be published and stops its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Its row.
    pub row: RowId,
    /// Its index there.
    pub index: EventIndex,
    /// Its group.
    pub account: AccountKey,
    /// The account's version that it tells.
    pub version: Version,
    /// Why, in words.
    pub reason: String,
}

/// What becomes of a parked event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// It is never published.
    Skip,
    /// It is tried again.
    Redrive,
}

/// How much is waiting in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxDepth {
    /// Rows that are not complete, those put aside included.
    pub rows: u64,
    /// When the oldest of them was committed.
    pub oldest: Option<Timestamp>,
    /// Parked events.
    pub parked: u64,
}

/// Errors of an [`Outbox`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The lease has expired or is somebody else's. Nothing was changed; stop
    /// publishing.
    #[error("the lease on the partition is lost")]
    LeaseLost,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

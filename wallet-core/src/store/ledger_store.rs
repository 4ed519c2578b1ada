use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::ledger::{
    Account, AccountKey, Balance, Decided, Entry, Epochs, Hold, HoldKey, LedgerId, PastBalance,
    RaisedBy, RaisedEpoch, Record, RecordKey, Timestamp, TransferKey, TransferWithReversals,
};
use crate::request::{Batch, Cost, ReadSet};
use crate::store::{
    AccountQuery, CaptureQuery, EntryQuery, HoldQuery, HoldReferenceQuery, PendingSums,
    ReferenceQuery, Snapshot, StoreError, TrialBalance,
};

/// The port of a ledger's database: commits batches and reads the ledger. It holds
/// no business rule. Every rule is in [`decide`](crate::decide::decide).
///
/// All errors are [`StoreError`]s. Each method names the kinds that have a special
/// meaning there. Any method may return `Unavailable`, `Corrupt` and `Internal`.
#[async_trait]
pub trait LedgerStore: Debug + Send + Sync + 'static {
    /// The limits of one transaction. The service cuts batches to fit, and refuses a
    /// request that alone exceeds them. A store need not check them again.
    fn limits(&self) -> Limits;

    /// Decides `batch` on the store's state and commits the result. Each request is
    /// atomic, with its record, its entries and its part of the outbox.
    ///
    /// A pessimistic store works in this order: (1) find the holds and transfers of
    /// [`ReadSet`] without locks, for their accounts; (2) lock the accounts
    /// ([`ReadSet::lock_set`](crate::request::ReadSet::lock_set)) in order of their
    /// keys, and leave out accounts that a foreign transaction still locks after a
    /// short wait; (3) only then read epoch, records, accounts, holds and
    /// transfers, with current reads; (4) read the clock and
    /// [`decide`](crate::decide::decide()); (5) write and commit. An optimistic
    /// store reads one consistent state, decides, and commits conditionally. The
    /// condition is that the epoch, and `version` and `last_at` of every changed
    /// account, are still the same, and that no inserted row exists. Facts about
    /// accounts that it does not change are true at the time of the read.
    ///
    /// **Every locked account of the batch is in the snapshot, with `None` where it
    /// does not exist.** An account that is left out counts as not obtained, and the
    /// requests that need it are `Blocked`.
    ///
    /// Afterwards every `Fresh` answer is durable, and so is every `Replayed` one: where
    /// a database shows commits before they are durable, a batch of replays alone
    /// flushes before it is answered. A replay writes nothing else. On an error nothing
    /// is committed, except for `Indeterminate`.
    ///
    /// # Errors
    /// - `Conflict`: a concurrent commit was faster. Decide again.
    /// - `Invalid`: the store refuses the data of some request.
    /// - `Indeterminate`: the answer to the commit was lost.
    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError>;

    /// Reads the snapshot that [`transact`](Self::transact) would decide on. It
    /// takes no locks and reads one consistent state. It is for dry runs, never for
    /// a commit. It includes the accounts of the holds and transfers.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError>;

    /// Returns the record of each key in the order of `keys`; `None` where there is
    /// none. It waits for commits that this database has begun, of other processes
    /// too. What it returns is durable. `None` means that nothing was committed under
    /// the key so far. A commit may still be on its way to the database.
    ///
    /// # Errors
    /// `Conflict` when the wait took too long.
    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError>;

    /// Returns the accounts in the order of `keys`; `None` where there is none.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError>;

    /// Returns the balances of the accounts in the order of `keys`; `None` where
    /// there is none. Each balance has the database's epoch in the state that it
    /// was read from. The reported epoch is never later than that state.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError>;

    /// Returns a page of accounts.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError>;

    /// Returns the transfers in the order of `keys`; `None` where there is none.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError>;

    /// Returns a page of the transfers with a reference.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError>;

    /// Returns the holds in the order of `keys`; `None` where there is none.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError>;

    /// Returns a page of the holds of an account.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError>;

    /// Returns a page of the holds with a reference.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError>;

    /// Returns a page of the transfers that capture a hold.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError>;

    /// Returns at most `limit` pending holds that have expired by the store's
    /// clock, the longest expired first.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError>;

    /// Returns a page of an account's entries. It is empty when the account does
    /// not exist.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError>;

    /// Returns the posted balance of `account` after all entries at or before `at`;
    /// `None` when the account does not exist. A returned balance never changes.
    /// Where `at` is not before the account's `last_at`, the store locks the
    /// account and reads its clock. It then raises `last_at` to `at` plus one
    /// microsecond before it returns. `None` promises nothing, because the account
    /// may be opened later.
    ///
    /// # Errors
    /// `Invalid` when `at` is later than the store's clock; `Conflict` when the
    /// lock cannot be acquired.
    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError>;

    /// Returns the ledgers that hold accounts, ascending.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError>;

    /// Returns the trial balance of `ledger`: one sum for each currency, by code
    /// and decimals ascending. It is empty where the ledger has no account. All
    /// sums are of one committed state, also while others commit. The store reads
    /// all accounts, so the call may take long.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError>;

    /// Returns every raise of the database's epoch.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn epochs(&self) -> Result<Epochs, StoreError>;

    /// Raises the database's epoch, durably. Call it after the database was
    /// restored or failed over to the state at `restored_to`. All commits up to
    /// that time are in the state; later ones may be lost. Returns the current
    /// epoch. The call is idempotent: nothing changes where the last raise was by
    /// the same operator for the same time.
    ///
    /// No commit that was decided in an earlier epoch lands afterwards. A commit in
    /// flight lands before the raise or fails with a `Conflict`.
    ///
    /// # Errors
    /// - `Invalid` when `restored_to` is later than the store's clock.
    /// - `Conflict` when it waited too long for commits in flight.
    /// - `Indeterminate`: the answer to its commit was lost. Call again.
    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError>;

    /// Returns the pending counters of each account and the sums of its open holds,
    /// in the order of `accounts`; `None` where there is no account. All values are
    /// of one committed state, also while others commit. So a difference is damage,
    /// and never a concurrent commit.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError>;

    /// Returns the number of rows that are old enough for [`purge`](Self::purge),
    /// at most `purge.limit`. It may count items of a bulk request that the purge
    /// leaves, because the last item of that request is too young.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError>;

    /// Deletes at most `purge.limit` rows that are older than the given age by the
    /// store's clock, oldest first. Returns the number of deleted rows. An
    /// idempotency key is effective as long as its record exists.
    ///
    /// The records of a bulk request are deleted together, its items first, once
    /// all of them are old enough. Then the items of one bulk request may exceed
    /// `purge.limit`. Until then the purge stops at this bulk request. The record of a
    /// bulk request has the number of its items
    /// ([`Outcome::bulk_items`](crate::ledger::Outcome::bulk_items)), and
    /// [`RecordKey::item`] gives their keys. An item does not name its bulk request.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn purge(&self, purge: Purge) -> Result<u64, StoreError>;

    /// Proves that the store can commit now. It commits a write on the same path as
    /// batches. The write leaves no data and touches no row of the ledger. A store
    /// that can only read, because of a full disk or a demotion to a read replica,
    /// fails here as it fails batches.
    ///
    /// # Errors
    /// The errors of [`transact`](Self::transact), except for `Invalid`.
    async fn probe(&self) -> Result<(), StoreError>;
}

/// The limits of one transaction of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of requests.
    pub requests: usize,
    /// The number of rows read or written, as [`Cost::rows`] counts them.
    pub rows: usize,
    /// The number of bytes, as [`Cost::bytes`] counts them.
    pub bytes: usize,
}

impl Limits {
    /// Whether work of this cost fits into one transaction.
    #[must_use]
    pub const fn admit(&self, cost: Cost) -> bool {
        cost.rows <= self.rows && cost.bytes <= self.bytes
    }
}

/// The answer to a committed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// One answer per request, in the order of [`Batch::requests`].
    pub decided: Vec<Decided>,
}

/// The rows to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Idempotency records. If a request is repeated after its record is deleted,
    /// it is carried out again, and money moves twice. So `older_than` must exceed
    /// the longest time until a retry; see [`RETENTION`](Self::RETENTION).
    Records {
        /// Only records at least this old.
        older_than: Duration,
        /// The greatest number of records.
        limit: u32,
    },
    /// Outbox rows with no event left to deliver.
    DeliveredEvents {
        /// Only rows at least this old.
        older_than: Duration,
        /// The greatest number of rows.
        limit: u32,
    },
}

impl Purge {
    /// The default retention of records: 30 days. This is longer than a queue holds
    /// a message that may be delivered again.
    pub const RETENTION: Duration = Duration::from_secs(30 * 86_400);

    /// At most `limit` records older than [`RETENTION`](Self::RETENTION). Nothing
    /// is deleted without a call. Call it regularly until it returns fewer than
    /// `limit`.
    #[must_use]
    pub const fn old_records(limit: u32) -> Self {
        let older_than = Self::RETENTION;
        Self::Records { older_than, limit }
    }
}

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::ledger::{
    Account, AccountKey, Balance, Decided, Entry, Epochs, Hold, HoldKey, LedgerId, PastBalance,
    RaisedBy, RaisedEpoch, Record, RecordKey, Timestamp, TransferKey, TransferWithReversals,
};
use crate::request::{Batch, Cost, Reads};
use crate::store::{
    AccountQuery, EntryQuery, HoldQuery, PendingSums, ReferenceQuery, Snapshot, StoreError,
    TrialBalance,
};

/// Commits batches and reads the books. It holds no business rule: every rule
/// is in [`decide`](crate::decide::decide).
///
/// All errors are [`StoreError`]s; each method names the kinds that mean
/// something special there. `Unavailable`, `Corrupt` and `Internal` can come
/// from any of them.
#[async_trait]
pub trait LedgerStore: Debug + Send + Sync + 'static {
    /// What one transaction can take. The service cuts batches to fit.
    fn limits(&self) -> Limits;

    /// Decides `batch` on what the store holds and commits the result: each
    /// request all or nothing, with its record, its entries and its part of
    /// the outbox.
    ///
    /// A pessimistic store works in this order: (1) without locks, find the
    /// holds and transfers of [`Reads`], for their accounts; (2) lock the
    /// accounts ([`Reads::lock_set`]) in order of their keys, those that a
    /// foreign transaction keeps being left out after a short wait; (3) only
    /// then read epoch, records, accounts, holds, transfers, with current reads; (4)
    /// read the clock, [`Batch::decide`]; (5) write, commit. An optimistic one
    /// reads one consistent state, decides, and commits on condition that
    /// `version` and `last_at` of every account that it changes are still the
    /// same, the epoch is, and no inserted row exists; what rests on accounts that it does not
    /// change holds as of the reading.
    ///
    /// Afterwards every `Fresh` answer is durable. On replay nothing is
    /// written. On an error nothing is committed, but for `Indeterminate`.
    ///
    /// # Errors
    /// - `Conflict`: somebody else was faster; decide again.
    /// - `Invalid`: the store refuses the data of some request.
    /// - `Indeterminate`: the answer to the commit was lost.
    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError>;

    /// What [`transact`](Self::transact) would decide on, read without locks
    /// from one consistent state: for dry runs, never for a commit. The holds'
    /// and transfers' accounts are in it too.
    ///
    /// # Errors
    /// None of its own.
    async fn snapshot(&self, reads: &Reads) -> Result<Snapshot, StoreError>;

    /// The record of each key, in the order asked, `None` where there is none.
    /// A commit that the store has begun is waited for. `None` means that nothing
    /// was committed under the key so far, not that nothing will be: a commit can
    /// still be on its way to the store.
    ///
    /// # Errors
    /// `Conflict` when the wait took too long.
    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError>;

    /// The accounts in the order asked, `None` where there is none.
    ///
    /// # Errors
    /// None of its own.
    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError>;

    /// The balances of the accounts in the order asked, `None` where there is
    /// none, each with the database's epoch in the state that it was read from: an
    /// epoch that is told is never later than that state.
    ///
    /// # Errors
    /// None of its own.
    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError>;

    /// A page of accounts.
    ///
    /// # Errors
    /// None of its own.
    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError>;

    /// The transfers in the order asked, `None` where there is none.
    ///
    /// # Errors
    /// None of its own.
    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError>;

    /// A page of the transfers with some reference.
    ///
    /// # Errors
    /// None of its own.
    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError>;

    /// The holds in the order asked, `None` where there is none.
    ///
    /// # Errors
    /// None of its own.
    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError>;

    /// A page of the holds of an account.
    ///
    /// # Errors
    /// None of its own.
    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError>;

    /// At most `limit` pending holds that have expired by the store's clock,
    /// the longest expired first.
    ///
    /// # Errors
    /// None of its own.
    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError>;

    /// A page of an account's entries; none when the account does not exist.
    ///
    /// # Errors
    /// None of its own.
    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError>;

    /// The posted balance of `account` after all entries at or before `at`;
    /// `None` when the account does not exist. Once answered it never changes:
    /// where `at` is not before the account's `last_at`, the store takes the
    /// account's lock, reads its clock, and raises `last_at` to `at` plus one
    /// microsecond before it answers. `None` promises nothing: the account may
    /// be opened later.
    ///
    /// # Errors
    /// `Invalid` when `at` lies after the store's clock; `Conflict` when the
    /// lock cannot be had.
    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError>;

    /// The ledgers that hold accounts, ascending.
    ///
    /// # Errors
    /// None of its own.
    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError>;

    /// What the accounts of `ledger` add up to, one sum for each currency that
    /// they hold, by its code and decimals ascending; none where it holds no
    /// account. All of it is of one committed state, whatever is committed
    /// meanwhile and however long it takes: the store goes through all accounts.
    ///
    /// # Errors
    /// None of its own.
    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError>;

    /// Every raise of the database's epoch.
    ///
    /// # Errors
    /// None of its own.
    async fn epochs(&self) -> Result<Epochs, StoreError>;

    /// Raises the database's epoch, durably, after the database was restored to
    /// the state at `restored_to`, or failed over to it: all commits up to that
    /// time are in it, of later ones it is not known. Answers the present epoch
    /// and changes nothing where the last raise was by the same for the same time.
    ///
    /// No commit that was decided in an earlier epoch lands afterwards: a commit
    /// that is under way lands before the raise or fails with a `Conflict`.
    ///
    /// # Errors
    /// - `Invalid` when `restored_to` lies after the store's clock.
    /// - `Conflict` when commits under way kept it waiting for too long.
    /// - `Indeterminate`: the answer to its commit was lost. Ask again.
    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError>;

    /// What each account says is held, and what its open holds add up to, in the
    /// order asked, `None` where there is no account. All of it is of one committed
    /// state, whatever is committed meanwhile: a difference is damage, never a
    /// commit that came between.
    ///
    /// # Errors
    /// None of its own.
    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError>;

    /// How many rows are as old as [`purge`](Self::purge) wants them; it counts
    /// `purge.limit` at most. A bulk request whose last item is younger keeps the
    /// purge from deleting all of them yet.
    ///
    /// # Errors
    /// None of its own.
    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError>;

    /// Deletes at most `purge.limit` rows that are older than it says, by the
    /// store's clock, oldest first, and answers how many were deleted. A key
    /// counts for as long as its record exists.
    ///
    /// The records of a bulk request go together, those of its items first, once
    /// all of them are old enough; then `purge.limit` may be exceeded by the items
    /// of one bulk request. Until then the purge goes no further.
    ///
    /// # Errors
    /// None of its own.
    async fn purge(&self, purge: Purge) -> Result<u64, StoreError>;

    /// Proves that the store can commit now: it commits a write of its own, on the
    /// way that batches take, which leaves nothing behind and touches no row of the
    /// books. A store that only reads well, on a full disk or demoted to a reader,
    /// fails here as it fails batches.
    ///
    /// # Errors
    /// Those of [`transact`](Self::transact), but for `Invalid`.
    async fn probe(&self) -> Result<(), StoreError>;
}

/// What one transaction of a store can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests.
    pub requests: usize,
    /// Rows read or written, as [`Cost::rows`] counts them.
    pub rows: usize,
    /// Bytes, as [`Cost::bytes`] counts them.
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

/// What to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Idempotency records. A request whose record is gone is carried out again
    /// when it comes again: money moves twice. Nobody may repeat a request for as
    /// long as this; see [`RETENTION`](Self::RETENTION).
    Records {
        /// Only those at least this old.
        older_than: Duration,
        /// How many at most.
        limit: u32,
    },
    /// Outbox rows whose every event is done.
    DeliveredEvents {
        /// Only those at least this old.
        older_than: Duration,
        /// How many at most.
        limit: u32,
    },
}

impl Purge {
    /// How long records are kept unless the host says otherwise: 30 days, which
    /// is longer than a queue keeps a message that may be delivered again.
    pub const RETENTION: Duration = Duration::from_secs(30 * 86_400);

    /// At most `limit` records older than [`RETENTION`](Self::RETENTION). Nothing
    /// is deleted unless the host asks: call it now and then until it answers
    /// fewer than `limit`.
    #[must_use]
    pub const fn old_records(limit: u32) -> Self {
        let older_than = Self::RETENTION;
        Self::Records { older_than, limit }
    }
}

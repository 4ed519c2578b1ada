//! A store that follows a script and records its calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Semaphore, watch};
use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::memory::MemoryStore;
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, HoldQuery, HoldReferenceQuery, LedgerStore, Limits,
    PendingSums, Purge, ReferenceQuery, Snapshot, StoreErrorKind,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

/// The scripted result of one commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The commit fails before it has an effect.
    Fail(StoreErrorKind),
    /// The commit takes effect, and the answer is lost.
    LoseAnswer,
    /// The result is unknown. The commit takes effect when the test lets it land.
    CommitLater,
    /// The store panics before it has an effect.
    Panic,
}

#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) inner: MemoryStore,
    /// Each commit needs a permit to continue.
    pub(crate) gate: Semaphore,
    pub(crate) script: Mutex<VecDeque<Step>>,
    /// Requests whose batches fail, with the kind of error: refused data, an
    /// unreadable record, a key that a foreign transaction has not committed yet.
    pub(crate) poison: Mutex<BTreeMap<RecordKey, StoreErrorKind>>,
    /// Why no record can be read.
    no_records: Mutex<Option<StoreErrorKind>>,
    /// Holds that cannot be read.
    pub(crate) damaged_holds: Mutex<BTreeSet<HoldKey>>,
    /// Requests whose batches report the locks as soon as they have begun.
    pub(crate) followed: Mutex<BTreeSet<RecordKey>>,
    /// The keys of every batch, in the order in which commits began.
    pub(crate) batches: Mutex<Vec<Vec<RecordKey>>>,
    pub(crate) limits: Mutex<Limits>,
    /// The accounts of every read, in the order in which reads began.
    pub(crate) reads: Mutex<Vec<Vec<AccountKey>>>,
    /// Each read of accounts, balances or holds needs a permit to continue.
    pub(crate) read_gate: Semaphore,
    /// The number of commits that have begun.
    pub(crate) begun: watch::Sender<usize>,
    /// The commit that has not landed yet.
    late: Mutex<Option<Arc<Batch>>>,
    touched: Mutex<BTreeSet<AccountKey>>,
    /// The number of times that two commits in flight shared an account.
    pub(crate) overlaps: AtomicUsize,
}

impl Scripted {
    /// An open store without a script.
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self {
            limits: Mutex::new(inner.limits()),
            reads: Mutex::default(),
            read_gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
            inner,
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
            script: Mutex::default(),
            poison: Mutex::default(),
            no_records: Mutex::default(),
            damaged_holds: Mutex::default(),
            followed: Mutex::default(),
            batches: Mutex::default(),
            begun: watch::Sender::new(0),
            late: Mutex::default(),
            touched: Mutex::default(),
            overlaps: AtomicUsize::new(0),
        }
    }

    /// Makes commits wait from here on.
    pub(crate) fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets every read of records fail.
    pub(crate) fn fail_records(&self, kind: StoreErrorKind) {
        *self.no_records.lock().unwrap() = Some(kind);
    }

    /// Lets no read of accounts, balances or holds continue.
    pub(crate) fn hang_reads(&self) {
        self.read_gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets `count` commits continue.
    pub(crate) fn open(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// Lets all commits continue.
    pub(crate) fn open_wide(&self) {
        self.open(Semaphore::MAX_PERMITS / 2);
    }

    /// Lets the commit in flight take effect.
    pub(crate) async fn land(&self) {
        let batch = self.late.lock().unwrap().take();
        self.inner.transact(batch.unwrap()).await.unwrap();
    }

    /// Waits until `count` commits have begun since the store was made.
    pub(crate) async fn until_begun(&self, count: usize) {
        let mut begun = self.begun.subscribe();
        begun.wait_for(|number| *number >= count).await.unwrap();
    }

    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.batches.lock().unwrap().iter().map(Vec::len).collect()
    }

    fn error(kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, "as the script says")
    }
}

#[async_trait]
impl LedgerStore for Scripted {
    fn limits(&self) -> Limits {
        *self.limits.lock().unwrap()
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        let keys: Vec<_> = batch
            .requests()
            .iter()
            .map(|request| request.key())
            .collect();
        let accounts = batch.reads().accounts.clone();
        self.batches.lock().unwrap().push(keys.clone());
        {
            let mut touched = self.touched.lock().unwrap();
            let shared = accounts.iter().filter(|key| !touched.insert(**key)).count();
            self.overlaps.fetch_add(shared, Ordering::Relaxed);
        }
        self.begun.send_modify(|number| *number += 1);
        let is_followed = |key| self.followed.lock().unwrap().contains(key);
        if keys.iter().any(is_followed) {
            batch.locks_acquired();
        }
        let permit = self.gate.acquire().await.unwrap();
        permit.forget();
        {
            let mut touched = self.touched.lock().unwrap();
            for key in &accounts {
                touched.remove(key);
            }
        }
        let poison = self.poison.lock().unwrap().clone();
        if let Some(kind) = keys.iter().find_map(|key| poison.get(key)) {
            return Err(Self::error(*kind));
        }
        let step = self.script.lock().unwrap().pop_front();
        match step {
            None => self.inner.transact(batch).await,
            Some(Step::Fail(kind)) => Err(Self::error(kind)),
            Some(Step::LoseAnswer) => {
                self.inner.transact(batch).await?;
                Err(Self::error(StoreErrorKind::Indeterminate))
            }
            Some(Step::CommitLater) => {
                *self.late.lock().unwrap() = Some(batch);
                Err(Self::error(StoreErrorKind::Indeterminate))
            }
            Some(Step::Panic) => panic!("as the script says"),
        }
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        self.inner.snapshot(reads).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        if let Some(kind) = *self.no_records.lock().unwrap() {
            return Err(StoreError::new(kind, "records cannot be read"));
        }
        self.inner.records(keys).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        self.reads.lock().unwrap().push(keys.to_vec());
        let permit = self.read_gate.acquire().await.unwrap();
        permit.forget();
        self.inner.accounts(keys).await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        self.reads.lock().unwrap().push(keys.to_vec());
        let permit = self.read_gate.acquire().await.unwrap();
        permit.forget();
        self.inner.balances(keys).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        self.inner.list_accounts(query).await
    }

    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError> {
        self.inner.transfers(keys).await
    }

    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.inner.list_transfers(query).await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError> {
        let damaged = self.damaged_holds.lock().unwrap().clone();
        if let Some(hold) = keys.iter().find(|key| damaged.contains(key)) {
            let context = format!("{} cannot be read", hold.id);
            return Err(StoreError::new(StoreErrorKind::Corrupt, context));
        }
        self.read_gate.acquire().await.unwrap().forget();
        self.inner.holds(keys).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        self.inner.list_holds(query).await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        self.inner.referenced_holds(query).await
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.inner.captures(query).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        self.inner.expired_holds(limit).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        self.inner.entries(query).await
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        self.inner.balance_at(account, at).await
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        self.inner.ledgers().await
    }

    async fn trial_balance(
        &self,
        ledger: LedgerId,
    ) -> Result<Vec<wallet_core::store::TrialBalance>, StoreError> {
        self.inner.trial_balance(ledger).await
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        self.inner.epochs().await
    }

    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError> {
        self.inner.raise_epoch(restored_to, by).await
    }

    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError> {
        self.inner.pending_sums(accounts).await
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        self.inner.purgeable(purge).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        self.inner.purge(purge).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let step = self.script.lock().unwrap().pop_front();
        match step {
            None => self.inner.probe().await,
            Some(Step::Fail(kind)) => Err(Self::error(kind)),
            Some(Step::LoseAnswer | Step::CommitLater) => {
                Err(Self::error(StoreErrorKind::Indeterminate))
            }
            Some(Step::Panic) => panic!("as the script says"),
        }
    }
}

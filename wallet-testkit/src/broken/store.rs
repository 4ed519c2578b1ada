use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::Bug;
use wallet_core::ledger::{
    AccountKey, Epoch, Epochs, HoldKey, HoldStatus, PastBalance, RaisedBy, RaisedEpoch, Record,
    RecordKey, TransferKey, TransferWithReversals,
};
use wallet_core::memory::MemoryStore;
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, HoldQuery, HoldReferenceQuery, Lease, LedgerStore,
    Limits, PendingSums, Purge, ReferenceQuery, Snapshot, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

/// A correct in-memory store with a bug.
#[derive(Debug)]
pub struct BrokenStore {
    pub(super) inner: MemoryStore,
    pub(super) bug: Option<Bug>,
    /// The number of commits between their read and their write.
    pub(super) under_way: AtomicUsize,
    /// An outbox row that is not yet written.
    pub(super) held_back: Mutex<Option<Vec<u8>>>,
    /// The latest granted lease.
    pub(super) lease: Mutex<Option<Lease>>,
}

impl BrokenStore {
    /// Wraps `inner` with `bug`.
    #[must_use]
    pub fn new(inner: MemoryStore, bug: Option<Bug>) -> Self {
        Self {
            inner,
            bug,
            under_way: AtomicUsize::new(0),
            held_back: Mutex::default(),
            lease: Mutex::default(),
        }
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LedgerStore for BrokenStore {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        self.commit(&batch)
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        self.inner.snapshot(reads).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        self.inner.records(keys).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        self.inner.accounts(keys).await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let mut found = self.inner.balances(keys).await?;
        if self.has(Bug::ReadsBalancesInTheFirstEpoch) {
            for balance in found.iter_mut().flatten() {
                balance.epoch = Epoch::FIRST;
            }
        }
        Ok(found)
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        if !self.has(Bug::FoldsCase) {
            return self.inner.list_accounts(query).await;
        }
        let all = AccountQuery {
            owner: None,
            limit: u32::MAX,
            ..query.clone()
        };
        let mut found = self.inner.list_accounts(&all).await?;
        if let Some(owner) = &query.owner {
            let same = |account: &Account| account.owner.as_str().to_lowercase();
            found.retain(|account| same(account) == owner.as_str().to_lowercase());
        }
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(found)
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
        self.inner.holds(keys).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        self.inner.list_holds(query).await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        let mut found = self.inner.referenced_holds(query).await?;
        if self.has(Bug::ListsHoldsAsPlaced) {
            for hold in &mut found {
                (hold.captured, hold.released) = (0, 0);
                hold.status = HoldStatus::Pending;
            }
        }
        Ok(found)
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        let mut query = query.clone();
        if self.has(Bug::ListsCapturesAgain) {
            query.after = None;
        }
        self.inner.captures(&query).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        self.inner.expired_holds(limit).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        let mut query = query.clone();
        if self.has(Bug::IncludesTheEnd) {
            let next = |to: Timestamp| to.saturating_add(Duration::from_micros(1));
            query.to = query.to.map(next);
        }
        self.inner.entries(&query).await
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        let before = self.inner.accounts(&[account]).await?.remove(0);
        let answer = self.inner.balance_at(account, at).await;
        if let Some(before) = before.filter(|_| self.has(Bug::AnswersPastUnfenced)) {
            let mut tables = self.inner.shared().tables();
            if let Some(stored) = tables.accounts.get_mut(&account) {
                stored.state.last_at = before.state.last_at;
            }
        }
        answer
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        self.inner.ledgers().await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError> {
        if !self.has(Bug::LeavesOutTheHost) {
            return self.inner.trial_balance(ledger).await;
        }
        let tables = self.inner.shared().tables();
        let mut sums: Vec<TrialBalance> = Vec::new();
        for account in tables.accounts.values() {
            let state = &account.state;
            if state.key.ledger == ledger && !state.system {
                let known = sums.iter().position(|sum| sum.currency == state.currency);
                let index = known.unwrap_or_else(|| {
                    sums.push(TrialBalance::of(state.currency));
                    sums.len() - 1
                });
                sums[index].add(state.counters.posted());
            }
        }
        Ok(sums)
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        self.inner.epochs().await
    }

    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError> {
        let before = self.inner.epochs().await?;
        let mut name = by.clone();
        if self.has(Bug::RaisesTwice) {
            let count = before.raised().len();
            name = RaisedBy::new(&format!("{by} {count}")).expect("a name");
        }
        let raised = self.inner.raise_epoch(restored_to, &name).await?;
        if self.has(Bug::ForgetsEpochs) {
            self.inner.shared().tables().epochs = before;
        }
        Ok(raised)
    }

    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError> {
        if !self.has(Bug::SumsHoldsLater) {
            return self.inner.pending_sums(accounts).await;
        }
        let before = self.inner.accounts(accounts).await?;
        // Another commit interleaves between the accounts and their holds.
        for _ in 0..100_000 {
            if self.inner.accounts(accounts).await? != before {
                break;
            }
            std::thread::yield_now();
        }
        let mut sums = self.inner.pending_sums(accounts).await?;
        for (sums, before) in sums.iter_mut().zip(before) {
            if let (Some(sums), Some(before)) = (sums, before) {
                sums.version = before.state.version;
                sums.debits_pending = before.state.counters.debits_pending;
                sums.credits_pending = before.state.counters.credits_pending;
            }
        }
        Ok(sums)
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        let all = match purge {
            _ if !self.has(Bug::CountsWhatStays) => purge,
            Purge::Records { limit, .. } => Purge::Records {
                older_than: Duration::ZERO,
                limit,
            },
            Purge::DeliveredEvents { limit, .. } => Purge::DeliveredEvents {
                older_than: Duration::ZERO,
                limit,
            },
        };
        self.inner.purgeable(all).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        if self.has(Bug::PurgesIds) && matches!(purge, Purge::Records { .. }) {
            let mut tables = self.inner.shared().tables();
            tables.transfers.clear();
            tables.holds.clear();
        }
        if let (true, Purge::Records { older_than, .. }) =
            (self.has(Bug::PurgesBulkRequestsInParts), purge)
        {
            let shared = self.inner.shared();
            let bound = shared.now().saturating_sub(older_than);
            let mut tables = shared.tables();
            let all = tables.records.len();
            tables.records.retain(|_, record| record.written_at > bound);
            tables.record_order.retain(|(at, _)| *at > bound);
            return Ok(u64::try_from(all - tables.records.len()).unwrap_or(u64::MAX));
        }
        if let (true, Purge::Records { older_than, limit }) =
            (self.has(Bug::PurgesItemsAlone), purge)
        {
            let shared = self.inner.shared();
            let bound = shared.now().saturating_sub(older_than);
            let mut tables = shared.tables();
            let old = tables
                .record_order
                .iter()
                .take_while(|(at, _)| *at <= bound);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let old: Vec<_> = old.take(limit).copied().collect();
            for (at, key) in &old {
                tables.records.remove(key);
                tables.record_order.remove(&(*at, *key));
            }
            return Ok(u64::try_from(old.len()).unwrap_or(u64::MAX));
        }
        self.inner.purge(purge).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.inner.probe().await
    }
}

//! The ledger store of the core, implemented by [`SqliteStore`]. Each call goes to the
//! writer's thread or to a thread that reads.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, HoldQuery, HoldReferenceQuery, LedgerStore, Limits,
    PendingSums, Purge, ReferenceQuery, Snapshot, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, Timestamp};

use super::SqliteStore;
use crate::commit::{decide_and_write, in_file};
use crate::deferred::Books;
use crate::error::Result;
use crate::past_balance::{Answer, Question};
use crate::probe;
use crate::{epoch, purge, read};

/// These limits let many requests share one flush. The first request of a batch still does
/// not wait long for the last.
const LIMITS: Limits = Limits {
    requests: 2_000,
    rows: 200_000,
    bytes: 64 << 20,
};

#[async_trait]
impl LedgerStore for SqliteStore {
    fn limits(&self) -> Limits {
        LIMITS
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed> {
        let (clock, lock_wait) = (Arc::clone(&self.ledger.clock), self.lock_wait);
        let requests = batch.requests().len();
        let (cache, deltas) = (Arc::clone(&self.cache), Arc::clone(&self.ledger.deltas));
        let (file, defer_from) = (Arc::clone(&self.ledger.file), self.defer_from);
        let room = Arc::clone(&self.room);
        let job = move |writer: &mut Connection| {
            let decided = in_file(&file, writer, lock_wait, |open| {
                let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
                let books = deltas.books(open)?;
                decide_and_write(&books, clock.as_ref(), &batch, Some(&mut cache), defer_from)
            });
            let wrote = decided.as_ref().map(|decided| !decided.changes.is_empty());
            room.note(wrote);
            decided
        };
        let decision = self.writer.run(job).await?;
        self.checkpoints.committed(requests);
        Ok(Committed {
            decided: decision.decided,
        })
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot> {
        let (clock, reads) = (Arc::clone(&self.ledger.clock), reads.clone());
        let read = move |books: &Books<'_>| {
            let mut read = read::snapshot(books, &reads, None)?;
            read.snapshot.now = clock.now();
            Ok(read.snapshot)
        };
        self.read(read).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>> {
        let keys = keys.to_vec();
        // A commit in flight holds the lock. Once this call has the lock, every earlier
        // commit is visible.
        let work = move |open: &Books<'_>, _| {
            let records = keys.into_iter().map(|key| read::record(open, key));
            records.collect()
        };
        self.write(work).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>> {
        self.each(keys, read::account).await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>> {
        let keys = keys.to_vec();
        let work = move |books: &Books<'_>| {
            let epoch = epoch::current(books)?;
            let each = keys.into_iter().map(|key| {
                let found = read::account_state(books, key)?;
                Ok(found.map(|(_, state)| Balance::of(&state, epoch)))
            });
            each.collect()
        };
        self.read(work).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>> {
        let query = query.clone();
        self.read(move |state| read::list_accounts(state, &query))
            .await
    }

    async fn transfers(&self, keys: &[TransferKey]) -> Result<Vec<Option<TransferWithReversals>>> {
        self.each(keys, |books, key| read::transfer(books, key))
            .await
    }

    async fn list_transfers(&self, query: &ReferenceQuery) -> Result<Vec<TransferWithReversals>> {
        let query = query.clone();
        self.read(move |state| read::list_transfers(state, &query))
            .await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>> {
        self.each(keys, |books, key| read::hold(books, key)).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>> {
        let query = query.clone();
        self.read(move |state| read::list_holds(state, &query))
            .await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>> {
        let query = query.clone();
        self.read(move |state| read::referenced_holds(state, &query))
            .await
    }

    async fn captures(&self, query: &CaptureQuery) -> Result<Vec<TransferWithReversals>> {
        let query = query.clone();
        self.read(move |state| read::captures(state, &query)).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>> {
        let now = self.ledger.clock.now();
        self.find(move |state| read::expired_holds(state, now, limit))
            .await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>> {
        let query = query.clone();
        self.read(move |state| read::entries(state, &query)).await
    }

    async fn balance_at(&self, account: AccountKey, at: Timestamp) -> Result<Option<PastBalance>> {
        let question = Question { account, at };
        question.check(self.ledger.clock.now())?;
        match self.read(move |state| question.read(state)).await? {
            Answer::Known(balance) => Ok(balance),
            Answer::TooRecent => self.settle(question).await,
        }
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>> {
        self.read(|books| read::ledgers(books)).await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>> {
        self.read(move |books| read::trial_balance(books, ledger))
            .await
    }

    async fn epochs(&self) -> Result<Epochs> {
        self.read(|books| epoch::all(books)).await
    }

    async fn raise_epoch(&self, restored_to: Timestamp, by: &RaisedBy) -> Result<RaisedEpoch> {
        let by = by.clone();
        self.write(move |open, now| epoch::raise(open, restored_to, &by, now))
            .await
    }

    async fn probe(&self) -> Result<()> {
        let bytes = self.room.probe_bytes();
        let probed = self.write(move |open, _| probe::run(open, bytes)).await;
        // A small write may fit where a commit does not.
        self.room.note(probed.as_ref().map(|()| bytes > 0));
        probed
    }

    async fn pending_sums(&self, accounts: &[AccountKey]) -> Result<Vec<Option<PendingSums>>> {
        self.each(accounts, read::pending_sums).await
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64> {
        let now = self.ledger.clock.now();
        let work = move |state: &Books<'_>| match purge {
            Purge::Records { older_than, limit } => {
                purge::count_records(state, now.saturating_sub(older_than), limit)
            }
            Purge::DeliveredEvents { older_than, limit } => {
                purge::count_delivered(state, now.saturating_sub(older_than), limit)
            }
        };
        self.read(work).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64> {
        let work = move |open: &Books<'_>, now: Timestamp| match purge {
            Purge::Records { older_than, limit } => {
                purge::records(open, now.saturating_sub(older_than), limit)
            }
            Purge::DeliveredEvents { older_than, limit } => {
                purge::delivered(open, now.saturating_sub(older_than), limit)
            }
        };
        self.write(work).await
    }
}

use std::sync::Arc;

use futures_util::future::{Either, join_all, ready as ready_now};
use tokio::sync::watch;

use super::{
    Answer, LastCommit, Shared, StatsSnapshot, WalletBuilder, WalletError, enqueue, sweep,
};
use crate::ledger::{Decided, HoldKey, IdempotencyKey, LedgerId, Outcome, RecordKey};
use crate::request::{Batch, InvalidRequest, Prepared, Request};
use crate::store::{LedgerStore, Purge, StoreError};

/// The service that a host holds: cheap to clone, one per store and process.
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryStore;
/// use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner, Request, SystemClock, Wallet};
/// use wallet_core::ledger::{KeyScope, KeyText};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
/// let wallet = Wallet::builder(store).spawn()?;
///
/// let key = IdempotencyKey::new(KeyScope::new("docs")?, KeyText::new("open-ada")?);
/// let open = OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?);
/// let answer = wallet.submit(Request::new(key.clone(), open.clone())).await?;
/// answer.accepted()?;
/// assert!(!answer.replayed);
///
/// // The same again: the first answer, and no second account.
/// let again = wallet.submit(Request::new(key, open)).await?;
/// assert!(again.replayed);
/// assert_eq!(again.outcome, answer.outcome);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Wallet {
    pub(super) shared: Arc<Shared>,
    end: watch::Receiver<bool>,
}

impl Wallet {
    /// Starts putting a service together.
    #[must_use]
    pub fn builder(store: Arc<dyn LedgerStore>) -> WalletBuilder {
        WalletBuilder::new(store)
    }

    pub(super) const fn new(shared: Arc<Shared>, end: watch::Receiver<bool>) -> Self {
        Self { shared, end }
    }

    /// Carries out a request, or answers what it was answered before. When this
    /// returns an outcome, it is durable.
    ///
    /// Dropping the future changes nothing once the request is in the queue: it
    /// commits or not as if the caller had never waited.
    ///
    /// # Errors
    /// [`WalletError`]; a refusal by the rules is an outcome, not an error.
    pub async fn submit(&self, request: Request) -> Result<Answer, WalletError> {
        let prepared = self.ready(request).await?;
        enqueue(&self.shared, prepared).await
    }

    /// Carries out many requests, each by itself as [`submit`](Self::submit)
    /// does, and answers each in the order given. They enter the queue together
    /// and in that order, so they share commits. Of two that name a common account,
    /// hold or transfer the later one is decided behind the earlier one, so that it
    /// finds what that one brought, also where somebody else keeps an account of the
    /// earlier one for a while. Where the earlier one ends with an error, the later
    /// one is decided all the same.
    ///
    /// # Errors
    /// [`WalletError`] for each request by itself.
    pub async fn submit_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, WalletError>> {
        let mut ready = Vec::with_capacity(requests.len());
        for request in requests {
            ready.push(self.ready(request).await);
        }
        let call = self.shared.next_call();
        let queued = ready.into_iter().map(|prepared| match prepared {
            Ok(prepared) => Either::Left(enqueue(&self.shared, prepared.in_call(call))),
            Err(error) => Either::Right(ready_now(Err(error))),
        });
        join_all(queued.collect::<Vec<_>>()).await
    }

    /// What [`submit`](Self::submit) would answer now, without doing or
    /// recording anything. Reads without locks: a real submission may meet other
    /// books.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn dry_run(&self, request: Request) -> Result<Answer, WalletError> {
        let prepared = self.ready(request).await?;
        let requests = vec![Arc::new(prepared)];
        let batch = Batch::with_max_ahead(requests, self.shared.max_ahead());
        let snapshot = self.shared.store.snapshot(batch.reads()).await?;
        let (outcome, replayed) = match crate::decide::decide(&batch, &snapshot)
            .decided
            .into_iter()
            .next()
        {
            Some(Decided::Fresh(outcome)) => (outcome, false),
            Some(Decided::Replayed(outcome)) => (outcome, true),
            Some(Decided::IdempotencyMismatch) => return Err(WalletError::IdempotencyMismatch),
            Some(Decided::ClockBehind { ahead_micros }) => {
                return Err(WalletError::ClockBehind { ahead_micros });
            }
            Some(Decided::Blocked) | None => {
                let context = "the books changed while they were read";
                let kind = crate::store::StoreErrorKind::Conflict;
                return Err(crate::store::StoreError::new(kind, context).into());
            }
        };
        Ok(Answer { outcome, replayed })
    }

    /// The outcome recorded under a key; `None` when nothing was committed under
    /// it so far. Waits for a commit that the store has begun.
    ///
    /// `None` does not mean that nothing will be: a commit that is still on its
    /// way to the store can arrive later. Only [`cancel`](Self::cancel) makes "not
    /// done" certain. Do not pay again under a new key because of `None`.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn outcome(
        &self,
        ledger: LedgerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Arc<Outcome>>, WalletError> {
        self.recorded(key.record_key(ledger)).await
    }

    /// The same by the key that [`WalletError::Indeterminate`] names.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn recorded(&self, key: RecordKey) -> Result<Option<Arc<Outcome>>, WalletError> {
        let records = self.shared.store.records(&[key]).await?;
        let record = records.into_iter().next().flatten();
        Ok(record.map(|record| record.outcome))
    }

    /// Ends at most `limit` expired holds now, and says how many it ended. The
    /// driver does so by itself every `sweep_interval`.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn sweep_expired(&self, limit: u32) -> Result<u64, WalletError> {
        sweep::once(&self.shared, limit).await
    }

    /// Expired holds that stay pending because a stored row cannot be read, each with
    /// the error that names the row. The sweep goes on without them, and tries them
    /// again every half minute: look at them and repair the row.
    #[must_use]
    pub fn damaged_holds(&self) -> Vec<(HoldKey, Arc<StoreError>)> {
        self.shared.quarantine.list()
    }

    /// Deletes old rows; see [`LedgerStore::purge`].
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn purge(&self, purge: Purge) -> Result<u64, WalletError> {
        Ok(self.shared.store.purge(purge).await?)
    }

    /// Accepts no more requests, and returns once all that were accepted are
    /// answered and the driver has ended.
    pub async fn shutdown(&self) {
        self.shared.queue.close();
        let mut end = self.end.clone();
        // An error means that the driver is gone: that is an end as well.
        let _ = end.wait_for(|has_ended| *has_ended).await;
    }

    /// What became of the latest commit; `None` before the first one. Batches whose
    /// requests were all answered before write nothing, and batches that failed by
    /// their own fault say nothing of the next one: neither counts.
    #[must_use]
    pub fn last_commit(&self) -> Option<LastCommit> {
        self.shared.fate.get()
    }

    /// Proves that the store can commit now; see [`LedgerStore::probe`]. For a service
    /// that has nothing to commit: else [`last_commit`](Self::last_commit) says it.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn probe(&self) -> Result<(), WalletError> {
        Ok(self.shared.store.probe().await?)
    }

    /// What the service has done so far.
    #[must_use]
    pub fn stats(&self) -> StatsSnapshot {
        let waiting = u64::try_from(self.shared.queue.len()).unwrap_or(u64::MAX);
        self.shared.stats.snapshot(waiting)
    }

    /// The store behind it.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn LedgerStore> {
        &self.shared.store
    }

    /// A request that is fit for the queue: checked, its ids made, its holds
    /// and transfers looked up.
    async fn ready(&self, request: Request) -> Result<Prepared, WalletError> {
        let shards = &self.shared.settings.settlement_shards;
        let mut prepared = Prepared::new(request, &*self.shared.ids, shards)?;
        self.resolve(&mut prepared).await?;
        if !self.shared.store.limits().admit(prepared.cost()) {
            // No transaction of the store can take it.
            return Err(InvalidRequest::TooLarge.into());
        }
        Ok(prepared)
    }

    /// Finds whose the holds and transfers are that the request names: facts
    /// that never change, so they can be read before the queue.
    pub(super) async fn resolve(&self, prepared: &mut Prepared) -> Result<(), WalletError> {
        if prepared.holds().is_empty() && prepared.transfers().is_empty() {
            return Ok(());
        }
        let holds = self.shared.store.holds(prepared.holds()).await?;
        let transfers = self.shared.store.transfers(prepared.transfers()).await?;
        let holds: Vec<_> = holds.into_iter().flatten().collect();
        let transfers: Vec<_> = transfers.into_iter().flatten().collect();
        prepared.resolve(&holds, &transfers);
        Ok(())
    }
}

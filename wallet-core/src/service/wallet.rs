use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join_all, ready as ready_now};
use tokio::sync::watch;

use super::deadline::{Deadline, before, late};
use super::{
    Accepted, Answer, IntoStore, LastCommit, Shared, StatsSnapshot, WalletBuilder, WalletError,
    enqueue, sweep,
};
use crate::ledger::{Decided, HoldKey, IdempotencyKey, LedgerId, Outcome, RecordKey};
use crate::request::{Batch, InvalidRequest, PreparedRequest, Request};
use crate::store::{LedgerStore, Purge, StoreError};

/// The service that a host holds. It is cheap to clone. Use one per store and
/// process.
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryStore;
/// use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner, Request, SystemClock};
/// use wallet_core::{Wallet, WalletError};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let wallet = Wallet::builder(MemoryStore::new(Arc::new(SystemClock))).spawn()?;
///
/// let key = IdempotencyKey::parse("docs", "open-ada")?;
/// let open = OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?);
/// let accepted = wallet.submit(Request::new(key.clone(), open.clone())).await?;
/// assert!(!accepted.is_replay());
///
/// // The same again: the first result, and no second account.
/// let again = wallet.submit(Request::new(key, open)).await?;
/// assert!(again.is_replay());
/// assert_eq!(again.receipts(), accepted.receipts());
/// # Ok::<(), WalletError>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Wallet {
    pub(super) shared: Arc<Shared>,
    end: watch::Receiver<bool>,
    /// The longest wait of a call that submits.
    wait: Option<Duration>,
}

impl Wallet {
    /// Starts a builder of the service over a store, alone or in an [`Arc`].
    #[must_use]
    pub fn builder(store: impl IntoStore) -> WalletBuilder {
        WalletBuilder::new(store.into_store())
    }

    pub(super) fn new(shared: Arc<Shared>, end: watch::Receiver<bool>) -> Self {
        let wait = shared.settings.answer_wait;
        Self { shared, end, wait }
    }

    /// The same wallet with a deadline for each call that submits: the call returns
    /// at the latest after `wait`. A request that may be on its way to the store by
    /// then is [`Indeterminate`](WalletError::Indeterminate): submit it again under
    /// the same key. The default is [`Settings::answer_wait`](super::Settings).
    #[must_use]
    pub fn within(&self, wait: Duration) -> Self {
        let wait = Some(wait);
        Self {
            wait,
            ..self.clone()
        }
    }

    /// Carries out a request, or repeats the recorded result of its idempotency
    /// key. What is returned is durable. [`Scope::run`](super::Scope::run) does the
    /// same for one command, and returns its receipt as its own type.
    ///
    /// Dropping the future has no effect once the request is in the queue. The
    /// request commits or fails as if the caller still waited.
    ///
    /// # Errors
    /// [`WalletError::Rejected`] where the rules refuse the request. Otherwise
    /// [`WalletError`].
    pub async fn submit(&self, request: Request) -> Result<Accepted, WalletError> {
        Ok(self.submit_raw(request).await?.try_into()?)
    }

    /// Does the same as [`submit`](Self::submit), and returns a refusal as an
    /// answer. It is for those who replay recorded answers, such as a server.
    ///
    /// # Errors
    /// [`WalletError`], but never [`WalletError::Rejected`].
    pub async fn submit_raw(&self, request: Request) -> Result<Answer, WalletError> {
        let mut deadline = self.deadline();
        let ready = deadline.bound(self.ready(request)).await;
        let prepared = Arc::new(ready.unwrap_or_else(|| Err(late()))?);
        let answer = enqueue(&self.shared, Arc::clone(&prepared));
        let answer = deadline.bound(answer).await;
        answer.unwrap_or_else(|| Err(WalletError::indeterminate(&prepared)))
    }

    /// Carries out many requests, each separately as
    /// [`submit_raw`](Self::submit_raw) does, and returns the answers in order. They
    /// enter the queue together and in that order, so they share commits. If two
    /// requests share an account, hold or transfer, the later one is decided after the earlier one. So it sees the
    /// earlier one's effects, even where a foreign transaction blocks an account of
    /// the earlier one for a while. If the earlier one ends with an error, the
    /// later one is still decided.
    ///
    /// # Errors
    /// [`WalletError`] for each request separately.
    pub async fn submit_all_raw(&self, requests: Vec<Request>) -> Vec<Result<Answer, WalletError>> {
        let mut deadline = self.deadline();
        let mut ready = Vec::with_capacity(requests.len());
        for request in requests {
            let prepared = deadline.bound(self.ready(request)).await;
            ready.push(prepared.unwrap_or_else(|| Err(late())));
        }
        let call = self.shared.next_call();
        let alarm = deadline.shared();
        let queued = ready.into_iter().map(|prepared| match prepared {
            Ok(prepared) => {
                let prepared = Arc::new(prepared.in_call(call));
                let answer = enqueue(&self.shared, Arc::clone(&prepared));
                let alarm = alarm.clone();
                Either::Left(async move {
                    let answer = before(alarm, answer).await;
                    answer.unwrap_or_else(|| Err(WalletError::indeterminate(&prepared)))
                })
            }
            Err(error) => Either::Right(ready_now(Err(error))),
        });
        join_all(queued.collect::<Vec<_>>()).await
    }

    /// Carries out many requests, each separately as [`submit`](Self::submit) does:
    /// see [`submit_all_raw`](Self::submit_all_raw).
    ///
    /// # Errors
    /// [`WalletError`] for each request separately; [`WalletError::Rejected`] where
    /// the rules refuse it.
    pub async fn submit_all(&self, requests: Vec<Request>) -> Vec<Result<Accepted, WalletError>> {
        let answers = self.submit_all_raw(requests).await.into_iter();
        answers.map(|answer| Ok(answer?.try_into()?)).collect()
    }

    /// Dry run: returns the outcome that [`submit`](Self::submit) would have now,
    /// without any effect or record. It reads without locks, so a real submission
    /// may see another state.
    ///
    /// # Errors
    /// [`WalletError`]: the request is invalid or the store failed.
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

    /// Returns the outcome recorded under a key; `None` when nothing was committed
    /// under it so far. It waits for a commit that the store has begun.
    ///
    /// `None` does not exclude a later commit: a commit may still be on its way to
    /// the store. Only [`cancel`](Self::cancel) makes "not done" certain. Do not
    /// pay again under a new key because of `None`.
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

    /// The same for the key in [`WalletError::Indeterminate`].
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn recorded(&self, key: RecordKey) -> Result<Option<Arc<Outcome>>, WalletError> {
        let records = self.shared.store.records(&[key]).await?;
        let record = records.into_iter().next().flatten();
        Ok(record.map(|record| record.outcome))
    }

    /// Expires at most `limit` holds now, and returns the number of expired holds.
    /// The driver does this every `sweep_interval`.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn sweep_expired(&self, limit: u32) -> Result<u64, WalletError> {
        sweep::once(&self.shared, limit).await
    }

    /// Returns expired holds that stay pending because a stored row cannot be read,
    /// each with the error that names the row. The sweep continues without them,
    /// and tries them again every 30 seconds. Inspect them and repair the row.
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

    /// Stops accepting requests. Returns once all accepted requests are answered
    /// and the driver has ended.
    pub async fn shutdown(&self) {
        self.shared.queue.close();
        let mut end = self.end.clone();
        // An error means that the driver is gone, which is an end too.
        let _ = end.wait_for(|has_ended| *has_ended).await;
    }

    /// Returns the result of the latest commit; `None` before the first one. Two
    /// kinds of batches do not count: batches of replays alone, which write
    /// nothing, and batches that failed through their own fault.
    #[must_use]
    pub fn last_commit(&self) -> Option<LastCommit> {
        self.shared.fate.get()
    }

    /// Proves that the store can commit now; see [`LedgerStore::probe`]. Use it for
    /// a service without traffic. Otherwise [`last_commit`](Self::last_commit)
    /// shows it.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn probe(&self) -> Result<(), WalletError> {
        Ok(self.shared.store.probe().await?)
    }

    /// Returns the service's counters.
    #[must_use]
    pub fn stats(&self) -> StatsSnapshot {
        let waiting = u64::try_from(self.shared.queue.len()).unwrap_or(u64::MAX);
        self.shared.stats.snapshot(waiting)
    }

    /// The store of the service.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn LedgerStore> {
        &self.shared.store
    }

    pub(super) fn deadline(&self) -> Deadline<'_> {
        Deadline::after(&self.shared, self.wait)
    }

    /// Prepares a request for the queue: checks it, makes its ids, looks up its
    /// holds and transfers.
    async fn ready(&self, request: Request) -> Result<PreparedRequest, WalletError> {
        let mut prepared = self.prepare(request)?;
        self.resolve(&mut prepared).await?;
        if !self.shared.store.limits().admit(prepared.cost()) {
            // No transaction of the store can hold the request.
            return Err(InvalidRequest::TooLarge.into());
        }
        Ok(prepared)
    }

    /// Finds the accounts of the holds and transfers that the request names. These
    /// facts never change, so they can be read before the queue.
    pub(super) async fn resolve(&self, prepared: &mut PreparedRequest) -> Result<(), WalletError> {
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

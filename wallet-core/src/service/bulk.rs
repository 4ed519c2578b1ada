//! Bulk requests, and the cancellation of idempotency keys.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Accepted, Answer, Wallet, WalletError, push, received};
use crate::ledger::{IdempotencyKey, LedgerId, Outcome, RecordKey};
use crate::request::{BulkRequest, InvalidRequest, PreparedRequest, Recorded};
use crate::store::StoreErrorKind;

impl Wallet {
    /// Carries out the items of a bulk request in order, each item separately, and
    /// returns one result per item. A refused item stops no other item. The same
    /// bulk request again resumes it: items with an outcome are replayed.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// # use std::sync::Arc;
    /// use wallet_core::memory::MemoryStore;
    /// use wallet_core::{
    ///     Currency, IdempotencyKey, OpenAccount, Owner, SystemClock, Wallet, WalletError,
    /// };
    /// use wallet_core::request::BulkRequest;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// # let wallet = Wallet::builder(Arc::new(MemoryStore::new(Arc::new(SystemClock)))).spawn()?;
    /// let key = IdempotencyKey::parse("docs", "open-all")?;
    /// let eur = Currency::iso("EUR")?;
    /// let open = |owner| Owner::new(owner).map(|owner| OpenAccount::new(owner, eur).into());
    /// let two = vec![open("ada")?, open("bob")?];
    /// for answer in wallet.submit_bulk(BulkRequest::new(key.clone(), two)).await? {
    ///     assert!(answer.is_ok());
    /// }
    /// // Other items under the same key: nothing is done.
    /// let other = BulkRequest::new(key, vec![open("eve")?]);
    /// let refused = wallet.submit_bulk(other).await;
    /// assert!(matches!(refused, Err(WalletError::IdempotencyMismatch)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// For the whole bulk request: [`WalletError::InvalidItem`] when an item can
    /// never be carried out in this form. [`WalletError::IdempotencyMismatch`] when
    /// the key was used for another request, or for other items. Then nothing was
    /// done. For an item: [`WalletError::Rejected`] where the rules refuse it. After
    /// any other error of an item, later items are not carried out.
    pub async fn submit_bulk(
        &self,
        bulk: BulkRequest,
    ) -> Result<Vec<Result<Accepted, WalletError>>, WalletError> {
        let answers = self.submit_bulk_raw(bulk).await?.into_iter();
        Ok(answers.map(|answer| Ok(answer?.try_into()?)).collect())
    }

    /// Does the same as [`submit_bulk`](Self::submit_bulk), and returns a refused
    /// item as an answer.
    ///
    /// # Errors
    /// The same as [`submit_bulk`](Self::submit_bulk), but never
    /// [`WalletError::Rejected`].
    pub async fn submit_bulk_raw(
        &self,
        bulk: BulkRequest,
    ) -> Result<Vec<Result<Answer, WalletError>>, WalletError> {
        let key = bulk.key().record_key(bulk.ledger());
        let unknown = || WalletError::Indeterminate {
            key,
            ids: Vec::new(),
        };
        let done = self.deadline().bound(self.carry_out(bulk)).await;
        done.unwrap_or_else(|| Err(unknown()))
    }

    async fn carry_out(
        &self,
        bulk: BulkRequest,
    ) -> Result<Vec<Result<Answer, WalletError>>, WalletError> {
        let shards = &self.shared.settings.settlement_shards;
        let items = PreparedRequest::bulk(bulk, &*self.shared.ids, shards)
            .map_err(|(index, error)| WalletError::InvalidItem { index, error })?;
        let mut ready = Vec::with_capacity(items.len());
        for (index, mut item) in items.into_iter().enumerate() {
            self.resolve(&mut item).await?;
            if !self.shared.store.limits().admit(item.cost()) {
                let error = InvalidRequest::TooLarge;
                return Err(WalletError::InvalidItem { index, error });
            }
            ready.push(item);
        }
        let answers = self.push_in_order(ready).await;
        let is_mismatch =
            |answer: &Result<_, _>| matches!(answer, Err(WalletError::IdempotencyMismatch));
        if answers.iter().any(is_mismatch) {
            return Err(WalletError::IdempotencyMismatch);
        }
        Ok(answers)
    }

    /// Pushes items into the queue in order, as fast as it accepts them. Where the
    /// queue is full, the answer to an earlier item makes room. Items after a
    /// refused push are not pushed, since none of them may be decided.
    async fn push_in_order(&self, items: Vec<PreparedRequest>) -> Vec<Result<Answer, WalletError>> {
        let mut answers = Vec::with_capacity(items.len());
        let mut waiting = VecDeque::new();
        let mut refusal = None;
        for item in items.into_iter().map(Arc::new) {
            while refusal.is_none() {
                match push(&self.shared, Arc::clone(&item)) {
                    Ok(answer) => {
                        waiting.push_back(answer);
                        break;
                    }
                    Err(WalletError::Overloaded) if !waiting.is_empty() => {
                        if let Some(answer) = waiting.pop_front() {
                            answers.push(received(answer).await);
                        }
                    }
                    Err(error) => refusal = Some((error, 0_usize)),
                }
            }
            if let Some((_, refused)) = &mut refusal {
                *refused = refused.saturating_add(1);
            }
        }
        for answer in waiting {
            answers.push(received(answer).await);
        }
        let refused = refusal.into_iter();
        answers.extend(refused.flat_map(|(error, count)| vec![Err(error); count]));
        answers
    }

    /// Cancels an idempotency key: the first commit under the key wins. If nothing
    /// is recorded under it,
    /// [`Rejection::Cancelled`](crate::ledger::Rejection::Cancelled) is recorded.
    /// From then on every request under the key gets this rejection and does
    /// nothing, including a commit that was on its way. If an outcome is already
    /// recorded, it stays and is returned. In a bulk request, items with an outcome
    /// keep it, and no other item runs.
    ///
    /// After [`WalletError::Indeterminate`], only this call makes "not done"
    /// certain. [`outcome`](Self::outcome) alone never proves it.
    ///
    /// # Errors
    /// [`WalletError::Indeterminate`] when another transaction locks the key and
    /// does not end: call again. Otherwise [`WalletError`].
    pub async fn cancel(
        &self,
        ledger: LedgerId,
        key: &IdempotencyKey,
    ) -> Result<Recorded, WalletError> {
        if key.is_item() {
            return Err(InvalidRequest::ItemKey.into());
        }
        let key = key.record_key(ledger);
        let outcome = self.cancel_all(&[key]).await?.pop();
        let outcome = outcome.ok_or(WalletError::ShuttingDown)?;
        let Some(items) = outcome.bulk_items() else {
            return Ok(Recorded::Request(outcome));
        };
        let items: Vec<RecordKey> = (0..items).map(|item| key.item(item)).collect();
        let items = self.cancel_all(&items).await?;
        Ok(Recorded::Bulk {
            accepted: outcome,
            items: items.into_iter().map(Some).collect(),
        })
    }

    /// Cancels each key. Returns the outcome that is recorded under each key from
    /// then on.
    async fn cancel_all(&self, keys: &[RecordKey]) -> Result<Vec<Arc<Outcome>>, WalletError> {
        let cancellations = keys.iter().map(|key| PreparedRequest::cancellation(*key));
        let answers = self.push_in_order(cancellations.collect()).await;
        let answers = keys.iter().zip(answers).map(|(key, answer)| match answer {
            Ok(answer) => Ok(answer.outcome),
            Err(WalletError::Store(error)) if error.kind() == StoreErrorKind::Conflict => {
                let (key, ids) = (*key, Vec::new());
                Err(WalletError::Indeterminate { key, ids })
            }
            Err(error) => Err(error),
        });
        answers.collect()
    }

    /// Returns the outcome recorded under a key, item by item for a bulk request;
    /// `None` when nothing is recorded so far. Like [`outcome`](Self::outcome), it
    /// does not exclude a later commit.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn outcomes(
        &self,
        ledger: LedgerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Recorded>, WalletError> {
        let key = key.record_key(ledger);
        let Some(outcome) = self.recorded(key).await? else {
            return Ok(None);
        };
        let Some(items) = outcome.bulk_items() else {
            return Ok(Some(Recorded::Request(outcome)));
        };
        let keys: Vec<RecordKey> = (0..items).map(|item| key.item(item)).collect();
        let records = self.shared.store.records(&keys).await?;
        let items = records.into_iter().map(|record| Some(record?.outcome));
        Ok(Some(Recorded::Bulk {
            accepted: outcome,
            items: items.collect(),
        }))
    }
}

//! Bulk requests and cancelled keys: what one idempotency key stands for.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Answer, Wallet, WalletError, push, received};
use crate::ledger::{IdempotencyKey, LedgerId, Outcome, RecordKey};
use crate::request::{BulkRequest, InvalidRequest, Prepared, Recorded};
use crate::store::StoreErrorKind;

impl Wallet {
    /// Carries out the items of a bulk request, each by itself and in order, and
    /// answers for each. An item that is refused stops no other. Sending the same
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
    ///     answer?.accepted()?;
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
    /// As a whole: [`WalletError::InvalidItem`] when an item can never be carried
    /// out as it stands, and [`WalletError::IdempotencyMismatch`] when the key was
    /// used for something else, other items among it. Then nothing was done. For
    /// an item: [`WalletError`], and the items behind it are not carried out.
    pub async fn submit_bulk(
        &self,
        bulk: BulkRequest,
    ) -> Result<Vec<Result<Answer, WalletError>>, WalletError> {
        let shards = &self.shared.settings.settlement_shards;
        let items = Prepared::bulk(bulk, &*self.shared.ids, shards)
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

    /// Puts items into the queue in order, as fast as it takes them: where it is
    /// full, the answer to an item of one's own makes room. Behind an item that is
    /// refused none is put there, since none may be decided.
    async fn push_in_order(&self, items: Vec<Prepared>) -> Vec<Result<Answer, WalletError>> {
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

    /// Ends what can happen under a key: whoever comes first decides. If nothing
    /// is recorded under it, [`Rejection::Cancelled`](crate::ledger::Rejection::Cancelled)
    /// is, and from then on every request under the key is answered with that and
    /// does nothing, whatever it asks; so is a commit that was on its way. If an
    /// outcome is recorded, it stays and is returned. Of a bulk request the items
    /// with an outcome keep it, and no other item runs.
    ///
    /// This is how "not done" becomes certain after
    /// [`WalletError::Indeterminate`]; [`outcome`](Self::outcome) alone never says
    /// so.
    ///
    /// # Errors
    /// [`WalletError::Indeterminate`] when somebody else holds the key in a
    /// transaction that does not end: ask again. [`WalletError`].
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

    /// Cancels each key; answers what stands under it from then on.
    async fn cancel_all(&self, keys: &[RecordKey]) -> Result<Vec<Arc<Outcome>>, WalletError> {
        let cancellations = keys.iter().map(|key| Prepared::cancellation(*key));
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

    /// What is recorded under a key, of a bulk request item by item; `None` when
    /// nothing is so far. Like [`outcome`](Self::outcome) it proves nothing about
    /// what may still be committed.
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

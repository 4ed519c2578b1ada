//! Reads that history answers where it proves the same answer as the ledger's.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::{Wallet, WalletError};
use crate::history::{HistoryQuery, Statement, balance_at, statement};
use crate::ledger::{AccountKey, PastBalance, Timestamp};
use crate::store::{EntryQuery, StoreError};

/// Reads of past states.
impl Wallet {
    /// Returns a page of an account's statement, from history where history proves
    /// it, otherwise from the ledger. The answer is the same. Cursors are valid for
    /// both and stay valid after later writes. No answer uses a row that a restore
    /// of the ledger's database left in doubt.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use std::sync::Arc;
    /// use wallet_core::memory::{MemoryHistory, MemoryStore};
    /// use wallet_core::{AccountId, LedgerId, SystemClock, Wallet};
    /// use wallet_core::history::HistoryQuery;
    /// use wallet_core::ledger::InLedger;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    /// let history = Arc::new(MemoryHistory::new());
    /// let wallet = Wallet::builder(store).history(history).spawn()?;
    ///
    /// let nobody = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
    /// let page = wallet.statement(&HistoryQuery::first(nobody, 50)).await?;
    /// assert_eq!(page.entries, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WalletError::Store`]; of kind `Invalid` for a cursor of another account or
    /// of the other order.
    pub async fn statement(&self, query: &HistoryQuery) -> Result<Statement, WalletError> {
        let after = query.after()?.map(|(_, sequence)| sequence);
        let store = &self.shared.store;
        if let Some(history) = &self.shared.history {
            let asked = async {
                let Some(restores) = self.shared.present_restores().await else {
                    return Ok(None);
                };
                statement(history.as_ref(), store.as_ref(), query, &restores).await
            };
            if let Some(answer) = self.proven(asked).await {
                return Ok(answer);
            }
        }
        let entries = EntryQuery {
            account: query.account,
            from: query.from,
            to: query.to,
            order: query.order,
            after,
            limit: query.limit,
        };
        Ok(Statement::new(query, store.entries(&entries).await?))
    }

    /// Returns the posted balance of an account at a past time; `None` when there
    /// is no such account. A returned balance changes only if the ledger's database
    /// is restored to an earlier state. It comes from history where history proves
    /// it, with one read however many entries there are, otherwise from the ledger.
    ///
    /// # Errors
    /// [`WalletError::Store`] of kind `Invalid` when the time is in the future.
    pub async fn balance_at(
        &self,
        account: impl Into<AccountKey>,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, WalletError> {
        let account = account.into();
        let shared = &self.shared;
        // The ledger refuses a future time, although an account's own time may be a
        // little ahead.
        let history = shared.history.as_ref();
        if let Some(history) = history.filter(|_| at < shared.clock.now()) {
            let asked = async {
                let Some(restores) = shared.present_restores().await else {
                    return Ok(None);
                };
                balance_at(history.as_ref(), account, at, &restores).await
            };
            if let Some(answer) = self.proven(asked).await {
                return Ok(Some(answer));
            }
        }
        Ok(shared.store.balance_at(account, at).await?)
    }

    /// Returns the answer of history, if history proves it in time.
    async fn proven<T>(
        &self,
        asked: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Option<T> {
        let (shared, stats) = (&self.shared, &self.shared.stats);
        let patience = shared.clock.sleep(shared.settings.history_wait);
        match select(pin!(asked), pin!(patience)).await {
            Either::Left((Ok(Some(answer)), _)) => {
                stats.history_answers.add(1);
                Some(answer)
            }
            Either::Left((Ok(None), _)) => {
                stats.history_misses.add(1);
                None
            }
            Either::Left((Err(_), _)) | Either::Right(_) => {
                stats.history_failures.add(1);
                None
            }
        }
    }
}

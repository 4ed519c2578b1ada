//! Reads that history answers where it proves that the ledger would say the same.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::{Wallet, WalletError};
use crate::history::{HistoryQuery, Statement, balance_at, statement};
use crate::ledger::{AccountKey, PastBalance, Timestamp};
use crate::store::{EntryQuery, StoreError};

/// Reads of the past.
impl Wallet {
    /// A page of an account's statement, from history where that proves it, else
    /// from the ledger: who reads cannot tell. Cursors go from one to the other,
    /// and stay good whatever is written meanwhile. Nothing is answered from a row
    /// that a restore of the ledger's database has left in doubt.
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
    /// the other order.
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
            if let Some(told) = self.proven(asked).await {
                return Ok(told);
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

    /// The posted balance of an account at a past time; `None` when there is no
    /// such account. Once answered it changes only where the ledger's database goes
    /// back to an earlier state. From history where that proves
    /// it, in one request however many entries there are, else from the ledger.
    ///
    /// # Errors
    /// [`WalletError::Store`] of kind `Invalid` when the time lies in the
    /// future.
    pub async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, WalletError> {
        let shared = &self.shared;
        // The ledger refuses a time that is yet to come, though an account's own
        // time may run a little ahead.
        let history = shared.history.as_ref();
        if let Some(history) = history.filter(|_| at < shared.clock.now()) {
            let asked = async {
                let Some(restores) = shared.present_restores().await else {
                    return Ok(None);
                };
                balance_at(history.as_ref(), account, at, &restores).await
            };
            if let Some(told) = self.proven(asked).await {
                return Ok(Some(told));
            }
        }
        Ok(shared.store.balance_at(account, at).await?)
    }

    /// What history proves, if it does so in time.
    async fn proven<T>(
        &self,
        asked: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Option<T> {
        let (shared, stats) = (&self.shared, &self.shared.stats);
        let patience = shared.clock.sleep(shared.settings.history_wait);
        match select(pin!(asked), pin!(patience)).await {
            Either::Left((Ok(Some(told)), _)) => {
                stats.history_answers.add(1);
                Some(told)
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

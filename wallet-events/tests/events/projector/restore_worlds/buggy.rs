//! A slow history, and the bugs that are planted in it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Restore, TransferKey};
use wallet_core::memory::MemoryStore;
use wallet_core::store::LedgerStore;
use wallet_core::{StoreError, Timestamp};

use crate::projector::far::Far;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// A restore loses nothing.
    KeepsWhatIsLost,
    /// Only the last of several restores counts.
    GoesByTheLastRestore,
    /// A row's known epoch is the epoch of its write instead of the epoch of its read.
    KnowsTooMuch,
    /// Reads return every row, superseded or not.
    ReadsWhatIsLost,
}

/// A slow history with a bug.
#[derive(Debug)]
pub(super) struct Buggy {
    pub(super) bug: Option<Bug>,
    pub(super) far: Far,
    pub(super) ledger: Arc<MemoryStore>,
}

impl Buggy {
    fn of(&self, restores: &[Restore]) -> Vec<Restore> {
        match self.bug {
            Some(Bug::KeepsWhatIsLost) => {
                let restored_to = Timestamp::from_micros(i64::MAX);
                let all = restores.iter().map(|one| Restore {
                    restored_to,
                    ..*one
                });
                all.collect()
            }
            Some(Bug::GoesByTheLastRestore) => restores.last().copied().into_iter().collect(),
            _ => restores.to_vec(),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for Buggy {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        if self.bug == Some(Bug::KnowsTooMuch) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let restores = self.ledger.epochs().await?.all_restores();
            return self.far.inner.append(lines, &restores).await;
        }
        self.far.append(lines, &self.of(restores)).await
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        self.far.supersede(accounts, &self.of(restores)).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.far.heads(accounts).await
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let mut page = self.far.page(query, restores).await?;
        if self.bug == Some(Bug::ReadsWhatIsLost) {
            let lost = self.far.superseded(query, restores).await?;
            page.rows.extend(lost.rows);
        }
        Ok(page)
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.far.of_transfer(transfer, restores).await
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.far.of_reference(query, restores).await
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.far.superseded(query, restores).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        self.far.expire(rows, at).await
    }
}

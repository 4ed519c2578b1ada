use std::sync::Arc;

use async_trait::async_trait;

use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Restore, TransferKey};
use wallet_core::{StoreError, Timestamp};

use super::super::Rng;
use super::Bug;

/// A history with a bug, or with wrong writes.
#[derive(Debug)]
pub(in super::super) struct BuggyHistory {
    pub(in super::super) bug: Bug,
    pub(in super::super) inner: Arc<dyn HistoryStore>,
    pub(in super::super) rng: Rng,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for BuggyHistory {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let strikes = self.rng.chance(20);
        match self.bug {
            Bug::SwallowsErrors | Bug::SkipsGaps if strikes => Ok(()),
            Bug::SkipsGaps => match self.inner.append(lines, restores).await {
                Err(HistoryError::Gap { .. }) => Ok(()),
                other => other,
            },
            _ => self.inner.append(lines, restores).await,
        }
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        self.inner.supersede(accounts, restores).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.inner.heads(accounts).await
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let mut page = self.inner.page(query, restores).await?;
        if self.bug == Bug::OverwritesSameTime {
            let at = |row: &HistoryRow| row.line.entry.created_at;
            page.rows
                .dedup_by(|later, earlier| at(later) == at(earlier));
        }
        Ok(page)
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.inner.of_transfer(transfer, restores).await
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.inner.of_reference(query, restores).await
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.inner.superseded(query, restores).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        self.inner.expire(rows, at).await
    }
}

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    AccountKey, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, ReferenceHistoryQuery, StoreError, Timestamp, TransferKey,
};

use super::super::Rng;
use super::Bug;

/// A history with a bug, or written wrongly.
#[derive(Debug)]
pub(in super::super) struct BuggyHistory {
    pub(in super::super) bug: Bug,
    pub(in super::super) inner: Arc<dyn HistoryStore>,
    pub(in super::super) rng: Rng,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for BuggyHistory {
    async fn append(&self, lines: &[HistoryLine]) -> Result<(), HistoryError> {
        let strikes = self.rng.chance(20);
        match self.bug {
            Bug::SwallowsErrors | Bug::SkipsGaps if strikes => Ok(()),
            Bug::SkipsGaps => match self.inner.append(lines).await {
                Err(HistoryError::Gap { .. }) => Ok(()),
                other => other,
            },
            _ => self.inner.append(lines).await,
        }
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.inner.heads(accounts).await
    }

    async fn page(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let mut page = self.inner.page(query).await?;
        if self.bug == Bug::OverwritesSameTime {
            let at = |row: &HistoryRow| row.line.entry.created_at;
            page.rows
                .dedup_by(|later, earlier| at(later) == at(earlier));
        }
        Ok(page)
    }

    async fn of_transfer(&self, transfer: TransferKey) -> Result<Vec<HistoryRow>, StoreError> {
        self.inner.of_transfer(transfer).await
    }

    async fn of_reference(&self, query: &ReferenceHistoryQuery) -> Result<HistoryPage, StoreError> {
        self.inner.of_reference(query).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        self.inner.expire(rows, at).await
    }
}

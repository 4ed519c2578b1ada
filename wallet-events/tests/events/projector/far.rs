use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Restore, TransferKey};
use wallet_core::memory::MemoryHistory;
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

/// A slow history: a process can die before and after a call, and some calls fail, before
/// or after they were carried out.
#[derive(Debug)]
pub(crate) struct Far {
    pub(crate) inner: MemoryHistory,
    failing: u8,
    rng: Mutex<fastrand::Rng>,
}

impl Far {
    /// The percentage of calls that fail.
    pub(crate) fn new(inner: MemoryHistory, failing: u8) -> Self {
        let rng = Mutex::new(fastrand::Rng::with_seed(u64::from(failing)));
        Self {
            inner,
            failing,
            rng,
        }
    }

    async fn travel(&self) -> Result<(), StoreError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if self.rng.lock().unwrap().u8(..100) < self.failing {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "far away"));
        }
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for Far {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        self.travel().await?;
        self.inner.append(lines, restores).await?;
        Ok(self.travel().await?)
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        self.travel().await?;
        self.inner.supersede(accounts, restores).await?;
        self.travel().await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.travel().await?;
        self.inner.heads(accounts).await
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.inner.page(query, restores).await
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

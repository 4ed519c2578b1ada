use std::sync::Arc;

use async_trait::async_trait;

use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Restore, TransferKey};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use super::faulty_port::{FaultyPort, planned};
use super::oracle::Oracle;

/// A history with injected faults. An oracle compares written lines with committed
/// entries.
#[derive(Debug)]
pub(super) struct FaultyHistory {
    pub(super) inner: Arc<dyn HistoryStore>,
    pub(super) faults: FaultyPort,
    pub(super) oracle: Arc<Oracle>,
}

fn error(kind: StoreErrorKind) -> HistoryError {
    planned(kind).into()
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for FaultyHistory {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let call = async {
            self.inner.append(lines, restores).await?;
            self.oracle.history_took(lines);
            Ok(())
        };
        self.faults.call("append", call, error).await
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        let call = self.inner.supersede(accounts, restores);
        self.faults.call("supersede", call, planned).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.faults
            .call("heads", self.inner.heads(accounts), planned)
            .await
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.faults
            .call("page", self.inner.page(query, restores), planned)
            .await
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let call = self.inner.of_transfer(transfer, restores);
        self.faults.call("of transfer", call, planned).await
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let call = self.inner.of_reference(query, restores);
        self.faults.call("of reference", call, planned).await
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let call = self.inner.superseded(query, restores);
        self.faults.call("superseded", call, planned).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        let call = self.inner.expire(rows, at);
        self.faults.call("expire", call, planned).await
    }
}

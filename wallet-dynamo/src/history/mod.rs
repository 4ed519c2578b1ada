//! [`DynamoHistory`] implements the port
//! [`HistoryStore`](wallet_core::history::HistoryStore).

mod append;
mod read;
mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Restore, TransferKey};
use wallet_core::runtime::Clock;
use wallet_core::store::{Order, StoreErrorKind};
use wallet_core::{StoreError, Timestamp};

use crate::client::{Api, Aws, CallError, RetryingClient};
use crate::keys::ENDS;
use crate::{DynamoSettings, keys};
use read::Lines;

/// The history of accounts in a DynamoDB table. The [crate] documents the table's layout
/// and cost.
///
/// A writer first writes rows, then the account's head, which records how far the history
/// has come. A head never goes back. So it never claims a row that does not exist.
#[derive(Debug, Clone)]
pub struct DynamoHistory {
    caller: RetryingClient,
    settings: DynamoSettings,
}

impl DynamoHistory {
    /// History in the table of `settings`. The table must exist: see
    /// [`create_history_table`](crate::create_history_table). Pauses use `clock`.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Internal`: a setting is not valid.
    pub fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        settings: DynamoSettings,
    ) -> Result<Self, StoreError> {
        let api = Aws::new(client, settings.timeout);
        Self::over(Arc::new(api), clock, settings)
    }

    pub(crate) fn over(
        api: Arc<dyn Api>,
        clock: Arc<dyn Clock>,
        settings: DynamoSettings,
    ) -> Result<Self, StoreError> {
        settings.validate()?;
        let caller = RetryingClient::new(api, clock, settings.clone());
        Ok(Self { caller, settings })
    }
}

/// Every call here is idempotent, so an unknown outcome counts as a failure.
fn failed(context: &'static str) -> impl FnOnce(CallError) -> StoreError {
    move |error| error.into_store_error(context, StoreErrorKind::Unavailable)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for DynamoHistory {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        self.append_lines(lines, restores).await
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        self.supersede_rows(accounts, restores).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        let heads = self.known_heads(accounts.iter().copied()).await?;
        let head = |account| heads.get(account).map(|known| known.head);
        let heads = accounts.iter().map(head);
        Ok(heads.map(Option::unwrap_or_default).collect())
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let lines = Lines::held(restores, query.order, query.limit);
        self.page_of(query, lines).await
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let lines = Lines::held(restores, Order::Ascending, u32::MAX);
        let asked = read::by_transfer(&self.settings.table, transfer);
        self.select(asked, lines).await
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        if query.limit == 0 {
            return Ok(query.page(Vec::new()));
        }
        let lines = Lines::held(restores, Order::Ascending, query.limit);
        let asked = read::by_reference(&self.settings.table, query, after.as_ref());
        Ok(query.page(self.select(asked, lines).await?))
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let lines = Lines::superseded(restores, query.order, query.limit);
        self.page_of(query, lines).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        let key = |row: &HistoryRow| {
            let stripes = self.settings.stripes_of(row.account());
            row::key(row, keys::stripe(row.line.entry.sequence, stripes))
        };
        let seconds = at.as_micros().div_euclid(1_000_000).saturating_add(1);
        let keys = rows.iter().map(key).collect();
        let set = self.caller.set(&self.settings.table, keys, ENDS, seconds);
        set.await.map_err(failed("letting rows expire"))
    }
}

impl DynamoHistory {
    async fn page_of(
        &self,
        query: &HistoryQuery,
        lines: Lines<'_>,
    ) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let Some(bounds) = read::bounds(query, after) else {
            return Ok(query.page(Vec::new()));
        };
        let rows = self.rows(query.account, bounds, lines).await?;
        Ok(query.page(rows))
    }
}

/// Whether the order is ascending.
fn is_ascending(order: Order) -> bool {
    order == Order::Ascending
}

fn sort_key(row: &HistoryRow) -> (Timestamp, i64) {
    (row.line.entry.created_at, row.line.entry.sequence)
}

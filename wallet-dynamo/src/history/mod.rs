//! [`DynamoHistory`]: the port [`HistoryStore`](wallet_core::HistoryStore).

mod append;
mod read;
mod row;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use wallet_core::{
    AccountKey, Clock, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery,
    HistoryRow, HistoryStore, Order, ReferenceHistoryQuery, StoreError, StoreErrorKind, Timestamp,
    TransferKey,
};

use crate::DynamoSettings;
use crate::client::{Api, Aws, CallError, Caller};
use crate::keys;
pub(crate) use row::ENDS;

/// The history of accounts in a DynamoDB table; the [crate] tells how it lies
/// there and what it costs.
///
/// Rows are written before the row that says how far their account has come, and
/// that one never goes back: nothing is ever claimed that is not there.
#[derive(Debug, Clone)]
pub struct DynamoHistory {
    caller: Caller,
    settings: DynamoSettings,
}

impl DynamoHistory {
    /// History in the table of `settings`, which exists: see
    /// [`create_history_table`](crate::create_history_table). Pauses are measured
    /// with `clock`.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Internal` for a setting that makes no sense.
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
        let caller = Caller::new(api, clock, settings.clone());
        Ok(Self { caller, settings })
    }
}

/// Whatever is done here may be done again, so an unknown fate is a failure.
fn failed(context: &'static str) -> impl FnOnce(CallError) -> StoreError {
    move |error| error.into_store_error(context, StoreErrorKind::Unavailable)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for DynamoHistory {
    async fn append(&self, lines: &[HistoryLine]) -> Result<(), HistoryError> {
        self.append_lines(lines).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        let heads = self.known_heads(accounts.iter().copied()).await?;
        let head = |account| heads.get(account).copied().unwrap_or_default();
        Ok(accounts.iter().map(head).collect())
    }

    async fn page(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let Some((first, last)) = read::bounds(query, after) else {
            return Ok(query.page(Vec::new()));
        };
        let rows = self.rows(query.account, first, last, query.order, query.limit);
        Ok(query.page(rows.await?))
    }

    async fn of_transfer(&self, transfer: TransferKey) -> Result<Vec<HistoryRow>, StoreError> {
        self.indexed(read::by_transfer(&self.settings.table, transfer))
            .await
    }

    async fn of_reference(&self, query: &ReferenceHistoryQuery) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        if query.limit == 0 {
            return Ok(query.page(Vec::new()));
        }
        let asked = read::by_reference(&self.settings.table, query, after.as_ref());
        Ok(query.page(self.indexed(asked).await?))
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        let key = |row: &HistoryRow| {
            let (account, entry) = (row.account(), &row.line.entry);
            let stripe = keys::stripe(entry.sequence, self.settings.stripes_of(account));
            keys::row(account, stripe, entry.created_at, entry.sequence)
        };
        let seconds = at.as_micros().div_euclid(1_000_000).saturating_add(1);
        let keys = rows.iter().map(key).collect();
        let set = self.caller.set(&self.settings.table, keys, ENDS, seconds);
        set.await.map_err(failed("letting rows expire"))
    }
}

/// Which comes first.
fn is_ascending(order: Order) -> bool {
    order == Order::Ascending
}

fn sort_key(row: &HistoryRow) -> (Timestamp, i64) {
    (row.line.entry.created_at, row.line.entry.sequence)
}

//! The core's port for transactions of hosts.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::ledger::Freshness;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{
    Applied, ApplyError, HostTransaction as Port, HostTransactions, SqlRow, SqlValue,
};

use super::pooled::Pooled;
use super::{HostTransaction, Link, row, statement};
use crate::AuroraStore;
use crate::connect::Wait;
use crate::pool::Purpose;

/// A transaction on a connection of the store, and the store that applies requests in it.
#[derive(Debug)]
struct OnStore {
    store: AuroraStore,
    transaction: HostTransaction<'static>,
}

#[async_trait]
impl HostTransactions for AuroraStore {
    /// Takes a connection of the writer's pool that is not reserved for commits. So at most
    /// [`connections`](crate::AuroraSettings::connections) less
    /// [`reserved_connections`](crate::AuroraSettings::reserved_connections) transactions of
    /// hosts are open at a time. A read inside one of them needs another connection.
    async fn begin(&self) -> Result<Box<dyn Port>, StoreError> {
        let connection = self.writer.acquire(Purpose::Read).await?;
        let pooled = Pooled::begin(connection).await?;
        let link = Link::Pooled(Box::new(pooled));
        Ok(Box::new(OnStore {
            store: self.reading(Freshness::Strong),
            transaction: HostTransaction::new(link, Some(self.identity)),
        }))
    }

    /// Takes a connection like [`begin`](HostTransactions::begin), within
    /// [`migration_wait`](crate::AuroraSettings::migration_wait), and closes it afterwards:
    /// the statement may have changed the session.
    async fn run_alone(&self, sql: &str) -> Result<(), ApplyError> {
        let connection = self.writer.acquire(Purpose::Read).await?;
        statement::run_alone(connection.for_a(Wait::Migration), sql).await
    }
}

#[async_trait]
impl Port for OnStore {
    async fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, ApplyError> {
        let done = self.transaction.run(sql, values, &self.store);
        Ok(done.await?.changed)
    }

    async fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, ApplyError> {
        let done = self.transaction.run(sql, values, &self.store).await?;
        let rows = done.rows.iter().map(row::decode);
        Ok(rows.collect::<Result<_, _>>()?)
    }

    async fn apply(&mut self, requests: &[Arc<PreparedRequest>]) -> Result<Applied, ApplyError> {
        self.store.apply_in(&mut self.transaction, requests).await
    }

    async fn commit(self: Box<Self>) -> Result<(), ApplyError> {
        self.transaction.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<(), ApplyError> {
        self.transaction.roll_back().await
    }

    /// [`HostTransaction`].
    fn inner(&mut self) -> &mut dyn Any {
        &mut self.transaction
    }
}

//! Transactions of a host on a connection of the store's own.

use std::any::Any;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use rusqlite::Connection;
use tokio::sync::OwnedSemaphorePermit;
use wallet_core::StoreError;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{
    Applied, ApplyError, HostTransaction, HostTransactions, SqlRow, SqlValue, StoreErrorKind,
};

use crate::apply::{Ledger, Refusals};
use crate::commit::{begin_in_file, commit_in_file, in_file};
use crate::error::Result;
use crate::host_connection::HostConnection;
use crate::host_statement::HostStatement;
use crate::threads::Threads;
use crate::{SqliteStore, lock};

#[async_trait]
impl HostTransactions for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn HostTransaction>> {
        let host = Arc::clone(&self.host);
        let turn = self.turn().await?;
        let ledger = Arc::clone(&self.ledger);
        let file = Arc::clone(&ledger.file);
        let lock_wait = self.lock_wait;
        // From here on, dropping the transaction rolls back what the thread has begun.
        let transaction = SqliteTransaction {
            host,
            ledger,
            is_open: true,
            _turn: turn,
        };
        let begun = transaction
            .thread()?
            .run(move |connection| begin_in_file(&file, connection, lock_wait));
        begun.await?;
        Ok(Box::new(transaction))
    }

    async fn run_alone(&self, sql: &str) -> std::result::Result<(), ApplyError> {
        let _turn = self.turn().await?;
        let statement = HostStatement::new(sql, &[], self.host.switch());
        let file = Arc::clone(&self.ledger.file);
        let lock_wait = self.lock_wait;
        let run = self.host.thread(&self.ledger.file)?.ask(move |connection| {
            in_file(&file, connection, lock_wait, |open| {
                statement.run_alone(open)
            })
        });
        run.await
    }
}

impl SqliteStore {
    /// Waits until no other transaction of a host is open, as long as for the write lock.
    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let patience = self.ledger.clock.sleep(self.lock_wait);
        match select(pin!(self.host.turn()), patience).await {
            Either::Left((turn, _)) => turn,
            Either::Right(_) => {
                let context = "another transaction of a host is open";
                Err(StoreError::new(StoreErrorKind::Conflict, context))
            }
        }
    }
}

/// An open transaction of a host on the store's own connection.
#[derive(Debug)]
struct SqliteTransaction {
    host: Arc<HostConnection>,
    ledger: Arc<Ledger>,
    is_open: bool,
    _turn: OwnedSemaphorePermit,
}

impl SqliteTransaction {
    fn thread(&self) -> Result<&Threads> {
        self.host.thread(&self.ledger.file)
    }

    /// Runs a statement of the host. If the caller stops waiting, it is cut off, and SQLite
    /// rolls back the transaction.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, ApplyError> + Send + 'static,
    ) -> std::result::Result<T, ApplyError> {
        let asked = self.thread()?.ask(move |connection| {
            still_open(connection)?;
            work(connection)
        });
        asked.await
    }
}

/// On some errors SQLite rolls back the whole transaction. The connection would then commit
/// each statement on its own.
fn still_open(connection: &Connection) -> std::result::Result<(), ApplyError> {
    if connection.is_autocommit() {
        return Err(ApplyError::TransactionLost(None));
    }
    Ok(())
}

#[async_trait]
impl HostTransaction for SqliteTransaction {
    async fn execute(
        &mut self,
        sql: &str,
        values: &[SqlValue],
    ) -> std::result::Result<u64, ApplyError> {
        let statement = HostStatement::new(sql, values, self.host.switch());
        self.ask(|connection| statement.execute(connection)).await
    }

    async fn query(
        &mut self,
        sql: &str,
        values: &[SqlValue],
    ) -> std::result::Result<Vec<SqlRow>, ApplyError> {
        let statement = HostStatement::new(sql, values, self.host.switch());
        self.ask(|connection| statement.query(connection)).await
    }

    async fn apply(
        &mut self,
        requests: &[Arc<PreparedRequest>],
    ) -> std::result::Result<Applied, ApplyError> {
        let (ledger, requests) = (Arc::clone(&self.ledger), requests.to_vec());
        let applied = self.thread()?.run(move |connection| {
            still_open(connection)?;
            ledger.apply(connection, &requests, Refusals::RollBack)
        });
        applied.await
    }

    async fn commit(mut self: Box<Self>) -> std::result::Result<(), ApplyError> {
        let file = Arc::clone(&self.ledger.file);
        let committed = self.thread()?.run(move |connection| {
            still_open(connection)?;
            Ok(commit_in_file(&file, connection)?)
        });
        let committed = committed.await;
        self.is_open = false;
        committed
    }

    async fn rollback(mut self: Box<Self>) -> std::result::Result<(), ApplyError> {
        let rolled_back = self.thread()?.run(|connection| {
            lock::roll_back(connection);
            Ok(())
        });
        let rolled_back = rolled_back.await;
        self.is_open = false;
        rolled_back
    }

    fn inner(&mut self) -> &mut dyn Any {
        self
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if self.is_open {
            self.host.post(lock::roll_back);
        }
    }
}

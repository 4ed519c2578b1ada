//! Transactions of a host on a connection of the store's own.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql, params_from_iter};
use tokio::sync::OwnedSemaphorePermit;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{
    Applied, ApplyError, HostTransaction, HostTransactions, SqlRow, SqlValue, StatementError,
    StoreErrorKind,
};

use crate::apply::{Ledger, Refusals, after_error};
use crate::commit::{begin_in_file, commit_in_file, in_file};
use crate::error::{Doing, Result, is_duplicate, store_error};
use crate::host_connection::HostConnection;
use crate::threads::Threads;
use crate::{SqliteStore, lock};

#[async_trait]
impl HostTransactions for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn HostTransaction>> {
        let host = Arc::clone(&self.host);
        let turn = host.turn().await?;
        let ledger = Arc::clone(&self.ledger);
        let file = Arc::clone(&ledger.file);
        let lock_wait = self.lock_wait;
        // From here on, dropping the transaction rolls back what the thread has begun.
        let transaction = SqliteTransaction {
            host,
            ledger,
            is_open: true,
            was_ended: Arc::default(),
            _turn: turn,
        };
        let begun = transaction
            .thread()?
            .run(move |connection| begin_in_file(&file, connection, lock_wait));
        begun.await?;
        Ok(Box::new(transaction))
    }

    async fn run_alone(&self, sql: &str) -> std::result::Result<(), ApplyError> {
        let _turn = self.host.turn().await?;
        let (file, sql) = (Arc::clone(&self.ledger.file), sql.to_owned());
        let lock_wait = self.lock_wait;
        let run = self.host.thread(&self.ledger.file)?.run(move |connection| {
            in_file(&file, connection, lock_wait, |open| {
                let done = open.execute(&sql, ());
                done.map_err(|error| refused(open, error))?;
                if open.is_autocommit() {
                    return Err(ApplyError::CommittedEarly);
                }
                Ok(())
            })
        });
        run.await
    }
}

/// An open transaction of a host on the store's own connection.
#[derive(Debug)]
struct SqliteTransaction {
    host: Arc<HostConnection>,
    ledger: Arc<Ledger>,
    is_open: bool,
    /// Whether a statement of the host has ended the transaction: `COMMIT` or `ROLLBACK`.
    was_ended: Arc<AtomicBool>,
    _turn: OwnedSemaphorePermit,
}

impl SqliteTransaction {
    fn thread(&self) -> Result<&Threads> {
        self.host.thread(&self.ledger.file)
    }

    /// Runs `work` in the transaction. If it is over afterwards, so is the transaction of
    /// the host, and it refuses further work.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, ApplyError> + Send + 'static,
    ) -> std::result::Result<T, ApplyError> {
        let was_ended = Arc::clone(&self.was_ended);
        let run = self.thread()?.run(move |connection| {
            if connection.is_autocommit() {
                return Err(over(&was_ended));
            }
            let done = work(connection);
            if done.is_ok() && connection.is_autocommit() {
                was_ended.store(true, Ordering::Relaxed);
                return Err(over(&was_ended));
            }
            done
        });
        run.await
    }
}

/// Why a transaction is no longer open.
fn over(was_ended: &AtomicBool) -> ApplyError {
    if was_ended.load(Ordering::Relaxed) {
        ApplyError::CommittedEarly
    } else {
        ApplyError::TransactionLost(None)
    }
}

#[async_trait]
impl HostTransaction for SqliteTransaction {
    async fn execute(
        &mut self,
        sql: &str,
        values: &[SqlValue],
    ) -> std::result::Result<u64, ApplyError> {
        let (sql, values) = (sql.to_owned(), bound(values));
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(&sql)
                .and_then(|mut statement| statement.execute(params_from_iter(values)));
            let changed = changed.map_err(|error| refused(connection, error))?;
            Ok(u64::try_from(changed).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn query(
        &mut self,
        sql: &str,
        values: &[SqlValue],
    ) -> std::result::Result<Vec<SqlRow>, ApplyError> {
        let (sql, values) = (sql.to_owned(), bound(values));
        self.run(move |connection| {
            let refused = |error| refused(connection, error);
            let mut statement = connection.prepare_cached(&sql).map_err(refused)?;
            let columns = statement.column_count();
            let mut rows = statement.query(params_from_iter(values)).map_err(refused)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(refused)? {
                found.push(read(row, columns)?);
            }
            Ok(found)
        })
        .await
    }

    async fn apply(
        &mut self,
        requests: &[Arc<PreparedRequest>],
    ) -> std::result::Result<Applied, ApplyError> {
        let (ledger, requests) = (Arc::clone(&self.ledger), requests.to_vec());
        self.run(move |connection| ledger.apply(connection, &requests, Refusals::RollBack))
            .await
    }

    async fn commit(mut self: Box<Self>) -> std::result::Result<(), ApplyError> {
        let file = Arc::clone(&self.ledger.file);
        let was_ended = Arc::clone(&self.was_ended);
        let committed = self.thread()?.run(move |connection| {
            if connection.is_autocommit() {
                return Err(over(&was_ended));
            }
            Ok(commit_in_file(&file, connection)?)
        });
        let committed = committed.await;
        self.is_open = false;
        committed
    }

    async fn rollback(mut self: Box<Self>) -> Result<()> {
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

/// A value of the host for SQLite.
struct Bound(SqlValue);

impl ToSql for Bound {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            SqlValue::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            SqlValue::Integer(value) => (*value).into(),
            SqlValue::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            SqlValue::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            // The core may add values.
            _ => {
                let context = "a value is of a kind that is not known";
                return Err(rusqlite::Error::ToSqlConversionFailure(context.into()));
            }
        })
    }
}

fn bound(values: &[SqlValue]) -> Vec<Bound> {
    values.iter().cloned().map(Bound).collect()
}

fn read(row: &Row<'_>, columns: usize) -> std::result::Result<SqlRow, StatementError> {
    let value = |column| {
        let found = row.get_ref(column).map_err(|error| {
            StatementError::new(format!("reading column {column}")).with_source(error)
        })?;
        Ok(match found {
            ValueRef::Null => SqlValue::Null,
            ValueRef::Integer(value) => SqlValue::Integer(value),
            ValueRef::Blob(value) => SqlValue::Bytes(value.to_vec()),
            ValueRef::Text(value) => {
                let text = String::from_utf8(value.to_vec());
                let not_utf8 = |_| StatementError::new(format!("column {column} is not UTF-8"));
                SqlValue::Text(text.map_err(not_utf8)?)
            }
            ValueRef::Real(_) => {
                let context = format!("column {column} is a floating-point number: CAST it");
                return Err(StatementError::new(context));
            }
        })
    };
    let values: std::result::Result<_, StatementError> = (0..columns).map(value).collect();
    Ok(SqlRow::new(values?))
}

/// The error of a host's statement.
fn refused(connection: &Connection, error: rusqlite::Error) -> ApplyError {
    use StoreErrorKind as Kind;
    let code = error.sqlite_error().map(|error| error.extended_code);
    let is_duplicate = code.is_some_and(is_duplicate);
    let text = error.to_string();
    let failed = store_error(error, Doing::Work, "running a statement of the host");
    let stays = match failed.kind() {
        Kind::Conflict | Kind::Unavailable | Kind::Corrupt => false,
        Kind::Invalid | Kind::Internal | Kind::Indeterminate => true,
    };
    if connection.is_autocommit() || !stays {
        return after_error(connection, failed);
    }
    StatementError::new(text)
        .duplicate(is_duplicate)
        .with_source(failed)
        .into()
}

//! Runs the host's own statements.

use futures_util::StreamExt;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::query::Query;
use sqlx::{Either, Executor, MySql, MySqlConnection, Statement};
use wallet_core::store::{ApplyError, SqlValue, StatementError, StoreErrorKind};

use super::{HostTransaction, State};
use crate::AuroraStore;
use crate::error::{Doing, Failed, code};
use crate::pool::PooledConnection;

const CONTEXT: &str = "running a statement of the host";

/// What a statement of the host answered.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) changed: u64,
    pub(super) rows: Vec<MySqlRow>,
}

/// Why a statement did not run.
enum Refused {
    /// Nothing was sent.
    ByUs(StatementError),
    ByServer(sqlx::Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::ByServer(error)
    }
}

impl HostTransaction<'_> {
    /// Runs a statement. If the caller drops the future, the handle refuses further work.
    pub(super) async fn run(
        &mut self,
        sql: &str,
        values: &[SqlValue],
        store: &AuroraStore,
    ) -> Result<Done, ApplyError> {
        self.state.check()?;
        check_size(sql, values, store.packet_bytes)?;
        self.state = State::Lost;
        if leaves_something(sql) {
            self.link.mark();
        }
        let done = run(self.link.connection()?, sql, values);
        let error = match tokio::time::timeout(store.host_wait, done).await {
            Ok(Ok(done)) => {
                self.state = State::Open;
                return Ok(done);
            }
            Ok(Err(Refused::ByUs(error))) => {
                self.state = State::Open;
                return Err(error.into());
            }
            Ok(Err(Refused::ByServer(error))) => error,
            Err(_) => return Err(self.lose(Failed::timed_out(CONTEXT, false))),
        };
        let failed = Failed::new(error, Doing::Work, CONTEXT, false);
        if failed.ended_host_transaction() {
            return Err(self.lose(failed));
        }
        self.state = State::Open;
        Err(refused(failed))
    }
}

/// Runs a statement of the host outside of a transaction.
pub(super) async fn run_alone(
    mut connection: PooledConnection,
    sql: &str,
) -> Result<(), ApplyError> {
    let runner = connection.runner()?;
    check_size(sql, &[], runner.packet_bytes)?;
    let done = tokio::time::timeout(runner.answer_wait, run(runner.connection, sql, &[]));
    let failed = match done.await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(Refused::ByUs(error))) => return Err(error.into()),
        Ok(Err(Refused::ByServer(error))) => Failed::new(error, Doing::Work, CONTEXT, false),
        Err(_) => Failed::timed_out(CONTEXT, false),
    };
    connection.note(failed.code);
    Err(refused(failed))
}

impl Failed {
    /// Whether the transaction is of no more use after a statement of the host.
    fn ended_host_transaction(&self) -> bool {
        let is_gone = matches!(
            self.code,
            None | Some(code::DEADLOCK | code::LOCK_WAIT | code::CHECK_READ)
        );
        is_gone || self.is_read_only()
    }
}

/// Whether a statement on rows may leave something in its session: a variable or a lock.
fn leaves_something(sql: &str) -> bool {
    sql.contains('@') || sql.to_ascii_lowercase().contains("get_lock")
}

/// An error after which the transaction is still open.
fn refused(failed: Failed) -> ApplyError {
    use StoreErrorKind as Kind;
    let is_duplicate = failed.is_duplicate();
    match failed.error.kind() {
        Kind::Conflict | Kind::Unavailable | Kind::Corrupt | Kind::Indeterminate => {
            failed.error.into()
        }
        Kind::Invalid | Kind::Internal => {
            let code = failed.code.unwrap_or_default();
            StatementError::new(format!("the server's error {code}"))
                .duplicate(is_duplicate)
                .with_source(failed.error)
                .into()
        }
    }
}

/// The server closes the connection on a packet that is too large.
fn check_size(sql: &str, values: &[SqlValue], most: usize) -> Result<(), StatementError> {
    let size = |value: &SqlValue| match value {
        SqlValue::Text(text) => text.len(),
        SqlValue::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    let sizes = values.iter().map(|value| size(value).saturating_add(16));
    if sizes.fold(sql.len(), usize::saturating_add) > most {
        let context = "it is larger than a packet may be";
        return Err(StatementError::new(context));
    }
    Ok(())
}

#[cfg(feature = "sqlx-0-8")]
const fn text(sql: &str) -> &str {
    sql
}

/// sqlx 0.9 copies the text. It is the host's own.
#[cfg(not(feature = "sqlx-0-8"))]
fn text(sql: &str) -> sqlx::SqlStr {
    sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(sql))
}

async fn run(
    connection: &mut MySqlConnection,
    sql: &str,
    values: &[SqlValue],
) -> Result<Done, Refused> {
    // The driver keeps the statement, so it is prepared once on a connection. It does not
    // compare the number of values, and the server would read other values than were given.
    let statement = connection.prepare(text(sql)).await?;
    let wanted = match statement.parameters() {
        Some(Either::Right(wanted)) => wanted,
        Some(Either::Left(types)) => types.len(),
        None => 0,
    };
    if wanted != values.len() {
        let context = format!("it takes {wanted} values, and {} are given", values.len());
        return Err(Refused::ByUs(StatementError::new(context)));
    }
    let mut query = sqlx::query(text(sql));
    for value in values {
        query = bind(query, value).map_err(Refused::ByUs)?;
    }
    let mut done = Done::default();
    let mut stream = connection.fetch_many(query);
    while let Some(item) = stream.next().await {
        match item? {
            Either::Left(end) => done.changed = done.changed.saturating_add(end.rows_affected()),
            Either::Right(row) => done.rows.push(row),
        }
    }
    Ok(done)
}

fn bind<'q>(
    query: Query<'q, MySql, MySqlArguments>,
    value: &'q SqlValue,
) -> Result<Query<'q, MySql, MySqlArguments>, StatementError> {
    Ok(match value {
        SqlValue::Null => query.bind(None::<i64>),
        SqlValue::Integer(value) => query.bind(*value),
        SqlValue::Text(value) => query.bind(value.as_str()),
        SqlValue::Bytes(value) => query.bind(value.as_slice()),
        // The core may add values.
        _ => {
            return Err(StatementError::new(
                "a value is of a kind that is not known",
            ));
        }
    })
}

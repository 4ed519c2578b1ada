//! Statements of a host on the store's own connection, and what they may do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, Statement, ToSql, params_from_iter};
use wallet_core::store::{ApplyError, SqlRow, SqlValue, StatementError, StoreErrorKind};

use crate::apply::after_error;
use crate::error::{Doing, is_duplicate, store_error};

const SAVE: &str = "SAVEPOINT wallet_statement";
const RELEASE: &str = "RELEASE wallet_statement";
const UNDO: &str = "ROLLBACK TO wallet_statement; RELEASE wallet_statement";
/// How the names of the ledger's tables begin.
const OWN: &str = "wallet_";

/// A connection prepares statements of the store.
const STORE: u8 = 0;
/// It prepares statements of a host, on rows.
const ROWS: u8 = 1;
/// It prepares statements of a host, on rows or tables.
const TABLES: u8 = 2;

/// What SQLite is preparing: [`STORE`] at first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switch(Arc<AtomicU8>);

impl Switch {
    /// Lets SQLite ask before it prepares a statement of a host on `connection`.
    pub(crate) fn watch(&self, connection: &mut Connection) {
        let by = Arc::clone(&self.0);
        // The newer drivers return a result.
        let _ = connection.authorizer(Some(move |asked: AuthContext<'_>| {
            let by = by.load(Ordering::Relaxed);
            if by == STORE || may(&asked.action, by == TABLES) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }));
    }

    /// Runs `work` as statements of the host. SQLite prepares a statement again after a
    /// change of schema, so the whole run is watched.
    fn with<T>(&self, by: u8, work: impl FnOnce() -> T) -> T {
        self.0.store(by, Ordering::Relaxed);
        let _back = Back(&self.0);
        work()
    }
}

/// Gives the connection back to the store, also after a panic.
struct Back<'s>(&'s AtomicU8);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.store(STORE, Ordering::Relaxed);
    }
}

/// Whether a host may do this.
fn may(action: &AuthAction<'_>, on_tables: bool) -> bool {
    use AuthAction as Action;
    match *action {
        Action::Select
        | Action::Recursive
        | Action::Read { .. }
        | Action::Function { .. }
        // The module of a virtual table asks for these. A host's own `PRAGMA` is refused before.
        | Action::Pragma {
            pragma_name: "data_version" | "page_size",
            pragma_value: None,
        } => true,
        Action::Insert { table_name }
        | Action::Update { table_name, .. }
        | Action::Delete { table_name } => {
            // A change of a table changes SQLite's own tables.
            !is_own(table_name) && (on_tables || !table_name.starts_with("sqlite_"))
        }
        Action::CreateTable { table_name: name }
        | Action::CreateView { view_name: name }
        | Action::CreateVtable {
            table_name: name, ..
        }
        | Action::DropTable { table_name: name }
        | Action::DropView { view_name: name }
        | Action::DropVtable {
            table_name: name, ..
        }
        | Action::AlterTable {
            table_name: name, ..
        } => on_tables && !is_own(name),
        Action::CreateIndex {
            index_name: name,
            table_name,
        }
        | Action::DropIndex {
            index_name: name,
            table_name,
        }
        | Action::CreateTrigger {
            trigger_name: name,
            table_name,
        }
        | Action::DropTrigger {
            trigger_name: name,
            table_name,
        } => on_tables && !is_own(name) && !is_own(table_name),
        Action::Reindex { .. } => on_tables,
        _ => false,
    }
}

fn is_own(name: &str) -> bool {
    let begins = name.get(..OWN.len());
    begins.is_some_and(|begins| begins.eq_ignore_ascii_case(OWN))
}

/// A statement of a host and its values.
#[derive(Debug)]
pub(crate) struct HostStatement {
    sql: String,
    values: Vec<Bound>,
    switch: Switch,
}

type Done<T> = std::result::Result<T, ApplyError>;

impl HostStatement {
    pub(crate) fn new(sql: &str, values: &[SqlValue], switch: &Switch) -> Self {
        Self {
            sql: sql.to_owned(),
            values: values.iter().cloned().map(Bound).collect(),
            switch: switch.clone(),
        }
    }

    /// Runs it and returns the number of changed rows. Its own rows are passed over.
    pub(crate) fn execute(self, connection: &Connection) -> Done<u64> {
        self.run(connection, ROWS, |statement, values| {
            if statement.column_count() == 0 {
                return Ok(statement.execute(params_from_iter(values))?);
            }
            let mut rows = statement.query(params_from_iter(values))?;
            while rows.next()?.is_some() {}
            drop(rows);
            Ok(if statement.readonly() {
                0
            } else {
                changes(connection)
            })
        })
        .map(|changed| u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// Runs it and returns its rows.
    pub(crate) fn query(self, connection: &Connection) -> Done<Vec<SqlRow>> {
        self.run(connection, ROWS, |statement, values| {
            let columns = statement.column_count();
            let mut rows = statement.query(params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row, columns)?);
            }
            Ok(found)
        })
    }

    /// Runs it where it may change tables too.
    pub(crate) fn run_alone(self, connection: &Connection) -> Done<()> {
        self.run(connection, TABLES, |statement, values| {
            let mut rows = statement.query(params_from_iter(values))?;
            while rows.next()?.is_some() {}
            Ok(())
        })
    }

    /// Runs `work` on the statement. After an error, nothing of the statement remains.
    fn run<T>(
        self,
        connection: &Connection,
        by: u8,
        work: impl FnOnce(&mut Statement<'_>, Vec<Bound>) -> std::result::Result<T, Failure>,
    ) -> Done<T> {
        let Self {
            sql,
            values,
            switch,
        } = self;
        let prepared = switch.with(by, || connection.prepare_cached(&sql));
        let mut statement = prepared.map_err(|error| refused(connection, error))?;
        // A row that cannot be read is no error for SQLite.
        let undo = !statement.readonly() && statement.column_count() > 0;
        if undo {
            save(connection, SAVE)?;
        }
        let done = switch.with(by, || work(&mut statement, values));
        drop(statement);
        let done = done.map_err(|failure| match failure {
            Failure::Driver(error) => refused(connection, error),
            Failure::Value(error) => error.into(),
        });
        if undo && !connection.is_autocommit() {
            save(connection, if done.is_ok() { RELEASE } else { UNDO })?;
        }
        done
    }
}

fn save(connection: &Connection, sql: &str) -> Done<()> {
    let saved = connection.execute_batch(sql);
    saved.map_err(|error| {
        let failed = store_error(error, Doing::Work, "setting a savepoint");
        crate::lock::roll_back(connection);
        after_error(connection, failed)
    })
}

fn changes(connection: &Connection) -> usize {
    usize::try_from(connection.changes()).unwrap_or(usize::MAX)
}

/// Why a statement was not run to its end.
enum Failure {
    Driver(rusqlite::Error),
    Value(StatementError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StatementError> for Failure {
    fn from(error: StatementError) -> Self {
        Self::Value(error)
    }
}

/// A value of the host for SQLite.
#[derive(Debug)]
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

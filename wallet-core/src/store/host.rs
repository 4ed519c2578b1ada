//! The port of a host's transaction: statements of the host and requests to the ledger,
//! committed together.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use crate::request::PreparedRequest;
use crate::store::{Applied, ApplyError, StoreError};

/// A store in whose database a host keeps tables of its own.
#[async_trait]
pub trait HostTransactions: Debug + Send + Sync + 'static {
    /// Begins a transaction. It waits for a free connection, and for the database's
    /// write lock where there is one.
    ///
    /// # Errors
    /// `Conflict`: the lock was not free for too long. `Unavailable`.
    async fn begin(&self) -> Result<Box<dyn HostTransaction>, StoreError>;

    /// Runs a statement of the host outside of a transaction, such as a change of its
    /// tables, which MySQL commits at once.
    ///
    /// # Errors
    /// [`ApplyError::Statement`]: the database refused the statement. Otherwise
    /// [`ApplyError::Store`]; after `Unavailable` the statement may have run.
    async fn run_alone(&self, sql: &str) -> Result<(), ApplyError>;
}

/// An open transaction of a host. Dropping it rolls back.
///
/// A host uses it through
/// [`Wallet::in_transaction`](crate::service::Wallet::in_transaction).
#[async_trait]
pub trait HostTransaction: Debug + Send {
    /// Runs a statement of the host and returns the number of changed rows. Each `?` in
    /// `sql` stands for one value.
    ///
    /// # Errors
    /// [`ApplyError::Statement`]: the database refused the statement; the transaction
    /// goes on without it. [`ApplyError::TransactionLost`]. [`ApplyError::Store`].
    async fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, ApplyError>;

    /// Runs a query of the host and returns all its rows.
    ///
    /// # Errors
    /// The same as [`execute`](Self::execute).
    async fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, ApplyError>;

    /// Applies requests under the rules of the ledger. If not every one is accepted, the
    /// transaction is as before the call, and no refusal is recorded.
    ///
    /// # Errors
    /// [`ApplyError::NotAccepted`] for the first request that is not accepted. Otherwise
    /// [`ApplyError`]. The transaction is as before the call, unless it is lost.
    async fn apply(&mut self, requests: &[Arc<PreparedRequest>]) -> Result<Applied, ApplyError>;

    /// Commits.
    ///
    /// # Errors
    /// [`ApplyError::TransactionLost`]: there was nothing left to commit.
    /// [`ApplyError::Store`] of kind `Indeterminate`: the result is unknown. `Conflict` and
    /// `Unavailable`: nothing was committed.
    async fn commit(self: Box<Self>) -> Result<(), ApplyError>;

    /// Rolls back.
    ///
    /// # Errors
    /// [`ApplyError::CommittedEarly`], or [`ApplyError::Store`] of kind `Invalid`: a
    /// statement had ended the transaction, and may have committed it. Also any error of the
    /// database. The transaction is gone in every case.
    async fn rollback(self: Box<Self>) -> Result<(), ApplyError>;

    /// The adapter's own transaction, for what only its driver can do.
    fn inner(&mut self) -> &mut dyn Any;
}

/// A value of a host's statement or row. Every database of the adapters has these four.
///
/// ```
/// use wallet_core::store::SqlValue;
/// assert_eq!(SqlValue::from(7_i64), SqlValue::Integer(7));
/// assert_eq!(SqlValue::from("order"), SqlValue::Text("order".to_owned()));
/// assert_eq!(SqlValue::from(None::<i64>), SqlValue::Null);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlValue {
    /// `NULL`.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

macro_rules! values {
    ($($from:ty => $variant:ident($make:expr);)*) => {$(
        impl From<$from> for SqlValue {
            fn from(value: $from) -> Self {
                Self::$variant($make(value))
            }
        }
    )*};
}

values! {
    i64 => Integer(i64::from);
    i32 => Integer(i64::from);
    u32 => Integer(i64::from);
    String => Text(String::from);
    &str => Text(str::to_owned);
    Vec<u8> => Bytes(Vec::from);
    crate::ledger::AccountId => Text(|id: crate::ledger::AccountId| id.to_string());
    crate::ledger::TransferId => Text(|id: crate::ledger::TransferId| id.to_string());
    crate::ledger::HoldId => Text(|id: crate::ledger::HoldId| id.to_string());
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of a host's query.
///
/// ```
/// use wallet_core::store::{SqlRow, SqlValue};
/// let row = SqlRow::new(vec![7_i64.into(), "paid".into(), SqlValue::Null]);
/// assert_eq!((row.integer(0)?, row.text(1)?), (7, "paid"));
/// assert!(row.is_null(2));
/// assert!(row.integer(1).is_err());
/// assert_eq!(SqlRow::new(vec![b"paid".to_vec().into()]).text(0)?, "paid");
/// # Ok::<(), wallet_core::store::StatementError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRow(Vec<SqlValue>);

impl SqlRow {
    /// A row of these values. For stores.
    #[must_use]
    pub const fn new(values: Vec<SqlValue>) -> Self {
        Self(values)
    }

    /// The values, in the order of the columns.
    #[must_use]
    pub fn values(&self) -> &[SqlValue] {
        &self.0
    }

    /// Whether column `column`, from 0, is `NULL`.
    #[must_use]
    pub fn is_null(&self, column: usize) -> bool {
        matches!(self.0.get(column), Some(SqlValue::Null))
    }

    /// The integer in column `column`, from 0.
    ///
    /// # Errors
    /// [`StatementError`] where there is no such column, or it holds another value.
    pub fn integer(&self, column: usize) -> Result<i64, StatementError> {
        match self.0.get(column) {
            Some(SqlValue::Integer(value)) => Ok(*value),
            other => Err(unexpected(column, "an integer", other)),
        }
    }

    /// The text in column `column`, from 0. Bytes are a text if they are UTF-8: some drivers
    /// report a text with a binary collation as bytes.
    ///
    /// # Errors
    /// [`StatementError`] where there is no such column, or it holds another value.
    pub fn text(&self, column: usize) -> Result<&str, StatementError> {
        match self.0.get(column) {
            Some(SqlValue::Text(value)) => Ok(value),
            other @ Some(SqlValue::Bytes(value)) => {
                std::str::from_utf8(value).map_err(|_| unexpected(column, "a text", other))
            }
            other => Err(unexpected(column, "a text", other)),
        }
    }

    /// The bytes in column `column`, from 0.
    ///
    /// # Errors
    /// [`StatementError`] where there is no such column, or it holds another value.
    pub fn bytes(&self, column: usize) -> Result<&[u8], StatementError> {
        match self.0.get(column) {
            Some(SqlValue::Bytes(value)) => Ok(value),
            other => Err(unexpected(column, "bytes", other)),
        }
    }
}

fn unexpected(column: usize, wanted: &str, found: Option<&SqlValue>) -> StatementError {
    let found = match found {
        None => "no such column",
        Some(SqlValue::Null) => "NULL",
        Some(SqlValue::Integer(_)) => "an integer",
        Some(SqlValue::Text(_)) => "a text",
        Some(SqlValue::Bytes(_)) => "bytes",
    };
    StatementError::new(format!("column {column} is {found}, not {wanted}"))
}

/// The database refused a statement of the host. The transaction goes on without it.
#[derive(Debug, Clone, Error)]
#[error("a statement of the host was refused: {context}")]
pub struct StatementError {
    context: String,
    is_duplicate: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StatementError {
    /// An error with a description. For stores.
    pub fn new(context: impl Into<String>) -> Self {
        Self {
            context: context.into(),
            is_duplicate: false,
            source: None,
        }
    }

    /// The same because of a key that exists already.
    #[must_use]
    pub const fn duplicate(mut self, is_duplicate: bool) -> Self {
        self.is_duplicate = is_duplicate;
        self
    }

    /// The same with the database's own error.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Whether a row with the same unique key exists already.
    #[must_use]
    pub const fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }
}

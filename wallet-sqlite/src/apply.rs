//! Applies requests in the open transaction of a connection, and leaves it open.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Clock;
use wallet_core::store::{Applied, ApplyError, StoreErrorKind};

use crate::commit::decide_and_write;
use crate::deferred::{Books, Cache};
use crate::error::During;
use crate::file::OpenFile;

const SAVE: &str = "SAVEPOINT wallet_apply";
const RELEASE: &str = "RELEASE wallet_apply";
const UNDO: &str = "ROLLBACK TO wallet_apply; RELEASE wallet_apply";

/// What becomes of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusals {
    /// It is recorded with the host's commit.
    Record,
    /// The whole call is rolled back.
    RollBack,
}

/// What a store needs to apply requests on a connection to its file.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) clock: Arc<dyn Clock>,
    /// How far time may run ahead for requests inside a host's transaction.
    pub(crate) max_ahead: Duration,
    /// The path that the driver reports for a connection to the file.
    pub(crate) path: String,
    pub(crate) file: Arc<OpenFile>,
    pub(crate) deltas: Arc<Cache>,
}

impl Ledger {
    /// Applies `requests` in the open transaction of `connection`.
    pub(crate) fn apply(
        &self,
        connection: &Connection,
        requests: &[Arc<PreparedRequest>],
        refusals: Refusals,
    ) -> Result<Applied, ApplyError> {
        self.same_file(connection)?;
        let batch = Batch::with_max_ahead(requests.to_vec(), self.max_ahead);
        if batch.requests().len() != requests.len() {
            return Err(invalid("two requests have the same key").into());
        }
        connection
            .execute_batch(SAVE)
            .during("setting a savepoint")
            .map_err(|error| after_error(connection, error))?;
        // The host may still roll back what is read here, so nothing is cached. Nothing is
        // deferred either, so every visible delta is committed.
        let books = self.deltas.books(connection);
        let decided = books.and_then(|books: Books<'_>| {
            decide_and_write(&books, self.clock.as_ref(), &batch, None, usize::MAX)
        });
        let applied = decided
            .map(|decision| Applied::new(decision.decided, decision.changes.accepted))
            .map_err(ApplyError::from)
            .and_then(|applied| {
                if refusals == Refusals::RollBack {
                    applied.accepted()?;
                }
                let released = connection.execute_batch(RELEASE);
                released.during("releasing a savepoint")?;
                Ok(applied)
            });
        applied.map_err(|error| undo(connection, error))
    }

    /// Requests for another file would be decided on other books.
    fn same_file(&self, connection: &Connection) -> Result<(), StoreError> {
        if connection.path() != Some(self.path.as_str()) {
            return Err(invalid("the host's connection is to another file"));
        }
        self.file.check()
    }
}

/// Rolls back the part that was applied.
fn undo(connection: &Connection, error: ApplyError) -> ApplyError {
    if !connection.is_autocommit() && connection.execute_batch(UNDO).is_err() {
        // A part may still be there. It must not be committed.
        crate::lock::roll_back(connection);
    }
    match error {
        ApplyError::Store(error) => after_error(connection, error),
        _ if connection.is_autocommit() => ApplyError::TransactionLost(None),
        error => error,
    }
}

/// Whether the transaction survived an error of a statement.
pub(crate) fn after_error(connection: &Connection, error: StoreError) -> ApplyError {
    if connection.is_autocommit() {
        ApplyError::TransactionLost(Some(error))
    } else {
        ApplyError::Store(error)
    }
}

fn invalid(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}

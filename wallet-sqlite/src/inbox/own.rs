//! Inside a transaction of the consumer's own.

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position};
use wallet_core::messaging::InboxStep;

use super::SqliteInbox;
use crate::error::{ApplyError, Result};

impl SqliteInbox {
    /// Creates the table in the database of `connection`, where it is not there,
    /// inside the transaction that is under way, if one is.
    ///
    /// # Errors
    /// `Conflict` when somebody else keeps the write lock; any other of SQLite's.
    pub fn create_in(connection: &Connection) -> Result<()> {
        if super::exists(connection)? {
            return Ok(());
        }
        super::create(connection)
    }

    /// Where a consumer stands with an account, as the transaction under way sees
    /// it; [`Position::START`] where it has seen nothing.
    ///
    /// # Errors
    /// `Invalid` for a name of more than 128 bytes or none; any other of SQLite's.
    pub fn position_in(
        connection: &Connection,
        consumer: &str,
        account: AccountKey,
    ) -> Result<Position> {
        InboxStep::validate_consumer(consumer)?;
        super::position(connection, consumer, account)
    }

    /// Records a step inside the transaction under way on `connection`, as
    /// [`Inbox::advance`](wallet_core::messaging::Inbox::advance) does in one of its own:
    /// committed or rolled back with the effect of the event. Where it answers
    /// `false` the event was seen before, and the effect is to be rolled back.
    ///
    /// The step comes first, or last: in a transaction that was begun as
    /// `IMMEDIATE` nobody else can come between. Another kind fails with
    /// `Conflict` when somebody else has written since it first read.
    ///
    /// SQLite throws a whole transaction away on some errors, and commits what
    /// comes after it on its own. A step is never recorded without a transaction;
    /// a [`HostTransaction`](crate::HostTransaction) keeps the effect from it too.
    ///
    /// # Errors
    /// - [`ApplyError::TransactionLost`]: no transaction is under way, or SQLite
    ///   has just thrown it away.
    /// - [`ApplyError::Store`]: the step is not recorded, and the transaction is as
    ///   it was. `Invalid` as in `advance`; `Conflict`: somebody else keeps the
    ///   write lock, or has written meanwhile: roll back and begin again.
    ///
    /// ```
    /// use wallet_core::{AccountId, LedgerId};
    /// use wallet_core::ledger::{Epoch, InLedger, Position};
    /// use wallet_core::messaging::InboxStep;
    /// use wallet_sqlite::rusqlite::Connection;
    /// use wallet_sqlite::{HostTransaction, SqliteInbox};
    ///
    /// let mut connection = Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE mail (id INTEGER PRIMARY KEY, words TEXT)")?;
    /// SqliteInbox::create_in(&connection)?;
    ///
    /// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
    /// let first = Position::new(Epoch::FIRST, 1);
    /// let step = InboxStep { account, from: Position::START, to: first };
    /// for is_first in [true, false] {
    ///     let transaction = HostTransaction::begin(&mut connection)?;
    ///     let own = transaction.connection()?;
    ///     let was_moved = SqliteInbox::advance_in(own, "mailer", &step)?;
    ///     assert_eq!(was_moved, is_first);
    ///     if was_moved {
    ///         own.execute("INSERT INTO mail (words) VALUES ('welcome')", ())?;
    ///         transaction.commit()?;
    ///     } else {
    ///         transaction.rollback()?;
    ///     }
    /// }
    /// assert_eq!(SqliteInbox::position_in(&connection, "mailer", account)?, first);
    /// let mails: i64 = connection.query_row("SELECT count(*) FROM mail", (), |row| row.get(0))?;
    /// assert_eq!(mails, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn advance_in(
        connection: &Connection,
        consumer: &str,
        step: &InboxStep,
    ) -> std::result::Result<bool, ApplyError> {
        step.validate(consumer)?;
        if connection.is_autocommit() {
            return Err(ApplyError::TransactionLost(None));
        }
        let moved = super::advance(connection, consumer, step);
        moved.map_err(|error: StoreError| crate::host::after_error(connection, error))
    }
}

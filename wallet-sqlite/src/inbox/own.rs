//! Records a step in a transaction of the consumer.

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position};
use wallet_core::messaging::InboxStep;

use super::SqliteInbox;
use crate::error::Result;
use wallet_core::store::ApplyError;

impl SqliteInbox {
    /// Creates the tables in the database of `connection` if they are missing. Uses the
    /// open transaction, if there is one.
    ///
    /// # Errors
    /// `Conflict`: another connection holds the write lock. Also any other error of SQLite.
    pub fn create_in(connection: &Connection) -> Result<()> {
        super::SCHEMA.ensure(connection)
    }

    /// A consumer's position for an account, as the open transaction sees it. It is
    /// [`Position::START`] if the consumer has seen nothing.
    ///
    /// # Errors
    /// `Invalid`: the name is empty or longer than 128 bytes. Also any other error of
    /// SQLite.
    pub fn position_in(
        connection: &Connection,
        consumer: &str,
        account: AccountKey,
    ) -> Result<Position> {
        InboxStep::validate_consumer(consumer)?;
        super::position(connection, consumer, account)
    }

    /// Records a step inside the open transaction on `connection`. It follows the rules of
    /// [`Inbox::advance`](wallet_core::messaging::Inbox::advance). The step is committed or
    /// rolled back with the effect of the event. If it returns `false`, the event was seen
    /// before; roll the effect back.
    ///
    /// Record the step first or last. In a transaction begun as `IMMEDIATE`, no other
    /// commit can come between. Any other transaction fails with `Conflict` if another
    /// connection has written since its first read.
    ///
    /// SQLite rolls back a whole transaction on some errors, and commits later statements
    /// on their own. A step is never recorded without a transaction. A
    /// [`HostTransaction`](crate::HostTransaction) protects the effect in the same way.
    ///
    /// # Errors
    /// - [`ApplyError::TransactionLost`]: no transaction is open, or SQLite has just rolled
    ///   it back.
    /// - [`ApplyError::Store`]: the step is not recorded, and the transaction is as it was.
    ///   `Invalid` as in `advance`. `Conflict`: another connection holds the write lock, or
    ///   has written meanwhile; roll back and begin again.
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
        moved.map_err(|error: StoreError| crate::apply::after_error(connection, error))
    }
}

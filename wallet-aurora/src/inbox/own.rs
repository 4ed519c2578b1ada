//! Inside a transaction of the consumer's own.

use std::time::Duration;

use sqlx::MySqlConnection;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position};
use wallet_core::messaging::InboxStep;
use wallet_core::store::StoreErrorKind;

use super::{AuroraInbox, EXISTS, ask, create, record, told};
use crate::error::{ApplyError, Doing, Failed, Result, code};
use crate::host::{PACKET_BYTES, in_transaction};
use crate::run::{Answers, Runner};
use crate::sql::Script;

const SAVE: &str = "SAVEPOINT wallet_inbox";
/// Fails where no transaction is under way, since a savepoint ends with the one of
/// its statement there.
const RELEASE: &str = "RELEASE SAVEPOINT wallet_inbox";

impl AuroraInbox {
    /// Creates the table in the database of `connection`, where it is not there.
    ///
    /// # Errors
    /// `Invalid` when a transaction is under way, which creating would commit; any
    /// other of the server's.
    pub async fn create_in(connection: &mut MySqlConnection) -> Result<()> {
        let exists = Script::of("looking for the inbox", EXISTS);
        match run(connection, &exists).await {
            Ok(_) => return Ok(()),
            Err(failed) if failed.code == Some(code::NO_TABLE) => {}
            Err(failed) => return Err(failed.error),
        }
        if in_transaction(connection).await? {
            let context = "a transaction is under way on the connection";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        run(connection, &create()).await?;
        Ok(())
    }

    /// Where a consumer stands with an account, as the transaction under way sees
    /// it; [`Position::START`] where it has seen nothing. It locks nothing, and at REPEATABLE READ
    /// it may be older than what a step is judged by.
    ///
    /// # Errors
    /// `Invalid` for a name of more than 128 bytes or none; any other of the
    /// server's.
    pub async fn position_in(
        connection: &mut MySqlConnection,
        consumer: &str,
        account: AccountKey,
    ) -> Result<Position> {
        InboxStep::validate_consumer(consumer)?;
        let (script, statements) = ask(consumer, &[account]);
        let mut answers = run(connection, &script).await?;
        let found = told(&mut answers, statements)?;
        Ok(found.get(&account).copied().unwrap_or_default())
    }

    /// Records a step inside the transaction under way on `connection`, as
    /// [`Inbox::advance`](wallet_core::messaging::Inbox::advance) does in one of its own:
    /// committed or rolled back with the effect of the event. Where it answers
    /// `false` the event was seen before, and the effect is to be rolled back.
    ///
    /// `connection` may be sqlx's own transaction (`&mut transaction`), or that of a
    /// [`HostTransaction`](crate::HostTransaction). A step is judged by what is
    /// committed, whatever the transaction saw before, at any isolation; at
    /// REPEATABLE READ it locks its neighbours too, so READ COMMITTED is better.
    ///
    /// Whoever records the same step at the same time waits here until this
    /// transaction ends, as long as its session waits for locks: let the step come
    /// first, keep the transaction short, and after `false` roll back at once
    /// (sqlx's transaction, when dropped, rolls back at the next use of its
    /// connection). It never retries. When the future is dropped before its end,
    /// drop the transaction.
    ///
    /// The server throws a whole transaction away on some errors, and commits what
    /// comes after it on its own. A step is never recorded without a transaction;
    /// for the effect, drop the transaction whenever anything in it failed.
    ///
    /// A lost answer to the consumer's own `COMMIT` is no answer: the event comes
    /// again, and is seen or not.
    ///
    /// # Errors
    /// - [`ApplyError::TransactionLost`]: no transaction is under way, or the
    ///   server has thrown it away (a deadlock, a lost connection).
    /// - [`ApplyError::Store`]: the step is not recorded, and the transaction is as
    ///   it was. `Invalid` as in `advance`; `Conflict`: somebody kept the lock for
    ///   too long; `Internal`: there is no table.
    ///
    /// ```no_run
    /// use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection};
    /// use wallet_aurora::AuroraInbox;
    /// use wallet_core::messaging::InboxStep;
    ///
    /// # async fn send(step: InboxStep) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut connection = MySqlConnection::connect("mysql://mail:secret@localhost/mail").await?;
    /// let mut transaction = connection.begin().await?;
    /// if AuroraInbox::advance_in(&mut transaction, "mailer", &step).await? {
    ///     transaction.execute("INSERT INTO mail (words) VALUES ('welcome')").await?;
    ///     transaction.commit().await?;
    /// } else {
    ///     transaction.rollback().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn advance_in(
        connection: &mut MySqlConnection,
        consumer: &str,
        step: &InboxStep,
    ) -> std::result::Result<bool, ApplyError> {
        step.validate(consumer)?;
        let mut script = Script::of("setting a savepoint", SAVE);
        script.fixed(Doing::Work, "asking for a transaction", RELEASE);
        record(&mut script, consumer, step);
        match run(connection, &script).await {
            Ok(mut answers) => {
                answers.skip(2);
                Ok(answers.changed() == 1)
            }
            // The statement alone is undone.
            Err(failed) if failed.is_duplicate() => Ok(false),
            Err(failed) => Err(after(connection, failed).await),
        }
    }
}

/// Whether the transaction outlived a failure: a server may be set up to roll all
/// of it back when a lock is not given.
async fn after(connection: &mut MySqlConnection, failed: Failed) -> ApplyError {
    let is_over =
        failed.ended_transaction() || !matches!(in_transaction(connection).await, Ok(true));
    if is_over {
        ApplyError::TransactionLost(Some(failed.error))
    } else {
        ApplyError::Store(failed.error)
    }
}

/// The consumer says how long to wait, by its session's settings.
async fn run(
    connection: &mut MySqlConnection,
    script: &Script,
) -> std::result::Result<Answers, Failed> {
    let mut runner = Runner {
        connection,
        answer_wait: Duration::MAX,
        packet_bytes: PACKET_BYTES,
        is_limit: false,
    };
    runner.run(script).await
}

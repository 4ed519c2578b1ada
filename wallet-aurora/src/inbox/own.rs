//! Records a step in a transaction of the consumer.

use std::time::Duration;

use sqlx::MySqlConnection;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position};
use wallet_core::messaging::InboxStep;
use wallet_core::store::StoreErrorKind;

use super::{AuroraInbox, EXISTS, ask, create, decode_positions, record};
use crate::error::{Doing, Failed, Result, code};
use crate::host::{PACKET_BYTES, in_transaction};
use crate::run::{Answers, Runner};
use crate::sql::Script;
use wallet_core::store::ApplyError;

const SAVE: &str = "SAVEPOINT wallet_inbox";
/// Fails if no transaction is open, because then a savepoint ends with its own statement.
const RELEASE: &str = "RELEASE SAVEPOINT wallet_inbox";

impl AuroraInbox {
    /// Creates the tables in the database of `connection` if they are missing.
    ///
    /// # Errors
    /// `Invalid`: a transaction is open, which creating the tables would commit. Also any
    /// other error of the server.
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

    /// A consumer's position for an account, as the open transaction sees it. It is
    /// [`Position::START`] if the consumer has seen nothing. The method locks nothing. At
    /// REPEATABLE READ the position may be older than the one that a step is judged by.
    ///
    /// # Errors
    /// `Invalid`: the name is empty or longer than 128 bytes. Also any other error of the
    /// server.
    pub async fn position_in(
        connection: &mut MySqlConnection,
        consumer: &str,
        account: AccountKey,
    ) -> Result<Position> {
        InboxStep::validate_consumer(consumer)?;
        let (script, statements) = ask(consumer, &[account]);
        let mut answers = run(connection, &script).await?;
        let found = decode_positions(&mut answers, statements)?;
        Ok(found.get(&account).copied().unwrap_or_default())
    }

    /// Records a step inside the open transaction on `connection`. It follows the rules of
    /// [`Inbox::advance`](wallet_core::messaging::Inbox::advance). The step is committed or
    /// rolled back with the effect of the event. If it returns `false`, the event was seen
    /// before; roll the effect back.
    ///
    /// `connection` may be sqlx's own transaction (`&mut transaction`), or that of a
    /// [`HostTransaction`](crate::HostTransaction). The step is judged by committed data at
    /// any isolation level, whatever the transaction has read before. At REPEATABLE READ it
    /// also locks neighbouring rows, so READ COMMITTED is better.
    ///
    /// A second caller that records the same step waits here until this transaction ends.
    /// It waits as long as its session waits for locks. Record the step first, keep the
    /// transaction short, and roll back at once after `false`. A dropped transaction of
    /// sqlx rolls back when its connection is used next. The method never retries. If the
    /// future is dropped before it ends, drop the transaction.
    ///
    /// The server rolls back a whole transaction on some errors, and commits later
    /// statements on their own. A step is never recorded without a transaction. To protect
    /// the effect, drop the transaction whenever anything in it failed.
    ///
    /// If the answer to the consumer's own `COMMIT` is lost, the outcome is unknown. The
    /// event is delivered again, and the inbox shows whether it was seen.
    ///
    /// # Errors
    /// - [`ApplyError::TransactionLost`]: no transaction is open, or the server has rolled
    ///   it back (a deadlock, a lost connection).
    /// - [`ApplyError::Store`]: the step is not recorded, and the transaction is as it was.
    ///   `Invalid` as in `advance`. `Conflict`: another transaction held the lock for too
    ///   long. `Internal`: a table is missing.
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
            // The server has undone only this statement.
            Err(failed) if failed.is_duplicate() => Ok(false),
            Err(failed) => Err(after(connection, failed).await),
        }
    }
}

/// Whether the transaction survived a failure. Some servers are set up to roll back all of
/// it when a lock wait times out.
async fn after(connection: &mut MySqlConnection, failed: Failed) -> ApplyError {
    let is_over =
        failed.ended_transaction() || !matches!(in_transaction(connection).await, Ok(true));
    if is_over {
        ApplyError::TransactionLost(Some(failed.error))
    } else {
        ApplyError::Store(failed.error)
    }
}

/// Waits as long as the settings of the consumer's session allow.
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

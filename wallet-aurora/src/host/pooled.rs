//! A connection of the store with an open transaction of the host.

use sqlx::MySqlConnection;

use crate::connect::Wait;
use crate::error::{Doing, Failed, Result, code};
use crate::pool::PooledConnection;
use crate::run::Row;
use crate::sql::Script;

/// Exists as long as the transaction does. Whatever ends a transaction removes it, even a
/// statement that begins the next one (`COMMIT AND CHAIN`).
const SAVE: &str = "SAVEPOINT wallet_host";
const RELEASE: &str = "RELEASE SAVEPOINT wallet_host";
const LEVEL: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Variables of a session that a host may change, and on which other users of the
/// connection rely.
const VARIABLES: [&str; 17] = [
    "sql_mode",
    "autocommit",
    "completion_type",
    "sql_safe_updates",
    "sql_select_limit",
    "innodb_lock_wait_timeout",
    "lock_wait_timeout",
    "wait_timeout",
    "net_read_timeout",
    "net_write_timeout",
    "foreign_key_checks",
    "unique_checks",
    "time_zone",
    "character_set_client",
    "character_set_connection",
    "character_set_results",
    "collation_connection",
];

/// A connection of the store with an open transaction.
#[derive(Debug)]
pub(super) struct Pooled {
    connection: PooledConnection,
    /// The session as it was before the host's statements.
    session: Session,
    /// Whether the session is the same after the end of the transaction.
    is_same: bool,
    /// Whether the session may have something that cannot be compared.
    is_marked: bool,
}

/// The values of a session's variables.
type Session = Vec<Option<Vec<u8>>>;

impl Pooled {
    pub(super) async fn begin(connection: PooledConnection) -> Result<Self> {
        let mut connection = connection.for_a(Wait::Long);
        let mut script = Script::default();
        ask_session(&mut script, Doing::Work);
        script.begin();
        script.fixed(Doing::Work, "setting a savepoint", SAVE);
        let begun = connection.run(&script).await;
        match begun.and_then(|mut answers| Ok(session(&answers.row()?)?)) {
            Ok(session) => Ok(Self {
                connection,
                session,
                is_same: false,
                is_marked: false,
            }),
            Err(failed) => {
                connection.note(failed.code);
                Err(failed.error)
            }
        }
    }

    /// Commits, if the transaction is still the one that was begun. Returns whether it is.
    pub(super) async fn commit(&mut self) -> Result<bool> {
        let mut script = Script::of("releasing a savepoint", RELEASE);
        script.commit();
        // An error behind `COMMIT` does not mean that nothing was committed.
        match self.end(script, Doing::Commit).await {
            Ok(()) => Ok(true),
            Err(failed) if failed.code == Some(code::NO_SAVEPOINT) => Ok(false),
            Err(failed) => Err(failed.error),
        }
    }

    /// Rolls back. Returns whether the transaction was still the one that was begun.
    pub(super) async fn roll_back(&mut self) -> Result<bool> {
        let mut script = Script::of("releasing a savepoint", RELEASE);
        script.fixed(Doing::Work, "rolling back", "ROLLBACK");
        match self.end(script, Doing::Work).await {
            Ok(()) => Ok(true),
            Err(failed) if failed.code == Some(code::NO_SAVEPOINT) => Ok(false),
            Err(failed) => Err(failed.error),
        }
    }

    /// Keeps the connection from being used again: a statement may have left something in
    /// its session that [`VARIABLES`] do not show.
    pub(super) const fn mark(&mut self) {
        self.is_marked = true;
    }

    /// Runs `script`, which ends the transaction, and compares the session.
    async fn end(&mut self, mut script: Script, doing: Doing) -> std::result::Result<(), Failed> {
        script.fixed(doing, "setting a session up", LEVEL);
        let before = script.steps.len();
        ask_session(&mut script, doing);
        let mut answers = match self.connection.run(&script).await {
            Ok(answers) => answers,
            Err(failed) => {
                self.connection.note(failed.code);
                return Err(failed);
            }
        };
        answers.skip(before);
        let after = answers.row().and_then(|row| session(&row));
        self.is_same = after.is_ok_and(|after| after == self.session);
        Ok(())
    }

    /// Returns the connection to the pool after the end of the transaction. Closes it if the
    /// host has changed its session.
    pub(super) fn give_back(self) {
        if self.is_same && !self.is_marked {
            self.connection.give_back();
        }
    }

    pub(super) fn connection(&mut self) -> Option<&mut MySqlConnection> {
        self.connection.connection()
    }

    pub(super) fn note(&self, code: Option<u16>) {
        self.connection.note(code);
    }
}

fn ask_session(script: &mut Script, doing: Doing) {
    script.step(doing, "reading a session", |sql| {
        sql.raw("SELECT DATABASE()");
        for name in VARIABLES {
            sql.raw(", @@").raw(name);
        }
    });
}

fn session(row: &Row) -> Result<Session> {
    let columns = 0..=VARIABLES.len();
    let value = |column| Ok(row.optional(column)?.map(<[u8]>::to_vec));
    columns.map(value).collect()
}

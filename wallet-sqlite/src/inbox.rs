//! A consumer's inbox. This module records each step in its own transaction. [`own`]
//! records a step in the consumer's transaction.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::messaging::{Inbox, InboxStep};

use crate::SqliteSettings;
use crate::epoch::of_number;
use crate::error::{During, Result};
use crate::statement::prepare;
use crate::tables::{Schema, Tables};
use crate::value::{column, ledger_number, time_column};

mod own;

const SCHEMA: Schema = Schema {
    table: "wallet_inbox",
    create: include_str!("../migrations/inbox.sql"),
    thread: "wallet-inbox",
    missing: "the file holds no inbox: create it first",
};
const POSITION: &str =
    "SELECT epoch, version FROM wallet_inbox WHERE consumer = ? AND ledger = ? AND account = ?";
const BEGIN: &str = "
    INSERT INTO wallet_inbox (consumer, ledger, account, epoch, version) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (consumer, ledger, account) DO NOTHING";
const MOVE: &str = "
    UPDATE wallet_inbox SET epoch = ?4, version = ?5
    WHERE consumer = ?1 AND ledger = ?2 AND account = ?3 AND epoch = ?6 AND version = ?7";

const RESTORES: &str = "
    SELECT epoch, restored_to FROM wallet_inbox_restore WHERE consumer = ? ORDER BY epoch";
const NOTE: &str = "
    INSERT INTO wallet_inbox_restore (consumer, epoch, restored_to) VALUES (?, ?, ?)
    ON CONFLICT (consumer, epoch)
    DO UPDATE SET restored_to = min(restored_to, excluded.restored_to)";

/// The events that consumers have seen, in one SQLite file. It may be the ledger's file,
/// the consumer's, or a separate one.
///
/// It needs only the tables `wallet_inbox` and `wallet_inbox_restore`. Other tables in the
/// file stay unchanged. A new file gets a write-ahead log. Any number of inboxes, in this
/// process or in others, may use the same file (with an old SQLite, or with
/// [`SqliteSettings::guard_log`], in this process only). One thread owns the connection. Dropping
/// the inbox ends the thread after its queued work.
///
/// A file with a rollback journal keeps it. If a host, or a store that adopts the file, turns
/// write-ahead logging on while an inbox has the file open, calls fail with `Unavailable` until
/// the inbox is opened again.
///
/// Each step is recorded in its own transaction. If the effect of an event is written to
/// the same file, use [`SqliteInbox::advance_in`]. It records the step in the same
/// transaction. Both are committed, or neither.
///
/// ```
/// use wallet_core::{AccountId, LedgerId};
/// use wallet_core::ledger::{Epoch, InLedger, Position};
/// use wallet_core::messaging::{Inbox, InboxStep};
/// use wallet_sqlite::{SqliteInbox, SqliteSettings};
///
/// let folder = tempfile::tempdir()?;
/// let inbox = SqliteInbox::open(&SqliteSettings::new(folder.path().join("mail.db")))?;
/// # wallet_testkit::block_on(async {
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let first = Position::new(Epoch::FIRST, 1);
/// let step = InboxStep { account, from: Position::START, to: first };
/// assert!(inbox.advance("mailer", &step).await?);
/// assert!(!inbox.advance("mailer", &step).await?, "seen before");
/// assert_eq!(inbox.positions("mailer", &[account]).await?, [first]);
/// # Ok::<(), wallet_core::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteInbox {
    tables: Tables,
}

impl SqliteInbox {
    /// Opens the file and creates it if the settings allow it. Creates the tables unless
    /// the settings disable migration. Other settings that apply: the wait for the lock, the
    /// pages between checkpoints, the size of the page cache, and the guard of the log. The
    /// file may hold other tables of any application. Blocks while it opens.
    ///
    /// # Errors
    /// - `Internal`: a setting is out of range; the file has several names (hard links); or
    ///   the tables are missing and the settings disable creating them.
    /// - `Corrupt`: the file is no database at all.
    /// - `Conflict`, `Unavailable`: the file is locked, or cannot be opened. `Conflict` also if
    ///   another process guards the log (see [`SqliteSettings::guard_log`]).
    pub fn open(settings: &SqliteSettings) -> Result<Self> {
        let tables = Tables::open(settings, &SCHEMA)?;
        Ok(Self { tables })
    }
}

#[async_trait]
impl Inbox for SqliteInbox {
    async fn positions(&self, consumer: &str, accounts: &[AccountKey]) -> Result<Vec<Position>> {
        InboxStep::validate_consumer(consumer)?;
        let (consumer, accounts) = (consumer.to_owned(), accounts.to_vec());
        let read = self.tables.read(move |state| {
            let each = accounts.into_iter();
            each.map(|account| position(state, &consumer, account))
                .collect()
        });
        read.await
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool> {
        step.validate(consumer)?;
        let (consumer, step) = (consumer.to_owned(), *step);
        let moved = self
            .tables
            .write(move |open| advance(open, &consumer, &step));
        moved.await
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>> {
        InboxStep::validate_consumer(consumer)?;
        let consumer = consumer.to_owned();
        let read = self.tables.read(move |state| restores(state, &consumer));
        read.await
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<()> {
        InboxStep::validate_consumer(consumer)?;
        let (consumer, restore) = (consumer.to_owned(), *restore);
        let noted = self.tables.write(move |open| {
            let (epoch, at) = (restore.epoch.as_i64(), restore.restored_to.as_micros());
            let noted = prepare(open, NOTE)?.execute((consumer, epoch, at));
            noted.during("noting a restore").map(drop)
        });
        noted.await
    }
}

fn restores(connection: &Connection, consumer: &str) -> Result<Vec<Restore>> {
    let context = "reading restores";
    let mut statement = prepare(connection, RESTORES)?;
    let mut rows = statement.query((consumer,)).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        found.push(Restore {
            epoch: of_number(column(row, 0)?)?,
            restored_to: time_column(row, 1)?,
        });
    }
    Ok(found)
}

fn position(connection: &Connection, consumer: &str, account: AccountKey) -> Result<Position> {
    let (ledger, id) = (ledger_number(account.ledger), account.id);
    let found = prepare(connection, POSITION)?
        .query_row((consumer, ledger, id.as_bytes()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional();
    match found.during("reading a position")? {
        Some((epoch, version)) => Ok(Position::new(of_number(epoch)?, version)),
        None => Ok(Position::START),
    }
}

/// Moves the position if it is where the valid `step` begins. Returns whether it moved.
fn advance(connection: &Connection, consumer: &str, step: &InboxStep) -> Result<bool> {
    let (ledger, id) = (ledger_number(step.account.ledger), step.account.id);
    let id = id.as_bytes();
    let (from, to) = (step.from, step.to);
    let (epoch, version) = (to.epoch.as_i64(), to.version);
    let changed = if from == Position::START {
        prepare(connection, BEGIN)?.execute((consumer, ledger, id, epoch, version))
    } else {
        let before = (from.epoch.as_i64(), from.version);
        let row = (consumer, ledger, id, epoch, version, before.0, before.1);
        prepare(connection, MOVE)?.execute(row)
    };
    Ok(changed.during("moving a position")? == 1)
}

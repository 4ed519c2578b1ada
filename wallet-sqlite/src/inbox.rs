//! A consumer's inbox. This module records each step in its own transaction. [`own`]
//! records a step in the consumer's transaction.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::store::StoreErrorKind;

use crate::checkpoint::Checkpoints;
use crate::commit::{in_file, in_transaction, read_in_file};
use crate::epoch::of_number;
use crate::error::{During, Result};
use crate::file::OpenFile;
use crate::guard::Guard;
use crate::statement::prepare;
use crate::threads::Threads;
use crate::value::{column, ledger_number, time_column};
use crate::{SqliteSettings, checkpoint, connect};

mod own;

const CREATE: &str = include_str!("../migrations/inbox.sql");
const EXISTS: &str = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'wallet_inbox'";
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
/// process or in others, may use the same file. One thread owns the connection. Dropping
/// the inbox ends the thread after its queued work.
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
    thread: Threads,
    file: Arc<OpenFile>,
    /// The guard of the log, if it needs one.
    guard: Option<Arc<Guard>>,
    /// Runs beside a guard only.
    checkpoints: Option<Checkpoints>,
}

impl SqliteInbox {
    /// Opens the file and creates it if the settings allow it. Creates the tables unless
    /// the settings disable migration. Three other settings apply: the wait for the lock,
    /// the pages between checkpoints, and the size of the page cache. The file may hold
    /// other tables of any application. Blocks while it opens.
    ///
    /// # Errors
    /// - `Internal`: a setting is out of range, or the tables are missing and the settings
    ///   disable creating them.
    /// - `Corrupt`: the file is no database at all.
    /// - `Conflict`, `Unavailable`: the file is locked, or cannot be opened.
    pub fn open(settings: &SqliteSettings) -> Result<Self> {
        let opened = connect::inbox(settings)?;
        let (connection, file, guard) = (opened.connection, opened.file, opened.guard);
        if !exists(&connection)? {
            if !settings.migrate {
                let context = "the file holds no inbox: create it first";
                return Err(StoreError::new(StoreErrorKind::Internal, context));
            }
            in_transaction(&connection, Duration::ZERO, create)?;
        }
        let thread = Threads::start("wallet-inbox", vec![connection])?;
        let file = Arc::new(file);
        let pages = settings.checkpoint_pages;
        let checkpoints = match &guard {
            // SQLite runs a checkpoint in the commit that fills the log.
            None => None,
            Some(guard) => {
                let (beside, file) = (connect::reader(settings)?, Arc::clone(&file));
                let guard = Some(Arc::clone(guard));
                Some(Checkpoints::start(beside, file, &thread, pages, guard)?)
            }
        };
        Ok(Self {
            thread,
            file,
            guard,
            checkpoints,
        })
    }
}

impl Drop for SqliteInbox {
    fn drop(&mut self) {
        self.checkpoints = None;
        let (file, guard) = (Arc::clone(&self.file), self.guard.take());
        self.thread.post(move |connection| {
            checkpoint::end(&file, connection, guard.as_deref());
            drop(guard);
        });
        self.thread.end();
    }
}

#[async_trait]
impl Inbox for SqliteInbox {
    async fn positions(&self, consumer: &str, accounts: &[AccountKey]) -> Result<Vec<Position>> {
        InboxStep::validate_consumer(consumer)?;
        let (consumer, accounts) = (consumer.to_owned(), accounts.to_vec());
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| {
            read_in_file(&file, connection, |state| {
                let each = accounts.into_iter();
                each.map(|account| position(state, &consumer, account))
                    .collect()
            })
        };
        self.thread.run(work).await
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool> {
        step.validate(consumer)?;
        let (consumer, step) = (consumer.to_owned(), *step);
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| {
            // SQLite itself waits for the lock.
            in_file(&file, connection, Duration::ZERO, |open| {
                advance(open, &consumer, &step)
            })
        };
        self.thread.run(work).await
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>> {
        InboxStep::validate_consumer(consumer)?;
        let consumer = consumer.to_owned();
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| {
            read_in_file(&file, connection, |state| restores(state, &consumer))
        };
        self.thread.run(work).await
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<()> {
        InboxStep::validate_consumer(consumer)?;
        let (consumer, restore) = (consumer.to_owned(), *restore);
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| {
            in_file(&file, connection, Duration::ZERO, |open| {
                let (epoch, at) = (restore.epoch.as_i64(), restore.restored_to.as_micros());
                let noted = prepare(open, NOTE)?.execute((consumer, epoch, at));
                noted.during("noting a restore").map(drop)
            })
        };
        self.thread.run(work).await
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

fn exists(connection: &Connection) -> Result<bool> {
    let found = connection.query_row(EXISTS, (), |row| row.get::<_, i64>(0));
    Ok(found.during("looking for the inbox")? > 0)
}

fn create(connection: &Connection) -> Result<()> {
    connection
        .execute_batch(CREATE)
        .during("creating the inbox")
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

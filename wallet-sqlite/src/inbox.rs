//! A consumer's inbox: in transactions of its own here, inside the consumer's in
//! [`own`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use wallet_core::{AccountKey, Inbox, InboxStep, StoreError, StoreErrorKind, Version};

use crate::commit::{in_file, in_transaction};
use crate::error::{During, Result};
use crate::file::OpenFile;
use crate::read::prepare;
use crate::threads::Threads;
use crate::value::ledger_number;
use crate::{SqliteSettings, connect};

mod own;

const CREATE: &str = include_str!("../migrations/inbox.sql");
const EXISTS: &str = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'wallet_inbox'";
const POSITION: &str =
    "SELECT version FROM wallet_inbox WHERE consumer = ? AND ledger = ? AND account = ?";
const BEGIN: &str = "
    INSERT INTO wallet_inbox (consumer, ledger, account, version) VALUES (?, ?, ?, ?)
    ON CONFLICT (consumer, ledger, account) DO NOTHING";
const MOVE: &str = "
    UPDATE wallet_inbox SET version = ?4
    WHERE consumer = ?1 AND ledger = ?2 AND account = ?3 AND version = ?5";

/// What consumers have seen, in one SQLite file: the ledger's, the consumer's own,
/// or one for itself.
///
/// The table `wallet_inbox` is all that it needs; a file that holds other tables
/// is left as it is otherwise, one that is new gets a write-ahead log. Any number
/// of inboxes, in this process or in others, may use the same file. One thread
/// owns the connection; dropping the inbox ends it once its queued work is done.
///
/// This records a step in a transaction of its own. Where the effect of an event
/// is written to the same file, [`SqliteInbox::advance_in`] records its step in
/// the same transaction, and both happen or neither.
///
/// ```
/// use wallet_core::{AccountId, Inbox, InboxStep, InLedger, LedgerId};
/// use wallet_sqlite::{SqliteInbox, SqliteSettings};
///
/// let folder = tempfile::tempdir()?;
/// let inbox = SqliteInbox::open(&SqliteSettings::new(folder.path().join("mail.db")))?;
/// # wallet_core::testkit::block_on(async {
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let step = InboxStep { account, from: 0, to: 1 };
/// assert!(inbox.advance("mailer", &step).await?);
/// assert!(!inbox.advance("mailer", &step).await?, "seen before");
/// assert_eq!(inbox.positions("mailer", &[account]).await?, [1]);
/// # Ok::<(), wallet_core::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteInbox {
    thread: Threads,
    file: Arc<OpenFile>,
}

impl SqliteInbox {
    /// Opens the file, creating it where the settings allow it, and creates the
    /// table unless they say not to migrate. Of the rest it uses the wait for the
    /// lock, the pages between checkpoints and the size of the cache; whose tables
    /// the file holds besides does not matter to it. Blocks while it does.
    ///
    /// # Errors
    /// - `Internal`: there is no table, and the settings say not to create it.
    /// - `Corrupt`: the file is no database at all.
    /// - `Conflict`, `Unavailable`: it is locked, or cannot be opened.
    pub fn open(settings: &SqliteSettings) -> Result<Self> {
        let (connection, file) = connect::inbox(settings)?;
        if !exists(&connection)? {
            if !settings.migrate {
                let context = "the file holds no inbox: create it first";
                return Err(StoreError::new(StoreErrorKind::Internal, context));
            }
            in_transaction(&connection, Duration::ZERO, create)?;
        }
        let thread = Threads::start("wallet-inbox", vec![connection])?;
        let file = Arc::new(file);
        Ok(Self { thread, file })
    }
}

#[async_trait]
impl Inbox for SqliteInbox {
    async fn positions(&self, consumer: &str, accounts: &[AccountKey]) -> Result<Vec<Version>> {
        InboxStep::validate_consumer(consumer)?;
        let (consumer, accounts) = (consumer.to_owned(), accounts.to_vec());
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| {
            // Dropping it ends it: there is nothing to commit.
            let state = Transaction::new(connection, TransactionBehavior::Deferred);
            let state = state.during("beginning to read")?;
            file.check()?;
            let each = accounts.into_iter();
            each.map(|account| position(&state, &consumer, account))
                .collect()
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

fn position(connection: &Connection, consumer: &str, account: AccountKey) -> Result<Version> {
    let (ledger, id) = (ledger_number(account.ledger), account.id);
    let found = prepare(connection, POSITION)?
        .query_row((consumer, ledger, id.as_bytes()), |row| row.get(0))
        .optional();
    Ok(found.during("reading a position")?.unwrap_or(0))
}

/// Whether the position stood where the valid `step` begins; it is moved then.
fn advance(connection: &Connection, consumer: &str, step: &InboxStep) -> Result<bool> {
    let (ledger, id) = (ledger_number(step.account.ledger), step.account.id);
    let id = id.as_bytes();
    let changed = if step.from == 0 {
        prepare(connection, BEGIN)?.execute((consumer, ledger, id, step.to))
    } else {
        prepare(connection, MOVE)?.execute((consumer, ledger, id, step.to, step.from))
    };
    Ok(changed.during("moving a position")? == 1)
}

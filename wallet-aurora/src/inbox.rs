//! A consumer's inbox. This module records each step in its own transaction. [`own`]
//! records a step in the consumer's transaction.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::ledger::{AccountKey, InLedger, Position, Restore};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, StoreError};

use crate::connect::Wait;
use crate::connect::{Role, Target};
use crate::error::{Doing, Failed, Result, code};
use crate::pool::{Pool, PooledConnection, Purpose};
use crate::run::{Answers, Row};
use crate::sql::{Script, Sql};
use crate::{AuroraSettings, epoch};

mod own;

const CREATE: &str = include_str!("../migrations/inbox.sql");
const EXISTS: &str = "
    SELECT i.epoch, i.version, r.restored_to
    FROM wallet_inbox i, wallet_inbox_restore r WHERE FALSE";
const POSITIONS: &str = "
    SELECT ledger, account, epoch, version FROM wallet_inbox FORCE INDEX (PRIMARY) WHERE consumer = ";
const BEGIN: &str = "INSERT INTO wallet_inbox (consumer, ledger, account, epoch, version) VALUES (";
const MOVE: &str = "UPDATE wallet_inbox SET epoch = ";

/// The most accounts in one statement. It fits into the smallest packet.
const ASKED_AT_ONCE: usize = 256;
/// The most tries of a step that the server rolled back because of a deadlock.
const TRIES: usize = 5;

/// The events that consumers have seen, in one database of Aurora MySQL, MySQL or MariaDB.
/// It may be the ledger's database or the consumer's.
///
/// It needs only the tables `wallet_inbox` and `wallet_inbox_restore`. Any number of
/// inboxes, in this process or in others, may use the same database. Like an
/// [`AuroraStore`](crate::AuroraStore), it has its own connection pool and needs tokio with
/// its I/O and time drivers.
///
/// Each step is recorded in its own transaction: one packet that includes its `COMMIT`. A
/// deadlock is retried. A lock that another transaction holds for too long is a `Conflict`.
/// A lost connection is `Indeterminate` and is not retried: a second try could not
/// distinguish its own first try from another consumer's step.
///
/// If the effect of an event is written to the same database, use
/// [`AuroraInbox::advance_in`]. It records the step in the same transaction. Both are
/// committed, or neither.
///
/// ```no_run
/// use wallet_aurora::{AuroraInbox, AuroraSettings};
/// use wallet_core::{AccountId, LedgerId};
/// use wallet_core::ledger::{Epoch, InLedger, Position};
/// use wallet_core::messaging::{Inbox, InboxStep};
///
/// # async fn see() -> Result<(), wallet_core::StoreError> {
/// let settings = AuroraSettings::new("mysql://mail:secret@localhost/mail");
/// let inbox = AuroraInbox::open(&settings).await?;
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let first = Position::new(Epoch::FIRST, 1);
/// let step = InboxStep { account, from: Position::START, to: first };
/// assert!(inbox.advance("mailer", &step).await?);
/// assert!(!inbox.advance("mailer", &step).await?, "seen before");
/// assert_eq!(inbox.positions("mailer", &[account]).await?, [first]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AuroraInbox {
    pool: Arc<Pool>,
}

impl AuroraInbox {
    /// Connects to the settings' writer. Creates the tables if they are missing, unless the
    /// settings disable migration.
    ///
    /// # Errors
    /// - `Internal`: a setting or the address is not valid, access is denied, or the tables
    ///   are missing and the settings disable creating them.
    /// - `Unavailable`: the server cannot be reached, or is read-only.
    pub async fn open(settings: &AuroraSettings) -> Result<Self> {
        let target = Target::new(&settings.writer, Role::Writer, settings)?;
        let pool = Pool::new(target, settings);
        let connection = pool.acquire(Purpose::Commit).await?;
        let mut connection = connection.for_a(Wait::Migration);
        let found = find(&mut connection, settings.migrate).await;
        connection.end(found).await?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl Inbox for AuroraInbox {
    async fn positions(&self, consumer: &str, accounts: &[AccountKey]) -> Result<Vec<Position>> {
        InboxStep::validate_consumer(consumer)?;
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let (script, statements) = ask(consumer, accounts);
        let mut connection = self.pool.acquire(Purpose::Read).await?;
        let answers = connection.run(&script).await;
        let mut answers = connection.end(answers).await?;
        let found = decode_positions(&mut answers, statements)?;
        let position = |account| found.get(account).copied().unwrap_or_default();
        Ok(accounts.iter().map(position).collect())
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool> {
        step.validate(consumer)?;
        let mut connection = self.pool.acquire(Purpose::Commit).await?;
        let moved = advance(&mut connection, consumer, step).await;
        connection.end(moved).await
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>> {
        InboxStep::validate_consumer(consumer)?;
        let mut script = Script::default();
        script.work("reading restores", |sql| {
            sql.raw("SELECT epoch, restored_to FROM wallet_inbox_restore WHERE consumer = ");
            sql.text(consumer).raw(" ORDER BY epoch");
        });
        let mut connection = self.pool.acquire(Purpose::Read).await?;
        let answers = connection.run(&script).await;
        let rows = connection.end(answers).await?.rows();
        let restore = |row: &Row| {
            Ok(Restore {
                epoch: epoch::of_row(row, 0)?,
                restored_to: row.time(1)?,
            })
        };
        rows.iter().map(restore).collect()
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<()> {
        InboxStep::validate_consumer(consumer)?;
        let mut script = Script::default();
        script.begin();
        script.work("noting a restore", |sql| {
            sql.raw("INSERT INTO wallet_inbox_restore (consumer, epoch, restored_to) VALUES (");
            sql.text(consumer).raw(",").int(restore.epoch.as_i64());
            sql.raw(",").time(restore.restored_to);
            sql.raw(") ON DUPLICATE KEY UPDATE");
            sql.raw(" restored_to = LEAST(restored_to, VALUES(restored_to))");
        });
        script.commit();
        let mut connection = self.pool.acquire(Purpose::Commit).await?;
        let noted = connection.run(&script).await.map(drop);
        connection.end(noted).await
    }
}

/// Checks first whether the tables exist. `CREATE TABLE` on an existing table would wait
/// for a change of its schema. It also needs a right that a consumer need not have.
async fn find(
    connection: &mut PooledConnection,
    may_create: bool,
) -> std::result::Result<(), Failed> {
    match connection
        .run(&Script::of("looking for the inbox", EXISTS))
        .await
    {
        Ok(_) => Ok(()),
        Err(failed) if failed.code == Some(code::NO_TABLE) && may_create => {
            connection.run(&create()).await.map(drop)
        }
        Err(failed) if failed.code == Some(code::NO_TABLE) => {
            let context = "the database holds no inbox: create it first";
            Err(StoreError::new(StoreErrorKind::Internal, context).into())
        }
        Err(failed) => Err(failed),
    }
}

/// The statements that create the tables.
fn create() -> Script {
    let mut script = Script::default();
    for statement in crate::migrate::statements(CREATE) {
        script.fixed(Doing::Work, "creating the inbox", statement);
    }
    script
}

/// Asks for positions. Returns the script and its number of statements.
fn ask(consumer: &str, accounts: &[AccountKey]) -> (Script, usize) {
    let mut keys = accounts.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let mut script = Script::default();
    for keys in keys.chunks(ASKED_AT_ONCE) {
        script.work("reading positions", |sql| {
            sql.raw(POSITIONS).text(consumer).raw(" AND ");
            sql.keyed("ledger", "account", keys, |key| {
                (key.ledger, *key.id.as_bytes())
            });
        });
    }
    let statements = script.steps.len();
    (script, statements)
}

fn decode_positions(
    answers: &mut Answers,
    statements: usize,
) -> Result<HashMap<AccountKey, Position>> {
    let mut found = HashMap::new();
    for _ in 0..statements {
        for row in answers.rows() {
            let id = row.id(1, AccountId::from_bytes)?;
            let position = Position::new(epoch::of_row(&row, 2)?, row.number(3)?);
            found.insert(InLedger::new(row.ledger(0)?, id), position);
        }
    }
    Ok(found)
}

async fn advance(
    connection: &mut PooledConnection,
    consumer: &str,
    step: &InboxStep,
) -> std::result::Result<bool, Failed> {
    let mut script = Script::default();
    script.begin();
    record(&mut script, consumer, step);
    script.commit();
    let mut tries: usize = 0;
    loop {
        tries = tries.saturating_add(1);
        match connection.run(&script).await {
            Ok(mut answers) => {
                answers.skip(1);
                return Ok(answers.changed() == 1);
            }
            // The open transaction waits to be ended.
            Err(failed) if failed.is_duplicate() => {
                connection
                    .run(&Script::of("rolling back", "ROLLBACK"))
                    .await?;
                return Ok(false);
            }
            Err(failed) if failed.code == Some(code::DEADLOCK) && tries < TRIES => {}
            Err(failed) => return Err(failed),
        }
    }
}

/// Adds the statement that records a step. It changes one row or none. For the first row of
/// an account it may also fail with a duplicate key.
fn record(script: &mut Script, consumer: &str, step: &InboxStep) {
    let (ledger, id) = (step.account.ledger, step.account.id);
    let (from, to) = (step.from, step.to);
    if from == Position::START {
        script.step(Doing::Insert, "recording a first step", |sql: &mut Sql| {
            sql.raw(BEGIN).text(consumer).raw(",").ledger(ledger);
            sql.raw(",").bytes(id.as_bytes());
            sql.raw(",").int(to.epoch.as_i64());
            sql.raw(",").int(to.version).raw(")");
        });
    } else {
        script.work("recording a step", |sql| {
            sql.raw(MOVE).int(to.epoch.as_i64());
            sql.raw(", version = ").int(to.version);
            sql.raw(" WHERE consumer = ").text(consumer);
            sql.raw(" AND ledger = ").ledger(ledger);
            sql.raw(" AND account = ").bytes(id.as_bytes());
            sql.raw(" AND epoch = ").int(from.epoch.as_i64());
            sql.raw(" AND version = ").int(from.version);
        });
    }
}

//! A consumer's inbox: in transactions of its own here, inside the consumer's in
//! [`own`].

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::ledger::{AccountKey, InLedger, Position, Restore};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, StoreError};

use crate::connect::{Role, Target};
use crate::error::{Doing, Failed, Result, code};
use crate::pool::{Lent, Pool, Purpose, Wait};
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

/// Of how many accounts one statement asks: it fits into the smallest packet.
const ASKED_AT_ONCE: usize = 256;
/// How often a step is tried that the server chose as the victim of a deadlock.
const TRIES: usize = 5;

/// What consumers have seen, in one database of Aurora MySQL, MySQL or MariaDB:
/// the ledger's, or the consumer's own.
///
/// The tables `wallet_inbox` and `wallet_inbox_restore` are all that it needs. Any
/// number of inboxes, in this process or in others, may use the same database. It has
/// connections of its own, as an [`AuroraStore`](crate::AuroraStore) has, and like that needs tokio with
/// its I/O and time drivers.
///
/// This records a step in a transaction of its own, one packet with its `COMMIT`.
/// A deadlock is tried again; a lock that somebody keeps for too long is a
/// `Conflict`. A connection lost on the way is `Indeterminate`, and nothing is
/// tried again: a second try could not tell its own first one from somebody
/// else's step.
///
/// Where the effect of an event is written to the same database,
/// [`AuroraInbox::advance_in`] records its step in the same transaction, and both
/// happen or neither.
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
    /// Connects to the settings' writer, and creates the table where it is not
    /// there, unless they say not to migrate.
    ///
    /// # Errors
    /// - `Internal`: the address is not valid, access is denied, or there is no
    ///   table and the settings say not to create it.
    /// - `Unavailable`: the server cannot be reached, or is read-only.
    pub async fn open(settings: &AuroraSettings) -> Result<Self> {
        let target = Target::new(&settings.writer, Role::Writer, settings)?;
        let pool = Pool::new(target, settings);
        let lent = pool.lend(Purpose::Commit).await?;
        let mut lent = lent.for_a(Wait::Migration);
        let found = find(&mut lent, settings.migrate).await;
        lent.end(found).await?;
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
        let mut lent = self.pool.lend(Purpose::Read).await?;
        let answers = lent.run(&script).await;
        let mut answers = lent.end(answers).await?;
        let found = told(&mut answers, statements)?;
        let position = |account| found.get(account).copied().unwrap_or_default();
        Ok(accounts.iter().map(position).collect())
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool> {
        step.validate(consumer)?;
        let mut lent = self.pool.lend(Purpose::Commit).await?;
        let moved = advance(&mut lent, consumer, step).await;
        lent.end(moved).await
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>> {
        InboxStep::validate_consumer(consumer)?;
        let mut script = Script::default();
        script.work("reading restores", |sql| {
            sql.raw("SELECT epoch, restored_to FROM wallet_inbox_restore WHERE consumer = ");
            sql.text(consumer).raw(" ORDER BY epoch");
        });
        let mut lent = self.pool.lend(Purpose::Read).await?;
        let answers = lent.run(&script).await;
        let rows = lent.end(answers).await?.rows();
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
        let mut lent = self.pool.lend(Purpose::Commit).await?;
        let noted = lent.run(&script).await.map(drop);
        lent.end(noted).await
    }
}

/// Looks first: to create a table that is there would still wait for whoever
/// changes it, and asks for a right that a consumer need not have.
async fn find(lent: &mut Lent, may_create: bool) -> std::result::Result<(), Failed> {
    match lent.run(&Script::of("looking for the inbox", EXISTS)).await {
        Ok(_) => Ok(()),
        Err(failed) if failed.code == Some(code::NO_TABLE) && may_create => {
            lent.run(&create()).await.map(drop)
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

/// Asks for positions, in so many statements.
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

fn told(answers: &mut Answers, statements: usize) -> Result<HashMap<AccountKey, Position>> {
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
    lent: &mut Lent,
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
        match lent.run(&script).await {
            Ok(mut answers) => {
                answers.skip(1);
                return Ok(answers.changed() == 1);
            }
            // What was begun waits for its end.
            Err(failed) if failed.is_duplicate() => {
                lent.run(&Script::of("rolling back", "ROLLBACK")).await?;
                return Ok(false);
            }
            Err(failed) if failed.code == Some(code::DEADLOCK) && tries < TRIES => {}
            Err(failed) => return Err(failed),
        }
    }
}

/// Adds the statement that records a step: it changes one row, or none, or the
/// first one of an account is a duplicate.
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

//! The schema's numbered steps, forward only, each recorded with a checksum.
//! A change of schema commits by itself here, so every statement of a step may
//! be run again: a step that was cut off is run from its beginning.

use sha2::{Digest, Sha256};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::clock::NOW;
use crate::error::{Doing, Failed, Result, code};
use crate::pool::PooledConnection;
use crate::run::Answers;
use crate::sql::Script;

/// One step: its number, its name, what it runs.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 2] = [
    Migration {
        version: 1,
        name: "ledger",
        sql: include_str!("../migrations/0001_ledger.sql"),
    },
    Migration {
        version: 2,
        name: "outbox",
        sql: include_str!("../migrations/0002_outbox.sql"),
    },
];

const CREATE: &str = "
    CREATE TABLE IF NOT EXISTS wallet_migration (
        version    INT            NOT NULL PRIMARY KEY,
        name       VARBINARY(128) NOT NULL,
        checksum   BINARY(32)     NOT NULL,
        applied_at BIGINT         NOT NULL
    ) ENGINE = InnoDB";
const APPLIED: &str = "SELECT version, checksum FROM wallet_migration ORDER BY version";
/// Names this database's lock among all those of the server.
const LOCK_NAME: &str = "CONCAT('wallet:', LEFT(SHA2(DATABASE(), 256), 40))";

/// Brings the schema up to date; whoever else tries waits.
pub(crate) async fn run(connection: &mut PooledConnection) -> std::result::Result<(), Failed> {
    let mut lock = Script::default();
    // Somewhat shorter than an answer is waited for.
    let most = connection.waits().as_secs().saturating_sub(5).max(1);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    lock.work("waiting for another migration", |sql| {
        sql.raw("SELECT GET_LOCK(").raw(LOCK_NAME).raw(", ");
        sql.int(most).raw(")");
    });
    let granted: Option<i64> = connection.run(&lock).await?.row()?.optional_number(0)?;
    if granted != Some(1) {
        let context = "another migration is under way";
        return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
    }
    let done = steps(connection).await;
    let mut unlock = Script::default();
    unlock.work("ending a migration", |sql| {
        sql.raw("SELECT RELEASE_LOCK(").raw(LOCK_NAME).raw(")");
    });
    let unlocked = connection.run(&unlock).await;
    done.and(unlocked.map(drop))
}

async fn steps(connection: &mut PooledConnection) -> std::result::Result<(), Failed> {
    let mut script = Script::of("creating the table of migrations", CREATE);
    script.fixed(Doing::Work, "reading migrations", APPLIED);
    let mut answers = connection.run(&script).await?;
    answers.skip(1);
    let applied = verified(&mut answers)?;
    for step in MIGRATIONS.iter().skip(applied) {
        let mut script = Script::default();
        for statement in statements(step.sql) {
            script.fixed(Doing::Work, "running a migration", statement);
        }
        script.work("recording a migration", |sql| {
            sql.raw("INSERT INTO wallet_migration (version, name, checksum, applied_at) VALUES (");
            sql.int(step.version).raw(",").text(step.name).raw(",");
            sql.bytes(&checksum(step)).raw(",").raw(NOW).raw(")");
        });
        connection.run(&script).await?;
    }
    Ok(())
}

/// Refuses a schema that is not exactly this release's.
pub(crate) async fn check(connection: &mut PooledConnection) -> std::result::Result<(), Failed> {
    let script = Script::of("reading migrations", APPLIED);
    let applied = match connection.run(&script).await {
        Ok(mut answers) => verified(&mut answers)?,
        Err(failed) if failed.code == Some(code::NO_TABLE) => 0,
        Err(failed) => return Err(failed),
    };
    if applied < MIGRATIONS.len() {
        return Err(refused("the schema is older than this release: migrate first").into());
    }
    Ok(())
}

/// How many of the known steps were applied, in order and unchanged.
fn verified(answers: &mut Answers) -> Result<usize> {
    let rows = answers.rows();
    if rows.len() > MIGRATIONS.len() {
        return Err(refused("the schema is newer than this release"));
    }
    for (row, step) in rows.iter().zip(&MIGRATIONS) {
        if row.number::<i64>(0)? != step.version || row.array::<32>(1)? != checksum(step) {
            return Err(refused(
                "a migration that was applied is not this release's",
            ));
        }
    }
    Ok(rows.len())
}

/// The statements of a file: none holds a semicolon but at its end.
pub(crate) fn statements(sql: &'static str) -> impl Iterator<Item = &'static str> {
    sql.split(";\n")
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn checksum(step: &Migration) -> [u8; 32] {
    Sha256::digest(step.sql).into()
}

fn refused(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, context)
}

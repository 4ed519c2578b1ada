//! Schema migrations: numbered steps, forward only, each recorded with a checksum.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use crate::error::{During, Result};

/// One step: its number, its name and its SQL.
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
        version    INTEGER PRIMARY KEY,
        name       TEXT    NOT NULL,
        checksum   BLOB    NOT NULL,
        applied_at INTEGER NOT NULL
    ) STRICT";
const EXISTS: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'wallet_migration'";
const APPLIED: &str = "SELECT version, checksum FROM wallet_migration ORDER BY version";
const RECORD: &str =
    "INSERT INTO wallet_migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)";

/// Brings the schema up to date inside the open transaction.
pub(crate) fn run(connection: &Connection, now: Timestamp) -> Result<()> {
    connection
        .execute_batch(CREATE)
        .during("creating the table of migrations")?;
    let applied = verified(connection)?;
    for step in MIGRATIONS.iter().skip(applied) {
        connection
            .execute_batch(step.sql)
            .during("running a migration")?;
        let row = params![step.version, step.name, checksum(step), now.as_micros()];
        connection
            .execute(RECORD, row)
            .during("recording a migration")?;
    }
    Ok(())
}

/// Refuses a schema that does not exactly match this release.
pub(crate) fn check(connection: &Connection) -> Result<()> {
    let exists: i64 = connection
        .query_row(EXISTS, (), |row| row.get(0))
        .during("looking for the table of migrations")?;
    let applied = if exists == 0 {
        0
    } else {
        verified(connection)?
    };
    if applied < MIGRATIONS.len() {
        return Err(refused(
            "the schema is older than this release: migrate first",
        ));
    }
    Ok(())
}

/// How many of the known steps were applied, in order and unchanged.
fn verified(connection: &Connection) -> Result<usize> {
    let mut statement = connection.prepare(APPLIED).during("reading migrations")?;
    let rows = statement
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .during("reading migrations")?;
    let rows: Vec<(i64, [u8; 32])> = rows;
    if rows.len() > MIGRATIONS.len() {
        return Err(refused("the schema is newer than this release"));
    }
    for ((version, sum), step) in rows.iter().zip(&MIGRATIONS) {
        if *version != step.version || *sum != checksum(step) {
            return Err(refused(
                "a migration that was applied is not this release's",
            ));
        }
    }
    Ok(rows.len())
}

fn checksum(step: &Migration) -> [u8; 32] {
    Sha256::digest(step.sql).into()
}

fn refused(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, context)
}

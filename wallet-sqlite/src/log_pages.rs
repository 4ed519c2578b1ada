//! Checkpoints of one connection: pages of the log that are not in the file yet.

use rusqlite::Connection;

/// Only counts.
pub(crate) const LOG: &str = "PRAGMA wal_checkpoint(NOOP)";
/// The first version of SQLite that has this mode. Earlier ones run a passive checkpoint.
pub(crate) const HAS_NOOP: i32 = 3_051_000;
pub(crate) const CARRY_OVER: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(crate) const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Copies the log into the file, except pages that a reader still needs.
pub(crate) fn copy(connection: &Connection) {
    pages_left(connection, CARRY_OVER);
}

/// Runs a checkpoint. Returns how many pages of the log are not in the file afterwards. If
/// it cannot run now, the next one makes up for it.
pub(crate) fn pages_left(connection: &Connection, sql: &str) -> i64 {
    let counts = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row((), |row| Ok((row.get(1)?, row.get(2)?))));
    counts.map_or(0, |(log, carried): (i64, i64)| log.saturating_sub(carried))
}

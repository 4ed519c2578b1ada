//! Deleting what has served its time.

use rusqlite::{Connection, params};
use wallet_core::Timestamp;

use crate::deferred::{Books, fold_all};
use crate::error::{During, Result};
use crate::read::{Old, oldest, prepare};

const UNTIL: &str = "SELECT until FROM wallet_purge WHERE number = 0";
const SET_UNTIL: &str = "UPDATE wallet_purge SET until = ? WHERE number = 0";
const DELETE_RECORD: &str = "DELETE FROM wallet_record WHERE ledger = ? AND hash = ?";
const DELETE_REFUSAL: &str = "DELETE FROM wallet_journal WHERE id = ?";
const DELETE_DELIVERED: &str = "
    DELETE FROM wallet_outbox WHERE state = 1 AND id IN
        (SELECT id FROM wallet_outbox WHERE state = 1 AND created_at <= ?
         ORDER BY id LIMIT ?)";

/// Deletes at most `limit` records written at or before `bound`, the oldest
/// first; refusals go with them, what was accepted stays in the journal.
pub(crate) fn records(books: &Books<'_>, bound: Timestamp, limit: u32) -> Result<u64> {
    let context = "deleting old records";
    let until: i64 = prepare(books, UNTIL)?
        .query_row((), |row| row.get(0))
        .during("asking how far the purge is")?;
    let old = oldest(books, until, bound, limit)?;
    let Some(last) = old.last() else {
        return Ok(0);
    };
    // Only where no large commit came for as long as keys are kept.
    if books.pieces.tell_until(last.journal) {
        fold_all(books)?;
    }
    let mut deleted: u64 = 0;
    let mut delete_record = prepare(books, DELETE_RECORD)?;
    let mut delete_refusal = prepare(books, DELETE_REFUSAL)?;
    for Old {
        journal,
        ledger,
        hash,
        is_refused,
    } in &old
    {
        let count = delete_record.execute(params![ledger, hash]);
        let count = u64::try_from(count.during(context)?).unwrap_or_default();
        deleted = deleted.saturating_add(count);
        if *is_refused {
            delete_refusal.execute((journal,)).during(context)?;
        }
    }
    prepare(books, SET_UNTIL)?
        .execute((last.journal,))
        .during(context)?;
    Ok(deleted)
}

/// Deletes at most `limit` delivered outbox rows written at or before `bound`.
pub(crate) fn delivered(connection: &Connection, bound: Timestamp, limit: u32) -> Result<u64> {
    let count = prepare(connection, DELETE_DELIVERED)?
        .execute((bound.as_micros(), limit))
        .during("deleting delivered events")?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

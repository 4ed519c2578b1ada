//! Deleting what has served its time.

use rusqlite::{Connection, OptionalExtension};
use wallet_core::Timestamp;

use crate::deferred::{Books, fold_all};
use crate::error::{During, Result};
use crate::read::prepare;

const OLDEST: &str = "
    SELECT last_id, first_id, rejected_id FROM wallet_batch
    WHERE written_at <= ? ORDER BY written_at, last_id LIMIT 1";
const DELETE_RECORDS: &str = "
    DELETE FROM wallet_record WHERE (ledger, hash) IN
        (SELECT ledger, hash FROM wallet_journal WHERE id BETWEEN ? AND ?)";
const DELETE_REFUSALS: &str = "DELETE FROM wallet_journal WHERE id BETWEEN ? AND ?";
const SHORTEN_BATCH: &str = "UPDATE wallet_batch SET first_id = ?2 WHERE last_id = ?1";
const DELETE_BATCH: &str = "DELETE FROM wallet_batch WHERE last_id = ?";
const DELETE_DELIVERED: &str = "
    DELETE FROM wallet_outbox WHERE id IN
        (SELECT id FROM wallet_outbox WHERE is_complete = 1 AND created_at <= ?
         ORDER BY id LIMIT ?)";

/// Deletes at most `limit` records written at or before `bound`, batch by
/// batch, the oldest first; refusals go with them, what was accepted stays in
/// the journal.
pub(crate) fn records(books: &Books<'_>, bound: Timestamp, limit: u32) -> Result<u64> {
    let context = "deleting old records";
    let mut left = i64::from(limit);
    let mut deleted: u64 = 0;
    let mut is_folded = false;
    while left > 0 {
        let oldest: Option<(i64, i64, i64)> = prepare(books, OLDEST)?
            .query_row((bound.as_micros(),), |row| row.try_into())
            .optional()
            .during("finding old records")?;
        let Some((last, first, rejected)) = oldest else {
            break;
        };
        let whole = last.saturating_sub(first).saturating_add(1);
        let until = first.saturating_add(left.min(whole)).saturating_sub(1);
        // Only where no large commit came for as long as keys are kept.
        if !is_folded && books.pieces.tell_until(until) {
            fold_all(books)?;
            is_folded = true;
        }
        let count = prepare(books, DELETE_RECORDS)?
            .execute((first, until))
            .during(context)?;
        prepare(books, DELETE_REFUSALS)?
            .execute((first.max(rejected), until))
            .during(context)?;
        let rest = if until == last {
            prepare(books, DELETE_BATCH)?.execute((last,))
        } else {
            prepare(books, SHORTEN_BATCH)?.execute((last, until.saturating_add(1)))
        };
        rest.during(context)?;
        left = left.saturating_sub(whole);
        deleted = deleted.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok(deleted)
}

/// Deletes at most `limit` delivered outbox rows written at or before `bound`.
pub(crate) fn delivered(connection: &Connection, bound: Timestamp, limit: u32) -> Result<u64> {
    let count = prepare(connection, DELETE_DELIVERED)?
        .execute((bound.as_micros(), limit))
        .during("deleting delivered events")?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

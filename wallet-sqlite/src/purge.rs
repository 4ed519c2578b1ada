//! Deletes expired rows.

use rusqlite::{Connection, params};
use wallet_core::Timestamp;
use wallet_core::ledger::RecordKey;

use crate::deferred::{Books, fold_all};
use crate::error::{During, Result};
use crate::read::{Old, count_old, oldest, record};
use crate::statement::prepare;
use crate::value::{ledger, ledger_number};

const UNTIL: &str = "SELECT until FROM wallet_purge WHERE number = 0";
const SET_UNTIL: &str = "UPDATE wallet_purge SET until = ? WHERE number = 0";
// A key that was deleted early may be used again by another journal row.
const DELETE_RECORD: &str =
    "DELETE FROM wallet_record WHERE ledger = ? AND hash = ? AND journal = ?";
const DELETE_ITEM: &str = "DELETE FROM wallet_record WHERE ledger = ? AND hash = ?";
const DELETE_REFUSAL: &str = "DELETE FROM wallet_journal WHERE id = ?";
const COUNT_DELIVERED: &str = "
    SELECT count(*) FROM
        (SELECT 1 FROM wallet_outbox WHERE state = 1 AND created_at <= ? LIMIT ?)";
const DELETE_DELIVERED: &str = "
    DELETE FROM wallet_outbox WHERE state = 1 AND id IN
        (SELECT id FROM wallet_outbox WHERE state = 1 AND created_at <= ?
         ORDER BY id LIMIT ?)";

/// Counts the records written at or before `bound`, up to `limit`.
pub(crate) fn count_records(connection: &Connection, bound: Timestamp, limit: u32) -> Result<u64> {
    count_old(connection, until(connection)?, bound, limit)
}

fn until(connection: &Connection) -> Result<i64> {
    prepare(connection, UNTIL)?
        .query_row((), |row| row.get(0))
        .during("asking how far the purge is")
}

/// Deletes at most `limit` records written at or before `bound`, the oldest first. It
/// deletes refusals too. Accepted outcomes stay in the journal.
pub(crate) fn records(books: &Books<'_>, bound: Timestamp, limit: u32) -> Result<u64> {
    let context = "deleting old records";
    let mut old = oldest(books, until(books)?, bound, limit)?;
    let items = old_items(books, &mut old, bound, limit)?;
    let Some(last) = old.last() else {
        return Ok(0);
    };
    // This happens only if no large commit came during the whole retention of keys.
    if books.deltas.point_until(last.journal) || !items.is_empty() {
        fold_all(books)?;
    }
    let mut deleted: u64 = 0;
    let mut delete_item = prepare(books, DELETE_ITEM)?;
    for key in items {
        let count = delete_item.execute(params![ledger_number(key.ledger), key.hash]);
        let count = u64::try_from(count.during(context)?).unwrap_or_default();
        deleted = deleted.saturating_add(count);
    }
    let mut delete_record = prepare(books, DELETE_RECORD)?;
    let mut delete_refusal = prepare(books, DELETE_REFUSAL)?;
    for Old {
        journal,
        ledger,
        hash,
        is_refused,
        ..
    } in &old
    {
        let count = delete_record.execute(params![ledger, hash, journal]);
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

/// The keys of the items of the bulk requests among `old`. `old` is cut before the first
/// bulk request with an item later than `bound`. It is also cut so that all of it is at
/// most `limit` keys, or one bulk request.
fn old_items(
    books: &Books<'_>,
    old: &mut Vec<Old>,
    bound: Timestamp,
    limit: u32,
) -> Result<Vec<RecordKey>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut keys = Vec::new();
    let mut cut = old.len();
    for (index, row) in old.iter().enumerate() {
        let Some(items) = row.items else { continue };
        let key = RecordKey {
            ledger: ledger(row.ledger)?,
            hash: row.hash,
        };
        let before = keys.len();
        let mut is_old = true;
        for item in (0..items).map(|item| key.item(item)) {
            if let Some(record) = record(books, item)? {
                is_old &= record.outcome.at <= bound;
                keys.push(item);
            }
        }
        if !is_old || (index > 0 && keys.len().saturating_add(index) >= limit) {
            keys.truncate(before);
            cut = index;
            break;
        }
    }
    old.truncate(cut);
    Ok(keys)
}

/// Counts the delivered outbox rows written at or before `bound`, up to `limit`.
pub(crate) fn count_delivered(
    connection: &Connection,
    bound: Timestamp,
    limit: u32,
) -> Result<u64> {
    let count: i64 = prepare(connection, COUNT_DELIVERED)?
        .query_row((bound.as_micros(), limit), |row| row.get(0))
        .during("counting delivered events")?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Deletes at most `limit` delivered outbox rows written at or before `bound`.
pub(crate) fn delivered(connection: &Connection, bound: Timestamp, limit: u32) -> Result<u64> {
    let count = prepare(connection, DELETE_DELIVERED)?
        .execute((bound.as_micros(), limit))
        .during("deleting delivered events")?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

//! Reads of the journal: records by key, and the outcomes of a commit.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use wallet_core::ledger::{Fingerprint, Record, RecordKey};
use wallet_core::store::codec::decode_outcome;
use wallet_core::{LedgerId, Outcome, Timestamp};

use crate::deferred::Books;
use crate::error::{During, Result, corrupt, undecodable};
use crate::statement::prepare;
use crate::value::{column, ledger, ledger_number};

const RECORD: &str = "SELECT journal FROM wallet_record WHERE ledger = ? AND hash = ?";
const OUTCOME: &str = "SELECT ledger, outcome, links, fingerprint FROM wallet_journal WHERE id = ?";
const BEHIND: &str = "
    SELECT id, ledger, hash, outcome FROM wallet_journal WHERE id > ? ORDER BY id LIMIT ?";
const RANGE: &str = "
    SELECT ledger, outcome, id FROM wallet_journal WHERE id BETWEEN ? AND ? ORDER BY id";

/// The record of a key.
pub(crate) fn record(books: &Books<'_>, key: RecordKey) -> Result<Option<Record>> {
    record_at(books, key, books.deltas.key(key))
}

/// The record of a key. The key is deferred if its journal row is given.
pub(super) fn record_at(
    books: &Books<'_>,
    key: RecordKey,
    deferred: Option<i64>,
) -> Result<Option<Record>> {
    let journal = match deferred {
        Some(journal) => journal,
        None => match find(books, key)? {
            Some(journal) => journal,
            None => return Ok(None),
        },
    };
    let row = journal_row(books, journal)?;
    Ok(Some(Record {
        key,
        fingerprint: row.fingerprint,
        outcome: Arc::new(row.outcome),
    }))
}

/// The journal row of a key that is not deferred.
fn find(connection: &Connection, key: RecordKey) -> Result<Option<i64>> {
    let context = "reading a record";
    let ledger = ledger_number(key.ledger);
    let mut statement = prepare(connection, RECORD)?;
    let mut rows = statement.query(params![ledger, key.hash]).during(context)?;
    let row = rows.next().during(context)?;
    row.map(|row| column(row, 0)).transpose()
}

/// A row of the journal.
pub(super) struct JournalRow {
    pub(super) outcome: Outcome,
    pub(super) links: Vec<u8>,
    fingerprint: Fingerprint,
}

/// Row `id` of the journal.
pub(super) fn journal_row(connection: &Connection, id: i64) -> Result<JournalRow> {
    let context = "reading the journal";
    let mut statement = prepare(connection, OUTCOME)?;
    let mut rows = statement.query((id,)).during(context)?;
    let row = rows.next().during(context)?;
    let row = row.ok_or_else(|| corrupt("a row of the journal is missing"))?;
    let ledger = ledger(column(row, 0)?)?;
    Ok(JournalRow {
        outcome: outcome_column(row, 1, ledger, id)?,
        links: column(row, 2)?,
        fingerprint: Fingerprint::from_bytes(column(row, 3)?),
    })
}

/// The outcomes of one commit, in the order of their decisions.
pub(crate) fn outbox_outcomes(
    connection: &Connection,
    first: i64,
    last: i64,
) -> Result<Vec<(LedgerId, Arc<Outcome>)>> {
    let context = "reading the journal";
    let mut statement = prepare(connection, RANGE)?;
    let mut rows = statement.query((first, last)).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let ledger = ledger(column(row, 0)?)?;
        found.push((
            ledger,
            Arc::new(outcome_column(row, 1, ledger, column(row, 2)?)?),
        ));
    }
    Ok(found)
}

/// A journal row with an expired key.
pub(crate) struct Old {
    pub(crate) journal: i64,
    pub(crate) ledger: i64,
    pub(crate) hash: [u8; 16],
    pub(crate) is_refused: bool,
    /// The number of items of a bulk request.
    pub(crate) items: Option<u32>,
}

/// The first rows after `after`, up to `limit`. Stops at the first row later than `bound`.
pub(crate) fn oldest(
    connection: &Connection,
    after: i64,
    bound: Timestamp,
    limit: u32,
) -> Result<Vec<Old>> {
    let context = "reading the journal";
    let mut statement = prepare(connection, BEHIND)?;
    let mut rows = statement.query((after, limit)).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let (id, number) = (column(row, 0)?, column(row, 1)?);
        let outcome = outcome_column(row, 3, ledger(number)?, id)?;
        if outcome.at > bound {
            break;
        }
        found.push(Old {
            journal: id,
            ledger: number,
            hash: column(row, 2)?,
            is_refused: outcome.result.is_err(),
            items: outcome.bulk_items(),
        });
    }
    Ok(found)
}

/// How many rows follow `after`, up to `limit`. Stops at the first row later than `bound`.
pub(crate) fn count_old(
    connection: &Connection,
    after: i64,
    bound: Timestamp,
    limit: u32,
) -> Result<u64> {
    let context = "counting the journal";
    let mut statement = prepare(connection, BEHIND)?;
    let mut rows = statement.query((after, limit)).during(context)?;
    let mut count: u64 = 0;
    while let Some(row) = rows.next().during(context)? {
        let outcome = outcome_column(row, 3, ledger(column(row, 1)?)?, column(row, 0)?)?;
        if outcome.at > bound {
            break;
        }
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// The outcome in a column of row `id`.
fn outcome_column(row: &Row<'_>, index: usize, ledger: LedgerId, id: i64) -> Result<Outcome> {
    let bytes = row.get_ref(index).during("reading a column")?;
    let bytes = bytes
        .as_blob()
        .map_err(|_| corrupt("a row of the journal is missing"))?;
    decode_outcome(ledger, bytes)
        .map_err(|error| undecodable(error, format_args!("row {id} of wallet_journal")))
}

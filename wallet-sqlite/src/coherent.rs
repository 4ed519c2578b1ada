//! Checks whether a file and its write-ahead log belong together.
//!
//! A file may have been copied over an open one, or put beside the log of another one. Such
//! a file is a mixture: pages of later commits from the log lie over pages of other books.
//! SQLite opens it, although pages of acknowledged commits are missing. This check reads
//! some hundred rows of the journal and the rows that they point to. It reads all of the
//! last rows, and fewer the older they are. It does not prove that the books are sound;
//! `verify` does.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use wallet_core::ledger::InLedger;
use wallet_core::store::codec::decode_outcome;
use wallet_core::{LedgerId, Outcome, StoreError};

use crate::deferred::{Books, Cache};
use crate::error::{During, Result, corrupt};
use crate::read::account_state;
use crate::statement::prepare;
use crate::value::{ledger, ledger_number};

const BOUNDS: &str = "
    SELECT (SELECT until FROM wallet_purge WHERE number = 0),
           (SELECT coalesce(max(id), 0) FROM wallet_journal)";
const FROM: &str = "
    SELECT id, ledger, outcome FROM wallet_journal WHERE id >= ? ORDER BY id LIMIT 1";
const TRANSFER: &str = "SELECT journal FROM wallet_transfer WHERE ledger = ? AND id = ?";
/// The last rows of the outbox, and the last entries of the oldest and newest accounts.
const POINTERS: &str = "
    SELECT max((SELECT coalesce(max(id), 0) FROM wallet_outbox WHERE state = 0),
               (SELECT coalesce(max(id), 0) FROM wallet_outbox WHERE state = 1),
               (SELECT coalesce(max(id), 0) FROM wallet_outbox WHERE state = 2),
               (SELECT coalesce(max(last_entry), 0) FROM
                   (SELECT last_entry FROM wallet_account ORDER BY num LIMIT 64)),
               (SELECT coalesce(max(last_entry), 0) FROM
                   (SELECT last_entry FROM wallet_account ORDER BY num DESC LIMIT 64)))";
/// The largest file in bytes whose pages are all checked. This takes some milliseconds.
const PAGES_CHECKED: i64 = 4 * 1024 * 1024;
/// How many of the last rows are all checked.
const LAST: i64 = 64;
/// How many rows are checked each time the distance from the end doubles.
const EACH_DOUBLING: i64 = 16;
/// How many transfers and effects of a row are checked.
const EACH_ROW: usize = 16;

/// Fails if required rows are missing.
///
/// # Errors
/// `Corrupt`: pages of the books are missing or damaged. `Unavailable`.
pub(crate) fn check(connection: &mut Connection) -> Result<()> {
    read(connection)
}

fn read(connection: &mut Connection) -> Result<()> {
    let state = Transaction::new(connection, TransactionBehavior::Deferred);
    let state = state.during("beginning to read")?;
    pages(&state).and_then(|()| look(&state)).map_err(|error| {
        if page_damage(&error) {
            damaged("SQLite cannot read a page").with_source(error)
        } else {
            error
        }
    })
}

/// Whether every page of a small file can be read.
fn pages(state: &Connection) -> Result<()> {
    let context = "checking the file's pages";
    let bytes = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let bytes: i64 = state
        .query_row(bytes, (), |row| row.get(0))
        .during(context)?;
    if bytes > PAGES_CHECKED {
        return Ok(());
    }
    // A row that breaks a rule of its table fails whoever needs it, and nobody else.
    let ignore_rules = |ignore: &str| {
        let set = format!("PRAGMA ignore_check_constraints = {ignore}");
        state.execute_batch(&set).during(context)
    };
    ignore_rules("ON")?;
    let found = damage(state);
    ignore_rules("OFF")?;
    found?.map_or(Ok(()), |found| Err(damaged(&found)))
}

/// The first damage that SQLite finds in the tables of the ledger and their indexes. It
/// examines no other table: a host's may need collations, functions or modules that only
/// the host has.
pub(crate) fn damage(state: &Connection) -> Result<Option<String>> {
    let context = "checking the file's pages";
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'wallet\\_%' ESCAPE '\\'";
    let mut tables = state.prepare(tables).during(context)?;
    let tables = tables.query_map((), |row| row.get::<_, String>(0));
    let tables: rusqlite::Result<Vec<String>> = tables.during(context)?.collect();
    for table in tables.during(context)? {
        let check = "SELECT quick_check FROM pragma_quick_check(?)";
        let found = state.query_row(check, (table,), |row| row.get::<_, String>(0));
        let found = found.during(context)?;
        if found != "ok" {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn look(state: &Connection) -> Result<()> {
    let books = Cache::default().books(state)?;
    let (purged, last): (i64, i64) = prepare(&books, BOUNDS)?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
        .during("finding the journal's end")?;
    let pointers: i64 = prepare(&books, POINTERS)?
        .query_row((), |row| row.get(0))
        .during("looking at what points to the journal")?;
    // A purge may have deleted refusals at the end.
    let last = last.max(purged);
    if pointers > last || books.deltas.last_journal() > last {
        return Err(mixed(&format!("the journal ends at row {last} too early")));
    }
    for id in sample(last) {
        row(&books, id, purged)?;
    }
    Ok(())
}

/// The rows to check, the last one first.
fn sample(last: i64) -> Vec<i64> {
    let mut back = 0;
    let mut sample = Vec::new();
    while back < last {
        sample.push(last.saturating_sub(back));
        let step = back.saturating_sub(LAST).max(0).checked_div(EACH_DOUBLING);
        back = back.saturating_add(step.unwrap_or(0).max(1));
    }
    sample
}

/// Checks row `id`. If a purge may have deleted it, checks the next row.
fn row(books: &Books<'_>, id: i64, purged: i64) -> Result<()> {
    let context = "reading the journal";
    let found = prepare(books, FROM)?
        .query_row((id,), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .during(context)?;
    let found: Option<(i64, i64, Vec<u8>)> = found;
    let (found, number, outcome) = match found {
        Some(row) if row.0 == id || id <= purged => row,
        // A purge deleted all rows at the end of the journal. The rows that point there
        // were checked.
        None if id <= purged => return Ok(()),
        _ => return Err(mixed(&format!("row {id} of the journal is missing"))),
    };
    // A row that cannot be read fails only the requests that need it.
    let Ok(ledger) = ledger(number) else {
        return Ok(());
    };
    match decode_outcome(ledger, &outcome) {
        Ok(outcome) => check_outcome(books, found, ledger, &outcome),
        Err(_) => Ok(()),
    }
}

/// Checks that the outcome's accounts have reached its version, and that its transfers
/// exist.
fn check_outcome(books: &Books<'_>, id: i64, ledger: LedgerId, outcome: &Outcome) -> Result<()> {
    for transfer in outcome.transfers().take(EACH_ROW) {
        let by = (ledger_number(ledger), transfer.key.id.as_bytes().as_slice());
        let at = prepare(books, TRANSFER)?
            .query_row(by, |row| row.get(0))
            .optional()
            .during("finding a transfer")?;
        if at != Some(id) {
            return Err(mixed(&format!("a transfer of row {id} is missing")));
        }
    }
    for effect in outcome.effects().take(EACH_ROW) {
        let key = InLedger::new(ledger, effect.account);
        let state = match account_state(books, key) {
            Ok(found) => found.map(|(_, state)| state),
            Err(error) if page_damage(&error) => return Err(error),
            // As above, only the requests that need this account fail.
            Err(_) => continue,
        };
        if state.is_none_or(|state| state.version < effect.version) {
            return Err(mixed(&format!("an account is behind row {id}")));
        }
    }
    Ok(())
}

/// Whether SQLite itself could not read a page.
fn page_damage(error: &StoreError) -> bool {
    let source = std::error::Error::source(error);
    let driver = source.and_then(|source| source.downcast_ref::<rusqlite::Error>());
    let code = driver.and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn damaged(what: &str) -> StoreError {
    corrupt(format!(
        "the file is damaged, or it and its log do not belong together ({what}). If a process \
         still works on a file that had this name, end it, and start again. Otherwise keep \
         both, and restore a backup"
    ))
}

fn mixed(what: &str) -> StoreError {
    corrupt(format!(
        "the file and its log do not belong together ({what}), as when a file is copied over \
         an open one. If a process still works on a file that had this name, end it, and start \
         again. Otherwise keep both, and restore a backup"
    ))
}

#[cfg(test)]
mod tests {
    use super::sample;

    #[test]
    fn all_of_the_last_rows_are_looked_at_and_few_of_many() {
        assert!(sample(0).is_empty());
        assert_eq!(sample(3), [3, 2, 1]);
        let many = sample(1_000_000_000);
        assert_eq!(many[..2], [1_000_000_000, 999_999_999]);
        assert!(many.windows(2).all(|pair| pair[0] > pair[1]));
        assert!((300..500).contains(&many.len()), "{}", many.len());
        // The sample misses no gap that is as long as a fifteenth of its distance from the
        // end.
        for pair in many.windows(2) {
            let (back, gap) = (1_000_000_000 - pair[1], pair[0] - pair[1]);
            assert!(gap == 1 || gap * 15 <= back, "{pair:?}");
        }
    }
}

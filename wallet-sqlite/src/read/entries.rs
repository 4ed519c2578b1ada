use rusqlite::{Connection, OptionalExtension, params};
use wallet_core::{AccountKey, Entry, EntryQuery, Order, Posted, Sequence, Timestamp};

use super::{journal, prepare};
use crate::error::{During, Result, corrupt};
use crate::value::{column, ledger_number};

const NUMBER: &str = "SELECT num, sequence FROM wallet_account WHERE ledger = ? AND id = ?";
const TIME: &str = "SELECT created_at FROM wallet_entry WHERE account = ? AND sequence = ?";
const ONE: &str = "SELECT journal FROM wallet_entry WHERE account = ? AND sequence = ?";
const ASCENDING: &str = "
    SELECT sequence, journal FROM wallet_entry
    WHERE account = ? AND sequence > ? AND sequence < ? ORDER BY sequence LIMIT ?";
const DESCENDING: &str = "
    SELECT sequence, journal FROM wallet_entry
    WHERE account = ? AND sequence > ? AND sequence < ? ORDER BY sequence DESC LIMIT ?";

/// An account's number and how many entries it has.
fn account_number(connection: &Connection, key: AccountKey) -> Result<Option<(i64, Sequence)>> {
    let by = params![ledger_number(key.ledger), key.id.as_bytes()];
    prepare(connection, NUMBER)?
        .query_row(by, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .during("finding an account")
}

/// A page of an account's entries, found by sequence: times rise with
/// sequences, so bounds in time are searched for by halving.
pub(crate) fn entries(connection: &Connection, query: &EntryQuery) -> Result<Vec<Entry>> {
    let context = "listing entries";
    let Some((account, count)) = account_number(connection, query.account)? else {
        return Ok(Vec::new());
    };
    // Both bounds are exclusive.
    let (mut low, mut high) = (0, i64::MAX);
    if let Some(from) = query.from {
        low = count_while(connection, account, count, |at| at < from)?;
    }
    if let Some(to) = query.to {
        high = count_while(connection, account, count, |at| at < to)?.saturating_add(1);
    }
    let sql = match query.order {
        Order::Ascending => {
            low = low.max(query.after.unwrap_or(0));
            ASCENDING
        }
        Order::Descending => {
            high = high.min(query.after.unwrap_or(i64::MAX));
            DESCENDING
        }
    };
    let mut statement = prepare(connection, sql)?;
    let by = params![account, low, high, query.limit];
    let mut rows = statement.query(by).during(context)?;
    let mut told = Told::default();
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let (sequence, journal) = (column(row, 0)?, column(row, 1)?);
        found.push(told.entry(connection, journal, query.account, sequence)?);
    }
    Ok(found)
}

/// The last entry at or before `at`.
pub(crate) fn balance_until(
    connection: &Connection,
    key: AccountKey,
    (account, count): (i64, Sequence),
    at: Timestamp,
) -> Result<Option<Entry>> {
    let last = count_while(connection, account, count, |time| time <= at)?;
    if last == 0 {
        return Ok(None);
    }
    let journal = prepare(connection, ONE)?
        .query_row((account, last), |row| row.get(0))
        .during("reading an entry")?;
    let entry = Told::default().entry(connection, journal, key, last)?;
    Ok(Some(entry))
}

/// How many of an account's `count` entries have a time for which `before`
/// holds; it holds for the earlier ones.
fn count_while(
    connection: &Connection,
    account: i64,
    count: Sequence,
    before: impl Fn(Timestamp) -> bool,
) -> Result<Sequence> {
    let mut statement = prepare(connection, TIME)?;
    // `low` entries are known to be before, those from `high` on are not.
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = i64::midpoint(low, high);
        let sequence = middle.saturating_add(1);
        let at = statement
            .query_row((account, sequence), |row| row.get(0))
            .during("searching entries")?;
        if before(Timestamp::from_micros(at)) {
            low = sequence;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The entries that the journal row read last tells: neighbours on a page
/// often stand in one row.
#[derive(Debug, Default)]
struct Told {
    journal: Option<i64>,
    entries: Vec<Entry>,
}

impl Told {
    fn entry(
        &mut self,
        connection: &Connection,
        journal: i64,
        account: AccountKey,
        sequence: Sequence,
    ) -> Result<Entry> {
        if self.journal != Some(journal) {
            let (_, outcome) = journal::outcome(connection, journal)?;
            self.entries = outcome.postings().flat_map(Posted::entries).collect();
            self.journal = Some(journal);
        }
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.account == account && entry.sequence == sequence);
        let entry = entry.ok_or_else(|| corrupt("the journal does not tell an entry"))?;
        Ok(*entry)
    }
}

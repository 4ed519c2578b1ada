//! Reads of an account's entries. Only every sixteenth entry has its own row; links in the
//! journal lead to the others.

use rusqlite::{Connection, OptionalExtension};
use wallet_core::ledger::{AccountKey, AccountState, Sequence};
use wallet_core::store::Order;
use wallet_core::{Entry, EntryQuery, Timestamp};

use super::accounts::account_state;
use super::{Place, journal};
use crate::deferred::Books;
use crate::error::{During, Result, corrupt};
use crate::statement::prepare;

/// Every sixteenth entry of an account has its own row: an anchor.
pub(crate) const ANCHOR_EVERY: i64 = 16;

const ANCHOR: &str =
    "SELECT journal, created_at FROM wallet_entry WHERE account = ? AND sequence = ?";

/// The entries of an account. Sequences have no gap, and times rise with sequences. So any
/// page is a range of sequences, and a binary search finds a bound in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<'c> {
    connection: &'c Connection,
    account: AccountKey,
    /// The account's number in other tables.
    number: i64,
    /// The number of entries.
    count: Sequence,
    /// The journal row of the last entry.
    last_entry: i64,
}

/// A page of an account's entries.
pub(crate) fn entries(books: &Books<'_>, query: &EntryQuery) -> Result<Vec<Entry>> {
    let Some((place, state)) = account_state(books, query.account)? else {
        return Ok(Vec::new());
    };
    let statement = Statement::of(books, place, &state);
    let mut first = 1;
    let mut last = statement.count;
    if let Some(from) = query.from {
        first = statement.count_while(|at| at < from)?.saturating_add(1);
    }
    if let Some(to) = query.to {
        last = statement.count_while(|at| at < to)?;
    }
    let limit = i64::from(query.limit);
    match query.order {
        Order::Ascending => {
            let Some(next) = query.after.unwrap_or(0).checked_add(1) else {
                return Ok(Vec::new());
            };
            first = first.max(next);
            let end = first.saturating_add(limit.saturating_sub(1));
            statement.range(first, last.min(end))
        }
        Order::Descending => {
            if let Some(after) = query.after {
                last = last.min(after.saturating_sub(1));
            }
            first = first.max(last.saturating_sub(limit).saturating_add(1));
            let mut page = statement.range(first, last)?;
            page.reverse();
            Ok(page)
        }
    }
}

impl<'c> Statement<'c> {
    /// The entries of the account with this state.
    pub(crate) fn of(books: &Books<'c>, place: Place, state: &AccountState) -> Self {
        Self {
            connection: books.connection,
            account: state.key,
            number: place.number,
            count: state.sequence,
            last_entry: place.last_entry,
        }
    }

    /// The last entry at or before `at`.
    pub(crate) fn last_until(&self, at: Timestamp) -> Result<Option<Entry>> {
        let last = self.count_while(|time| time <= at)?;
        Ok(self.range(last.max(1), last)?.pop())
    }

    /// How many entries have a time for which `before` holds. It holds for the earlier
    /// entries.
    fn count_while(&self, before: impl Fn(Timestamp) -> bool) -> Result<Sequence> {
        // `before` holds for the first `low` anchors. It does not hold from anchor `high`
        // on.
        let anchors = self.count.checked_div(ANCHOR_EVERY).unwrap_or(0);
        let (mut low, mut high) = (0, anchors);
        while low < high {
            let middle = i64::midpoint(low, high);
            let next = middle.saturating_add(1);
            let (_, at) = self.anchor(next.saturating_mul(ANCHOR_EVERY))?;
            if before(at) {
                low = next;
            } else {
                high = middle;
            }
        }
        let known = low.saturating_mul(ANCHOR_EVERY);
        let end = known.saturating_add(ANCHOR_EVERY).min(self.count);
        let rest = self.range(known.saturating_add(1), end)?;
        let more = rest.iter().take_while(|entry| before(entry.created_at));
        let last = more.last().map(|entry| entry.sequence);
        Ok(last.unwrap_or(known))
    }

    /// The entries from `first` to `last`, both inclusive, ascending.
    fn range(&self, first: Sequence, last: Sequence) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        if first > last {
            return Ok(found);
        }
        let (mut sequence, mut journal) = self.start(last)?;
        while sequence >= first {
            let recorded = journal::journal_row(self.connection, journal)?;
            let all: Vec<Entry> = recorded.outcome.entries().collect();
            // The row of an anchor may also contain later entries.
            let wanted = |entry: &&Entry| entry.account == self.account;
            let theirs = all.iter().rev().filter(wanted);
            let behind = sequence;
            let mut before = None;
            for entry in theirs.skip_while(|entry| entry.sequence > behind) {
                if entry.sequence != sequence {
                    return Err(corrupt("the journal holds another entry"));
                }
                self.agree(entry, journal)?;
                if (first..=last).contains(&sequence) {
                    found.push(*entry);
                }
                sequence = sequence.saturating_sub(1);
                before = link(&recorded.links, &all, self.account);
            }
            journal = before.ok_or_else(|| corrupt("the journal does not hold an entry"))?;
        }
        found.reverse();
        Ok(found)
    }

    /// An entry at or after `sequence`, and its journal row.
    fn start(&self, sequence: Sequence) -> Result<(Sequence, i64)> {
        let up = match sequence.checked_rem(ANCHOR_EVERY) {
            Some(over) if over > 0 => ANCHOR_EVERY.saturating_sub(over),
            _ => 0,
        };
        // After the last sequence there is no such row.
        let next = sequence.checked_add(up);
        match next.filter(|next| *next <= self.count) {
            Some(next) => self.anchor(next).map(|(journal, _)| (next, journal)),
            None => Ok((self.count, self.last_entry)),
        }
    }

    /// Checks that an anchor points to the entry's journal row. A search for a bound in
    /// time reads only anchors, so nothing else would reveal a lost one.
    fn agree(&self, entry: &Entry, journal: i64) -> Result<()> {
        let is_anchor = entry.sequence.checked_rem(ANCHOR_EVERY) == Some(0);
        if is_anchor && self.anchor(entry.sequence)? != (journal, entry.created_at) {
            return Err(corrupt("an entry's row holds another one"));
        }
        Ok(())
    }

    fn anchor(&self, sequence: Sequence) -> Result<(i64, Timestamp)> {
        let (journal, at) = prepare(self.connection, ANCHOR)?
            .query_row((self.number, sequence), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .during("finding an entry")?
            .ok_or_else(|| corrupt("an entry is missing"))?;
        Ok((journal, Timestamp::from_micros(at)))
    }
}

/// The journal row of the account's entry before those of this row.
fn link(links: &[u8], entries: &[Entry], account: AccountKey) -> Option<i64> {
    let mut seen = Vec::new();
    for entry in entries {
        if entry.account == account {
            break;
        }
        if !seen.contains(&entry.account) {
            seen.push(entry.account);
        }
    }
    let (links, _) = links.as_chunks::<8>();
    links.get(seen.len()).map(|link| i64::from_be_bytes(*link))
}

use crate::history::{HistoryPage, HistoryQuery, HistoryRow, HistoryStore};
use crate::ledger::{Entry, Restore, Sequence, Timestamp};
use crate::store::{LedgerStore, Order, StoreError};

/// The entries of a statement, and the cursor of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The entries. It is empty at the end.
    pub entries: Vec<Entry>,
    /// The cursor of the next page, for entries that exist now or later.
    pub next: Option<crate::history::HistoryCursor>,
}

impl Statement {
    /// Builds the statement from the entries of a query.
    #[must_use]
    pub fn new(query: &HistoryQuery, entries: Vec<Entry>) -> Self {
        let last = entries.last();
        let next = last.map(|entry| query.cursor_behind(entry.created_at, entry.sequence));
        let next = next.or_else(|| query.cursor.clone());
        Self { entries, next }
    }
}

/// Returns the page from history, or `None` if its completeness is not proven.
///
/// The links between rows prove that no entry is missing between two bounds. A page
/// may end at the end of history or begin at the newest entry. Then one read of the
/// account in the ledger shows whether there are more entries.
///
/// `restores` are all known restores of the ledger. Rows that they leave in doubt
/// prove nothing.
///
/// # Errors
/// The errors of both stores; `Invalid` for a cursor of another query.
pub async fn statement(
    history: &dyn HistoryStore,
    ledger: &dyn LedgerStore,
    query: &HistoryQuery,
    restores: &[Restore],
) -> Result<Option<Statement>, StoreError> {
    let proof = Proof {
        history,
        ledger,
        restores,
        query,
        after: query.after()?,
        limit: usize::try_from(query.limit).unwrap_or(usize::MAX),
    };
    if proof.limit == 0 {
        return Ok(None);
    }
    let entries = match query.order {
        Order::Ascending => proof.ascending().await?,
        Order::Descending => proof.descending().await?,
    };
    Ok(entries.map(|entries| Statement::new(query, entries)))
}

struct Proof<'a> {
    history: &'a dyn HistoryStore,
    ledger: &'a dyn LedgerStore,
    restores: &'a [Restore],
    query: &'a HistoryQuery,
    after: Option<(Timestamp, Sequence)>,
    limit: usize,
}

impl Proof<'_> {
    async fn ascending(&self) -> Result<Option<Vec<Entry>>, StoreError> {
        // One more row, without a bound at the end: it shows where the page ends.
        let mut wider = self.query.clone();
        wider.to = None;
        wider.limit = wider.limit.saturating_add(1);
        let rows = self.history.page(&wider, self.restores).await?.rows;
        let Some(first) = rows.first() else {
            let Some((_, last)) = self.after else {
                return Ok(None);
            };
            let is_all = self.is_last(last).await?;
            return Ok(is_all.then(Vec::new));
        };
        let from = self.query.from.filter(|from| starts_at(first, *from));
        let is_next = self
            .after
            .is_some_and(|(_, last)| follows(last, first.line.entry.sequence));
        let is_start = match (self.after, self.query.from) {
            (None, None) => first.line.entry.sequence == 1,
            _ => is_next || from.is_some(),
        };
        if !is_start || !has_no_gap(&rows) {
            return Ok(None);
        }
        let is_before = |row: &&HistoryRow| {
            let at = row.line.entry.created_at;
            self.query.to.is_none_or(|to| at < to)
        };
        let within = rows.iter().take_while(is_before);
        let entries: Vec<Entry> = within.map(|row| row.line.entry).take(self.limit).collect();
        let is_ended = entries.len() < rows.len();
        let last = rows.last().map_or(0, |row| row.line.entry.sequence);
        if is_ended || entries.len() == self.limit || self.is_last(last).await? {
            return Ok(Some(entries));
        }
        Ok(None)
    }

    async fn descending(&self) -> Result<Option<Vec<Entry>>, StoreError> {
        let mut wider = self.query.clone();
        wider.from = None;
        let HistoryPage { rows, .. } = self.history.page(&wider, self.restores).await?;
        if !self.begins(&rows).await? || !has_no_gap(&rows) {
            return Ok(None);
        }
        let from = self.query.from;
        let is_within = |row: &&HistoryRow| {
            let at = row.line.entry.created_at;
            from.is_none_or(|from| at >= from)
        };
        let within = rows.iter().take_while(is_within);
        let entries: Vec<Entry> = within.map(|row| row.line.entry).collect();
        let is_cut = entries.len() < rows.len() || entries.len() == self.limit;
        let is_over = rows.last().is_none_or(|row| {
            let is_bound = from.is_some_and(|from| starts_at(row, from));
            row.line.entry.sequence == 1 || is_bound
        });
        Ok((is_cut || is_over).then_some(entries))
    }

    /// Whether the first row is the newest row that the query selects.
    async fn begins(&self, rows: &[HistoryRow]) -> Result<bool, StoreError> {
        let newest = rows.first().map_or(0, |row| row.line.entry.sequence);
        let is_behind = self.after.is_some_and(|(_, last)| follows(newest, last));
        if is_behind {
            return Ok(true);
        }
        let Some(to) = self.query.to else {
            return match self.after {
                None => self.is_last(newest).await,
                Some(_) => Ok(false),
            };
        };
        let witness = HistoryQuery {
            from: Some(to),
            ..HistoryQuery::first(self.query.account, 1)
        };
        let found = self.history.page(&witness, self.restores).await?;
        match found.rows.first() {
            Some(row) => {
                let is_next = follows(newest, row.line.entry.sequence);
                Ok(is_next && starts_at(row, to))
            }
            None => self.is_last(newest).await,
        }
    }

    /// Whether the ledger holds no later entry.
    async fn is_last(&self, sequence: Sequence) -> Result<bool, StoreError> {
        let found = self.ledger.accounts(&[self.query.account]).await?;
        let account = found.into_iter().next().flatten();
        Ok(account.is_some_and(|account| account.state.sequence == sequence))
    }
}

fn follows(before: Sequence, after: Sequence) -> bool {
    before.checked_add(1) == Some(after)
}

/// Whether a row is the first at `from` or later.
fn starts_at(row: &HistoryRow, from: Timestamp) -> bool {
    row.line.entry.created_at >= from && row.previous_at.is_none_or(|before| before < from)
}

fn has_no_gap(rows: &[HistoryRow]) -> bool {
    rows.iter().zip(rows.iter().skip(1)).all(|(one, next)| {
        let (one, next) = (one.line.entry.sequence, next.line.entry.sequence);
        follows(one, next) || follows(next, one)
    })
}

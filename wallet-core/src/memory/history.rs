use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    AccountKey, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, LinePosition, Order, ReferenceHistoryQuery, Sequence, StoreError, StoreErrorKind,
    Timestamp, TransferKey,
};

/// The rows of an account by sequence, each with the time when it goes.
type Rows = BTreeMap<Sequence, (HistoryRow, Option<Timestamp>)>;

/// History in memory; clones share it. It ends with the process: for tests and
/// demos.
#[derive(Debug, Clone, Default)]
pub struct MemoryHistory {
    accounts: Arc<Mutex<BTreeMap<AccountKey, Rows>>>,
}

impl MemoryHistory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes the rows whose time is over at `now`; answers how many.
    #[must_use = "how many rows have gone"]
    pub fn forget(&self, now: Timestamp) -> usize {
        let mut accounts = self.lock();
        let mut count: usize = 0;
        for rows in accounts.values_mut() {
            let before = rows.len();
            rows.retain(|_, (_, until)| until.is_none_or(|until| until > now));
            count = count.saturating_add(before.saturating_sub(rows.len()));
        }
        count
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Rows>> {
        let accounts = self.accounts.lock();
        accounts.unwrap_or_else(PoisonError::into_inner)
    }

    fn select(&self, wanted: impl Fn(&HistoryRow) -> bool) -> Vec<HistoryRow> {
        let accounts = self.lock();
        let rows = accounts.values().flat_map(BTreeMap::values);
        let mut found: Vec<_> = rows.map(|(row, _)| row).filter(|row| wanted(row)).collect();
        found.sort_by_key(|row| LinePosition::of(row));
        found.into_iter().cloned().collect()
    }
}

fn head_of(rows: Option<&Rows>) -> HistoryHead {
    let last = rows.and_then(BTreeMap::last_key_value);
    last.map_or_else(HistoryHead::default, |(sequence, (row, _))| HistoryHead {
        sequence: *sequence,
        at: Some(row.line.entry.created_at),
    })
}

/// Checks one line against what stands before it; answers whether it is new.
fn check(rows: Option<&Rows>, head: HistoryHead, line: &HistoryLine) -> Result<bool, HistoryError> {
    let (account, sequence) = (line.entry.account, line.entry.sequence);
    if sequence <= head.sequence {
        return match rows.and_then(|rows| rows.get(&sequence)) {
            Some((row, _)) if row.line != *line => Err(HistoryError::Differs { account, sequence }),
            _ => Ok(false),
        };
    }
    let expected = head.sequence.saturating_add(1);
    if sequence != expected {
        return Err(HistoryError::Gap {
            account,
            expected,
            found: sequence,
        });
    }
    if head.at.is_some_and(|before| line.entry.created_at < before) {
        let context = "an entry lies before the one that it follows";
        return Err(StoreError::new(StoreErrorKind::Invalid, context).into());
    }
    Ok(true)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for MemoryHistory {
    async fn append(&self, lines: &[HistoryLine]) -> Result<(), HistoryError> {
        HistoryLine::check_order(lines)?;
        let mut accounts = self.lock();
        let mut heads: BTreeMap<AccountKey, HistoryHead> = BTreeMap::new();
        let mut new = Vec::new();
        for line in lines {
            let account = line.entry.account;
            let rows = accounts.get(&account);
            let head = heads.entry(account).or_insert_with(|| head_of(rows));
            if check(rows, *head, line)? {
                let previous_at = head.at;
                let line = line.clone();
                *head = HistoryHead {
                    sequence: line.entry.sequence,
                    at: Some(line.entry.created_at),
                };
                new.push(HistoryRow { line, previous_at });
            }
        }
        for row in new {
            let rows = accounts.entry(row.account()).or_default();
            rows.insert(row.line.entry.sequence, (row, None));
        }
        Ok(())
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        let known = self.lock();
        let heads = accounts.iter().map(|account| head_of(known.get(account)));
        Ok(heads.collect())
    }

    async fn page(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let accounts = self.lock();
        let rows = accounts.get(&query.account).into_iter();
        let rows = rows.flat_map(BTreeMap::values).map(|(row, _)| row);
        let wanted = |row: &&HistoryRow| {
            let at = row.line.entry.created_at;
            let place = (at, row.line.entry.sequence);
            let is_behind = after.is_none_or(|after| match query.order {
                Order::Ascending => place > after,
                Order::Descending => place < after,
            });
            is_behind
                && query.from.is_none_or(|from| at >= from)
                && query.to.is_none_or(|to| at < to)
        };
        let mut found: Vec<&HistoryRow> = rows.filter(wanted).collect();
        if query.order == Order::Descending {
            found.reverse();
        }
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(query.page(found.into_iter().cloned().collect()))
    }

    async fn of_transfer(&self, transfer: TransferKey) -> Result<Vec<HistoryRow>, StoreError> {
        Ok(self.select(|row| {
            let entry = &row.line.entry;
            entry.account.ledger == transfer.ledger && entry.transfer == transfer.id
        }))
    }

    async fn of_reference(&self, query: &ReferenceHistoryQuery) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let mut rows = self.select(|row| {
            row.account().ledger == query.ledger
                && row.line.reference.as_ref() == Some(&query.reference)
                && after.is_none_or(|after| LinePosition::of(row) > after)
        });
        rows.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(query.page(rows))
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        let mut accounts = self.lock();
        for row in rows {
            let known = accounts.get_mut(&row.account());
            if let Some((_, until)) = known.and_then(|k| k.get_mut(&row.line.entry.sequence)) {
                *until = Some(at);
            }
        }
        Ok(())
    }
}

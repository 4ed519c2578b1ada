use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    LinePosition, ReferenceHistoryQuery,
};
use crate::ledger::{AccountKey, Epoch, Restore, Sequence, Timestamp, TransferKey};
use crate::store::{Order, StoreError, StoreErrorKind};

/// The position of a row. An entry that was appended again after a restore has one
/// row per epoch in which it was known.
type Place = (Timestamp, Sequence, Epoch);

/// The history of one account.
#[derive(Debug, Default)]
struct Stored {
    head: HistoryHead,
    /// All restores that this history went through.
    restores: Vec<Restore>,
    /// Each row with its expiry time.
    rows: BTreeMap<Place, (HistoryRow, Option<Timestamp>)>,
}

/// A history store in memory. Clones share it. It ends with the process. It is for
/// tests and demos.
#[derive(Debug, Clone, Default)]
pub struct MemoryHistory {
    accounts: Arc<Mutex<BTreeMap<AccountKey, Stored>>>,
}

impl MemoryHistory {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes the rows that are expired at `now`. Returns their number.
    #[must_use = "how many rows have gone"]
    pub fn forget(&self, now: Timestamp) -> usize {
        let mut accounts = self.lock();
        let mut count: usize = 0;
        for stored in accounts.values_mut() {
            let before = stored.rows.len();
            let stays = |until: Option<Timestamp>| until.is_none_or(|until| until > now);
            stored.rows.retain(|_, (_, until)| stays(*until));
            count = count.saturating_add(before.saturating_sub(stored.rows.len()));
            stored.go_back(|_| true);
        }
        count
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Stored>> {
        let accounts = self.accounts.lock();
        accounts.unwrap_or_else(PoisonError::into_inner)
    }

    fn select(
        &self,
        restores: &[Restore],
        wanted: impl Fn(&HistoryRow) -> bool,
    ) -> Vec<HistoryRow> {
        let accounts = self.lock();
        let rows = accounts
            .values()
            .flat_map(|stored| stored.read(restores, true));
        let mut found: Vec<_> = rows.filter(|row| wanted(row)).collect();
        found.sort_by_key(|row| LinePosition::of(row));
        found.into_iter().cloned().collect()
    }
}

fn place(row: &HistoryRow) -> Place {
    let entry = &row.line.entry;
    (entry.created_at, entry.sequence, row.known_in)
}

impl Stored {
    /// The rows that these restores leave in doubt, or the other rows, in order. Of
    /// each entry it returns the newest row.
    fn read(&self, restores: &[Restore], held: bool) -> Vec<&HistoryRow> {
        let rows = self.rows.values().map(|(row, _)| row);
        let rows = rows.filter(|row| row.is_held(restores) == held);
        let rows: BTreeMap<_, _> = rows
            .map(|row| ((row.line.entry.created_at, row.line.entry.sequence), row))
            .collect();
        rows.into_values().collect()
    }

    /// Checks one line against the head. Returns whether the line is new.
    fn check(&self, head: HistoryHead, line: &HistoryLine) -> Result<bool, HistoryError> {
        let (account, sequence) = (line.entry.account, line.entry.sequence);
        if sequence <= head.sequence {
            let rows = self.read(&self.restores, true);
            let mut rows = rows.into_iter();
            let known = rows.find(|row| row.line.entry.sequence == sequence);
            return match known {
                Some(row) if row.line != *line => Err(HistoryError::Differs { account, sequence }),
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

    /// Moves the head back to the last row before the first row that does not stay.
    fn go_back(&mut self, stays: impl Fn(&HistoryRow) -> bool) {
        let rows = self.read(&self.restores, true).into_iter();
        let rows = rows.filter(|row| row.line.entry.sequence <= self.head.sequence);
        let last = rows.take_while(|row| stays(row)).last();
        let (sequence, at) = last.map_or((0, None), |row| {
            let entry = &row.line.entry;
            (entry.sequence, Some(entry.created_at))
        });
        (self.head.sequence, self.head.at) = (sequence, at);
    }

    /// Moves the head back to the last row that these restores do not leave in
    /// doubt.
    fn supersede(&mut self, restores: &[Restore]) {
        self.go_back(|row| row.is_held(restores));
        self.head.epoch = Restore::current(restores);
        self.restores = restores.to_vec();
    }

    /// A page of the rows in doubt, or of the other rows.
    fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
        held: bool,
    ) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
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
        let rows = self.read(restores, held).into_iter();
        let mut found: Vec<&HistoryRow> = rows.filter(wanted).collect();
        if query.order == Order::Descending {
            found.reverse();
        }
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(query.page(found.into_iter().cloned().collect()))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for MemoryHistory {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let known_in = Restore::current(restores);
        HistoryLine::check_order(lines, known_in)?;
        let mut accounts = self.lock();
        let fresh = Stored {
            head: HistoryHead {
                epoch: known_in,
                ..HistoryHead::default()
            },
            restores: restores.to_vec(),
            ..Stored::default()
        };
        let mut heads: BTreeMap<AccountKey, HistoryHead> = BTreeMap::new();
        let mut new = Vec::new();
        for line in lines {
            let account = line.entry.account;
            let stored = accounts.get(&account).unwrap_or(&fresh);
            let head = heads.entry(account).or_insert(stored.head);
            if head.epoch != known_in {
                return Err(HistoryError::Epoch {
                    account,
                    history: head.epoch,
                    writer: known_in,
                });
            }
            if stored.check(*head, line)? {
                let previous_at = head.at;
                let line = line.clone();
                head.sequence = line.entry.sequence;
                head.at = Some(line.entry.created_at);
                new.push(HistoryRow {
                    line,
                    previous_at,
                    known_in,
                });
            }
        }
        for (account, head) in heads {
            let stored = accounts.entry(account).or_default();
            (stored.head, stored.restores) = (head, restores.to_vec());
        }
        for row in new {
            let stored = accounts.entry(row.account()).or_default();
            stored.rows.insert(place(&row), (row, None));
        }
        Ok(())
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        let mut known = self.lock();
        for account in accounts {
            let stored = known.entry(*account).or_default();
            if stored.head.epoch < Restore::current(restores) {
                stored.supersede(restores);
            }
        }
        Ok(())
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        let known = self.lock();
        let head = |account| known.get(account).map(|stored| stored.head);
        let heads = accounts.iter().map(head);
        Ok(heads.map(Option::unwrap_or_default).collect())
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let (accounts, none) = (self.lock(), Stored::default());
        let stored = accounts.get(&query.account).unwrap_or(&none);
        stored.page(query, restores, true)
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        Ok(self.select(restores, |row| {
            let entry = &row.line.entry;
            entry.account.ledger == transfer.ledger && entry.transfer == transfer.id
        }))
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let mut rows = self.select(restores, |row| {
            row.account().ledger == query.ledger
                && row.line.reference.as_ref() == Some(&query.reference)
                && after.is_none_or(|after| LinePosition::of(row) > after)
        });
        rows.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(query.page(rows))
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let (accounts, none) = (self.lock(), Stored::default());
        let stored = accounts.get(&query.account).unwrap_or(&none);
        stored.page(query, restores, false)
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        let mut accounts = self.lock();
        for row in rows {
            let known = accounts.get_mut(&row.account());
            let known = known.and_then(|stored| stored.rows.get_mut(&place(row)));
            if let Some((_, until)) = known {
                *until = Some(at);
            }
        }
        Ok(())
    }
}

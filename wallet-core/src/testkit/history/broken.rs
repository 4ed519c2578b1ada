use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{BuiltHistory, HistoryBug, HistoryFactory, OpenHistory};
use crate::{
    AccountKey, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, LedgerId, LinePosition, Order, ReferenceHistoryQuery, StoreError, Timestamp,
    TransferKey,
};

/// How many turns a call waits for another one to get between.
const TURNS: usize = 1_000;

type Rows = Arc<Mutex<BTreeMap<AccountKey, Vec<HistoryRow>>>>;

/// Makes histories in memory with a bug; without one, sound ones for comparison.
#[derive(Debug, Clone, Copy)]
pub struct BrokenHistories(pub Option<HistoryBug>);

#[async_trait]
impl HistoryFactory for BrokenHistories {
    async fn build(&self) -> BuiltHistory {
        let kept = Kept {
            bug: self.0,
            rows: Rows::default(),
        };
        BuiltHistory::new(kept.history(Arc::clone(&kept.rows)), kept)
    }
}

/// The rows outlive the history, as a table outlives a process.
#[derive(Debug)]
struct Kept {
    bug: Option<HistoryBug>,
    rows: Rows,
}

impl Kept {
    fn history(&self, rows: Rows) -> Arc<dyn HistoryStore> {
        let (bug, under_way) = (self.bug, AtomicUsize::new(0));
        Arc::new(Broken {
            bug,
            rows,
            under_way,
        })
    }
}

#[async_trait]
impl OpenHistory for Kept {
    async fn open(&self) -> Option<Arc<dyn HistoryStore>> {
        let rows = if self.bug == Some(HistoryBug::ForgetsOnRestart) {
            Rows::default()
        } else {
            Arc::clone(&self.rows)
        };
        Some(self.history(rows))
    }
}

#[derive(Debug)]
struct Broken {
    bug: Option<HistoryBug>,
    rows: Rows,
    /// Calls between their reading and their writing.
    under_way: AtomicUsize,
}

impl Broken {
    fn has(&self, bug: HistoryBug) -> bool {
        self.bug == Some(bug)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Vec<HistoryRow>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, mut account: AccountKey) -> AccountKey {
        if self.has(HistoryBug::IgnoresLedgers) {
            account.ledger = LedgerId::default();
        }
        account
    }

    fn all(&self, account: AccountKey) -> Vec<HistoryRow> {
        let key = self.key(account);
        let rows = self.lock();
        let own = rows.get(&key).cloned().unwrap_or_default();
        if self.has(HistoryBug::RunsOn) {
            let others = rows.range(key..).skip(1).flat_map(|(_, rows)| rows.clone());
            return own.into_iter().chain(others).collect();
        }
        own
    }

    fn head(&self, account: AccountKey) -> HistoryHead {
        let rows = self.lock();
        let last = rows.get(&self.key(account)).and_then(|rows| rows.last());
        last.map_or_else(HistoryHead::default, |row| HistoryHead {
            sequence: row.line.entry.sequence,
            at: Some(row.line.entry.created_at),
        })
    }

    /// What `line` becomes when it is written behind `head`.
    fn row(
        &self,
        line: &HistoryLine,
        head: HistoryHead,
    ) -> Result<Option<HistoryRow>, HistoryError> {
        let (account, found) = (line.entry.account, line.entry.sequence);
        let expected = head.sequence + 1;
        if found < expected && !self.has(HistoryBug::WritesTwice) {
            let rows = self.all(account);
            let other = rows.iter().find(|row| row.line.entry.sequence == found);
            let is_same = other.is_none_or(|row| row.line == *line);
            let is_fine = is_same
                || self.has(HistoryBug::IgnoresOtherLines)
                || self.has(HistoryBug::LosesReferences)
                || self.has(HistoryBug::RoundsBalances);
            let sequence = found;
            let differs = HistoryError::Differs { account, sequence };
            return if is_fine { Ok(None) } else { Err(differs) };
        }
        if found > expected && !self.has(HistoryBug::SkipsGaps) {
            return Err(HistoryError::Gap {
                account,
                expected,
                found,
            });
        }
        let is_back = head.at.is_some_and(|at| line.entry.created_at < at);
        if is_back && !self.has(HistoryBug::TakesAnyTime) && !self.has(HistoryBug::WritesTwice) {
            let kind = crate::StoreErrorKind::Invalid;
            return Err(StoreError::new(kind, "back in time").into());
        }
        let mut line = line.clone();
        if self.has(HistoryBug::LosesReferences) {
            line.reference = None;
        }
        if self.has(HistoryBug::RoundsBalances) {
            let digits = line.entry.balance_after.unsigned_abs().max(1).ilog10();
            let unit = 10_i128.pow(digits.saturating_sub(16));
            line.entry.balance_after = line.entry.balance_after / unit * unit;
        }
        Ok(Some(HistoryRow {
            line,
            previous_at: head.at,
        }))
    }

    fn order(&self, lines: &[HistoryLine]) -> Result<Vec<HistoryLine>, HistoryError> {
        let mut lines = lines.to_vec();
        if self.has(HistoryBug::SortsLines) {
            lines.sort_by_key(|line| (line.entry.account, line.entry.sequence));
            lines.dedup();
            return Ok(lines);
        }
        if !self.has(HistoryBug::TakesAnyTime) {
            HistoryLine::check_order(&lines)?;
        }
        if self.has(HistoryBug::CutsLongCalls) {
            lines.truncate(100);
        }
        let first = lines.first().map(|line| &line.entry);
        let is_held = first.is_some_and(|e| e.sequence <= self.head(e.account).sequence);
        if is_held && self.has(HistoryBug::DropsOverlaps) {
            lines.clear();
        }
        Ok(lines)
    }

    fn rows_of(&self, lines: &[HistoryLine]) -> Result<Vec<HistoryRow>, HistoryError> {
        let mut heads: BTreeMap<AccountKey, HistoryHead> = BTreeMap::new();
        let mut new = Vec::new();
        for line in lines {
            let account = line.entry.account;
            let is_first = !heads.contains_key(&account);
            let head = heads.entry(account).or_insert_with(|| self.head(account));
            let Some(mut row) = self.row(line, *head)? else {
                continue;
            };
            if is_first && self.has(HistoryBug::LinksWithinACall) {
                row.previous_at = None;
            }
            head.sequence = line.entry.sequence;
            head.at = Some(line.entry.created_at);
            new.push(row);
        }
        Ok(new)
    }

    /// Lets another call get between reading and writing.
    fn dawdle(&self) {
        if self.has(HistoryBug::ChecksTooEarly) {
            self.under_way.fetch_add(1, Ordering::SeqCst);
            for _ in 0..TURNS {
                if self.under_way.load(Ordering::SeqCst) > 1 {
                    break;
                }
                std::thread::yield_now();
            }
        }
    }

    fn write(&self, new: Vec<HistoryRow>) {
        let mut rows = self.lock();
        for row in new {
            let own = rows.entry(self.key(row.account())).or_default();
            let at = row.line.entry.created_at;
            let is_double = own
                .last()
                .is_some_and(|last| last.line.entry.created_at == at);
            if self.has(HistoryBug::KeepsOnePerMicrosecond) && is_double {
                own.pop();
            }
            let is_known = own.iter().any(|known| known.line == row.line);
            let is_careless =
                self.has(HistoryBug::ChecksTooEarly) || self.has(HistoryBug::WritesTwice);
            if is_careless || !is_known {
                own.push(row);
            }
        }
    }

    fn select(&self, wanted: impl Fn(&HistoryRow) -> bool) -> Vec<HistoryRow> {
        let rows = self.lock();
        let all = rows.values().flatten();
        let mut found: Vec<_> = all.filter(|row| wanted(row)).cloned().collect();
        if !self.has(HistoryBug::SortsByAccount) {
            found.sort_by_key(LinePosition::of);
        }
        found
    }
}

#[async_trait]
impl HistoryStore for Broken {
    async fn append(&self, lines: &[HistoryLine]) -> Result<(), HistoryError> {
        let lines = self.order(lines)?;
        let new = self.rows_of(&lines)?;
        self.dawdle();
        self.write(new);
        if self.has(HistoryBug::ChecksTooEarly) {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        let mut accounts = accounts.to_vec();
        if self.has(HistoryBug::SortsHeads) {
            accounts.sort_unstable();
        }
        Ok(accounts.into_iter().map(|key| self.head(key)).collect())
    }

    async fn page(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let after = match query.after() {
            Err(_) if self.has(HistoryBug::TakesAnyCursor) => None,
            after => after?,
        };
        let mut rows = self.all(query.account);
        if query.order == Order::Descending {
            rows.reverse();
        }
        rows.retain(|row| {
            let at = row.line.entry.created_at;
            let place = (at, row.line.entry.sequence);
            let is_behind = after.is_none_or(|after| match query.order {
                _ if self.has(HistoryBug::PagesByTime) && at == after.0 => false,
                Order::Ascending => place > after,
                Order::Descending => place < after,
            });
            let is_to = self.has(HistoryBug::IncludesTo) && query.to == Some(at);
            let is_from = self.has(HistoryBug::ExcludesFrom) && query.from == Some(at);
            is_behind
                && !is_from
                && query.from.is_none_or(|from| at >= from)
                && (is_to || query.to.is_none_or(|to| at < to))
        });
        rows.truncate(usize::try_from(query.limit).unwrap());
        if self.has(HistoryBug::CutsLongPages) {
            rows.truncate(1_000);
        }
        let mut page = query.page(rows);
        if page.rows.is_empty() && self.has(HistoryBug::LosesTheCursor) {
            page.next = None;
        }
        Ok(page)
    }

    async fn of_transfer(&self, transfer: TransferKey) -> Result<Vec<HistoryRow>, StoreError> {
        Ok(self.select(|row| {
            let entry = &row.line.entry;
            entry.account.ledger == transfer.ledger && entry.transfer == transfer.id
        }))
    }

    async fn of_reference(&self, query: &ReferenceHistoryQuery) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let fold = |text: &str| match self.bug {
            Some(HistoryBug::FoldsCase) => text.to_lowercase(),
            _ => text.to_owned(),
        };
        let name = fold(query.reference.as_str());
        let mut rows = self.select(|row| {
            let reference = row.line.reference.as_ref();
            row.account().ledger == query.ledger
                && reference.is_some_and(|reference| fold(reference.as_str()) == name)
                && after.is_none_or(|after| LinePosition::of(row) > after)
        });
        if after.is_some() && self.has(HistoryBug::EndsAfterAPage) {
            rows.clear();
        }
        rows.truncate(usize::try_from(query.limit).unwrap());
        Ok(query.page(rows))
    }

    async fn expire(&self, rows: &[HistoryRow], _: Timestamp) -> Result<(), StoreError> {
        if self.has(HistoryBug::ExpiresAtOnce) {
            let mut kept = self.lock();
            kept.values_mut()
                .for_each(|own| own.retain(|row| !rows.contains(row)));
        }
        Ok(())
    }
}

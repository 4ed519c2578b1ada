use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::HistoryBug;
use crate::{Built, Factory, ManualClock, Reopen};
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    LinePosition, ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Epoch, Restore, TransferKey};
use wallet_core::store::Order;
use wallet_core::{LedgerId, StoreError, Timestamp};

/// The number of yields during which another call can interleave.
const TURNS: usize = 1_000;

/// The history of one account.
#[derive(Debug, Clone, Default)]
struct Own {
    rows: Vec<HistoryRow>,
    superseded: Vec<HistoryRow>,
    restores: Vec<Restore>,
}

type Rows = Arc<Mutex<BTreeMap<AccountKey, Own>>>;

/// Makes histories in memory with a bug; without a bug, correct ones for
/// comparison.
#[derive(Debug, Clone, Copy)]
pub struct BrokenHistories(pub Option<HistoryBug>);

#[async_trait]
impl Factory<dyn HistoryStore> for BrokenHistories {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn HistoryStore> {
        let stored = Stored {
            bug: self.0,
            rows: Rows::default(),
            turn: Arc::default(),
        };
        Built::new(stored.history(Arc::clone(&stored.rows)), stored)
    }
}

/// The rows outlive the history, as a table outlives a process.
#[derive(Debug)]
struct Stored {
    bug: Option<HistoryBug>,
    rows: Rows,
    turn: Arc<Mutex<()>>,
}

impl Stored {
    fn history(&self, rows: Rows) -> Arc<dyn HistoryStore> {
        let (bug, under_way) = (self.bug, AtomicUsize::new(0));
        Arc::new(Broken {
            bug,
            rows,
            under_way,
            turn: Arc::clone(&self.turn),
        })
    }

    /// The history as another process opens it.
    fn open(&self) -> Arc<dyn HistoryStore> {
        let rows = match self.bug {
            Some(HistoryBug::ForgetsOnRestart) => Rows::default(),
            _ => Arc::clone(&self.rows),
        };
        if self.bug == Some(HistoryBug::ForgetsRestores) {
            let mut stored = rows.lock().unwrap_or_else(PoisonError::into_inner);
            stored.values_mut().for_each(|own| own.restores.clear());
        }
        self.history(rows)
    }
}

#[async_trait]
impl Reopen<dyn HistoryStore> for Stored {
    async fn reopen(&mut self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.open())
    }
}

#[derive(Debug)]
struct Broken {
    bug: Option<HistoryBug>,
    rows: Rows,
    /// The number of calls between their read and their write.
    under_way: AtomicUsize,
    /// The lock of writing calls.
    turn: Arc<Mutex<()>>,
}

impl Broken {
    fn has(&self, bug: HistoryBug) -> bool {
        self.bug == Some(bug)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Own>> {
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
        let own = rows.get(&key).cloned().unwrap_or_default().rows;
        if self.has(HistoryBug::RunsOn) {
            let others = rows.range(key..).skip(1);
            let others = others.flat_map(|(_, own)| own.rows.clone());
            return own.into_iter().chain(others).collect();
        }
        own
    }

    /// The rows that a read returns after these restores.
    fn held(&self, account: AccountKey, restores: &[Restore]) -> Vec<HistoryRow> {
        let mut rows = self.all(account);
        if !self.has(HistoryBug::ReadsWhatIsInDoubt) {
            rows.retain(|row| row.is_held(restores));
        }
        let own = self.lock().get(&self.key(account)).cloned();
        let superseded = own.map(|own| own.superseded).unwrap_or_default();
        let is_there = |line: &HistoryLine| rows.iter().any(|row| row.line == *line);
        let is_taken = |line: &HistoryLine| {
            let sequence = line.entry.sequence;
            let mut same = rows
                .iter()
                .filter(|row| row.line.entry.sequence == sequence);
            same.any(|row| row.line != *line)
        };
        let more: Vec<HistoryRow> = superseded
            .into_iter()
            .filter(|row| match self.bug {
                Some(HistoryBug::ReadsTheSuperseded) => is_taken(&row.line),
                Some(HistoryBug::ReadsTwiceWhatCameAgain) => is_there(&row.line),
                // They are removed from the page below.
                Some(HistoryBug::EndsAtTheSuperseded) => true,
                _ => false,
            })
            .collect();
        rows.extend(more);
        rows.sort_by_key(|row| (row.line.entry.created_at, row.line.entry.sequence));
        rows
    }

    fn head(&self, account: AccountKey) -> HistoryHead {
        let rows = self.lock();
        let Some(own) = rows.get(&self.key(account)) else {
            return HistoryHead::default();
        };
        let last = own.rows.last();
        HistoryHead {
            epoch: Restore::current(&own.restores),
            sequence: last.map_or(0, |row| row.line.entry.sequence),
            at: last.map(|row| row.line.entry.created_at),
        }
    }

    /// Checks whether the writer has the epoch of the history of all accounts.
    fn check_epochs(&self, lines: &[HistoryLine], writer: Epoch) -> Result<(), HistoryError> {
        for line in lines {
            let account = line.entry.account;
            let is_known = self.lock().contains_key(&self.key(account));
            let history = self.head(account).epoch;
            if is_known && history != writer && !self.has(HistoryBug::IgnoresTheWriter) {
                return Err(HistoryError::Epoch {
                    account,
                    history,
                    writer,
                });
            }
        }
        Ok(())
    }

    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supersede_one(&self, own: &mut Own, restores: &[Restore]) {
        let is_new = Restore::current(restores) > Restore::current(&own.restores);
        if !is_new && !self.has(HistoryBug::SupersedesAgain) {
            return;
        }
        let last = restores.last().map(|one| one.restored_to);
        let is_kept = |row: &HistoryRow| match last {
            Some(last) if self.has(HistoryBug::GoesByTimeOnly) => row.line.entry.created_at <= last,
            _ => row.is_held(restores),
        };
        let stored = own.rows.iter().take_while(|row| is_kept(row)).count();
        let gone = own.rows.split_off(stored);
        if !self.has(HistoryBug::RemovesTheSuperseded) {
            own.superseded.extend(gone);
        }
        own.restores = restores.to_vec();
    }

    /// The row for `line` after `head`.
    fn row(
        &self,
        line: &HistoryLine,
        head: HistoryHead,
        known_in: Epoch,
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
            let kind = wallet_core::store::StoreErrorKind::Invalid;
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
            known_in,
        }))
    }

    fn order(
        &self,
        lines: &[HistoryLine],
        known_in: Epoch,
    ) -> Result<Vec<HistoryLine>, HistoryError> {
        let mut lines = lines.to_vec();
        if self.has(HistoryBug::SortsLines) {
            lines.sort_by_key(|line| (line.entry.account, line.entry.sequence));
            lines.dedup();
            return Ok(lines);
        }
        if !self.has(HistoryBug::TakesAnyTime) {
            HistoryLine::check_order(&lines, known_in)?;
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

    fn rows_of(
        &self,
        lines: &[HistoryLine],
        known_in: Epoch,
    ) -> Result<Vec<HistoryRow>, HistoryError> {
        let mut heads: BTreeMap<AccountKey, HistoryHead> = BTreeMap::new();
        let mut new = Vec::new();
        for line in lines {
            let account = line.entry.account;
            let is_first = !heads.contains_key(&account);
            let head = heads.entry(account).or_insert_with(|| self.head(account));
            let Some(mut row) = self.row(line, *head, known_in)? else {
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

    /// Lets another call interleave between read and write.
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

    /// Lets another call supersede between the epoch check and the write.
    fn await_an_epoch(&self, lines: &[HistoryLine]) {
        let Some(account) = lines.first().map(|line| line.entry.account) else {
            return;
        };
        let before = self.head(account).epoch;
        for _ in 0..TURNS {
            if self.head(account).epoch != before {
                break;
            }
            std::thread::yield_now();
        }
    }

    fn write(&self, new: Vec<HistoryRow>, restores: &[Restore]) {
        let mut rows = self.lock();
        for row in new {
            let own = rows.entry(self.key(row.account()));
            let own = own.or_insert_with(|| Own {
                restores: restores.to_vec(),
                ..Own::default()
            });
            let own = &mut own.rows;
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

    fn select(
        &self,
        restores: &[Restore],
        wanted: impl Fn(&HistoryRow) -> bool,
    ) -> Vec<HistoryRow> {
        let rows = self.lock();
        let all = rows.values().flat_map(|own| &own.rows);
        let all = all.filter(|row| row.is_held(restores));
        let mut found: Vec<_> = all.filter(|row| wanted(row)).cloned().collect();
        if !self.has(HistoryBug::SortsByAccount) {
            found.sort_by_key(LinePosition::of);
        }
        found
    }
}

#[async_trait]
impl HistoryStore for Broken {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let known_in = Restore::current(restores);
        self.order(lines, known_in)?;
        if self.has(HistoryBug::ChecksTheEpochTooEarly) {
            self.check_epochs(lines, known_in)?;
            self.await_an_epoch(lines);
        }
        let is_alone = !self.has(HistoryBug::ChecksTooEarly);
        let _turn = is_alone.then(|| self.take_turn());
        if !self.has(HistoryBug::ChecksTheEpochTooEarly) {
            self.check_epochs(lines, known_in)?;
        }
        let lines = self.order(lines, known_in)?;
        let new = self.rows_of(&lines, known_in)?;
        self.dawdle();
        self.write(new, restores);
        if self.has(HistoryBug::ChecksTooEarly) {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        let _turn = self.take_turn();
        let mut rows = self.lock();
        for account in accounts {
            let key = self.key(*account);
            if !rows.contains_key(&key) && self.has(HistoryBug::PassesOverTheEmpty) {
                continue;
            }
            self.supersede_one(rows.entry(key).or_default(), restores);
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

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let after = match query.after() {
            Err(_) if self.has(HistoryBug::TakesAnyCursor) => None,
            after => after?,
        };
        let mut rows = self.held(query.account, restores);
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
        if self.has(HistoryBug::EndsAtTheSuperseded) {
            rows.retain(|row| row.is_held(restores));
        }
        let mut page = query.page(rows);
        if page.rows.is_empty() && self.has(HistoryBug::LosesTheCursor) {
            page.next = None;
        }
        Ok(page)
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
        let fold = |text: &str| match self.bug {
            Some(HistoryBug::FoldsCase) => text.to_lowercase(),
            _ => text.to_owned(),
        };
        let name = fold(query.reference.as_str());
        let mut rows = self.select(restores, |row| {
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

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let own = self.lock().get(&self.key(query.account)).cloned();
        let own = own.unwrap_or_default();
        let all = own.rows.into_iter().chain(own.superseded);
        let all = all.filter(|row| !row.is_held(restores));
        let place = |row: &HistoryRow| (row.line.entry.created_at, row.line.entry.sequence);
        let all: BTreeMap<_, _> = all.map(|row| (place(&row), row)).collect();
        Ok(query.page(all.into_values().collect()))
    }

    async fn expire(&self, rows: &[HistoryRow], _: Timestamp) -> Result<(), StoreError> {
        if self.has(HistoryBug::ExpiresAtOnce) {
            let mut stored = self.lock();
            stored
                .values_mut()
                .for_each(|own| own.rows.retain(|row| !rows.contains(row)));
        }
        Ok(())
    }
}

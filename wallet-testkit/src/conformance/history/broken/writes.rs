//! What a broken history checks and writes, and where other calls interleave.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::{Broken, Own};
use crate::history::HistoryBug;
use wallet_core::StoreError;
use wallet_core::history::{HistoryError, HistoryHead, HistoryLine, HistoryRow};
use wallet_core::ledger::{AccountKey, Epoch, Restore};

/// The number of yields during which another call can interleave.
const TURNS: usize = 1_000;

impl Broken {
    /// Checks whether the writer has the epoch of the history of all accounts.
    pub(super) fn check_epochs(
        &self,
        lines: &[HistoryLine],
        writer: Epoch,
    ) -> Result<(), HistoryError> {
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

    pub(super) fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn supersede_one(&self, own: &mut Own, restores: &[Restore]) {
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

    pub(super) fn order(
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

    pub(super) fn rows_of(
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
    pub(super) fn dawdle(&self) {
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
    pub(super) fn await_an_epoch(&self, lines: &[HistoryLine]) {
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

    pub(super) fn write(&self, new: Vec<HistoryRow>, restores: &[Restore]) {
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
}

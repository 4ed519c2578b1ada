//! What a broken history reads: the rows of an account, its head, and rows by a search.

use super::Broken;
use crate::history::HistoryBug;
use wallet_core::history::{HistoryHead, HistoryLine, HistoryRow, LinePosition};
use wallet_core::ledger::{AccountKey, Restore};

impl Broken {
    pub(super) fn all(&self, account: AccountKey) -> Vec<HistoryRow> {
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
    pub(super) fn held(&self, account: AccountKey, restores: &[Restore]) -> Vec<HistoryRow> {
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

    pub(super) fn head(&self, account: AccountKey) -> HistoryHead {
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

    pub(super) fn select(
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

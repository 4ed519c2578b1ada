//! Compares one account at one version.

use std::collections::VecDeque;

use super::{Difference, HistoryTally, ReconcileError};
use crate::history::{
    HistoryCursor, HistoryHead, HistoryLine, HistoryQuery, HistoryRow, HistoryStore, lines_of,
};
use crate::ledger::{AccountState, Direction, Entry, Restore, Sequence, Timestamp};
use crate::store::{EntryQuery, LedgerStore, StoreError, StoreErrorKind};

/// The number of entries that are read at a time.
const PAGE: u32 = 500;
/// The greatest number of reported differences per account.
const KEPT: usize = 100;

/// The stores that accounts are compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checker<'a> {
    pub(super) ledger: &'a dyn LedgerStore,
    /// The restores of the ledger. Rows that they leave in doubt do not count.
    pub(super) restores: &'a [Restore],
    pub(super) history: Option<&'a dyn HistoryStore>,
    pub(super) expired_before: Option<Timestamp>,
    pub(super) due: Option<Timestamp>,
    pub(super) last: Option<u32>,
}

/// The result for one account.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) entries: u64,
    pub(super) history: HistoryTally,
    pub(super) differences: Vec<Difference>,
}

impl Checker<'_> {
    /// Compares an account that was read before `head` was.
    pub(super) async fn check(
        &self,
        state: &AccountState,
        head: HistoryHead,
    ) -> Result<Checked, ReconcileError> {
        let first = match self.last {
            None => 1,
            Some(last) => state.sequence.saturating_sub(last.into()).saturating_add(1),
        };
        let mut work = Work {
            checker: *self,
            state,
            head,
            first: first.max(1),
            before: None,
            next: first.max(1),
            rows: VecDeque::new(),
            cursor: None,
            is_read: self.history.is_none(),
            checked: Checked::default(),
        };
        work.run().await?;
        Ok(work.checked)
    }
}

struct Work<'a> {
    checker: Checker<'a>,
    state: &'a AccountState,
    head: HistoryHead,
    /// The sequence of the first compared entry.
    first: Sequence,
    /// The previous entry.
    before: Option<Entry>,
    /// The next expected sequence.
    next: Sequence,
    /// Rows of history that were read and not yet compared.
    rows: VecDeque<HistoryRow>,
    cursor: Option<HistoryCursor>,
    /// Whether history has no more rows.
    is_read: bool,
    checked: Checked,
}

impl Work<'_> {
    async fn run(&mut self) -> Result<(), ReconcileError> {
        self.ahead().await?;
        while self.next <= self.state.sequence {
            let mut query = EntryQuery::first(self.state.key, PAGE);
            query.after = Some(self.next.saturating_sub(1));
            let entries = match self.checker.ledger.entries(&query).await {
                Ok(entries) => entries,
                Err(error) => return self.unreadable(error),
            };
            // Later entries belong to another version of the account.
            let sequence = self.state.sequence;
            let known = entries.into_iter();
            let entries: Vec<Entry> = known.filter(|e| e.sequence <= sequence).collect();
            if entries.is_empty() {
                break;
            }
            let due = self.next;
            for entry in &entries {
                self.entry(entry);
            }
            self.history(&entries).await?;
            if self.next == due {
                // The store returned entries that were already read.
                break;
            }
        }
        if self.next <= self.state.sequence {
            self.missing(self.next, self.state.sequence);
        }
        self.balance();
        Ok(())
    }

    /// Checks that an entry follows from the previous one.
    fn entry(&mut self, entry: &Entry) {
        self.checked.entries = self.checked.entries.saturating_add(1);
        if entry.sequence > self.next {
            self.missing(self.next, entry.sequence.saturating_sub(1));
            self.before = None;
        }
        let amount = entry.amount.minor();
        let before = match entry.direction {
            Direction::Debit => entry.balance_after.checked_add(amount),
            Direction::Credit => entry.balance_after.checked_sub(amount),
        };
        let follows = match &self.before {
            None => entry.sequence > 1 || before == Some(0),
            Some(last) => {
                before == Some(last.balance_after)
                    && entry.version > last.version
                    && entry.created_at >= last.created_at
            }
        };
        if !follows || entry.version > self.state.version {
            let (account, sequence) = (self.state.key, entry.sequence);
            self.note(Difference::EntryWrong { account, sequence });
        }
        self.before = Some(*entry);
        self.next = self.next.max(entry.sequence.saturating_add(1));
    }

    /// Checks that the last entry's balance is the account's balance.
    fn balance(&mut self) {
        let last = self.before.as_ref();
        let entries = match last {
            Some(last) if last.sequence == self.state.sequence => last.balance_after,
            None if self.state.sequence == 0 => 0,
            // The last entry is missing, which is already reported.
            _ => return,
        };
        let posted = self.state.counters.posted();
        if posted != entries {
            self.note(Difference::BalanceWrong {
                account: self.state.key,
                currency: self.state.currency,
                posted,
                entries,
            });
        }
    }

    /// Checks whether history is ahead of the ledger, which may have moved on since
    /// the account was read.
    async fn ahead(&mut self) -> Result<(), ReconcileError> {
        if self.head.sequence <= self.state.sequence {
            return Ok(());
        }
        let account = self.state.key;
        let found = self.checker.ledger.accounts(&[account]).await;
        let found = found.map_err(ReconcileError::Ledger)?.into_iter().next();
        let ledger = found.flatten().map_or(0, |found| found.state.sequence);
        if self.head.sequence > ledger {
            let history = self.head.sequence;
            self.note(Difference::HistoryAhead {
                account,
                history,
                ledger,
            });
        }
        Ok(())
    }

    /// Compares history with entries, which follow those that were compared before.
    async fn history(&mut self, entries: &[Entry]) -> Result<(), ReconcileError> {
        if self.checker.history.is_none() {
            return Ok(());
        }
        let lines = match lines_of(self.checker.ledger, entries).await {
            Ok(lines) => lines,
            Err(error) => return self.unreadable(error),
        };
        // Joins adjacent missing lines.
        let mut gap: Option<(Sequence, Sequence)> = None;
        for line in &lines {
            let (sequence, at) = (line.entry.sequence, line.entry.created_at);
            if sequence > self.head.sequence {
                self.behind(sequence, at);
                continue;
            }
            match self.row(line).await? {
                Some(row) if row.line == *line => {
                    self.checked.history.same = self.checked.history.same.saturating_add(1);
                }
                Some(_) => {
                    let account = self.state.key;
                    self.note(Difference::HistoryWrong { account, sequence });
                }
                None if self.checker.expired_before.is_some_and(|end| at < end) => {
                    let tally = &mut self.checked.history;
                    tally.expired = tally.expired.saturating_add(1);
                }
                None => match &mut gap {
                    Some((_, last)) if last.saturating_add(1) == sequence => *last = sequence,
                    _ => {
                        self.lost(gap.replace((sequence, sequence)));
                    }
                },
            }
        }
        self.lost(gap);
        Ok(())
    }

    /// Finds the row of history with a line's sequence, and skips rows before it.
    async fn row(&mut self, line: &HistoryLine) -> Result<Option<HistoryRow>, ReconcileError> {
        let sequence = line.entry.sequence;
        loop {
            while let Some(row) = self.rows.front() {
                let found = row.line.entry.sequence;
                if found > sequence {
                    return Ok(None);
                }
                let row = self.rows.pop_front();
                if found == sequence {
                    return Ok(row);
                }
            }
            if self.is_read {
                return Ok(None);
            }
            self.read(line).await?;
        }
    }

    async fn read(&mut self, line: &HistoryLine) -> Result<(), ReconcileError> {
        let Some(history) = self.checker.history else {
            return Ok(());
        };
        let mut query = HistoryQuery::first(self.state.key, PAGE);
        if self.first > 1 {
            // If only the last entries are compared, the query starts at the first of
            // them.
            query.from = Some(line.entry.created_at);
        }
        query.cursor = self.cursor.take();
        let page = history
            .page(&query, self.checker.restores)
            .await
            .map_err(ReconcileError::History)?;
        self.is_read = page.rows.is_empty();
        self.cursor = page.next;
        self.rows.extend(page.rows);
        Ok(())
    }

    fn behind(&mut self, sequence: Sequence, at: Timestamp) {
        let tally = &mut self.checked.history;
        tally.behind = tally.behind.saturating_add(1);
        let is_first = sequence == self.head.sequence.saturating_add(1) || sequence == self.first;
        if !is_first {
            return;
        }
        tally.behind_since = Some(at);
        if self.checker.due.is_some_and(|due| at < due) {
            let (account, ledger) = (self.state.key, self.state.sequence);
            self.note(Difference::HistoryBehind {
                account,
                history: self.head.sequence,
                ledger,
                since: at,
            });
        }
    }

    fn lost(&mut self, gap: Option<(Sequence, Sequence)>) {
        if let Some((first, last)) = gap {
            let account = self.state.key;
            self.note(Difference::HistoryMissing {
                account,
                first,
                last,
            });
        }
    }

    fn missing(&mut self, first: Sequence, last: Sequence) {
        let account = self.state.key;
        self.note(Difference::EntriesMissing {
            account,
            first,
            last,
        });
    }

    /// Damage that the ledger itself reports is a difference. Any other error is
    /// unknown.
    fn unreadable(&mut self, error: StoreError) -> Result<(), ReconcileError> {
        if error.kind() != StoreErrorKind::Corrupt {
            return Err(ReconcileError::Ledger(error));
        }
        let account = self.state.key;
        let reason = error.context().to_owned();
        self.note(Difference::Unreadable { account, reason });
        // No later entry can be compared.
        self.next = self.state.sequence.saturating_add(1);
        self.before = None;
        Ok(())
    }

    fn note(&mut self, difference: Difference) {
        if self.checked.differences.len() < KEPT {
            self.checked.differences.push(difference);
        }
    }
}

use super::{Books, Violation};
use crate::ledger::{
    Account, AccountKey, AccountState, Direction, Entry, InLedger, Sequence, Status, Timestamp,
    Version,
};

/// Checks that the balances of every currency of every ledger add up to zero.
#[must_use]
pub fn zero_sum(books: &Books) -> Vec<Violation> {
    let sums = books.sums().into_iter();
    sums.filter(|(_, sum)| sum.posted != 0)
        .map(|((ledger, currency), sum)| Violation::NotZeroSum {
            ledger,
            currency,
            sum: sum.posted,
        })
        .collect()
}

/// Checks that every account agrees with its entries and stays within its limits.
#[must_use]
pub fn accounts(books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (key, account) in &books.accounts {
        let entries = books.entries_of(*key);
        let mut chain = Chain::new(books, &account.state);
        for entry in entries {
            chain.follow(entry, &mut violations);
        }
        chain.end(&mut violations);
        limits(books, account, entries, &mut violations);
    }
    violations
}

/// Checks the sequence, versions, times and balances of an account's entries, one
/// by one.
struct Chain<'a> {
    books: &'a Books,
    state: &'a AccountState,
    sequence: Sequence,
    version: Version,
    at: Timestamp,
    debits: i128,
    credits: i128,
    /// The error of the last balance. Entries after a wrong one have the same error
    /// and are not reported again.
    off: i128,
    /// Whether every entry so far could be read.
    is_whole: bool,
}

impl<'a> Chain<'a> {
    const fn new(books: &'a Books, state: &'a AccountState) -> Self {
        Self {
            books,
            state,
            sequence: 0,
            version: 1,
            at: Timestamp::from_micros(i64::MIN),
            debits: 0,
            credits: 0,
            off: 0,
            is_whole: true,
        }
    }

    fn follow(&mut self, entry: &Entry, violations: &mut Vec<Violation>) {
        let account = self.state.key;
        let (sequence, version) = (entry.sequence, entry.version);
        let is_hidden = self.skip_hidden(sequence);
        let due = self.sequence.saturating_add(1);
        if sequence != due {
            violations.push(Violation::SequenceBroken {
                account,
                expected: due,
                found: sequence,
            });
        }
        if version <= self.version || version > self.state.version {
            violations.push(Violation::VersionBroken {
                account,
                sequence,
                version,
            });
        }
        if entry.created_at < self.at || entry.created_at > self.state.last_at {
            violations.push(Violation::TimeWentBack { account, sequence });
        }
        match entry.direction {
            Direction::Debit => self.debits = self.debits.wrapping_add(entry.amount.minor()),
            Direction::Credit => self.credits = self.credits.wrapping_add(entry.amount.minor()),
        }
        let expected = self.credits.wrapping_sub(self.debits);
        if is_hidden {
            // Hidden entries moved the rest.
            let rest = entry.balance_after.wrapping_sub(expected);
            self.credits = self.credits.wrapping_add(rest);
            self.off = 0;
        } else {
            let off = entry.balance_after.wrapping_sub(expected);
            if off != 0 && off != self.off {
                violations.push(Violation::BalanceChainBroken {
                    account,
                    sequence,
                    expected,
                    found: entry.balance_after,
                });
            }
            self.off = off;
        }
        (self.sequence, self.version, self.at) = (sequence, version, entry.created_at);
    }

    /// Skips the unreadable entries before entry `next`. Returns whether there was
    /// any.
    fn skip_hidden(&mut self, next: Sequence) -> bool {
        let gaps = self.books.gaps(self.state.key).iter();
        let due = self.sequence.saturating_add(1);
        let hidden = gaps
            .skip_while(|gap| gap.last < due)
            .take_while(|gap| gap.last < next);
        let Some(last) = hidden.map(|gap| gap.last).last() else {
            return false;
        };
        self.sequence = last;
        self.is_whole = false;
        true
    }

    fn end(mut self, violations: &mut Vec<Violation>) {
        let account = self.state.key;
        let is_open = self.skip_hidden(i64::MAX);
        if self.sequence != self.state.sequence {
            violations.push(Violation::SequenceBroken {
                account,
                expected: self.state.sequence.saturating_add(1),
                found: self.sequence.saturating_add(1),
            });
        }
        let counters = &self.state.counters;
        let stored = (counters.debits_posted, counters.credits_posted);
        let entries = (self.debits, self.credits);
        let differ = if self.is_whole {
            stored != entries
        } else {
            // The balance is known from the last entry, unless that entry is hidden.
            !is_open && counters.posted() != self.credits.wrapping_sub(self.debits)
        };
        if differ {
            violations.push(Violation::CountersDiffer {
                account,
                stored,
                entries,
            });
        }
    }
}

/// Checks the floor, the maximum balance, and that a closed account is empty.
fn limits(books: &Books, account: &Account, entries: &[Entry], violations: &mut Vec<Violation>) {
    let state = &account.state;
    let available = state.counters.available();
    let floor = state.policy.floor().filter(|floor| available < *floor);
    if let Some(floor) = floor.filter(|_| !was_forced(books, state.key, entries)) {
        violations.push(Violation::BelowFloor {
            account: state.key,
            available,
            floor,
        });
    }
    let expected = state
        .counters
        .posted()
        .saturating_add(state.counters.credits_pending);
    let ceiling = state.max_balance.map(crate::ledger::Amount::minor);
    if let Some(ceiling) = ceiling.filter(|ceiling| expected > *ceiling) {
        violations.push(Violation::AboveCeiling {
            account: state.key,
            expected,
            ceiling,
        });
    }
    let pending = state.counters.debits_pending != 0 || state.counters.credits_pending != 0;
    if state.status == Status::Closed && (pending || state.counters.posted() != 0) {
        violations.push(Violation::ClosedNotEmpty { account: state.key });
    }
}

/// Whether a forced reversal ever debited the account.
fn was_forced(books: &Books, account: AccountKey, entries: &[Entry]) -> bool {
    let debits = entries.iter().filter(|e| e.direction == Direction::Debit);
    let mut moved = debits.filter_map(|entry| {
        let key = InLedger::new(account.ledger, entry.transfer);
        books.transfer(key)
    });
    moved.any(|moved| moved.reversal.as_ref().is_some_and(|r| r.forced))
}

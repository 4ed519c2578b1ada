use std::collections::BTreeMap;

use super::{Books, Violation};
use crate::{
    Account, AccountKey, CurrencyCode, Direction, Entry, InLedger, LedgerId, Sequence, Status,
    Timestamp, Version,
};

/// The balances of every currency of every ledger add up to zero.
#[must_use]
pub fn zero_sum(books: &Books) -> Vec<Violation> {
    let mut sums: BTreeMap<(LedgerId, CurrencyCode), i128> = BTreeMap::new();
    for (key, account) in &books.accounts {
        let pot = (key.ledger, account.state.currency.code());
        let sum = sums.entry(pot).or_default();
        // Balances reach 10^38, so a sum on the way may not fit; modulo 2^128
        // it comes back to zero all the same.
        *sum = sum.wrapping_add(account.state.counters.posted());
    }
    let off = sums.into_iter().filter(|(_, sum)| *sum != 0);
    off.map(|((ledger, currency), sum)| Violation::NotZeroSum {
        ledger,
        currency,
        sum,
    })
    .collect()
}

/// Every account agrees with its entries, and stays within its limits.
#[must_use]
pub fn accounts(books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (key, account) in &books.accounts {
        let entries = books.entries_of(*key);
        chain(account, entries, &mut violations);
        limits(books, account, entries, &mut violations);
    }
    violations
}

/// Sequence, versions, times and balances of an account's entries, one by one.
fn chain(account: &Account, entries: &[Entry], violations: &mut Vec<Violation>) {
    let key = account.state.key;
    let (mut debits, mut credits) = (0_i128, 0_i128);
    let mut before: (Sequence, Version, _) = (0, 1, Timestamp::from_micros(i64::MIN));
    for entry in entries {
        let sequence = entry.sequence;
        let due = before.0.saturating_add(1);
        if sequence != due {
            violations.push(Violation::SequenceBroken {
                account: key,
                expected: due,
                found: sequence,
            });
        }
        let version = entry.version;
        if version <= before.1 || version > account.state.version {
            violations.push(Violation::VersionBroken {
                account: key,
                sequence,
                version,
            });
        }
        if entry.created_at < before.2 || entry.created_at > account.state.last_at {
            violations.push(Violation::TimeWentBack {
                account: key,
                sequence,
            });
        }
        match entry.direction {
            Direction::Debit => debits = debits.wrapping_add(entry.amount.minor()),
            Direction::Credit => credits = credits.wrapping_add(entry.amount.minor()),
        }
        let expected = credits.wrapping_sub(debits);
        if entry.balance_after != expected {
            violations.push(Violation::BalanceChainBroken {
                account: key,
                sequence,
                expected,
                found: entry.balance_after,
            });
        }
        before = (sequence, version, entry.created_at);
    }
    if before.0 != account.state.sequence {
        violations.push(Violation::SequenceBroken {
            account: key,
            expected: account.state.sequence.saturating_add(1),
            found: before.0.saturating_add(1),
        });
    }
    let counters = &account.state.counters;
    let stored = (counters.debits_posted, counters.credits_posted);
    if stored != (debits, credits) {
        violations.push(Violation::CountersDiffer {
            account: key,
            stored,
            entries: (debits, credits),
        });
    }
}

/// Floor, ceiling, and the emptiness of what is closed.
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
    let ceiling = state.max_balance.map(crate::Amount::minor);
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
    let mut rows = debits.filter_map(|entry| {
        let key = InLedger::new(account.ledger, entry.transfer);
        books.transfers.get(&key)?.as_ref()
    });
    rows.any(|row| row.transfer.reversal.as_ref().is_some_and(|r| r.forced))
}

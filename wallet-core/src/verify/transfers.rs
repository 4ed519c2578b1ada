use std::collections::BTreeMap;

use super::{Books, Moved, Violation};
use crate::ledger::{Direction, Entry, InLedger, Leg, TransferKey};

/// Checks that every transfer with entries exists, and that every leg has exactly
/// its two entries.
#[must_use]
pub fn transfers(books: &Books) -> Vec<Violation> {
    let entries = books.entries.values().flatten();
    let mut named: Vec<(TransferKey, &Entry)> = entries
        .map(|entry| {
            let key = InLedger::new(entry.account.ledger, entry.transfer);
            (key, entry)
        })
        .collect();
    named.sort_by_key(|(key, _)| *key);
    let mut violations = Vec::new();
    for entries in named.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((key, _)) = entries.first() else {
            continue;
        };
        match books.transfer(*key) {
            Some(moved) => one(books, *key, moved, entries, &mut violations),
            None if books.unreadable.transfers.contains_key(key) => {}
            None => violations.push(Violation::TransferMissing { transfer: *key }),
        }
    }
    violations
}

fn one(
    books: &Books,
    key: TransferKey,
    moved: &Moved,
    entries: &[(TransferKey, &Entry)],
    violations: &mut Vec<Violation>,
) {
    let is_hidden = |account| !books.gaps(account).is_empty();
    let mut may_lack = false;
    for (leg, index) in moved.legs.iter().zip(0_u16..) {
        let agrees = |side: Direction, account| {
            let mut of_side = entries
                .iter()
                .filter(|(_, entry)| entry.leg == index && entry.direction == side);
            let fits = of_side.next().map(|(_, entry)| {
                entry.account == account
                    && entry.amount == leg.money.amount
                    && entry.created_at == moved.created_at
            });
            fits.unwrap_or_else(|| is_hidden(account)) && of_side.next().is_none()
        };
        let [from, to] = [leg.from, leg.to].map(|id| InLedger::new(key.ledger, id));
        if !agrees(Direction::Debit, from) || !agrees(Direction::Credit, to) {
            violations.push(Violation::LegDiffers {
                transfer: key,
                leg: index,
            });
        }
        for account in [from, to] {
            may_lack |= is_hidden(account);
            let holds = books.accounts.get(&account).map(|a| a.state.currency);
            if holds != Some(leg.money.currency) {
                violations.push(Violation::CurrencyMixed {
                    transfer: key,
                    leg: index,
                    account,
                });
            }
        }
    }
    let due = moved.legs.len().saturating_mul(2);
    if entries.len() > due || (entries.len() < due && !may_lack) {
        violations.push(Violation::StrayEntries {
            transfer: key,
            legs: moved.legs.len(),
            found: entries.len(),
        });
    }
}

/// Checks that the stored reversed amounts equal what reversals moved, and never
/// exceed the leg.
#[must_use]
pub fn reversals(books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut sums: BTreeMap<(TransferKey, u16), i128> = BTreeMap::new();
    for (key, moved) in books.existing_transfers() {
        let Some(reversal) = &moved.reversal else {
            continue;
        };
        let undone = InLedger::new(key.ledger, reversal.transfer);
        let fits = match books.transfer(undone) {
            Some(target) => undoes(moved, &reversal.legs, target),
            None => books.unreadable.transfers.contains_key(&undone),
        };
        if !fits {
            violations.push(Violation::ReversalStray { reversal: key });
        }
        for (leg, index) in moved.legs.iter().zip(&reversal.legs) {
            let sum = sums.entry((undone, *index)).or_default();
            *sum = sum.wrapping_add(leg.money.amount.minor());
        }
    }
    for (transfer, moved) in books.existing_transfers() {
        for (leg, index) in moved.legs.iter().zip(0_u16..) {
            let stored = moved.reversed_of(index).unwrap_or(-1);
            let moved = sums.remove(&(transfer, index)).unwrap_or(0);
            let amount = leg.money.amount.minor();
            if stored != moved || moved > amount {
                violations.push(Violation::ReversalDiffers {
                    transfer,
                    leg: index,
                    stored,
                    moved,
                    amount,
                });
            }
        }
    }
    violations
}

/// Whether every leg of `reversal` is the opposite of the leg of `target` that it
/// `names`.
fn undoes(reversal: &Moved, names: &[u16], target: &Moved) -> bool {
    let backwards = |(leg, index): (&Leg, &u16)| {
        let undone = target.legs.get(usize::from(*index));
        undone.is_some_and(|undone| undone.from == leg.to && undone.to == leg.from)
    };
    target.reversal.is_none()
        && names.len() == reversal.legs.len()
        && reversal.legs.iter().zip(names).all(backwards)
}

use std::collections::BTreeMap;

use super::{Books, Violation};
use crate::{Direction, Entry, InLedger, LedgerId, Leg, Transfer, TransferKey};

/// Every transfer that has entries exists, and every leg has exactly the two
/// that it says.
#[must_use]
pub fn transfers(books: &Books) -> Vec<Violation> {
    let mut by_transfer: BTreeMap<TransferKey, Vec<&Entry>> = BTreeMap::new();
    for entry in books.entries.values().flatten() {
        let key = InLedger::new(entry.account.ledger, entry.transfer);
        by_transfer.entry(key).or_default().push(entry);
    }
    let mut violations = Vec::new();
    for (key, entries) in by_transfer {
        match books.transfers.get(&key).and_then(Option::as_ref) {
            Some(row) => one(books, &row.transfer, &entries, &mut violations),
            None => violations.push(Violation::TransferMissing { transfer: key }),
        }
    }
    violations
}

fn one(books: &Books, transfer: &Transfer, entries: &[&Entry], violations: &mut Vec<Violation>) {
    let key = transfer.key;
    for (leg, index) in transfer.legs.iter().zip(0_u16..) {
        let tells = |side: Direction, account| {
            let account = InLedger::new(key.ledger, account);
            let mut of_side = entries
                .iter()
                .filter(|entry| entry.leg == index && entry.direction == side);
            let first = of_side.next().is_some_and(|entry| {
                entry.account == account
                    && entry.amount == leg.money.amount
                    && entry.created_at == transfer.created_at
            });
            first && of_side.next().is_none()
        };
        if !tells(Direction::Debit, leg.from) || !tells(Direction::Credit, leg.to) {
            violations.push(Violation::LegDiffers {
                transfer: key,
                leg: index,
            });
        }
        for account in [leg.from, leg.to].map(|id| InLedger::new(key.ledger, id)) {
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
    if entries.len() != transfer.legs.len().saturating_mul(2) {
        violations.push(Violation::StrayEntries {
            transfer: key,
            legs: transfer.legs.len(),
            found: entries.len(),
        });
    }
}

/// What is said to be reversed is what reversals moved, and never more than
/// there was.
#[must_use]
pub fn reversals(books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut moved: BTreeMap<(TransferKey, u16), i128> = BTreeMap::new();
    for row in books.existing_transfers() {
        let Some(reversal) = &row.transfer.reversal else {
            continue;
        };
        let key = row.transfer.key;
        let undone = InLedger::new(key.ledger, reversal.transfer);
        let target = books.transfers.get(&undone).and_then(Option::as_ref);
        let fits = target.is_some_and(|target| undoes(&row.transfer, &target.transfer));
        if !fits {
            violations.push(Violation::ReversalStray { reversal: key });
        }
        for (leg, index) in row.transfer.legs.iter().zip(&reversal.legs) {
            let sum = moved.entry((undone, *index)).or_default();
            *sum = sum.wrapping_add(leg.money.amount.minor());
        }
    }
    for row in books.existing_transfers() {
        let transfer = row.transfer.key;
        for (leg, index) in row.transfer.legs.iter().zip(0_u16..) {
            let stored = row.reversed.get(usize::from(index)).copied().unwrap_or(-1);
            let moved = moved.remove(&(transfer, index)).unwrap_or(0);
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

/// Whether every leg of `reversal` runs backwards along the leg that it names.
fn undoes(reversal: &Transfer, target: &Transfer) -> bool {
    let Some(names) = reversal.reversal.as_ref().map(|r| &r.legs) else {
        return false;
    };
    let backwards = |(leg, index): (&Leg, &u16)| {
        let undone = target.legs.get(usize::from(*index));
        undone.is_some_and(|undone| undone.from == leg.to && undone.to == leg.from)
    };
    let same_ledger: (LedgerId, LedgerId) = (reversal.key.ledger, target.key.ledger);
    same_ledger.0 == same_ledger.1
        && target.reversal.is_none()
        && names.len() == reversal.legs.len()
        && reversal.legs.iter().zip(names).all(backwards)
}

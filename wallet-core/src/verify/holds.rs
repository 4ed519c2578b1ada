use std::collections::BTreeMap;

use super::{Books, Violation};
use crate::ledger::{AccountKey, Hold, HoldKey, HoldStatus, InLedger};

/// Checks that every hold adds up and agrees with its captures. While a hold is
/// open, it must be in the pending sums of its two accounts.
#[must_use]
pub fn holds(books: &Books) -> Vec<Violation> {
    let mut captured: BTreeMap<HoldKey, i128> = BTreeMap::new();
    for (transfer, moved) in books.existing_transfers() {
        if let Some(hold) = moved.hold {
            let sum = captured
                .entry(InLedger::new(transfer.ledger, hold))
                .or_default();
            for leg in &moved.legs {
                *sum = sum.saturating_add(leg.money.amount.minor());
            }
        }
    }
    let mut violations = Vec::new();
    let mut pending: BTreeMap<AccountKey, (i128, i128)> = BTreeMap::new();
    for (key, hold) in &books.holds {
        let moved = captured.remove(key).unwrap_or(0);
        let wrong = wrong(hold, moved).into_iter();
        violations.extend(wrong.map(|why| Violation::HoldDiffers { hold: *key, why }));
        if hold.status == HoldStatus::Pending {
            let [from, to] = [hold.from, hold.to].map(|id| InLedger::new(key.ledger, id));
            let remaining = hold.remaining();
            let debits = &mut pending.entry(from).or_default().0;
            *debits = debits.saturating_add(remaining);
            let credits = &mut pending.entry(to).or_default().1;
            *credits = credits.saturating_add(remaining);
        }
    }
    violations.extend(captured.into_keys().map(|hold| Violation::HoldDiffers {
        hold,
        why: "captured, but it does not exist",
    }));
    for (key, account) in &books.accounts {
        let counters = &account.state.counters;
        let stored = (counters.debits_pending, counters.credits_pending);
        let holds = pending.remove(key).unwrap_or_default();
        if stored != holds {
            violations.push(Violation::PendingDiffers {
                account: *key,
                stored,
                holds,
            });
        }
    }
    violations
}

fn wrong(hold: &Hold, moved: i128) -> Option<&'static str> {
    if hold.captured < 0 || hold.released < 0 || hold.remaining() < 0 {
        return Some("more captured and released than was held");
    }
    if hold.captured != moved {
        return Some("what it says was captured is not what captures moved");
    }
    let is_open = hold.status == HoldStatus::Pending;
    if is_open != (hold.remaining() > 0) {
        return Some("open with nothing left, or ended with something left");
    }
    if hold.status == HoldStatus::Captured && hold.captured == 0 {
        return Some("captured, but nothing was");
    }
    None
}

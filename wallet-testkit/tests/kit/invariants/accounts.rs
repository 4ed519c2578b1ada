//! Damage of accounts, their entries and their transfers.

use wallet_core::ledger::InLedger;
use wallet_core::verify::Violation;
use wallet_core::{Amount, Policy, Status, Timestamp};

use super::{after, shows};

#[test]
fn a_balance_without_its_other_side_shows() {
    let violations = after(|books, ada| {
        let account = books.accounts.get_mut(&ada).unwrap();
        account.state.counters.credits_posted += 1;
    });
    shows!(
        violations,
        Violation::NotZeroSum { sum: 1, .. },
        Violation::CountersDiffer { .. }
    );
}

#[test]
fn a_broken_floor_or_ceiling_shows() {
    let violations = after(|books, ada| {
        let state = &mut books.accounts.get_mut(&ada).unwrap().state;
        state.policy = Policy::NonNegative;
        state.max_balance = Some(Amount::MIN);
        state.counters.debits_pending += 1_000;
    });
    shows!(
        violations,
        Violation::BelowFloor { floor: 0, .. },
        Violation::AboveCeiling { ceiling: 1, .. },
        Violation::PendingDiffers { .. },
    );
}

#[test]
fn a_closed_account_with_money_shows() {
    let violations = after(|books, ada| {
        books.accounts.get_mut(&ada).unwrap().state.status = Status::Closed;
    });
    shows!(violations, Violation::ClosedNotEmpty { .. });
}

#[test]
fn a_missing_entry_shows() {
    let violations = after(|books, ada| {
        books.entries.get_mut(&ada).unwrap().remove(1);
    });
    shows!(
        violations,
        Violation::SequenceBroken {
            expected: 2,
            found: 3,
            ..
        },
        Violation::BalanceChainBroken { .. },
        Violation::CountersDiffer { .. },
        Violation::LegDiffers { leg: 0, .. },
        Violation::StrayEntries {
            legs: 2,
            found: 3,
            ..
        },
    );
}

#[test]
fn a_missing_last_entry_shows() {
    let violations = after(|books, ada| {
        books.entries.get_mut(&ada).unwrap().pop();
    });
    shows!(
        violations,
        Violation::SequenceBroken { .. },
        Violation::CountersDiffer { .. },
        Violation::LegDiffers { .. },
        Violation::StrayEntries { found: 1, .. },
    );
}

#[test]
fn a_false_balance_version_or_time_shows() {
    let violations = after(|books, ada| {
        let entries = books.entries.get_mut(&ada).unwrap();
        entries[0].balance_after += 1;
        entries[1].version = entries[0].version;
    });
    shows!(
        violations,
        Violation::BalanceChainBroken { sequence: 1, .. },
        Violation::VersionBroken { sequence: 2, .. },
    );
    let violations = after(|books, ada| {
        let state = &mut books.accounts.get_mut(&ada).unwrap().state;
        state.last_at = Timestamp::EPOCH;
    });
    shows!(violations, Violation::TimeWentBack { .. });
}

#[test]
fn balances_that_are_off_by_as_much_show_once() {
    let violations = after(|books, ada| {
        let entries = books.entries.get_mut(&ada).unwrap();
        entries[1..]
            .iter_mut()
            .for_each(|entry| entry.balance_after += 3);
    });
    assert_eq!(violations.len(), 1, "{violations:#?}");
    shows!(
        violations,
        Violation::BalanceChainBroken { sequence: 2, .. }
    );
}

#[test]
fn a_missing_transfer_shows() {
    let violations = after(|books, ada| {
        let first = books.entries_of(ada)[0].transfer;
        books
            .transfers
            .insert(InLedger::new(ada.ledger, first), None);
    });
    shows!(violations, Violation::TransferMissing { .. });
}

#[test]
fn a_leg_of_another_currency_shows() {
    let violations = after(|books, ada| {
        let usd = wallet_core::Currency::iso("USD").unwrap();
        books.accounts.get_mut(&ada).unwrap().state.currency = usd;
    });
    shows!(
        violations,
        Violation::CurrencyMixed { .. },
        Violation::NotZeroSum { .. },
    );
}

#[test]
fn a_false_sum_of_reversals_shows() {
    let violations = after(|books, _| {
        let mut rows = books.transfers.values_mut().flatten();
        let sums = rows.find_map(|row| row.reversed.as_mut());
        sums.unwrap()[0] += 1;
    });
    shows!(violations, Violation::ReversalDiffers { .. });
    let violations = after(|books, _| {
        let mut rows = books.transfers.values_mut().flatten();
        let row = rows.find(|row| row.reversal.is_some()).unwrap();
        row.reversal.as_mut().unwrap().legs = vec![9];
    });
    shows!(
        violations,
        Violation::ReversalStray { .. },
        Violation::ReversalDiffers { .. },
    );
}

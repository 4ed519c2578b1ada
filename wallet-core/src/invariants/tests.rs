//! Every invariant can fail: sound books, damaged in one place, show exactly
//! the violation that is meant for it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::sync::Arc;

use super::{Books, Violation, check_books};
use crate::memory::{MemoryStore, Tables};
use crate::testkit::broken::Broken;
use crate::testkit::conformance::sample;
use crate::testkit::{Built, Capabilities, Handles, Kit, ManualClock, StoreFactory, block_on};
use crate::{
    AccountId, AccountKey, Amount, Hold, HoldStatus, InLedger, LedgerId, Policy, Status, Timestamp,
};

/// Books with two customers, a settlement account, a transfer of two legs, a
/// reversal, an open hold and a captured one.
fn books() -> (Books, AccountId) {
    block_on(async {
        let kit = Kit::new(Arc::new(Broken(None))).await;
        let ada = sample(&kit).await;
        let books = Books::read(kit.store().as_ref()).await.unwrap();
        assert_eq!(kit.violations(true).await, []);
        (books, ada)
    })
}

/// The violations after `damage` to the account that paid.
fn after(damage: impl FnOnce(&mut Books, AccountKey)) -> Vec<Violation> {
    let (mut books, ada) = books();
    assert_eq!(check_books(&books), []);
    damage(&mut books, InLedger::new(LedgerId::default(), ada));
    check_books(&books)
}

macro_rules! shows {
    ($violations:expr, $($pattern:pat),+ $(,)?) => {
        let violations: Vec<Violation> = $violations;
        $(assert!(
            violations.iter().any(|violation| matches!(violation, $pattern)),
            "{} is not among {violations:#?}", stringify!($pattern),
        );)+
        let other = violations.iter().find(|violation| !matches!(violation, $($pattern)|+));
        assert_eq!(other, None, "shows more than that");
    };
}

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
        let usd = crate::Currency::iso("USD").unwrap();
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
        let row = rows.find(|row| row.reversed.iter().any(|sum| *sum > 0));
        row.unwrap().reversed[0] += 1;
    });
    shows!(violations, Violation::ReversalDiffers { .. });
    let violations = after(|books, _| {
        let mut rows = books.transfers.values_mut().flatten();
        let row = rows.find(|row| row.transfer.reversal.is_some()).unwrap();
        row.transfer.reversal.as_mut().unwrap().legs = vec![9];
    });
    shows!(
        violations,
        Violation::ReversalStray { .. },
        Violation::ReversalDiffers { .. },
    );
}

fn damage_hold(status: HoldStatus, damage: impl FnOnce(&mut Hold)) -> Vec<Violation> {
    after(|books, _| {
        let mut holds = books.holds.values_mut();
        damage(holds.find(|hold| hold.status == status).unwrap());
    })
}

#[test]
fn a_hold_that_does_not_add_up_shows() {
    let violations = damage_hold(HoldStatus::Captured, |hold| hold.captured -= 1);
    shows!(violations, Violation::HoldDiffers { .. });
    let violations = damage_hold(HoldStatus::Captured, |hold| hold.released += 1);
    shows!(violations, Violation::HoldDiffers { .. });
    let violations = damage_hold(HoldStatus::Pending, |hold| {
        hold.status = HoldStatus::Released;
    });
    shows!(
        violations,
        Violation::HoldDiffers { .. },
        Violation::PendingDiffers { .. }
    );
    let violations = after(|books, _| {
        books
            .holds
            .retain(|_, hold| hold.status == HoldStatus::Pending);
    });
    shows!(violations, Violation::HoldDiffers { .. });
}

/// Keeps hold of the store that it makes, so that a test can damage it.
#[derive(Debug, Clone, Default)]
struct Exposed(Arc<std::sync::OnceLock<MemoryStore>>);

#[async_trait::async_trait]
impl StoreFactory for Exposed {
    fn capabilities(&self) -> Capabilities {
        Broken(None).capabilities()
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        let memory = self.0.get_or_init(|| MemoryStore::new(clock));
        Built::new(Handles::of(Arc::new(memory.clone())), ())
    }
}

/// The violations after `damage` to the tables of a store.
fn after_damage(damage: impl FnOnce(&mut Tables, AccountKey)) -> Vec<Violation> {
    let factory = Exposed::default();
    block_on(async {
        let kit = Kit::new(Arc::new(factory.clone())).await;
        let ada = sample(&kit).await;
        assert_eq!(kit.violations(true).await, []);
        let memory = factory.0.get().expect("it was built");
        let ada = InLedger::new(LedgerId::default(), ada);
        damage(&mut memory.shared().tables(), ada);
        kit.violations(true).await
    })
}

#[test]
fn a_record_that_is_lost_or_changed_shows() {
    let violations = after_damage(|tables, _| tables.records.clear());
    shows!(violations, Violation::AcknowledgedLost { .. });
    let violations = after_damage(|tables, _| {
        let record = tables.records.values_mut().next().unwrap();
        Arc::make_mut(&mut record.outcome).at = Timestamp::EPOCH;
    });
    shows!(violations, Violation::AcknowledgedChanged { .. });
}

#[test]
fn a_changed_entry_belies_its_record_and_its_event() {
    let violations = after_damage(|tables, ada| {
        let entries = tables.entries.get_mut(&ada).unwrap();
        entries[0].balance_after += 1;
    });
    shows!(
        violations,
        Violation::BalanceChainBroken { sequence: 1, .. },
        Violation::EffectMissing { .. },
        Violation::EventDiffers { .. },
    );
}

#[test]
fn a_row_that_cannot_be_read_shows() {
    let violations = after_damage(|tables, _| {
        tables.outbox.append(vec![0xFF], Timestamp::EPOCH);
    });
    shows!(violations, Violation::RowUnreadable { .. });
}

#[test]
fn an_event_told_twice_shows() {
    let violations = after_damage(|tables, _| {
        let mut records = tables.records.values();
        let home = LedgerId::default();
        let outcome = Arc::clone(&records.next().unwrap().outcome);
        let payload = crate::codec::encode_outbox(&[(home, outcome)]).unwrap();
        tables.outbox.append(payload, Timestamp::EPOCH);
    });
    shows!(violations, Violation::EventsBroken { .. });
}

#[test]
fn violations_read_as_sentences() {
    let (books, ada) = books();
    let account = InLedger::new(LedgerId::default(), ada);
    assert!(books.accounts.contains_key(&account));
    let violation = Violation::BelowFloor {
        account,
        available: -5,
        floor: 0,
    };
    let text = violation.to_string();
    assert!(
        text.ends_with(": available -5 is below the floor 0"),
        "{text}"
    );
}

//! Every invariant can fail: valid books with one damage show exactly the intended
//! violation.

use std::collections::BTreeSet;
use std::sync::Arc;

use wallet_core::ledger::{AccountKey, HoldStatus, InLedger};
use wallet_core::memory::{MemoryStore, Tables};
use wallet_core::store::{Outbox, RowProgress, RowState};
use wallet_core::verify::{
    Books, Delivered, Gap, OutboxReport, Progress, Stage, Verifier, VerifyError, Violation,
    check_books,
};
use wallet_core::{AccountId, Amount, Hold, LedgerId, Policy, Status, Timestamp};
use wallet_testkit::broken::Broken;
use wallet_testkit::conformance::sample;
use wallet_testkit::{Built, Factory, ManualClock, StoreEnds, StoreKit, block_on};

/// Books with two customers, a settlement account, a transfer of two legs, a
/// reversal, an open hold and a captured one.
fn books() -> (Books, AccountId) {
    block_on(async {
        let kit = StoreKit::new(Arc::new(Broken(None))).await;
        let ada = sample(&kit).await;
        let books = Verifier::new(kit.store().as_ref()).books().await.unwrap();
        assert_eq!(kit.violations(true).await, []);
        (books, ada)
    })
}

/// The violations after `damage` to the paying account.
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

/// Shares its store with the test, so that the test can damage it.
#[derive(Debug, Clone, Default)]
struct Exposed(Arc<std::sync::OnceLock<MemoryStore>>);

#[async_trait::async_trait]
impl Factory<StoreEnds> for Exposed {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let memory = self.0.get_or_init(|| MemoryStore::new(clock));
        let ends = StoreEnds::of(Arc::new(memory.clone()));
        Built::new(Arc::new(ends), ())
    }
}

/// The violations after `damage` to the tables of a store.
fn after_damage(damage: impl FnOnce(&mut Tables, AccountKey)) -> Vec<Violation> {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
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
fn an_event_that_is_there_twice_shows() {
    let violations = after_damage(|tables, _| {
        let mut records = tables.records.values();
        let home = LedgerId::default();
        let outcome = Arc::clone(&records.next().unwrap().outcome);
        let payload = wallet_core::store::codec::encode_outbox(&[(home, outcome)]).unwrap();
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

/// Makes an entry unreadable, as a store with a damaged entry reports it.
fn hide(books: &mut Books, account: AccountKey, sequence: wallet_core::ledger::Sequence) {
    let entries = books.entries.get_mut(&account).unwrap();
    entries.retain(|entry| entry.sequence != sequence);
    let gaps = books.unreadable.entries.entry(account).or_default();
    gaps.push(Gap {
        first: sequence,
        last: sequence,
        reason: "torn".to_owned(),
    });
}

#[test]
fn an_entry_that_cannot_be_read_shows_as_that_alone() {
    for sequence in 1..=5 {
        let violations = after(|books, ada| hide(books, ada, sequence));
        assert_eq!(violations.len(), 1, "{sequence}: {violations:#?}");
        let text = violations[0].to_string();
        let suffix = format!("entries {sequence} to {sequence} cannot be read: torn");
        assert!(text.ends_with(&suffix), "{text}");
    }
}

#[test]
fn what_is_wrong_behind_an_entry_that_cannot_be_read_shows_too() {
    let violations = after(|books, ada| {
        hide(books, ada, 2);
        books.entries.get_mut(&ada).unwrap()[2].balance_after += 1;
    });
    shows!(
        violations,
        Violation::EntriesUnreadable { .. },
        Violation::BalanceChainBroken { sequence: 4, .. },
    );
    let violations = after(|books, ada| {
        hide(books, ada, 2);
        let account = books.accounts.get_mut(&ada).unwrap();
        account.state.counters.credits_posted += 1;
    });
    shows!(
        violations,
        Violation::EntriesUnreadable { .. },
        Violation::CountersDiffer { .. },
        Violation::NotZeroSum { .. },
    );
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
fn a_transfer_that_cannot_be_read_shows_as_that_alone() {
    let violations = after(|books, ada| {
        // The transfer of two legs: a reversal names it.
        let key = InLedger::new(ada.ledger, books.entries_of(ada)[1].transfer);
        assert!(books.transfers.remove(&key).is_some());
        let reason = "torn".to_owned();
        books.unreadable.transfers.insert(key, reason);
    });
    assert_eq!(violations.len(), 1, "{violations:#?}");
    shows!(violations, Violation::TransferUnreadable { .. });
}

/// The check of a store whose outbox a relay has worked on.
fn delivered(
    known: Delivered,
    work: impl FnOnce(&mut Tables, &mut dyn FnMut(usize, &[u32], bool)),
) -> (Vec<Violation>, OutboxReport) {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        sample(&kit).await;
        let memory = factory.0.get().expect("it was built");
        let ttl = std::time::Duration::from_secs(1);
        let lease = memory.acquire("relay", ttl).await.unwrap().unwrap();
        let rows = memory.claim(&lease, &BTreeSet::new(), 100).await.unwrap();
        let mut marks = Vec::new();
        work(
            &mut memory.shared().tables(),
            &mut |row, done: &[u32], complete| {
                marks.push(RowProgress {
                    row: rows[row].id,
                    done: done.iter().copied().collect(),
                    state: if complete {
                        RowState::Complete
                    } else {
                        RowState::Open
                    },
                });
            },
        );
        memory.mark_done(&lease, &marks).await.unwrap();
        memory.release(&lease).await.unwrap();
        let verifier = Verifier::new(memory).with_outbox(memory, known);
        let report = verifier.run().await.unwrap();
        (report.violations, report.outbox.unwrap())
    })
}

// The rows of the sample: ada opens (0), money for her from the bank (1), bob opens
// (2), then a hold (3), a transfer (4), a reversal (5), a capture (6) and a hold
// (7). Each of the last five has events of both ada and bob.

#[test]
fn an_outbox_of_which_nothing_was_delivered_is_complete() {
    let (violations, report) = delivered(Delivered::Nothing, |_, _| {});
    assert_eq!(violations, []);
    let OutboxReport::Checked {
        rows,
        begun,
        events,
        changes,
    } = report
    else {
        panic!("{report:?}")
    };
    assert_eq!((rows, begun), (8, 0));
    assert_eq!(events, changes);
    let (violations, same) = delivered(Delivered::Unknown, |_, _| {});
    assert_eq!((violations, same), (vec![], report));
}

#[test]
fn what_was_delivered_in_order_is_not_missed() {
    for count in 0..=8 {
        let (violations, report) = delivered(Delivered::Unknown, |_, mark| {
            (0..count).for_each(|row| mark(row, &[], true));
        });
        assert_eq!(violations, [], "{count} delivered");
        let open = 8 - u64::try_from(count).unwrap();
        assert!(
            matches!(report, OutboxReport::Checked { rows, .. } if rows == open),
            "{report:?}"
        );
    }
    // If nothing can have been delivered, it is a violation.
    let (violations, _) = delivered(Delivered::Nothing, |_, mark| mark(0, &[], true));
    shows!(violations, Violation::EventsBroken { expected: 1, .. });
}

#[test]
fn a_row_delivered_in_part_lets_later_ones_go() {
    // Ada's part of row 4 is published, and bob's is parked. Row 5 had only ada's.
    let (violations, report) = delivered(Delivered::Unknown, |_, mark| {
        (0..4).for_each(|row| mark(row, &[], true));
        mark(4, &[0], false);
        mark(5, &[], true);
    });
    assert_eq!(violations, []);
    assert!(
        matches!(report, OutboxReport::Checked { begun: 1, .. }),
        "{report:?}"
    );
}

#[test]
fn a_row_that_is_lost_before_it_was_delivered_shows() {
    for lost in [5, 6, 7] {
        let (violations, _) = delivered(Delivered::Unknown, |_, mark| {
            (0..3).for_each(|row| mark(row, &[], true));
            mark(lost, &[], true);
        });
        shows!(violations, Violation::EventsBroken { .. });
    }
}

#[test]
fn an_outbox_that_somebody_holds_is_not_checked() {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        sample(&kit).await;
        let memory = factory.0.get().expect("it was built");
        let ttl = std::time::Duration::from_secs(1);
        memory.acquire("relay", ttl).await.unwrap().unwrap();
        let verifier = Verifier::new(memory).with_outbox(memory, Delivered::Unknown);
        let report = verifier.run().await.unwrap();
        assert_eq!(report.violations, []);
        assert_eq!(report.outbox, Some(OutboxReport::Held));
    });
}

#[test]
fn a_change_while_the_books_are_read_is_reported_as_such() {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        let ada = InLedger::new(LedgerId::default(), sample(&kit).await);
        let memory = factory.0.get().expect("it was built");
        for stage in [Stage::Accounts, Stage::Transfers, Stage::Events] {
            let mut change = |progress: Progress| {
                let mut tables = memory.shared().tables();
                let state = &mut tables.accounts.get_mut(&ada).unwrap().state;
                state.version += i64::from(progress.stage == stage);
            };
            let verifier = Verifier::new(memory)
                .with_outbox(memory, Delivered::Unknown)
                .with_progress(&mut change);
            match verifier.run().await {
                Err(VerifyError::Changed { accounts }) => assert_eq!(accounts, [ada]),
                other => panic!("{stage:?}: {other:?}"),
            }
        }
        // A past balance that was read raises a time and changes nothing.
        let mut ask = |_| {
            let mut tables = memory.shared().tables();
            let state = &mut tables.accounts.get_mut(&ada).unwrap().state;
            state.last_at = Timestamp::from_micros(i64::MAX);
        };
        let verifier = Verifier::new(memory).with_progress(&mut ask);
        assert!(verifier.books().await.is_ok());
    });
}

#[test]
fn progress_ends_where_it_said_it_would() {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        sample(&kit).await;
        let memory = factory.0.get().expect("it was built");
        let mut last: Vec<Progress> = Vec::new();
        let mut note = |progress: Progress| match last.last_mut() {
            Some(before) if before.stage == progress.stage => {
                assert!(before.done <= progress.done);
                *before = progress;
            }
            _ => last.push(progress),
        };
        let acknowledged = kit.acknowledged();
        let verifier = Verifier::new(memory)
            .with_page(1)
            .with_acknowledged(&acknowledged)
            .with_outbox(memory, Delivered::Nothing)
            .with_progress(&mut note);
        let report = verifier.run().await.unwrap();
        assert_eq!(report.violations, []);
        let stages: Vec<Stage> = last.iter().map(|progress| progress.stage).collect();
        let right = [
            Stage::Accounts,
            Stage::Entries,
            Stage::Holds,
            Stage::Transfers,
            Stage::Comparison,
            Stage::Checks,
            Stage::Acknowledged,
            Stage::Events,
            Stage::Comparison,
        ];
        assert_eq!(stages, right);
        for Progress { stage, done, total } in last {
            assert!(total.is_none_or(|total| total == done), "{stage:?}");
        }
        let totals = report.totals;
        assert_eq!((totals.ledgers, totals.accounts, totals.holds), (1, 3, 2));
        assert!(totals.entries > totals.transfers && totals.transfers > 0);
        let [((_, currency), sum)] = report.sums[..] else {
            panic!("{:?}", report.sums)
        };
        assert_eq!(currency.as_str(), "EUR");
        assert_eq!((sum.accounts, sum.posted), (3, 0));
    });
}

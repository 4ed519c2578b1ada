//! For any input, `decide` returns a result, returns the same result again, and
//! neither creates nor loses money.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::arbitrary::{command, requests, snapshot};
use crate::support::{A, B, C, D, World, cents, in_ledger};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wallet_core::decide::Decision;
use wallet_core::ledger::{AccountKey, AccountState, Counters, Decided, HoldStatus};
use wallet_core::request::Batch;
use wallet_core::store::Snapshot;
use wallet_core::{Command, Currency, Deposit, LedgerId, Outcome, Policy, Receipt, Rejection};

fn is_strictly_sorted<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> bool {
    list.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]))
}

/// Checks that every list is sorted and unique, and that every answer matches its
/// rows.
fn check_shape(batch: &Batch, decision: &Decision) {
    let changes = &decision.changes;
    assert_eq!(decision.decided.len(), batch.requests().len());
    assert!(is_strictly_sorted(&changes.records, |one| one.key));
    assert!(is_strictly_sorted(&changes.opened, |one| one.state.key));
    assert!(is_strictly_sorted(&changes.updated, |one| one.after.key));
    assert!(is_strictly_sorted(&changes.holds, |one| one.hold.key));
    assert!(is_strictly_sorted(&changes.reversals, |one| (
        one.transfer,
        one.leg
    )));
    assert!(is_strictly_sorted(&changes.currencies, Currency::code));
    assert!(is_strictly_sorted(&changes.transfers(), |one| one.key));
    let entries = changes.entries();
    assert!(is_strictly_sorted(&entries, |one| (
        one.account,
        one.sequence
    )));

    let fresh = decision.decided.iter().filter_map(|one| match one {
        Decided::Fresh(outcome) => Some(outcome),
        _ => None,
    });
    let fresh: Vec<_> = fresh.collect();
    assert_eq!(changes.records.len(), fresh.len());
    let accepted = fresh.iter().filter(|outcome| outcome.result.is_ok());
    let expected: Vec<_> = changes
        .accepted
        .iter()
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(accepted.copied().collect::<Vec<_>>(), expected);
}

type Sums = BTreeMap<(LedgerId, Currency), (i128, i128)>;

fn add(sums: &mut Sums, state: &AccountState, sign: i128) {
    let Counters {
        debits_posted,
        credits_posted,
        debits_pending,
        credits_pending,
    } = state.counters;
    let sum = sums.entry((state.key.ledger, state.currency)).or_default();
    sum.0 += sign * (credits_posted - debits_posted);
    sum.1 += sign * (credits_pending - debits_pending);
}

/// Checks that posted and held amounts add up to zero in every currency.
fn check_sums(snapshot: &Snapshot, decision: &Decision) {
    let before: BTreeMap<AccountKey, AccountState> = snapshot
        .accounts
        .iter()
        .filter_map(|(key, state)| Some((*key, (*state)?)))
        .collect();
    let mut sums = Sums::new();
    for account in &decision.changes.opened {
        assert!(!before.contains_key(&account.state.key));
        add(&mut sums, &account.state, 1);
    }
    for update in &decision.changes.updated {
        let before = &before[&update.after.key];
        assert_eq!(update.version_before, before.version);
        assert_eq!(update.last_at_before, before.last_at);
        assert!(update.after.last_at >= before.last_at.max(snapshot.now));
        assert!(update.after.version > before.version);
        assert_eq!(update.after.currency, before.currency);
        add(&mut sums, before, -1);
        add(&mut sums, &update.after, 1);
    }
    let moved = sums.iter().find(|(_, sum)| **sum != (0, 0));
    assert_eq!(moved, None);
}

/// The number of effects on each account, including changes of status and limits.
fn effects(decision: &Decision) -> BTreeMap<AccountKey, i64> {
    let mut effects = BTreeMap::new();
    for (ledger, outcome) in &decision.changes.accepted {
        let key = |id| wallet_core::ledger::InLedger::new(*ledger, id);
        for receipt in outcome.receipts() {
            let accounts: Vec<AccountKey> = match receipt {
                Receipt::AccountOpened(account) => vec![account.state.key],
                Receipt::AccountChanged(change) if change.effect.is_some() => {
                    vec![change.state.key]
                }
                Receipt::Posted(posted) => {
                    posted.effects.iter().map(|one| key(one.account)).collect()
                }
                Receipt::HoldChanged(changed) => {
                    changed.effects.iter().map(|one| key(one.account)).collect()
                }
                _ => Vec::new(),
            };
            for account in accounts {
                *effects.entry(account).or_default() += 1;
            }
        }
    }
    effects
}

/// Checks that each effect has its own version.
fn check_versions(decision: &Decision) {
    let mut expected = effects(decision);
    for account in &decision.changes.opened {
        assert_eq!(
            expected.remove(&account.state.key),
            Some(account.state.version)
        );
    }
    for update in &decision.changes.updated {
        let risen = update.after.version - update.version_before;
        assert_eq!(expected.remove(&update.after.key), Some(risen));
    }
    assert_eq!(expected, BTreeMap::new());
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn damaged_books_are_decided_on_without_making_money(
        requests in requests(),
        snapshot in snapshot(),
    ) {
        let batch = Batch::new(requests);
        let decision = wallet_core::decide::decide(&batch, &snapshot);
        prop_assert_eq!(&decision, &wallet_core::decide::decide(&batch, &snapshot));
        check_shape(&batch, &decision);
        check_sums(&snapshot, &decision);
        check_versions(&decision);
    }

    #[test]
    fn rows_out_of_order_and_twice_are_answered_too(
        requests in requests(),
        mut snapshot in snapshot(),
        other in snapshot(),
        cut in any::<Index>(),
    ) {
        snapshot.accounts.extend(other.accounts);
        snapshot.holds.extend(other.holds);
        snapshot.transfers.extend(other.transfers);
        snapshot.records.extend(other.records);
        snapshot.currencies.extend(other.currencies);
        if !snapshot.accounts.is_empty() {
            let middle = cut.index(snapshot.accounts.len());
            snapshot.accounts.rotate_left(middle);
        }
        let batch = Batch::new(requests);
        let decision = wallet_core::decide::decide(&batch, &snapshot);
        prop_assert_eq!(&decision, &wallet_core::decide::decide(&batch, &snapshot));
        prop_assert_eq!(decision.decided.len(), batch.requests().len());
    }
}

#[test]
fn the_generators_reach_every_answer_and_rejection() {
    let mut runner = TestRunner::deterministic();
    let inputs = (requests(), snapshot());
    let (mut answers, mut rejections) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..4_000 {
        let tree = inputs.new_tree(&mut runner).expect("nothing is filtered");
        let (requests, snapshot) = tree.current();
        for decided in wallet_core::decide::decide(&Batch::new(requests), &snapshot).decided {
            answers.insert(match decided {
                Decided::Fresh(outcome) => {
                    rejections.extend(outcome.result.as_ref().err().map(|one| one.rejection));
                    if outcome.result.is_ok() {
                        "accepted"
                    } else {
                        "refused"
                    }
                }
                Decided::IdempotencyMismatch => "mismatch",
                Decided::Blocked => "blocked",
                Decided::ClockBehind { .. } => "behind",
                other => panic!("no record fits: {other:?}"),
            });
        }
    }
    assert_eq!(answers.len(), 5, "{answers:?}");
    let all = Rejection::ALL.iter().copied();
    let missed: Vec<_> = all.filter(|one| !rejections.contains(one)).collect();
    // No record of a cancelled key is among the snapshots.
    assert_eq!(missed, [Rejection::Cancelled]);
}

/// A state that was built by commands alone.
fn books() -> World {
    let mut world = World::new();
    for id in [A, B, C, D] {
        let owner = wallet_core::Owner::new("somebody").expect("it is short");
        let open = wallet_core::OpenAccount::new(owner, crate::support::eur()).with_id(id);
        world.run(open).expect("the id is free");
        let deposit = Deposit::new(id, cents(500), crate::support::bank());
        world.run(deposit).expect("the account is open");
    }
    world
}

/// Accounts that some reversal was forced on.
fn forced(outcome: &Outcome) -> Vec<AccountKey> {
    let forced = outcome.postings().filter(|posted| {
        let reversal = posted.transfer.reversal.as_ref();
        reversal.is_some_and(|reversal| reversal.forced)
    });
    let legs = forced.flat_map(|posted| &posted.transfer.legs);
    legs.map(|leg| in_ledger(leg.from)).collect()
}

/// The invariants of a valid ledger after any batch.
fn check_books(world: &World, forced: &[AccountKey]) {
    let mut sums = Sums::new();
    for (key, account) in &world.tables.accounts {
        let state = &account.state;
        add(&mut sums, state, 1);
        let entries = world.tables.entries.get(key).map_or(&[][..], Vec::as_slice);
        let sequences = entries.iter().map(|entry| entry.sequence);
        assert!(sequences.eq(1..=state.sequence), "{state:?}");
        let last = entries.last().map_or(0, |entry| entry.balance_after);
        assert_eq!(last, state.counters.posted());
        assert!(entries.is_sorted_by_key(|entry| entry.created_at));
        let floor = state.policy.floor().unwrap_or(i128::MIN);
        assert!(
            state.counters.available() >= floor || forced.contains(key),
            "{state:?}"
        );
        let pending = world.tables.holds.values();
        let pending = pending.filter(|hold| hold.status == HoldStatus::Pending);
        let (mut from, mut to) = (0, 0);
        for hold in pending {
            assert!(hold.remaining() > 0);
            from += if hold.from == key.id {
                hold.remaining()
            } else {
                0
            };
            to += if hold.to == key.id {
                hold.remaining()
            } else {
                0
            };
        }
        assert_eq!(state.counters.debits_pending, from);
        assert_eq!(state.counters.credits_pending, to);
    }
    assert!(sums.values().all(|sum| *sum == (0, 0)), "{sums:?}");
    for hold in world.tables.holds.values() {
        assert!(hold.captured >= 0 && hold.released >= 0 && hold.remaining() >= 0);
        assert_eq!(hold.status == HoldStatus::Pending, hold.remaining() > 0);
    }
    for row in world.tables.transfers.values() {
        let legs = row.transfer.legs.iter().zip(&row.reversed);
        for (leg, reversed) in legs {
            assert!((0..=leg.money.amount.minor()).contains(reversed));
        }
        assert_eq!(row.transfer.legs.len(), row.reversed.len());
    }
}

/// Whether a command would make the rest of a run refuse everything.
fn is_lasting(command: &Command) -> bool {
    match command {
        Command::ChangeStatus(change) => change.status == wallet_core::Status::Closed,
        Command::ChangeLimits(change) => change.policy == Some(Policy::Unlimited),
        _ => false,
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn sound_books_stay_sound_through_any_batches(
        batches in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(command(), 1..3), 1..6),
            1..12,
        ),
    ) {
        let mut world = books();
        let mut exempt = Vec::new();
        for batch in batches {
            let requests = batch.into_iter().filter_map(|mut commands| {
                commands.retain(|command| !is_lasting(command));
                world.try_requests(commands)
            });
            let requests = requests.collect();
            let decided = world.commit(requests);
            for one in &decided {
                exempt.extend(forced(crate::support::fresh(one)));
            }
            world.now = world.now.saturating_add(std::time::Duration::from_micros(1));
            check_books(&world, &exempt);
        }
    }
}

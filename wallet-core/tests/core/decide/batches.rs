//! The requests of a batch: independence, replays, time.

use std::sync::Arc;

use crate::support::{
    A, B, C, NOW, SECOND, World, amount, bank, cents, eur, fresh, hold_id, in_ledger, key, leg,
    only_receipt, transfer_id, transfer_row, usd,
};
use wallet_core::ledger::{Decided, Epoch, settlement_account};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::ChangeSet;
use wallet_core::{
    AccountId, Capture, ChangeStatus, Command, Deposit, LedgerId, OpenAccount, Owner, PlaceHold,
    PostTransfer, Rejection, Release, Request, Reverse, Status, Timestamp,
};

const SECOND_LEDGER: LedgerId = LedgerId::new(1);

fn pay(from: AccountId, to: AccountId, minor: i128) -> Command {
    PostTransfer::new(vec![leg(from, to, minor)]).into()
}

fn later(micros: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + micros)
}

/// Requests with many effects that their last command refuses.
fn refused_requests(world: &World) -> Vec<Arc<PreparedRequest>> {
    let fail: Command = ChangeStatus::new(C, Status::Frozen).into();
    let owner = || Owner::new("ada").unwrap();
    let one_by_one: Vec<Vec<Command>> = vec![
        vec![pay(A, B, 5)],
        vec![OpenAccount::new(owner(), usd()).into()],
        vec![Deposit::new(A, cents(5), bank()).into()],
        vec![Capture::new(hold_id(1)).with_amount(amount(5)).into()],
        vec![Release::new(hold_id(1)).into()],
        vec![Reverse::new(transfer_id(7)).into()],
        vec![ChangeStatus::new(A, Status::Frozen).into()],
        vec![
            PlaceHold::new(A, B, cents(5)).with_id(hold_id(2)).into(),
            Capture::new(hold_id(2)).with_amount(amount(1)).into(),
            Release::new(hold_id(2)).into(),
        ],
        vec![
            PostTransfer::new(vec![leg(A, B, 5)])
                .with_id(transfer_id(2))
                .into(),
            Reverse::new(transfer_id(2)).into(),
        ],
    ];
    let mut all: Vec<Command> = one_by_one.iter().flatten().cloned().collect();
    // A released hold or a frozen account would refuse the rest.
    all.retain(|command| !matches!(command, Command::ChangeStatus(_)));
    let requests = one_by_one.into_iter().chain([all]);
    let requests = requests.map(|mut commands| {
        commands.push(fail.clone());
        world.requests(commands)
    });
    requests.collect()
}

/// Requests that touch the same rows as the refused ones.
fn accepted_requests(world: &World) -> [Arc<PreparedRequest>; 2] {
    let before = vec![
        pay(A, B, 7),
        Capture::new(hold_id(1)).with_amount(amount(9)).into(),
    ];
    let after = vec![
        pay(A, B, 11),
        Capture::new(hold_id(1)).with_amount(amount(8)).into(),
        Deposit::new(B, cents(3), bank()).into(),
        PlaceHold::new(A, B, cents(5)).with_id(hold_id(2)).into(),
        PostTransfer::new(vec![leg(A, B, 6)])
            .with_id(transfer_id(2))
            .into(),
    ];
    [world.requests(before), world.requests(after)]
}

#[test]
fn a_refused_request_leaves_no_trace_but_its_record() {
    let mut world = World::with_hold(100);
    world.edit(B).counters.credits_posted = 500;
    world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 100)]));
    world.put_transfer(transfer_row(transfer_id(8), vec![leg(A, B, 100)]));
    for refused in refused_requests(&world) {
        let [before, after] = accepted_requests(&world);
        let with = world.decide(vec![
            Arc::clone(&before),
            Arc::clone(&refused),
            Arc::clone(&after),
        ]);
        let without = world.decide(vec![before, after]);
        let outcome = fresh(&with.decided[1]).result.clone();
        let rejected = outcome.unwrap_err();
        assert_eq!(rejected.rejection, Rejection::AccountNotFound);
        assert_eq!(rejected.subject, C.uuid());
        assert!(without.decided.iter().all(|one| fresh(one).result.is_ok()));
        assert_eq!(
            [&with.decided[0], &with.decided[2]],
            [&without.decided[0], &without.decided[1]]
        );
        let mut changes = with.changes;
        assert_eq!(changes.records.len(), 3);
        changes.records.retain(|record| record.key != refused.key());
        assert_eq!(changes, without.changes);
    }
}

#[test]
fn a_batch_of_refusals_writes_records_and_nothing_else() {
    let world = World::with_hold(100);
    let requests = refused_requests(&world);
    let count = requests.len();
    let mut changes = world.decide(requests).changes;
    assert_eq!(changes.records.len(), count);
    assert!(changes.records.is_sorted_by_key(|record| record.key));
    let mut records = changes.records.iter();
    assert!(records.all(|record| record.outcome.result.is_err()));
    changes.records.clear();
    assert_eq!(changes, ChangeSet::default());
}

#[test]
fn the_same_snapshot_is_decided_the_same_again() {
    let world = World::with_hold(100);
    let mut requests = refused_requests(&world);
    requests.extend(accepted_requests(&world));
    let batch = Batch::new(requests);
    let snapshot = world.snapshot(&batch);
    assert_eq!(
        wallet_core::decide::decide(&batch, &snapshot),
        wallet_core::decide::decide(&batch, &snapshot)
    );
}

#[test]
fn a_replay_gives_the_first_outcome_whatever_happened_since() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    let accepted = world.keyed("one", vec![pay(A, B, 10)]);
    let refused = world.keyed("two", vec![pay(A, B, 1)]);
    let first = world.commit(vec![accepted, refused]);
    let records = world.tables.records.len();
    world.edit(A).status = Status::Closed;
    world.now = later(SECOND);
    let again = vec![
        world.keyed("one", vec![pay(A, B, 10)]),
        world.keyed("two", vec![pay(A, B, 1)]),
    ];
    let decision = world.decide(again);
    let replays = first
        .iter()
        .map(|one| Decided::Replayed(Arc::clone(fresh(one))));
    assert_eq!(decision.decided, replays.collect::<Vec<_>>());
    assert!(decision.changes.is_empty());
    assert_eq!(world.tables.records.len(), records);
}

#[test]
fn a_key_used_for_something_else_is_a_mismatch_and_nothing_is_recorded() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    let one = world.keyed("one", vec![pay(A, B, 1)]);
    world.commit(vec![one]);
    let other = world.keyed("one", vec![pay(A, B, 2)]);
    let decision = world.decide(vec![other]);
    assert_eq!(decision.decided, [Decided::IdempotencyMismatch]);
    assert!(decision.changes.is_empty());
}

#[test]
fn replays_and_mismatches_are_answered_where_accounts_are_locked_or_ahead() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    let one = world.keyed("one", vec![pay(A, B, 1)]);
    let first = world.commit(vec![Arc::clone(&one)]);
    let other = world.keyed("one", vec![pay(A, B, 2)]);
    let replayed = Decided::Replayed(Arc::clone(fresh(&first[0])));

    world.locked.insert(in_ledger(A));
    let answer = |world: &World, request: &Arc<PreparedRequest>| {
        world.decide(vec![Arc::clone(request)]).decided.remove(0)
    };
    assert_eq!(answer(&world, &one), replayed);
    assert_eq!(answer(&world, &other), Decided::IdempotencyMismatch);
    let new = world.request(pay(A, B, 1));
    assert_eq!(answer(&world, &new), Decided::Blocked);

    world.locked.clear();
    world.edit(A).last_at = later(60 * SECOND);
    assert_eq!(answer(&world, &one), replayed);
    assert_eq!(answer(&world, &other), Decided::IdempotencyMismatch);
    let ahead_micros = 60_000_000;
    assert_eq!(answer(&world, &new), Decided::ClockBehind { ahead_micros });
}

#[test]
fn a_locked_account_blocks_only_the_requests_that_need_it() {
    let mut world = World::with_hold(100);
    world.put(crate::support::state(C, 5));
    world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 100)]));
    world.locked.insert(in_ledger(B));
    let decision = world.decide(vec![
        world.request(pay(A, B, 1)),
        world.request(pay(A, C, 1)),
        world.request(Capture::new(hold_id(1))),
        world.request(Release::new(hold_id(1))),
        world.request(Reverse::new(transfer_id(7))),
        world.sweep(hold_id(1)),
        world.request(ChangeStatus::new(A, Status::Frozen)),
        world.requests(vec![pay(A, C, 1), pay(B, C, 1)]),
    ]);
    let blocked = Decided::Blocked;
    for index in [0, 2, 3, 4, 5, 7] {
        assert_eq!(decision.decided[index], blocked, "request {index}");
    }
    assert!(fresh(&decision.decided[1]).result.is_ok());
    assert!(fresh(&decision.decided[6]).result.is_ok());
    assert_eq!(decision.changes.records.len(), 2);
    assert_eq!(decision.changes.holds, []);
    assert_eq!(decision.changes.reversals, []);
}

#[test]
fn either_account_behind_a_hold_or_transfer_blocks_while_it_is_locked() {
    for account in [A, B] {
        let mut world = World::with_hold(100);
        world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 100)]));
        world.locked.insert(in_ledger(account));
        let decision = world.decide(vec![
            world.request(Capture::new(hold_id(1))),
            world.request(Release::new(hold_id(1))),
            world.sweep(hold_id(1)),
            world.request(Reverse::new(transfer_id(7))),
        ]);
        assert_eq!(decision.decided, [const { Decided::Blocked }; 4]);
        assert!(decision.changes.is_empty());
    }
}

#[test]
fn a_hold_or_transfer_whose_accounts_were_not_read_is_blocked_not_guessed() {
    let mut world = World::with_hold(100);
    world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 100)]));
    let batch = Batch::new(vec![
        world.request(Capture::new(hold_id(1))),
        world.request(Reverse::new(transfer_id(7))),
    ]);
    let mut snapshot = world.snapshot(&batch);
    snapshot.accounts.clear();
    let blocked = [Decided::Blocked, Decided::Blocked];
    assert_eq!(
        wallet_core::decide::decide(&batch, &snapshot).decided,
        blocked
    );
}

#[test]
fn of_two_requests_with_one_key_the_batch_keeps_the_first() {
    let world = World::with(&[(A, 10), (B, 0)]);
    let first = world.keyed("one", vec![pay(A, B, 1)]);
    let other = world.keyed("two", vec![pay(A, B, 2)]);
    let again = world.keyed("one", vec![pay(A, B, 3)]);
    let batch = Batch::new(vec![Arc::clone(&first), Arc::clone(&other), again]);
    assert_eq!(batch.requests(), [first, other]);
    let decision = wallet_core::decide::decide(&batch, &world.snapshot(&batch));
    assert_eq!(decision.decided.len(), 2);
    assert_eq!(decision.changes.records.len(), 2);
}

#[test]
fn what_a_batch_reads_is_sorted_and_unique() {
    let world = World::new();
    let batch = Batch::new(vec![
        world.request(pay(B, A, 1)),
        world.request(pay(A, B, 2)),
        world.request(Capture::new(hold_id(2)).with_id(transfer_id(9))),
        world.request(Capture::new(hold_id(1)).with_id(transfer_id(8))),
        world.request(Release::new(hold_id(2))),
        world.request(Deposit::new(A, cents(1), bank())),
        world.request(Deposit::new(B, cents(1), bank())),
    ]);
    let reads = batch.reads();
    let mut accounts = vec![
        in_ledger(A),
        in_ledger(B),
        in_ledger(crate::support::bank_account()),
    ];
    accounts.sort_unstable();
    assert_eq!(reads.accounts, accounts);
    assert_eq!(reads.holds, [hold_id(1), hold_id(2)].map(in_ledger));
    assert_eq!(
        reads.transfers,
        [transfer_id(8), transfer_id(9)].map(in_ledger)
    );
    assert_eq!(reads.currencies, [eur().code()]);
    assert_eq!(reads.keys.len(), 7);
    assert!(reads.keys.is_sorted());
}

#[test]
fn ledgers_are_apart_in_one_batch_down_to_keys_and_ids() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    let transfer = |id| PostTransfer::new(vec![leg(A, B, 1)]).with_id(id);
    let there = |world: &World, command: Command| {
        let request = Request::new(key("same"), command);
        world.prepare(request.in_ledger(SECOND_LEDGER))
    };
    let requests = vec![
        world.keyed("same", vec![transfer(transfer_id(1)).into()]),
        there(&world, transfer(transfer_id(1)).into()),
    ];
    let decision = world.decide(requests);
    assert!(only_receipt(&decision.decided[0]).is_ok());
    let refused = only_receipt(&decision.decided[1]).unwrap_err();
    assert_eq!(refused.rejection, Rejection::AccountNotFound);
    assert_eq!(decision.changes.records.len(), 2);

    for id in [A, B] {
        let mut state = crate::support::state(id, 10);
        state.key.ledger = SECOND_LEDGER;
        world.put(state);
    }
    let requests = vec![
        world.keyed("same", vec![transfer(transfer_id(1)).into()]),
        there(&world, transfer(transfer_id(1)).into()),
    ];
    let decided = world.commit(requests);
    assert!(decided.iter().all(|one| only_receipt(one).is_ok()));
    let deposit: Command = Deposit::new(A, cents(1), bank()).into();
    let request = Request::new(key("deposit"), deposit.clone()).in_ledger(SECOND_LEDGER);
    let requests = vec![world.request(deposit), world.prepare(request)];
    let changes = world.decide(requests).changes;
    let opened: Vec<_> = changes.opened.iter().map(|one| one.state.key).collect();
    let mut expected: Vec<_> = [crate::support::LEDGER, SECOND_LEDGER]
        .map(|ledger| {
            let id = settlement_account(ledger, eur(), &bank(), 0);
            wallet_core::ledger::InLedger::new(ledger, id)
        })
        .into();
    expected.sort_unstable();
    assert_eq!(opened, expected);
    assert_ne!(opened[0].id, opened[1].id);
    let ledgers: Vec<_> = changes.accepted.iter().map(|(ledger, _)| *ledger).collect();
    assert_eq!(ledgers, [crate::support::LEDGER, SECOND_LEDGER]);
}

#[test]
fn accepted_outcomes_stand_in_the_order_of_their_effects() {
    let world = World::with(&[(A, 10), (B, 0), (C, 0)]);
    let decision = world.decide(vec![
        world.request(pay(A, B, 4)),
        world.request(pay(A, B, 40)),
        world.request(pay(B, C, 2)),
        world.request(pay(A, C, 1)),
    ]);
    let effects = decision.changes.accepted.iter();
    let effects = effects.flat_map(|(_, outcome)| outcome.effects());
    let effects: Vec<_> = effects.map(|one| (one.account, one.version)).collect();
    assert_eq!(effects, [(A, 2), (B, 2), (B, 3), (C, 2), (A, 3), (C, 3)]);
    assert_eq!(decision.changes.records.len(), 4);
}

#[test]
fn a_decision_and_its_outcomes_name_the_epoch_of_the_snapshot() {
    let world = World::with(&[(A, 100), (B, 0)]);
    let batch = Batch::new(vec![world.request(pay(A, B, 1))]);
    let mut snapshot = world.snapshot(&batch);
    snapshot.epoch = Epoch::new(7).unwrap();
    let decision = wallet_core::decide::decide(&batch, &snapshot);
    assert_eq!(decision.changes.epoch, snapshot.epoch);
    assert_eq!(fresh(&decision.decided[0]).epoch, snapshot.epoch);
}

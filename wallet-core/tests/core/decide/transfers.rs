//! The effects of transfers, deposits, withdrawals and splits on accounts.

use crate::support::{
    A, B, C, D, LEDGER, NOW, World, amount, bank, bank_account, cents, eur, fresh, hold_changed,
    hold_id, leg, posted, transfer_id,
};
use wallet_core::ledger::{
    COUNTER_MAX, Counters, Details, Direction, EffectKind, Epoch, SettlementShards, TransferKind,
    settlement_account,
};
use wallet_core::request::{Batch, InvalidRequest, PreparedRequest, Share};
use wallet_core::{
    AccountId, Capture, Command, Deposit, Leg, Money, PlaceHold, Policy, PostTransfer, Reference,
    Rejection, Request, Reverse, Split, Withdrawal,
};

/// Account, version, sequence, posted balance of each effect.
fn steps(posted: &wallet_core::ledger::Posted) -> Vec<(AccountId, i64, i64, i128)> {
    let effects = posted.effects.iter();
    let steps = effects.map(|effect| {
        let sequence = effect.entry.map_or(0, |entry| entry.sequence);
        let balance = effect.counters.posted();
        (effect.account, effect.version, sequence, balance)
    });
    steps.collect()
}

#[test]
fn a_leg_debits_before_it_credits_and_raises_version_and_sequence_by_one() {
    let mut world = World::with(&[(A, 1000), (B, 5)]);
    world.edit(A).version = 7;
    world.edit(A).sequence = 3;
    let posted = world.post(PostTransfer::new(vec![leg(A, B, 100)]));
    assert_eq!(steps(&posted), [(A, 8, 4, 900), (B, 2, 1, 105)]);
    assert_eq!(posted.transfer.kind, TransferKind::Transfer);
    assert_eq!(posted.transfer.created_at, NOW);
    let [debit, credit] = posted.effects[..] else {
        panic!("two effects");
    };
    assert_eq!(debit.kind, EffectKind::Debited);
    assert_eq!(credit.kind, EffectKind::Credited);
    assert_eq!(debit.entry.unwrap().direction, Direction::Debit);
    assert_eq!(credit.entry.unwrap().direction, Direction::Credit);
    assert_eq!(credit.entry.unwrap().amount, amount(100));
    let state = world.state(A);
    assert_eq!((state.version, state.sequence), (8, 4));
    assert_eq!(state.last_at, NOW);
    assert_eq!(
        state.counters,
        Counters {
            credits_posted: 1000,
            debits_posted: 100,
            ..Counters::default()
        }
    );
    let entries: Vec<_> = posted.entries(Epoch::FIRST).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].balance_after, 900);
    assert_eq!(entries[1].balance_after, 105);
    assert_eq!(
        world.tables.entries[&crate::support::in_ledger(B)],
        [entries[1]]
    );
}

#[test]
fn entries_of_legs_on_one_account_are_not_netted() {
    let mut world = World::with(&[(A, 100), (B, 0)]);
    let legs = vec![leg(A, B, 60), leg(B, A, 10), leg(A, B, 50)];
    let posted = world.post(PostTransfer::new(legs));
    let expected = [
        (A, 2, 1, 40),
        (B, 2, 1, 60),
        (B, 3, 2, 50),
        (A, 3, 2, 50),
        (A, 4, 3, 0),
        (B, 4, 3, 100),
    ];
    assert_eq!(steps(&posted), expected);
    let legs: Vec<_> = posted
        .entries(Epoch::FIRST)
        .map(|entry| entry.leg)
        .collect();
    assert_eq!(legs, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn floors_hold_after_every_leg_not_only_at_the_end() {
    let funded_too_late = vec![leg(A, C, 50), leg(B, A, 50)];
    let mut world = World::with(&[(A, 0), (B, 100), (C, 0)]);
    let refused = world.ask(PostTransfer::new(funded_too_late)).unwrap_err();
    assert_eq!(refused.rejection, Rejection::InsufficientFunds);
    assert_eq!(refused.subject, A.uuid());
    world.post(PostTransfer::new(vec![leg(B, A, 50), leg(A, C, 50)]));
    assert_eq!(world.posted(C), 50);
}

#[test]
fn ceilings_hold_after_every_leg_not_only_at_the_end() {
    let mut world = World::with(&[(A, 100), (B, 0), (C, 0)]);
    world.edit(B).max_balance = Some(amount(50));
    let overfull = vec![leg(A, B, 51), leg(B, C, 51)];
    let refused = world.ask(PostTransfer::new(overfull)).unwrap_err();
    assert_eq!(refused.rejection, Rejection::MaxBalanceExceeded);
    world.post(PostTransfer::new(vec![leg(A, B, 50), leg(B, C, 50)]));
    assert_eq!(world.posted(C), 50);
}

#[test]
fn the_floor_is_reached_exactly_and_never_passed() {
    let floors = [
        (Policy::NonNegative, 100),
        (Policy::Overdraft(amount(40)), 140),
    ];
    for (policy, most) in floors {
        let mut world = World::with(&[(A, 100), (B, 0)]);
        world.edit(A).policy = policy;
        let above = world.ask(PostTransfer::new(vec![leg(A, B, most + 1)]));
        assert_eq!(above.unwrap_err().rejection, Rejection::InsufficientFunds);
        world.post(PostTransfer::new(vec![leg(A, B, most)]));
        assert_eq!(world.posted(A), 100 - most);
    }
    let mut world = World::with(&[(A, 0), (B, 0)]);
    world.edit(A).policy = Policy::Unlimited;
    let most = wallet_core::Amount::MAX.minor();
    world.post(PostTransfer::new(vec![leg(A, B, most)]));
    assert_eq!(world.posted(A), -most);
}

#[test]
fn what_is_held_is_not_available_and_counts_against_the_ceiling() {
    let mut world = World::with_hold(100);
    let above = world.ask(PostTransfer::new(vec![leg(A, B, 901)]));
    assert_eq!(above.unwrap_err().rejection, Rejection::InsufficientFunds);
    world.edit(B).max_balance = Some(amount(500));
    let above = world.ask(PostTransfer::new(vec![leg(A, B, 401)]));
    assert_eq!(above.unwrap_err().rejection, Rejection::MaxBalanceExceeded);
    world.post(PostTransfer::new(vec![leg(A, B, 400)]));
    assert_eq!(world.counters(B).posted(), 400);
}

#[test]
fn a_batch_of_deposits_opens_the_settlement_account_once() {
    let mut world = World::with(&[(A, 0), (B, 0)]);
    world.tables.currencies.clear();
    let requests = vec![
        world.request(Deposit::new(A, cents(10), bank())),
        world.request(Deposit::new(B, cents(20), bank())),
    ];
    let decision = world.decide(requests.clone());
    assert_eq!(decision.changes.opened.len(), 1);
    let opened = &decision.changes.opened[0];
    assert_eq!(opened.state.key.id, bank_account());
    assert_eq!(opened.owner.as_str(), "settlement:bank");
    assert!(opened.state.system);
    assert_eq!(opened.state.policy, Policy::Unlimited);
    assert_eq!(opened.created_at, NOW);
    assert_eq!(opened.state.version, 3);
    assert_eq!(opened.state.sequence, 2);
    assert_eq!(opened.state.counters.posted(), -30);
    assert_eq!(decision.changes.currencies, [eur()]);

    let decided = world.commit(requests);
    let receipt = |index: usize| posted(fresh(&decided[index]).receipts()[0].clone());
    let kinds = |index: usize| -> Vec<EffectKind> {
        let effects = receipt(index).effects;
        effects.iter().map(|effect| effect.kind).collect()
    };
    let (first, later) = (kinds(0), kinds(1));
    let leg = [EffectKind::Debited, EffectKind::Credited];
    assert_eq!(first[0], EffectKind::Opened);
    assert_eq!(first[1..], leg);
    assert_eq!(later, leg);
    assert_eq!(receipt(0).transfer.kind, TransferKind::Deposit);
    assert_eq!(world.posted(A), 10);
    assert_eq!(world.posted(B), 20);

    let more = world.decide(vec![world.request(Deposit::new(A, cents(1), bank()))]);
    assert_eq!(more.changes.opened, []);
    assert_eq!(more.changes.currencies, []);
}

#[test]
fn a_refused_deposit_opens_nothing_and_a_later_one_does() {
    let mut world = World::with(&[(A, 0), (B, 0)]);
    world.tables.currencies.clear();
    world.edit(A).max_balance = Some(amount(5));
    let decision = world.decide(vec![
        world.request(Deposit::new(A, cents(6), bank())),
        world.request(Deposit::new(B, cents(6), bank())),
    ]);
    let refused = fresh(&decision.decided[0]).result.clone().unwrap_err();
    assert_eq!(refused.rejection, Rejection::MaxBalanceExceeded);
    assert_eq!(decision.changes.opened.len(), 1);
    assert_eq!(decision.changes.opened[0].state.version, 2);
    assert_eq!(decision.changes.currencies, [eur()]);

    let alone = world.decide(vec![world.request(Deposit::new(A, cents(6), bank()))]);
    assert_eq!(alone.changes.opened, []);
    assert_eq!(alone.changes.currencies, []);
    assert_eq!(alone.changes.records.len(), 1);
}

#[test]
fn a_withdrawal_takes_back_what_a_deposit_brought() {
    let mut world = World::with(&[(A, 0)]);
    world.post(Deposit::new(A, cents(10), bank()));
    let posted = world.post(Withdrawal::new(A, cents(10), bank()));
    assert_eq!(posted.transfer.kind, TransferKind::Withdrawal);
    assert_eq!(steps(&posted), [(A, 3, 2, 0), (bank_account(), 3, 2, 0)]);
    let more = world.ask(Withdrawal::new(A, cents(1), bank()));
    assert_eq!(more.unwrap_err().rejection, Rejection::InsufficientFunds);
}

#[test]
fn money_never_moves_from_a_settlement_account_to_itself() {
    let mut world = World::with(&[(A, 0)]);
    world.post(Deposit::new(A, cents(10), bank()));
    let ids = crate::support::CountedIds::default();
    let prepare = |command| {
        let request = Request::of_many(crate::support::key("itself"), vec![command]);
        PreparedRequest::new(request, &ids, &SettlementShards::new())
    };
    let deposit = Deposit::new(bank_account(), cents(10), bank());
    let withdrawal = Withdrawal::new(bank_account(), cents(10), bank());
    for command in [deposit.into(), withdrawal.into()] {
        let refused = prepare(command).unwrap_err();
        assert_eq!(refused, InvalidRequest::SameAccount);
    }
}

#[test]
fn a_customer_always_meets_the_same_shard() {
    let shards = SettlementShards::new().with(bank(), 8);
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..200_u128 {
        let customer = AccountId::new(uuid::Uuid::from_u128(number << 3 | 7));
        let shard = shards.shard(&bank(), customer);
        assert_eq!(shard, shards.shard(&bank(), customer));
        assert!(shard < 8);
        seen.insert(shard);
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(SettlementShards::new().shard(&bank(), A), 0);

    let mut world = World::with(&[(A, 0)]);
    world.shards = shards.clone();
    let posted = world.post(Deposit::new(A, cents(10), bank()));
    let shard = shards.shard(&bank(), A);
    let expected = settlement_account(LEDGER, eur(), &bank(), shard);
    assert_eq!(posted.transfer.legs, [leg(expected, A, 10)]);
    let posted = world.post(Withdrawal::new(A, cents(10), bank()));
    assert_eq!(posted.transfer.legs, [leg(A, expected, 10)]);
}

#[test]
fn a_split_makes_legs_that_add_up_and_none_of_zero() {
    let mut world = World::with(&[(A, 100), (B, 0), (C, 0), (D, 0)]);
    let share = |to, share_bp| Share { to, share_bp };
    let shares = vec![share(B, 3_333), share(C, 3_333), share(D, 3_334)];
    let posted = world.post(Split::new(A, cents(100), shares));
    let legs = [leg(A, B, 33), leg(A, C, 33), leg(A, D, 34)];
    assert_eq!(posted.transfer.legs, legs);
    assert_eq!(posted.transfer.kind, TransferKind::Split);
    assert_eq!(world.posted(A), 0);

    let mut world = World::with(&[(A, 1), (B, 0), (D, 0)]);
    let shares = vec![share(B, 1), share(C, 1), share(D, 9_998)];
    let posted = world.post(Split::new(A, cents(1), shares));
    assert_eq!(posted.transfer.legs, [leg(A, D, 1)]);
    let index: Vec<_> = posted
        .entries(Epoch::FIRST)
        .map(|entry| entry.leg)
        .collect();
    assert_eq!(index, [0, 0]);
}

#[test]
fn a_given_id_is_taken_for_ever_whatever_made_the_transfer() {
    let mut world = World::with(&[(A, 100), (B, 0)]);
    world.post(PostTransfer::new(vec![leg(A, B, 1)]).with_id(transfer_id(1)));
    let again = Deposit::new(A, cents(1), bank()).with_id(transfer_id(1));
    assert_eq!(world.ask(again).unwrap_err().rejection, Rejection::IdTaken);

    let in_one_batch = world.decide(vec![
        world.request(PostTransfer::new(vec![leg(A, B, 1)]).with_id(transfer_id(2))),
        world.request(PostTransfer::new(vec![leg(A, B, 2)]).with_id(transfer_id(2))),
    ]);
    let second = fresh(&in_one_batch.decided[1]).result.clone();
    assert_eq!(second.unwrap_err().rejection, Rejection::IdTaken);
    assert_eq!(in_one_batch.changes.transfers().len(), 1);
}

#[test]
fn an_id_that_a_refused_request_gave_is_free() {
    let world = World::with(&[(A, 100), (B, 0)]);
    let decision = world.decide(vec![
        world.requests(vec![
            PostTransfer::new(vec![leg(A, B, 1)])
                .with_id(transfer_id(2))
                .into(),
            PostTransfer::new(vec![leg(B, A, 2)]).into(),
        ]),
        world.request(PostTransfer::new(vec![leg(A, B, 5)]).with_id(transfer_id(2))),
    ]);
    assert!(fresh(&decision.decided[0]).result.is_err());
    assert!(fresh(&decision.decided[1]).result.is_ok());
    assert_eq!(decision.changes.transfers()[0].legs, [leg(A, B, 5)]);
}

#[test]
fn a_running_sum_reaches_its_greatest_value_and_no_further() {
    let most = wallet_core::Amount::MAX.minor();
    let mut world = World::with(&[(A, 0), (B, COUNTER_MAX - most)]);
    world.edit(A).policy = Policy::Unlimited;
    world.edit(A).counters.debits_posted = COUNTER_MAX - most;
    world.post(PostTransfer::new(vec![leg(A, B, most)]));
    assert_eq!(world.counters(A).debits_posted, COUNTER_MAX);
    assert_eq!(world.counters(B).credits_posted, COUNTER_MAX);
    let one = world
        .ask(PostTransfer::new(vec![leg(A, B, 1)]))
        .unwrap_err();
    assert_eq!(one.rejection, Rejection::CounterOverflow);
    assert_eq!(one.subject, A.uuid());
}

#[test]
fn every_running_sum_has_the_same_greatest_value() {
    type Sum = fn(&mut Counters) -> &mut i128;
    let transfer: Command = PostTransfer::new(vec![leg(A, B, 1)]).into();
    let hold: Command = PlaceHold::new(A, B, cents(1)).into();
    let sums: [(AccountId, Sum, &Command); 4] = [
        (A, |all| &mut all.debits_posted, &transfer),
        (B, |all| &mut all.credits_posted, &transfer),
        (A, |all| &mut all.debits_pending, &hold),
        (B, |all| &mut all.credits_pending, &hold),
    ];
    for (account, sum, command) in sums {
        let mut world = World::with(&[(A, 0), (B, 0)]);
        world.edit(A).policy = Policy::Unlimited;
        *sum(&mut world.edit(account).counters) = COUNTER_MAX - 1;
        world.run(command.clone()).unwrap();
        assert_eq!(*sum(&mut world.counters(account)), COUNTER_MAX);
        let refused = world.ask(command.clone()).unwrap_err();
        assert_eq!(refused.rejection, Rejection::CounterOverflow);
        assert_eq!(refused.subject, account.uuid());
    }
}

#[test]
fn what_a_caller_says_about_a_movement_stands_on_it() {
    let details = Details {
        code: 7,
        reference: Some(Reference::new("order-1").unwrap()),
        ..Details::default()
    };
    let said = || details.clone();
    let mut world = World::with_hold(100);
    let whole = vec![Share {
        to: B,
        share_bp: 10_000,
    }];
    let transfer = PostTransfer::new(vec![leg(A, B, 10)]).with_id(transfer_id(1));
    let commands: [Command; 6] = [
        transfer.with_details(said()).into(),
        Deposit::new(A, cents(10), bank())
            .with_details(said())
            .into(),
        Withdrawal::new(A, cents(10), bank())
            .with_details(said())
            .into(),
        Split::new(A, cents(10), whole).with_details(said()).into(),
        Capture::new(hold_id(1)).with_details(said()).into(),
        Reverse::new(transfer_id(1)).with_details(said()).into(),
    ];
    for command in commands {
        let posted = world.post(command);
        assert_eq!(posted.transfer.details, details, "{posted:?}");
    }
    let hold = PlaceHold::new(A, B, cents(1)).with_details(said());
    let placed = hold_changed(world.run(hold).unwrap());
    assert_eq!(placed.hold.details, details);
}

#[test]
fn version_and_sequence_reach_their_greatest_value_and_no_further() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    world.edit(B).version = i64::MAX - 1;
    world.edit(B).sequence = i64::MAX - 1;
    let posted = world.post(PostTransfer::new(vec![leg(A, B, 1)]));
    assert_eq!(steps(&posted)[1], (B, i64::MAX, i64::MAX, 1));
    let more = world.ask(PostTransfer::new(vec![leg(A, B, 1)]));
    let refused = more.unwrap_err();
    assert_eq!(refused.rejection, Rejection::CounterOverflow);
    assert_eq!(refused.subject, B.uuid());
}

#[test]
fn a_chain_of_requests_in_one_batch_spends_what_came_in_before() {
    let mut world = World::with(&[(A, 100), (B, 0), (C, 0)]);
    let requests = vec![
        world.request(PostTransfer::new(vec![leg(A, B, 100)])),
        world.request(PostTransfer::new(vec![leg(B, C, 100)])),
        world.request(PostTransfer::new(vec![leg(A, C, 1)])),
    ];
    let batch = Batch::new(requests.clone());
    let before = world.snapshot(&batch);
    let decided = world.commit(requests);
    assert!(fresh(&decided[1]).result.is_ok());
    let third = fresh(&decided[2]).result.clone().unwrap_err();
    assert_eq!(third.rejection, Rejection::InsufficientFunds);
    assert_eq!([A, B, C].map(|id| world.posted(id)), [0, 0, 100]);
    let changes = wallet_core::decide::decide(&batch, &before).changes;
    let updates = changes.updated.iter();
    let versions: Vec<_> = updates
        .map(|one| (one.version_before, one.after.version))
        .collect();
    assert_eq!(versions, [(1, 2), (1, 3), (1, 2)]);
    let sequences: Vec<_> = changes.entries().iter().map(|one| one.sequence).collect();
    assert_eq!(sequences, [1, 1, 2, 1]);
}

#[test]
fn money_of_another_exponent_or_currency_is_refused() {
    let world = World::with(&[(A, 100), (B, 0)]);
    let of = |currency| Leg::new(A, B, Money::minor(1, currency).unwrap());
    let exponent = world.ask(PostTransfer::new(vec![of(crate::support::eur3())]));
    let refused = exponent.unwrap_err().rejection;
    assert_eq!(refused, Rejection::CurrencyExponentMismatch);
    let currency = world.ask(PostTransfer::new(vec![of(crate::support::usd())]));
    let refused = currency.unwrap_err().rejection;
    assert_eq!(refused, Rejection::CurrencyMismatch);
}

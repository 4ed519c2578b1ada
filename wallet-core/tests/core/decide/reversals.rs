//! Reversals: full, partial, by legs, forced. They never exceed the moved amount.

use crate::support::{
    A, B, C, LEDGER, World, amount, bank, cents, fresh, hold_id, in_ledger, leg, posted,
    transfer_id, transfer_row,
};
use wallet_core::ledger::{EffectKind, InLedger, TransferKind};
use wallet_core::request::ReverseWhat;
use wallet_core::store::ReversalTotal;
use wallet_core::{
    Capture, Currency, Deposit, Money, Policy, PostTransfer, Receipt, Rejected, Rejection, Reverse,
    Status, TransferId,
};

const T: TransferId = transfer_id(7);

/// 100 cents went from A to B, and B has them.
fn world() -> World {
    let mut world = World::with(&[(A, 0), (B, 100)]);
    world.put_transfer(transfer_row(T, vec![leg(A, B, 100)]));
    world
}

/// A paid B 10, B paid C 10, A paid C 5: C has 15.
fn chain() -> World {
    let mut world = World::with(&[(A, 0), (B, 0), (C, 15)]);
    let legs = vec![leg(A, B, 10), leg(B, C, 10), leg(A, C, 5)];
    world.put_transfer(transfer_row(T, legs));
    world
}

fn part(minor: i128) -> Reverse {
    Reverse::new(T).with_what(ReverseWhat::Amount(amount(minor)))
}

fn legs(legs: Vec<(u16, Option<i128>)>) -> Reverse {
    let legs = legs.into_iter();
    let legs = legs.map(|(leg, minor)| (leg, minor.map(amount)));
    Reverse::new(T).with_what(ReverseWhat::Legs(legs.collect()))
}

fn rejection(result: Result<Receipt, Rejected>) -> Option<Rejection> {
    result.err().map(|rejected| rejected.rejection)
}

#[test]
fn money_of_another_currency_is_not_reversed() {
    let mut world = world();
    let points = Currency::new("POINTS", 0).unwrap();
    let money = |minor| Money::minor(minor, points).unwrap();
    for (reverse, expected) in [
        (
            Reverse::new(T).with_money(money(10)),
            Rejection::CurrencyMismatch,
        ),
        (
            Reverse::new(T).with_money_in_proportion(money(10)),
            Rejection::CurrencyMismatch,
        ),
        (
            legs(vec![(0, Some(10))]).with_currency(points),
            Rejection::CurrencyMismatch,
        ),
        (
            Reverse::new(T).with_money(money(101)),
            Rejection::ReversalExceedsTransfer,
        ),
    ] {
        assert_eq!(rejection(world.ask(reverse)), Some(expected));
    }
    world.post(Reverse::new(T).with_money(cents(10)));
    world.post(Reverse::new(T).with_money_in_proportion(cents(90)));
    assert_eq!(world.reversed(T), [100]);
}

#[test]
fn a_full_reversal_moves_everything_back_and_names_what_it_undoes() {
    let mut world = world();
    let posted = world.post(Reverse::new(T).with_id(transfer_id(1)));
    assert_eq!(posted.transfer.kind, TransferKind::Reversal);
    assert_eq!(posted.transfer.legs, [leg(B, A, 100)]);
    let reversal = posted.transfer.reversal.unwrap();
    assert_eq!(reversal.transfer, T);
    assert_eq!(reversal.legs, [0]);
    assert!(!reversal.forced);
    let kinds: Vec<_> = posted.effects.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [EffectKind::Reversed; 2]);
    assert_eq!((world.posted(A), world.posted(B)), (100, 0));
    assert_eq!(world.reversed(T), [100]);
    assert_eq!(world.reversed(transfer_id(1)), [0]);
}

#[test]
fn parts_add_up_to_the_transfer_and_no_further() {
    let mut world = world();
    world.post(part(60));
    assert_eq!(world.reversed(T), [60]);
    let above = world.ask(part(41));
    assert_eq!(rejection(above), Some(Rejection::ReversalExceedsTransfer));
    let rest = world.post(Reverse::new(T));
    assert_eq!(rest.transfer.legs, [leg(B, A, 40)]);
    for more in [part(1), Reverse::new(T), legs(vec![(0, None)])] {
        let refused = world.ask(more);
        assert_eq!(rejection(refused), Some(Rejection::ReversalExceedsTransfer));
    }
}

#[test]
fn the_first_reversal_of_a_leg_inserts_its_total_and_later_ones_update_it() {
    let mut world = world();
    let total = |is_new, reversed| ReversalTotal {
        transfer: InLedger::new(LEDGER, T),
        leg: 0,
        is_new,
        reversed,
    };
    let decision = world.decide(vec![world.request(part(60))]);
    assert_eq!(decision.changes.reversals, [total(true, 60)]);
    world.post(part(60));
    let decision = world.decide(vec![world.request(part(1)), world.request(part(2))]);
    assert_eq!(decision.changes.reversals, [total(false, 63)]);
}

#[test]
fn two_reversals_in_one_batch_never_exceed_the_transfer_together() {
    let mut world = world();
    world.edit(B).counters.credits_posted = 1000;
    let requests = vec![
        world.request(part(60)),
        world.request(part(60)),
        world.request(part(40)),
        world.request(part(1)),
    ];
    let decided = world.commit(requests);
    let result = |index: usize| crate::support::only_receipt(&decided[index]);
    assert!(result(0).is_ok());
    assert_eq!(
        rejection(result(1)),
        Some(Rejection::ReversalExceedsTransfer)
    );
    assert!(result(2).is_ok());
    assert_eq!(
        rejection(result(3)),
        Some(Rejection::ReversalExceedsTransfer)
    );
    assert_eq!(world.reversed(T), [100]);
    assert_eq!(world.posted(A), 100);
}

#[test]
fn a_leg_named_twice_in_one_reversal_counts_twice() {
    let mut world = world();
    let above = world.ask(legs(vec![(0, Some(60)), (0, Some(41))]));
    assert_eq!(rejection(above), Some(Rejection::ReversalExceedsTransfer));
    let posted = world.post(legs(vec![(0, Some(60)), (0, None)]));
    assert_eq!(posted.transfer.legs, [leg(B, A, 60), leg(B, A, 40)]);
    assert_eq!(posted.transfer.reversal.unwrap().legs, [0, 0]);
    assert_eq!(world.reversed(T), [100]);
}

#[test]
fn the_rest_goes_back_last_leg_first_so_that_floors_hold() {
    let mut world = chain();
    let first_leg_first = world.ask(legs(vec![(0, None), (1, None), (2, None)]));
    assert_eq!(
        rejection(first_leg_first),
        Some(Rejection::InsufficientFunds)
    );
    let posted = world.post(Reverse::new(T));
    let expected = [leg(C, A, 5), leg(C, B, 10), leg(B, A, 10)];
    assert_eq!(posted.transfer.legs, expected);
    assert_eq!(posted.transfer.reversal.unwrap().legs, [2, 1, 0]);
    let index: Vec<_> = posted.effects.iter().filter_map(|one| one.entry).collect();
    let index: Vec<_> = index.iter().map(|entry| entry.leg).collect();
    assert_eq!(index, [0, 0, 1, 1, 2, 2]);
    assert_eq!([A, B, C].map(|id| world.posted(id)), [15, 0, 0]);
    assert_eq!(world.reversed(T), [10, 10, 5]);
}

#[test]
fn named_legs_go_back_and_the_rest_leaves_them_out() {
    let mut world = chain();
    let amount_of_all = world.ask(part(5));
    assert_eq!(rejection(amount_of_all), Some(Rejection::LegRequired));
    let too_far = world.ask(legs(vec![(3, None)]));
    assert_eq!(rejection(too_far), Some(Rejection::LegNotFound));
    world.post(legs(vec![(2, None), (1, Some(4))]));
    assert_eq!(world.reversed(T), [0, 4, 5]);
    let rest = world.post(Reverse::new(T));
    assert_eq!(rest.transfer.legs, [leg(C, B, 6), leg(B, A, 10)]);
    assert_eq!(rest.transfer.reversal.unwrap().legs, [1, 0]);
}

#[test]
fn a_leg_refused_in_the_middle_reverses_none() {
    let mut world = chain();
    world.edit(C).counters.debits_posted = 6;
    let decision = world.decide(vec![world.request(Reverse::new(T))]);
    let refused = crate::support::only_receipt(&decision.decided[0]);
    assert_eq!(rejection(refused), Some(Rejection::InsufficientFunds));
    assert_eq!(decision.changes.reversals, []);
    assert_eq!(decision.changes.updated, []);
    world.post(legs(vec![(2, None)]));
    assert_eq!(world.reversed(T), [0, 0, 5]);
}

#[test]
fn force_goes_below_the_floor_but_past_no_freeze_and_no_ceiling() {
    let mut world = world();
    world.edit(B).counters.debits_posted = 70;
    let plain = world.ask(Reverse::new(T));
    assert_eq!(rejection(plain), Some(Rejection::InsufficientFunds));
    let posted = world.post(Reverse::new(T).with_force(true));
    assert!(posted.transfer.reversal.unwrap().forced);
    assert_eq!(world.posted(B), -70);

    let freezes = [
        (A, Status::CreditsFrozen),
        (A, Status::Frozen),
        (B, Status::DebitsFrozen),
        (B, Status::Frozen),
    ];
    for (account, status) in freezes {
        let mut world = self::world();
        world.edit(account).status = status;
        let refused = world.ask(Reverse::new(T).with_force(true));
        assert_eq!(rejection(refused), Some(Rejection::AccountFrozen));
    }
    let mut world = self::world();
    world.edit(A).max_balance = Some(amount(99));
    let refused = world.ask(Reverse::new(T).with_force(true));
    assert_eq!(rejection(refused), Some(Rejection::MaxBalanceExceeded));
    let refused = world.ask(part(101).with_force(true));
    assert_eq!(rejection(refused), Some(Rejection::ReversalExceedsTransfer));
}

#[test]
fn held_money_is_not_there_to_pay_back_with() {
    let mut world = world();
    world.edit(B).counters.debits_pending = 1;
    let refused = world.ask(Reverse::new(T));
    assert_eq!(rejection(refused), Some(Rejection::InsufficientFunds));
    world.post(part(99));
    assert_eq!(world.counters(B).available(), 0);
}

#[test]
fn a_transfer_of_the_same_batch_is_reversed_in_it() {
    let mut world = World::with(&[(A, 100), (B, 0)]);
    let requests = vec![
        world.request(PostTransfer::new(vec![leg(A, B, 100)]).with_id(T)),
        world.request(part(30)),
        world.request(part(71)),
        world.request(Reverse::new(T)),
    ];
    let decision = world.decide(requests.clone());
    let totals = &decision.changes.reversals;
    assert_eq!(totals.len(), 1);
    assert!(totals[0].is_new);
    assert_eq!(totals[0].reversed, 100);
    let decided = world.commit(requests);
    let third = crate::support::only_receipt(&decided[2]);
    assert_eq!(rejection(third), Some(Rejection::ReversalExceedsTransfer));
    let rest = posted(crate::support::only_receipt(&decided[3]).unwrap());
    assert_eq!(rest.transfer.legs, [leg(B, A, 70)]);
    assert_eq!((world.posted(A), world.posted(B)), (100, 0));
    assert_eq!(world.reversed(T), [100]);
    assert_eq!(world.tables.entries[&in_ledger(A)].len(), 3);
}

#[test]
fn a_transfer_of_the_same_request_is_reversed_in_it() {
    let mut world = World::with(&[(A, 100), (B, 0)]);
    let transfer = PostTransfer::new(vec![leg(A, B, 100)]).with_id(T);
    let fails = vec![transfer.clone().into(), part(60).into(), part(60).into()];
    let works = vec![transfer.into(), part(60).into()];
    let requests = vec![world.requests(fails), world.requests(works)];
    let decided = world.commit(requests);
    let refused = fresh(&decided[0]).result.clone().unwrap_err();
    assert_eq!(refused.rejection, Rejection::ReversalExceedsTransfer);
    assert_eq!(refused.command, 2);
    assert_eq!(world.reversed(T), [60]);
    assert_eq!((world.posted(A), world.posted(B)), (60, 40));
}

#[test]
fn a_reversal_cannot_be_reversed_not_even_in_the_same_batch() {
    let mut world = world();
    let first = Reverse::new(T).with_id(transfer_id(1));
    let requests = vec![
        world.request(first),
        world.request(Reverse::new(transfer_id(1))),
    ];
    let decided = world.commit(requests);
    let second = crate::support::only_receipt(&decided[1]);
    assert_eq!(rejection(second), Some(Rejection::NotReversible));
    let later = world.ask(Reverse::new(transfer_id(1)));
    assert_eq!(rejection(later), Some(Rejection::NotReversible));
}

#[test]
fn deposits_and_captures_are_reversed_like_transfers() {
    let mut world = World::with_hold(100);
    world.post(Deposit::new(A, cents(50), bank()).with_id(T));
    world.post(Reverse::new(T));
    assert_eq!(world.posted(crate::support::bank_account()), 0);
    world.post(Capture::new(hold_id(1)).with_id(transfer_id(1)));
    world.post(Reverse::new(transfer_id(1)));
    assert_eq!((world.posted(A), world.posted(B)), (1000, 0));
    let hold = world.hold(hold_id(1));
    assert_eq!((hold.captured, hold.remaining()), (100, 0));
}

#[test]
fn an_overdraft_pays_back_down_to_its_limit() {
    let mut world = world();
    world.edit(B).counters.debits_posted = 100;
    world.edit(B).policy = Policy::Overdraft(amount(40));
    let refused = world.ask(part(41));
    assert_eq!(rejection(refused), Some(Rejection::InsufficientFunds));
    world.post(part(40));
    assert_eq!(world.posted(B), -40);
}

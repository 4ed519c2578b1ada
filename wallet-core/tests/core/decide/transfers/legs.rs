//! Legs: what they change, and the floors and ceilings that hold after each.

use super::steps;
use crate::support::{A, B, C, D, NOW, World, amount, cents, leg};
use wallet_core::ledger::{Counters, Direction, EffectKind, Epoch, TransferKind};
use wallet_core::request::Share;
use wallet_core::{Leg, Money, Policy, PostTransfer, Rejection, Split};

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

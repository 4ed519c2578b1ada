//! Proportional reversals: the worked example and the refusals. Any sequence that
//! adds up to the whole ends at zero for each leg.

use crate::support::{A, B, C, D, World, amount, cents, eur, leg, transfer_id, transfer_row, usd};
use proptest::collection::vec;
use proptest::prelude::*;
use wallet_core::ledger::Posted;
use wallet_core::request::{ReverseWhat, Share};
use wallet_core::{Amount, Leg, Money, Policy, Rejection, Reverse, Split, TransferId};

const T: TransferId = transfer_id(7);

fn refund(minor: i128) -> Reverse {
    Reverse::new(T).with_what(ReverseWhat::Proportional(amount(minor)))
}

fn legs_of(posted: &Posted) -> Vec<(u16, i128)> {
    let undone = posted.transfer.reversal.as_ref().unwrap().legs.iter();
    let amounts = posted.transfer.legs.iter();
    let amounts = amounts.map(|leg| leg.money.amount.minor());
    undone.copied().zip(amounts).collect()
}

fn refusal(world: &World, command: Reverse) -> (Rejection, uuid::Uuid) {
    let rejected = world.ask(command).unwrap_err();
    (rejected.rejection, rejected.subject)
}

/// 1.01 from A, split among B, C and D.
fn sale() -> World {
    let mut world = World::with(&[(A, 101), (B, 0), (C, 0), (D, 0)]);
    let share = |to, share_bp| Share { to, share_bp };
    let shares = vec![share(B, 8_300), share(C, 1_000), share(D, 700)];
    world.post(Split::new(A, cents(101), shares).with_id(T));
    assert_eq!([B, C, D].map(|id| world.posted(id)), [84, 10, 7]);
    world
}

#[test]
fn a_split_sale_is_refunded_in_parts() {
    let mut world = sale();
    // The last leg first.
    let expected = [
        (33, [(2, 2), (1, 3), (0, 28)]),
        (33, [(2, 3), (1, 3), (0, 27)]),
        (35, [(2, 2), (1, 4), (0, 29)]),
    ];
    for (minor, legs) in expected {
        assert_eq!(legs_of(&world.post(refund(minor))), legs);
    }
    assert_eq!(world.reversed(T), [84, 10, 7]);
    assert_eq!([A, B, C, D].map(|id| world.posted(id)), [101, 0, 0, 0]);
    let (rejection, subject) = refusal(&world, refund(1));
    assert_eq!(rejection, Rejection::ReversalExceedsTransfer);
    assert_eq!(subject, T.uuid());
}

#[test]
fn a_share_of_zero_makes_no_leg_and_ties_go_to_the_lower_index() {
    let mut world = World::with(&[(A, 0), (B, 5), (C, 5)]);
    world.put_transfer(transfer_row(T, vec![leg(A, B, 5), leg(A, C, 5)]));
    assert_eq!(legs_of(&world.post(refund(1))), [(0, 1)]);
    // Four are left of the first leg now, five of the second.
    assert_eq!(legs_of(&world.post(refund(1))), [(1, 1)]);
    assert_eq!(legs_of(&world.post(refund(8))), [(1, 4), (0, 4)]);
}

#[test]
fn a_leg_with_nothing_left_takes_no_part() {
    let mut world = sale();
    world.post(Reverse::new(T).with_what(ReverseWhat::Legs(vec![(0, None)])));
    assert_eq!(legs_of(&world.post(refund(16))), [(2, 7), (1, 9)]);
    let above = refusal(&world, refund(2));
    assert_eq!(above.0, Rejection::ReversalExceedsTransfer);
    assert_eq!(legs_of(&world.post(refund(1))), [(1, 1)]);
}

#[test]
fn legs_of_several_currencies_are_refused_whatever_is_left_of_them() {
    let mut world = World::with(&[(A, 0), (B, 5), (C, 5)]);
    let dollar = Money::minor(5, usd()).unwrap();
    let mut row = transfer_row(T, vec![leg(A, B, 5), Leg::new(A, C, dollar)]);
    row.reversed = vec![0, 5];
    world.put_transfer(row);
    assert_eq!(
        refusal(&world, refund(5)),
        (Rejection::LegRequired, T.uuid())
    );
}

#[test]
fn one_account_that_cannot_pay_refuses_all_unless_it_is_forced() {
    let mut world = sale();
    world.edit(C).counters.debits_posted = 10;
    let before = world.reversed(T);
    let found = refusal(&world, refund(33));
    assert_eq!(found, (Rejection::InsufficientFunds, C.uuid()));
    assert!(world.run(refund(33)).is_err());
    assert_eq!((world.reversed(T), world.posted(D)), (before, 7));
    world.post(refund(33).with_force(true));
    assert_eq!(world.posted(C), -3);
}

/// One reversal: in proportion, or of one leg by its index.
#[derive(Debug, Clone)]
enum Part {
    InProportion(u32),
    Named(usize, u32),
}

fn part() -> impl Strategy<Value = Part> {
    let share = || prop_oneof![4 => 0..1_000_000_u32, 1 => Just(0), 1 => Just(1_000_000)];
    prop_oneof![
        3 => share().prop_map(Part::InProportion),
        1 => (0..8_usize, share()).prop_map(|(leg, share)| Part::Named(leg, share)),
    ]
}

/// A share of the remaining amount in millionths; at least one unit, at most an
/// amount.
fn some_of(left: i128, share: u32) -> i128 {
    let millionth = left / 1_000_000;
    let rounded = millionth * i128::from(share) + left % 1_000_000 * i128::from(share) / 1_000_000;
    rounded.clamp(1, Amount::MAX.minor())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_sequence_that_adds_up_to_the_rest_ends_at_zero_for_each_leg(
        amounts in vec(prop_oneof![1..=30_i128, 1..=Amount::MAX.minor(), Just(Amount::MAX.minor())], 1..8),
        parts in vec(part(), 0..12),
    ) {
        let mut world = World::with(&[(A, 0), (B, 0)]);
        world.edit(B).policy = Policy::Unlimited;
        let money = |minor| Money::minor(minor, eur()).unwrap();
        let legs = amounts.iter().map(|minor| Leg::new(A, B, money(*minor)));
        world.put_transfer(transfer_row(T, legs.collect()));
        let mut left = amounts.clone();
        for part in parts {
            let total: i128 = left.iter().sum();
            let what = match part {
                Part::InProportion(_) if total == 0 => break,
                Part::InProportion(share) => {
                    ReverseWhat::Proportional(amount(some_of(total, share)))
                }
                Part::Named(index, share) => {
                    let index = index % left.len();
                    if left[index] == 0 {
                        continue;
                    }
                    let minor = some_of(left[index], share);
                    let leg = u16::try_from(index).unwrap();
                    ReverseWhat::Legs(vec![(leg, Some(amount(minor)))])
                }
            };
            let posted = world.post(Reverse::new(T).with_what(what.clone()));
            let mut moved = 0;
            for (leg, minor) in legs_of(&posted) {
                left[usize::from(leg)] -= minor;
                moved += minor;
            }
            if let ReverseWhat::Proportional(asked) = what {
                prop_assert_eq!(moved, asked.minor());
            }
            prop_assert!(left.iter().all(|left| *left >= 0));
        }
        while left.iter().sum::<i128>() > 0 {
            let total = left.iter().sum::<i128>().min(Amount::MAX.minor());
            let posted = world.post(refund(total));
            for (leg, minor) in legs_of(&posted) {
                left[usize::from(leg)] -= minor;
            }
        }
        prop_assert_eq!(world.reversed(T), amounts.clone());
        let sum: i128 = amounts.iter().sum();
        prop_assert_eq!((world.posted(A), world.posted(B)), (sum, -sum));
    }
}

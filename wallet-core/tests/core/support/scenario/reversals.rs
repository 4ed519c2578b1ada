//! The conditions that refuse a reversal.

use wallet_core::ledger::Reversal;
use wallet_core::request::ReverseWhat;
use wallet_core::{Command, Leg, Money, Rejection, Reverse};

use super::super::{A, B, World, amount, cents, in_ledger, leg, transfer_id, transfer_row, usd};
use super::Side::{From, To};
use super::money::{at_last_sequence, new_money, transfer_id_taken};
use super::{Case, Condition, Place, Scenario, condition, missing, scenario};

/// Reverses 100 cents that went from A to B: B pays.
pub(super) fn reverse_of(what: ReverseWhat) -> Command {
    let reverse = Reverse::new(transfer_id(7)).with_id(transfer_id(1));
    reverse.with_what(what).into()
}

pub(super) fn reversal_conditions() -> Vec<Condition> {
    let row = |s: &mut Scenario,
               change: &dyn Fn(&mut wallet_core::ledger::TransferWithReversals)| {
        let row = s.world.tables.transfers.get_mut(&in_ledger(transfer_id(7)));
        change(row.unwrap());
    };
    let all = [
        Place::TransferRow,
        Place::TransferKind,
        Place::What,
        Place::Totals,
    ];
    vec![
        condition("transfer missing", Rejection::TransferNotFound, &all, |s| {
            s.world.tables.transfers.remove(&in_ledger(transfer_id(7)));
        }),
        condition(
            "of a reversal",
            Rejection::NotReversible,
            &[Place::TransferKind],
            move |s| {
                row(s, &|row| {
                    row.transfer.reversal = Some(Reversal {
                        transfer: transfer_id(6),
                        legs: vec![0],
                        forced: false,
                    });
                });
            },
        ),
        condition(
            "an amount of two legs",
            Rejection::LegRequired,
            &[Place::What],
            move |s| {
                row(s, &|row| {
                    row.transfer.legs.push(Leg::new(A, B, cents(1)));
                    row.reversed.push(0);
                });
                s.command = reverse_of(ReverseWhat::Amount(amount(100)));
            },
        ),
        condition(
            "in proportion of two currencies",
            Rejection::LegRequired,
            &[Place::What],
            move |s| {
                row(s, &|row| {
                    let dollar = Money::minor(1, usd()).unwrap();
                    row.transfer.legs.push(Leg::new(A, B, dollar));
                    row.reversed.push(0);
                });
                s.command = reverse_of(ReverseWhat::Proportional(amount(100)));
            },
        ),
        condition(
            "too much in proportion",
            Rejection::ReversalExceedsTransfer,
            &[Place::What],
            |s| s.command = reverse_of(ReverseWhat::Proportional(amount(101))),
        ),
        condition(
            "a leg too far",
            Rejection::LegNotFound,
            &[Place::What, Place::Totals],
            |s| s.command = reverse_of(ReverseWhat::Legs(vec![(1, None)])),
        ),
        condition(
            "reversed before",
            Rejection::ReversalExceedsTransfer,
            &[Place::Totals],
            move |s| row(s, &|row| row.reversed[0] = 100),
        ),
        condition(
            "too much",
            Rejection::ReversalExceedsTransfer,
            &[Place::What],
            |s| s.command = reverse_of(ReverseWhat::Amount(amount(101))),
        ),
    ]
}

fn between_system_accounts() -> Condition {
    let places = [Place::System(From), Place::System(To)];
    let rejection = Rejection::SystemAccount;
    condition("between system accounts", rejection, &places, |s| {
        s.world.edit(A).system = true;
        s.world.edit(B).system = true;
    })
}

const MISSING_TRANSFER: &str = "a transfer that is missing has no kind, legs or totals";

pub(super) fn reverse() -> Case {
    let mut conditions = new_money();
    conditions.extend(reversal_conditions());
    conditions.extend([transfer_id_taken(), missing(From), missing(To)]);
    conditions.push(between_system_accounts());
    conditions.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "reverse",
        scenario: || {
            let mut world = World::with(&[(A, 0), (B, 1000)]);
            world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 100)]));
            scenario(world, B, A, reverse_of(ReverseWhat::Rest))
        },
        conditions,
        apart: &[
            (
                Rejection::AccountNotFound,
                Rejection::SystemAccount,
                "both accounts must exist to be the host's own",
            ),
            (
                Rejection::TransferNotFound,
                Rejection::NotReversible,
                MISSING_TRANSFER,
            ),
            (
                Rejection::TransferNotFound,
                Rejection::LegRequired,
                MISSING_TRANSFER,
            ),
            (
                Rejection::TransferNotFound,
                Rejection::LegNotFound,
                MISSING_TRANSFER,
            ),
            (
                Rejection::TransferNotFound,
                Rejection::ReversalExceedsTransfer,
                MISSING_TRANSFER,
            ),
            (
                Rejection::LegRequired,
                Rejection::LegNotFound,
                "a reversal names an amount or legs, not both",
            ),
            (
                Rejection::LegNotFound,
                Rejection::ReversalExceedsTransfer,
                "of a leg that is missing there is nothing to exceed",
            ),
        ],
    }
}

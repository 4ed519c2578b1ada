//! If two conditions hold at once, the earlier one in `Rejection::ALL` wins.
//! Commands and legs are checked in their order.

use std::collections::BTreeSet;

use crate::support::scenario::{Case, Condition, cases};
use crate::support::{A, B, C, D, World, cents, hold_id, leg, transfer_id, transfer_row, usd};
use wallet_core::request::{ReverseWhat, Share};
use wallet_core::{
    AccountId, ChangeStatus, Money, PlaceHold, PostTransfer, Rejected, Rejection, Reverse, Split,
    Status,
};

/// Whether both conditions can hold at once.
fn compete(one: &Condition, other: &Condition) -> bool {
    !one.places.iter().any(|place| other.places.contains(place))
}

fn pairs(case: &Case) -> impl Iterator<Item = (&Condition, &Condition)> {
    let all = &case.conditions;
    let others = |index: usize| all.iter().skip(index.saturating_add(1));
    let pairs = all
        .iter()
        .enumerate()
        .flat_map(move |(index, one)| others(index).map(move |other| (one, other)));
    pairs.filter(|(one, other)| compete(one, other))
}

#[test]
fn of_two_conditions_the_earlier_rejection_wins() {
    let (mut wrong, mut tested) = (Vec::new(), 0_u32);
    for case in cases() {
        for (one, other) in pairs(&case) {
            for (first, second) in [(one, other), (other, one)] {
                let mut scenario = (case.scenario)();
                (first.apply)(&mut scenario);
                (second.apply)(&mut scenario);
                let result = scenario.world.ask(scenario.command);
                let rejection = result.err().map(|rejected| rejected.rejection);
                let expected = one.rejection.min(other.rejection);
                if rejection != Some(expected) {
                    let row = format!("{}: {}, {}", case.name, first.name, second.name);
                    wrong.push((row, expected, rejection));
                }
                tested = tested.saturating_add(1);
            }
        }
    }
    assert_eq!(wrong, []);
    assert!(tested > 1_000, "{tested} scenarios");
}

/// Two rejections of one command in order of precedence.
fn ordered(one: Rejection, other: Rejection) -> (Rejection, Rejection) {
    (one.min(other), one.max(other))
}

#[test]
fn every_two_rejections_of_a_command_are_tested_or_said_to_be_apart() {
    for case in cases() {
        let known: BTreeSet<_> = case.conditions.iter().map(|one| one.rejection).collect();
        let all = known.iter().flat_map(|one| {
            let later = known.iter().filter(move |other| *other > one);
            later.map(move |other| (*one, *other))
        });
        let tested: BTreeSet<_> = pairs(&case)
            .map(|(one, other)| ordered(one.rejection, other.rejection))
            .collect();
        let untested: BTreeSet<_> = all.filter(|pair| !tested.contains(pair)).collect();
        let apart: BTreeSet<_> = case
            .apart
            .iter()
            .map(|(one, other, why)| {
                assert!(!why.is_empty());
                ordered(*one, *other)
            })
            .collect();
        assert_eq!(untested, apart, "{}", case.name);
    }
}

fn refused(rejection: Rejection, command: u16, subject: AccountId) -> Rejected {
    Rejected {
        rejection,
        command,
        subject: subject.uuid(),
    }
}

#[test]
fn of_both_accounts_the_paying_one_is_named() {
    type Change = fn(&mut wallet_core::ledger::AccountState);
    let changes: [(Rejection, Change); 5] = [
        (Rejection::CurrencyMismatch, |a| a.currency = usd()),
        (Rejection::CurrencyExponentMismatch, |a| {
            a.currency = crate::support::eur3();
        }),
        (Rejection::AccountClosed, |a| a.status = Status::Closed),
        (Rejection::AccountFrozen, |a| a.status = Status::Frozen),
        (Rejection::CounterOverflow, |a| a.version = i64::MAX),
    ];
    for (rejection, change) in changes {
        let mut world = World::with(&[(A, 1000), (B, 1000)]);
        change(world.edit(A));
        change(world.edit(B));
        let transfer = world.ask(PostTransfer::new(vec![leg(A, B, 100)]));
        assert_eq!(transfer, Err(refused(rejection, 0, A)));
        let back = world.ask(PostTransfer::new(vec![leg(B, A, 100)]));
        assert_eq!(back, Err(refused(rejection, 0, B)));
        let hold = world.ask(PlaceHold::new(A, B, cents(100)));
        assert_eq!(hold, Err(refused(rejection, 0, A)));
    }
    let missing = World::new().ask(PostTransfer::new(vec![leg(A, B, 100)]));
    assert_eq!(missing, Err(refused(Rejection::AccountNotFound, 0, A)));
}

#[test]
fn the_receiving_account_is_named_where_only_it_is_at_fault() {
    let world = World::with(&[(A, 1000)]);
    let missing = world.ask(PostTransfer::new(vec![leg(A, B, 100)]));
    assert_eq!(missing, Err(refused(Rejection::AccountNotFound, 0, B)));

    let mut world = World::with(&[(A, 0), (B, 0)]);
    world.edit(B).status = Status::Closed;
    let closed = world.ask(PostTransfer::new(vec![leg(A, B, 100)]));
    assert_eq!(closed, Err(refused(Rejection::AccountClosed, 0, B)));
}

#[test]
fn an_account_of_another_currency_comes_after_one_with_another_exponent() {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    world.edit(A).currency = usd();
    world.edit(B).currency = crate::support::eur3();
    let result = world.ask(PostTransfer::new(vec![leg(A, B, 100)]));
    let refusal = refused(Rejection::CurrencyExponentMismatch, 0, B);
    assert_eq!(result, Err(refusal));
}

#[test]
fn legs_are_judged_one_after_the_other() {
    let world = World::with(&[(A, 10), (B, 0)]);
    let legs = vec![leg(A, B, 11), leg(A, C, 1)];
    let result = world.ask(PostTransfer::new(legs));
    assert_eq!(result, Err(refused(Rejection::InsufficientFunds, 0, A)));

    let legs = vec![leg(A, B, 10), leg(A, C, 1)];
    let result = world.ask(PostTransfer::new(legs));
    assert_eq!(result, Err(refused(Rejection::AccountNotFound, 0, C)));

    let share = |to, share_bp| Share { to, share_bp };
    let shares = vec![share(B, 5_000), share(C, 5_000)];
    let result = world.ask(Split::new(A, cents(30), shares));
    assert_eq!(result, Err(refused(Rejection::InsufficientFunds, 0, A)));
}

#[test]
fn legs_to_reverse_are_judged_one_after_the_other() {
    let mut world = World::with(&[(A, 0), (B, 100)]);
    world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 10)]));
    let about = transfer_id(7).uuid();
    let reverse = |legs| Reverse::new(transfer_id(7)).with_what(ReverseWhat::Legs(legs));
    let result = world.ask(reverse(vec![
        (0, Some(crate::support::amount(11))),
        (9, None),
    ]));
    let rejection = Rejection::ReversalExceedsTransfer;
    assert_eq!(
        result,
        Err(Rejected {
            rejection,
            command: 0,
            subject: about
        })
    );
    let result = world.ask(reverse(vec![(0, None), (9, None)]));
    let rejection = Rejection::LegNotFound;
    assert_eq!(
        result,
        Err(Rejected {
            rejection,
            command: 0,
            subject: about
        })
    );
    world.edit(B).status = Status::Frozen;
    let result = world.ask(reverse(vec![(0, None), (9, None)]));
    assert_eq!(result, Err(refused(Rejection::AccountFrozen, 0, B)));
}

#[test]
fn commands_are_judged_one_after_the_other() {
    let world = World::with(&[(A, 10), (B, 0)]);
    let request = world.requests(vec![
        PostTransfer::new(vec![leg(A, B, 4)]).into(),
        PostTransfer::new(vec![leg(A, B, 7)]).into(),
        ChangeStatus::new(D, Status::Frozen).into(),
    ]);
    let decision = world.decide(vec![request]);
    let outcome = crate::support::fresh(&decision.decided[0]);
    let refusal = refused(Rejection::InsufficientFunds, 1, A);
    assert_eq!(outcome.result, Err(refusal));
    assert_eq!(decision.changes.updated, []);
}

#[test]
fn a_refusal_names_the_hold_transfer_or_id_that_it_is_about() {
    let world = World::with(&[(A, 10), (B, 0)]);
    let release = world.ask(wallet_core::Release::new(hold_id(5)));
    assert_eq!(release.unwrap_err().subject, hold_id(5).uuid());
    let reverse = world.ask(Reverse::new(transfer_id(5)));
    assert_eq!(reverse.unwrap_err().subject, transfer_id(5).uuid());

    let mut world = World::with(&[(A, 10), (B, 0)]);
    let command = PostTransfer::new(vec![leg(A, B, 1)]).with_id(transfer_id(5));
    world.post(command.clone());
    let again = world.ask(command).unwrap_err();
    assert_eq!(again.rejection, Rejection::IdTaken);
    assert_eq!(again.subject, transfer_id(5).uuid());
    let dollars = Money::minor(1, usd()).unwrap();
    let foreign = PlaceHold::new(A, B, dollars);
    let refusal = refused(Rejection::CurrencyMismatch, 0, A);
    assert_eq!(world.ask(foreign), Err(refusal));
}

//! Commands that differ in one field from another.

use std::time::Duration;

use wallet_core::ledger::{Description, Details};
use wallet_core::request::{Change, Expire, ReverseWhat, SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::{
    AccountId, Capture, ChangeLimits, ChangeStatus, Command, Currency, Deposit, HoldId, Leg, Money,
    OpenAccount, PlaceHold, Policy, PostTransfer, Reference, Release, Reverse, Split, Status,
    Timestamp, TransferId, Withdrawal,
};

use super::{
    amount, capture, deposit, details, eur, id, leg, limits, metadata, named_account, open, owner,
    place_hold, reverse, settlement, shares, split, system_leg, system_transfer, transfer,
    withdrawal,
};

/// Commands that differ in one field from a minimal one, and from each other. No
/// two may share a fingerprint, and none may share one with any of [`named`].
pub(crate) fn variants() -> Vec<Command> {
    let mut all = account_variants();
    all.extend(transfer_variants());
    all.extend(hold_variants());
    all.extend(system_variants());
    for details in detail_changes() {
        all.push(transfer().with_details(details.clone()).into());
        all.push(deposit().with_details(details.clone()).into());
        all.push(withdrawal().with_details(details.clone()).into());
        all.push(system_transfer().with_details(details.clone()).into());
        all.push(split().with_details(details.clone()).into());
        all.push(place_hold().with_details(details.clone()).into());
        all.push(capture().with_details(details.clone()).into());
        all.push(reverse().with_details(details).into());
    }
    all
}

/// Details that differ in one field from none, or in one field from all.
fn detail_changes() -> Vec<Details> {
    let none = Details::default;
    let all = details;
    let mut changed = vec![all()];
    for from in [none(), all()] {
        let (code, effective_at) = (8, Some(Timestamp::EPOCH));
        let reference = Some(Reference::new("order-8").unwrap());
        let description = Some(Description::new("order-8").unwrap());
        changed.extend([
            Details {
                code,
                ..from.clone()
            },
            Details {
                reference,
                ..from.clone()
            },
            Details {
                description,
                ..from.clone()
            },
            Details {
                metadata: Some(metadata("{}")),
                ..from.clone()
            },
            Details {
                effective_at,
                ..from
            },
        ]);
    }
    changed
}

fn system_variants() -> Vec<Command> {
    let one = |from, to, minor| SystemTransfer::new(vec![system_leg(from, to, minor)]);
    let account = |number| SystemAccount::Account(id(number));
    let name = named_account;
    let mut all: Vec<Command> = vec![
        one(name("card"), name("bank"), 501).into(),
        one(name("bank"), name("card"), 500).into(),
        one(name("car"), name("dbank"), 500).into(),
        one(account(1), name("bank"), 500).into(),
        one(name("card"), account(1), 500).into(),
        one(account(1), account(2), 500).into(),
        system_transfer().with_id(id::<TransferId>(1)).into(),
    ];
    for currency in currencies() {
        let money = Money::minor(500, currency).unwrap();
        let leg = SystemLeg::new(name("card"), name("bank"), money);
        all.push(SystemTransfer::new(vec![leg]).into());
    }
    let mut twice = system_transfer();
    twice.legs.push(twice.legs[0].clone());
    all.push(twice.into());
    all
}

/// The same code with another exponent, and another code.
fn currencies() -> [Currency; 2] {
    [
        Currency::new("EUR", 3).unwrap(),
        Currency::iso("USD").unwrap(),
    ]
}

fn account_variants() -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    all.push(OpenAccount::new(owner("bob"), open().currency).into());
    for currency in currencies() {
        all.push(OpenAccount::new(owner("ada"), currency).into());
    }
    all.push(open().with_id(id::<AccountId>(1)).into());
    all.push(open().with_id(id::<AccountId>(2)).into());
    all.push(open().with_policy(Policy::Unlimited).into());
    for minor in [1, 2] {
        all.push(open().with_policy(Policy::Overdraft(amount(minor))).into());
        all.push(open().with_max_balance(amount(minor)).into());
    }
    all.push(open().with_metadata(metadata("{}")).into());
    all.push(open().with_metadata(metadata(r#"{"a":1}"#)).into());
    all.push(open().with_system(true).into());

    for status in [
        Status::Active,
        Status::DebitsFrozen,
        Status::CreditsFrozen,
        Status::Closed,
    ] {
        all.push(ChangeStatus::new(id(1), status).into());
    }
    all.push(ChangeStatus::new(id(2), Status::Frozen).into());

    let bare = || ChangeLimits::new(id(1));
    all.push(
        ChangeLimits::new(id(2))
            .with_policy(Policy::Unlimited)
            .into(),
    );
    all.push(bare().with_policy(Policy::NonNegative).into());
    all.push(bare().with_policy(Policy::Overdraft(amount(1))).into());
    all.push(bare().with_max_balance(Change::Clear).into());
    all.push(bare().with_max_balance(Change::Set(amount(1))).into());
    all.push(limits().with_max_balance(Change::Clear).into());
    all
}

fn transfer_variants() -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    let [other, another] = currencies().map(|currency| Money::minor(500, currency).unwrap());
    for legs in [
        vec![leg(2, 1, 1_050)],
        vec![leg(3, 2, 1_050)],
        vec![leg(1, 3, 1_050)],
        vec![leg(1, 2, 1_051)],
        vec![Leg::new(id(1), id(2), other)],
        vec![Leg::new(id(1), id(2), another)],
        vec![leg(1, 2, 1_050), leg(1, 2, 1_050)],
        vec![leg(1, 2, 1_050), leg(2, 3, 50)],
        vec![leg(2, 3, 50), leg(1, 2, 1_050)],
    ] {
        all.push(PostTransfer::new(legs).into());
    }
    all.push(transfer().with_id(id::<TransferId>(1)).into());

    for money in [eur(501), other, another] {
        all.push(Deposit::new(id(1), money, settlement("bank")).into());
        all.push(Withdrawal::new(id(1), money, settlement("bank")).into());
        all.push(Split::new(id(1), money, split().shares).into());
    }
    all.push(Deposit::new(id(2), eur(500), settlement("bank")).into());
    all.push(Deposit::new(id(1), eur(500), settlement("card")).into());
    all.push(deposit().with_id(id::<TransferId>(1)).into());
    all.push(Withdrawal::new(id(2), eur(500), settlement("bank")).into());
    all.push(Withdrawal::new(id(1), eur(500), settlement("card")).into());
    all.push(withdrawal().with_id(id::<TransferId>(1)).into());

    all.push(Split::new(id(4), eur(100), split().shares).into());
    for parts in [
        [(3, 6_000), (2, 4_000)],
        [(2, 4_000), (3, 6_000)],
        [(2, 5_999), (3, 4_001)],
    ] {
        all.push(Split::new(id(1), eur(100), shares(&parts)).into());
    }
    all.push(split().with_id(id::<TransferId>(1)).into());
    all.extend(reverse_variants());
    all
}

fn hold_variants() -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    for currency in currencies() {
        let money = Money::minor(300, currency).unwrap();
        all.push(PlaceHold::new(id(1), id(2), money).into());
    }
    all.push(PlaceHold::new(id(1), id(2), eur(301)).into());
    all.push(PlaceHold::new(id(3), id(2), eur(300)).into());
    all.push(PlaceHold::new(id(1), id(3), eur(300)).into());
    all.push(place_hold().with_id(id::<HoldId>(1)).into());
    for nanos in [1_000, 1_001, 2_000] {
        all.push(
            place_hold()
                .with_expires_in(Duration::from_nanos(nanos))
                .into(),
        );
    }

    all.push(Capture::new(id(6)).into());
    all.push(capture().with_amount(amount(1)).into());
    all.push(capture().with_currency(eur(1).currency).into());
    all.push(reverse().with_currency(eur(1).currency).into());
    all.push(capture().with_is_final(true).into());
    all.push(capture().with_is_final(false).into());
    all.push(capture().with_id(id::<TransferId>(1)).into());
    all.push(Release::new(id(6)).into());
    all.push(Expire::new(id(6)).into());
    all
}

fn reverse_variants() -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    all.push(Reverse::new(id(5)).into());
    all.push(reverse().with_force(true).into());
    all.push(reverse().with_id(id::<TransferId>(1)).into());
    for what in [
        ReverseWhat::Amount(amount(1)),
        ReverseWhat::Amount(amount(2)),
        ReverseWhat::Legs(vec![(0, None)]),
        ReverseWhat::Legs(vec![(1, None)]),
        ReverseWhat::Legs(vec![(0, Some(amount(1)))]),
        ReverseWhat::Legs(vec![(0, None), (1, None)]),
        ReverseWhat::Legs(vec![(1, None), (0, None)]),
    ] {
        all.push(reverse().with_what(what).into());
    }
    all
}

//! Commands without optional fields, with all fields, and with one changed field.

use std::time::Duration;

use uuid::Uuid;
use wallet_core::ledger::{Description, Details};
use wallet_core::request::{
    Change, Expire, ReverseWhat, Share, SystemAccount, SystemLeg, SystemTransfer,
};
use wallet_core::{
    AccountId, Amount, Capture, ChangeLimits, ChangeStatus, Command, Currency, Deposit, HoldId,
    Leg, Metadata, Money, OpenAccount, Owner, PlaceHold, Policy, PostTransfer, Reference, Release,
    Reverse, SettlementName, Split, Status, Timestamp, TransferId, Withdrawal,
};

/// An id of version 7.
pub(crate) fn id<Id: From<Uuid>>(number: u8) -> Id {
    let mut bytes = [number; 16];
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    Uuid::from_bytes(bytes).into()
}

pub(crate) fn eur(minor: i128) -> Money {
    Money::minor(minor, Currency::iso("EUR").unwrap()).unwrap()
}

fn amount(minor: i128) -> Amount {
    Amount::new(minor).unwrap()
}

fn owner(text: &str) -> Owner {
    Owner::new(text).unwrap()
}

fn settlement(text: &str) -> SettlementName {
    SettlementName::new(text).unwrap()
}

fn metadata(json: &str) -> Metadata {
    Metadata::parse(json).unwrap()
}

pub(crate) fn leg(from: u8, to: u8, minor: i128) -> Leg {
    Leg::new(id(from), id(to), eur(minor))
}

fn shares(parts: &[(u8, u32)]) -> Vec<Share> {
    let parts = parts.iter();
    parts
        .map(|&(to, share_bp)| Share {
            to: id(to),
            share_bp,
        })
        .collect()
}

pub(crate) fn details() -> Details {
    Details {
        code: 7,
        reference: Some(Reference::new("order-7").unwrap()),
        description: Some(Description::new("Tee für zwei").unwrap()),
        metadata: Some(metadata(r#"{"channel":"web"}"#)),
        effective_at: Some(Timestamp::from_micros(1_767_000_000_000_000)),
    }
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

pub(crate) fn open() -> OpenAccount {
    OpenAccount::new(owner("ada"), Currency::iso("EUR").unwrap())
}
pub(crate) fn limits() -> ChangeLimits {
    ChangeLimits::new(id(1)).with_policy(Policy::Unlimited)
}
pub(crate) fn transfer() -> PostTransfer {
    PostTransfer::new(vec![leg(1, 2, 1_050)])
}
fn deposit() -> Deposit {
    Deposit::new(id(1), eur(500), settlement("bank"))
}
fn withdrawal() -> Withdrawal {
    Withdrawal::new(id(1), eur(500), settlement("bank"))
}
fn system_leg(from: SystemAccount, to: SystemAccount, minor: i128) -> SystemLeg {
    SystemLeg::new(from, to, eur(minor))
}
fn named_account(name: &str) -> SystemAccount {
    SystemAccount::Settlement(settlement(name))
}
fn system_transfer() -> SystemTransfer {
    let (card, bank) = (named_account("card"), named_account("bank"));
    SystemTransfer::new(vec![system_leg(card, bank, 500)])
}
fn split() -> Split {
    Split::new(id(1), eur(100), shares(&[(2, 6_000), (3, 4_000)]))
}
fn place_hold() -> PlaceHold {
    PlaceHold::new(id(1), id(2), eur(300))
}
pub(crate) fn capture() -> Capture {
    Capture::new(id(5))
}
pub(crate) fn reverse() -> Reverse {
    Reverse::new(id(6))
}

/// Every command without optional fields, and with all of them.
pub(crate) fn named() -> Vec<(&'static str, Command)> {
    let new: TransferId = id(9);
    let account: AccountId = id(9);
    let hold: HoldId = id(9);
    let open_all = open()
        .with_id(account)
        .with_policy(Policy::Overdraft(amount(5_000)))
        .with_max_balance(amount(100_000))
        .with_metadata(metadata(r#"{"tier":"gold"}"#))
        .with_system(true);
    let limits_all = limits().with_max_balance(Change::Set(amount(9)));
    let transfer_all = PostTransfer::new(vec![leg(1, 2, 1_050), leg(2, 3, 50)])
        .with_id(new)
        .with_details(details());
    let hold_all = place_hold()
        .with_id(hold)
        .with_expires_in(Duration::from_secs(3_600))
        .with_details(details());
    let capture_all = capture()
        .with_amount(amount(250))
        .with_is_final(true)
        .with_id(new)
        .with_details(details());
    let reverse_all = reverse()
        .with_what(ReverseWhat::Legs(vec![(1, None), (0, Some(amount(30)))]))
        .with_force(true)
        .with_id(new)
        .with_details(details());
    vec![
        ("open-account", open().into()),
        ("open-account-all", open_all.into()),
        (
            "change-status",
            ChangeStatus::new(id(1), Status::Frozen).into(),
        ),
        ("change-limits", limits().into()),
        ("change-limits-all", limits_all.into()),
        ("post-transfer", transfer().into()),
        ("post-transfer-all", transfer_all.into()),
        ("deposit", deposit().into()),
        (
            "deposit-all",
            deposit().with_id(new).with_details(details()).into(),
        ),
        ("withdrawal", withdrawal().into()),
        (
            "withdrawal-all",
            withdrawal().with_id(new).with_details(details()).into(),
        ),
        ("system-transfer", system_transfer().into()),
        (
            "system-transfer-all",
            SystemTransfer::new(vec![
                system_leg(named_account("card"), SystemAccount::Account(id(1)), 500),
                system_leg(SystemAccount::Account(id(2)), named_account("bank"), 1),
            ])
            .with_id(new)
            .with_details(details())
            .into(),
        ),
        ("split", split().into()),
        (
            "split-all",
            split().with_id(new).with_details(details()).into(),
        ),
        ("place-hold", place_hold().into()),
        ("place-hold-all", hold_all.into()),
        (
            "place-hold-until",
            place_hold()
                .with_expires_at(Timestamp::from_micros(1_800_000_000_000_000))
                .into(),
        ),
        ("capture", capture().into()),
        ("capture-all", capture_all.into()),
        ("release", Release::new(id(5)).into()),
        ("expire", Expire::new(id(5)).into()),
        ("reverse", reverse().into()),
        ("reverse-all", reverse_all.into()),
        (
            "reverse-proportional",
            reverse()
                .with_what(ReverseWhat::Proportional(amount(33)))
                .into(),
        ),
    ]
}

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

//! Commands without optional fields, with all fields, and with one changed field.

mod variants;

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

pub(crate) use variants::variants;

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
        ("capture-money", capture().with_money(eur(250)).into()),
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
        ("reverse-money", reverse().with_money(eur(33)).into()),
        (
            "reverse-money-proportional",
            reverse().with_money_in_proportion(eur(33)).into(),
        ),
    ]
}

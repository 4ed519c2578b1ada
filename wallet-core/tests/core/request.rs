//! Requests that can never be carried out are refused before any read.

use std::time::Duration;

use uuid::Uuid;
use wallet_core::ledger::{KeyScope, KeyText, SettlementShards, settlement_account};
use wallet_core::request::{
    COMMANDS_MAX, Change, Expire, HOLD_LIFE_MAX, InvalidRequest, LEGS_MAX, PreparedRequest,
    ReverseWhat, Share,
};
use wallet_core::runtime::Uuid7;
use wallet_core::{
    AccountId, Amount, Capture, ChangeLimits, ChangeStatus, Command, Currency, Deposit, HoldId,
    IdempotencyKey, LedgerId, Leg, Money, OpenAccount, Owner, PlaceHold, Policy, PostTransfer,
    Release, Request, Reverse, SettlementName, Split, Status, Timestamp, TransferId, Withdrawal,
};

fn account(number: u16) -> AccountId {
    let mut bytes = [7; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    bytes[6] = 0x70;
    AccountId::from_bytes(bytes)
}

fn eur(minor: i128) -> Money {
    Money::minor(minor, Currency::iso("EUR").unwrap()).unwrap()
}

fn bank() -> SettlementName {
    SettlementName::new("bank").unwrap()
}

fn key() -> IdempotencyKey {
    IdempotencyKey::new(
        KeyScope::new("tests").unwrap(),
        KeyText::new("key").unwrap(),
    )
}

fn validate(commands: Vec<Command>) -> Result<(), InvalidRequest> {
    Request::of_many(key(), commands).validate()
}

fn check(command: impl Into<Command>) -> Result<(), InvalidRequest> {
    validate(vec![command.into()])
}

fn leg() -> Leg {
    Leg::new(account(1), account(2), eur(1))
}

fn transfer() -> PostTransfer {
    PostTransfer::new(vec![leg()])
}

fn open() -> OpenAccount {
    OpenAccount::new(Owner::new("ada").unwrap(), Currency::iso("EUR").unwrap())
}

fn hold() -> PlaceHold {
    PlaceHold::new(account(1), account(2), eur(10))
}

fn reverse() -> Reverse {
    Reverse::new(TransferId::from_bytes([6; 16]))
}

fn capture() -> Capture {
    Capture::new(HoldId::from_bytes([5; 16]))
}

fn split(parts: &[(u16, u32)]) -> Split {
    let share = |&(to, share_bp): &(u16, u32)| Share {
        to: account(to),
        share_bp,
    };
    Split::new(account(1), eur(100), parts.iter().map(share).collect())
}

#[test]
fn what_can_be_carried_out_is_valid() {
    let commands: Vec<Command> = vec![
        open().into(),
        ChangeStatus::new(account(1), Status::Closed).into(),
        ChangeLimits::new(account(1))
            .with_policy(Policy::NonNegative)
            .into(),
        ChangeLimits::new(account(1))
            .with_max_balance(Change::Clear)
            .into(),
        transfer().into(),
        Deposit::new(account(1), eur(1), bank()).into(),
        Withdrawal::new(account(1), eur(1), bank()).into(),
        split(&[(2, 1), (3, 9_999)]).into(),
        hold().into(),
        capture().into(),
        Release::new(HoldId::from_bytes([5; 16])).into(),
        Expire::new(HoldId::from_bytes([5; 16])).into(),
        reverse().into(),
        reverse().with_what(ReverseWhat::Amount(Amount::MIN)).into(),
    ];
    assert_eq!(validate(commands), Ok(()));
}

#[test]
fn a_request_has_one_to_a_hundred_commands() {
    assert_eq!(validate(vec![]), Err(InvalidRequest::NoCommands));
    let many = |count| validate(vec![Command::from(transfer()); count]);
    assert_eq!(many(COMMANDS_MAX), Ok(()));
    assert_eq!(many(COMMANDS_MAX + 1), Err(InvalidRequest::TooManyCommands));
}

#[test]
fn one_bad_command_spoils_the_request() {
    let bad = PostTransfer::new(vec![]);
    let commands = vec![transfer().into(), bad.into(), transfer().into()];
    assert_eq!(validate(commands), Err(InvalidRequest::NoLegs));
}

#[test]
fn a_transfer_has_one_to_five_hundred_legs() {
    let none = Err(InvalidRequest::NoLegs);
    let too_many = Err(InvalidRequest::TooManyLegs);
    assert_eq!(check(PostTransfer::new(vec![])), none);
    assert_eq!(check(PostTransfer::new(vec![leg(); LEGS_MAX])), Ok(()));
    assert_eq!(
        check(PostTransfer::new(vec![leg(); LEGS_MAX + 1])),
        too_many
    );

    let legs = |count| check(reverse().with_what(ReverseWhat::Legs(vec![(0, None); count])));
    assert_eq!(legs(0), none);
    assert_eq!(legs(LEGS_MAX), Ok(()));
    assert_eq!(legs(LEGS_MAX + 1), too_many);

    let shares = |count: u16| {
        let rest = 10_000 - u32::from(count - 1);
        let parts = (2..=count).map(|to| (to, 1)).chain([(9_999, rest)]);
        check(split(&parts.collect::<Vec<_>>()))
    };
    let max = u16::try_from(LEGS_MAX).unwrap();
    assert_eq!(shares(max), Ok(()));
    assert_eq!(shares(max + 1), too_many);
}

#[test]
fn money_cannot_move_from_an_account_to_itself() {
    let same = Err(InvalidRequest::SameAccount);
    let to_itself = Leg::new(account(1), account(1), eur(1));
    assert_eq!(check(PostTransfer::new(vec![leg(), to_itself])), same);
    assert_eq!(check(PlaceHold::new(account(1), account(1), eur(1))), same);
    assert_eq!(check(split(&[(2, 5_000), (1, 5_000)])), same);
}

/// A settlement account's id can be computed, so a caller can name it.
#[test]
fn a_settlement_account_cannot_settle_with_itself() {
    let currency = Currency::iso("EUR").unwrap();
    let settlement = settlement_account(LedgerId::new(0), currency, &bank(), 0);
    let commands: [Command; 2] = [
        Deposit::new(settlement, eur(1), bank()).into(),
        Withdrawal::new(settlement, eur(1), bank()).into(),
    ];
    for command in commands {
        let request = Request::new(key(), command);
        let prepared = PreparedRequest::new(request, &Uuid7, &SettlementShards::new());
        assert_eq!(prepared, Err(InvalidRequest::SameAccount));
    }
}

#[test]
fn shares_must_be_positive_and_add_up() {
    for parts in [
        &[][..],
        &[(2, 0), (3, 10_000)],
        &[(2, 9_999)],
        &[(2, 10_001)],
        &[(2, u32::MAX), (3, 10_001)],
    ] {
        assert_eq!(check(split(parts)), Err(InvalidRequest::BadShares));
    }
}

/// Every command that takes a caller's id, with this one.
fn with_id(id: Uuid) -> Vec<Command> {
    let transfer_id = TransferId::new(id);
    vec![
        open().with_id(AccountId::new(id)).into(),
        transfer().with_id(transfer_id).into(),
        Deposit::new(account(1), eur(1), bank())
            .with_id(transfer_id)
            .into(),
        Withdrawal::new(account(1), eur(1), bank())
            .with_id(transfer_id)
            .into(),
        split(&[(2, 10_000)]).with_id(transfer_id).into(),
        hold().with_id(HoldId::new(id)).into(),
        capture().with_id(transfer_id).into(),
        reverse().with_id(transfer_id).into(),
    ]
}

#[test]
fn a_callers_id_is_neither_nil_nor_max_nor_derived() {
    let derived = uuid::Builder::from_custom_bytes([9; 16]).into_uuid();
    for bad in [Uuid::nil(), Uuid::max(), derived] {
        for command in with_id(bad) {
            assert_eq!(
                validate(vec![command.clone()]),
                Err(InvalidRequest::BadId),
                "{command:?}"
            );
        }
    }
    let random = uuid::Builder::from_random_bytes([9; 16]).into_uuid();
    let ordered = uuid::Builder::from_unix_timestamp_millis(1, &[9; 10]).into_uuid();
    for good in [random, ordered] {
        assert_eq!(validate(with_id(good)), Ok(()));
    }
}

#[test]
fn a_hold_lives_a_microsecond_to_ten_years() {
    let life = |life| check(hold().with_expires_in(life));
    let bad = Err(InvalidRequest::BadExpiry);
    assert_eq!(life(Duration::ZERO), bad);
    assert_eq!(life(Duration::from_nanos(999)), bad);
    assert_eq!(life(Duration::from_micros(1)), Ok(()));
    assert_eq!(life(HOLD_LIFE_MAX), Ok(()));
    assert_eq!(life(HOLD_LIFE_MAX + Duration::from_nanos(1)), bad);
    assert_eq!(life(Duration::MAX), bad);
}

#[test]
fn a_change_of_limits_names_one() {
    let nothing = check(ChangeLimits::new(account(1)));
    assert_eq!(nothing, Err(InvalidRequest::NothingToChange));
}

#[test]
fn a_hold_ends_after_a_time_or_at_a_time() {
    let at = Timestamp::from_micros(1);
    let both = hold().with_expires_in(Duration::from_secs(1));
    let both = check(both.with_expires_at(at));
    assert_eq!(both, Err(InvalidRequest::TwoExpiries));
    assert_eq!(check(hold().with_expires_at(at)), Ok(()));
}

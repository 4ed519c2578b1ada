//! System accounts: the commands that move them, the commands that may not, and the
//! order of these checks.

use crate::support::{
    A, B, C, LEDGER, World, amount, bank, bank_account, cents, eur, eur3, leg, transfer_id, usd,
};
use wallet_core::ledger::{EffectKind, SettlementShards, TransferKind, settlement_account};
use wallet_core::request::{
    Change, InvalidRequest, PreparedRequest, Share, SystemAccount, SystemLeg, SystemTransfer,
};
use wallet_core::runtime::Uuid7;
use wallet_core::{
    AccountId, ChangeLimits, ChangeStatus, Command, Deposit, Money, OpenAccount, Owner, PlaceHold,
    Policy, PostTransfer, Rejected, Rejection, Request, Reverse, SettlementName, Split, Status,
    Withdrawal,
};

fn named(name: &str) -> SystemAccount {
    SystemAccount::Settlement(SettlementName::new(name).unwrap())
}

fn id(name: &str) -> AccountId {
    named(name).id(LEDGER, eur())
}

fn system(from: SystemAccount, to: SystemAccount, minor: i128) -> SystemLeg {
    SystemLeg::new(from, to, cents(minor))
}

/// Ada (A) with 100.00 from the card processor.
fn shop() -> World {
    let mut world = World::with(&[(A, 0)]);
    let card = SettlementName::new("card").unwrap();
    let deposit = Deposit::new(A, cents(10_000), card).with_id(transfer_id(1));
    world.post(deposit);
    world
}

fn refused(rejection: Rejection, subject: AccountId) -> Rejected {
    Rejected {
        rejection,
        command: 0,
        subject: subject.uuid(),
    }
}

#[test]
fn a_processor_pays_out_to_the_bank_and_keeps_a_fee() {
    let mut world = shop();
    let stolen = world.ask(PostTransfer::new(vec![leg(id("card"), A, 100)]));
    assert_eq!(stolen, Err(refused(Rejection::SystemAccount, id("card"))));
    let payout = world.post(SystemTransfer::new(vec![
        system(named("bank"), named("card"), 9_700),
        system(named("charges"), named("card"), 300),
    ]));
    assert_eq!(payout.transfer.kind, TransferKind::System);
    let kinds: Vec<_> = payout.effects.iter().map(|effect| effect.kind).collect();
    let leg = [
        EffectKind::Opened,
        EffectKind::Debited,
        EffectKind::Credited,
    ];
    assert_eq!(kinds, [leg, leg].concat());
    let balances = |world: &World| [world.posted(A), world.posted(id("card"))];
    assert_eq!(balances(&world), [10_000, 0]);
    assert_eq!(world.posted(id("bank")), -9_700);
    assert_eq!(world.posted(id("charges")), -300);
    let close = world.ask(ChangeStatus::new(id("card"), Status::Closed));
    assert_eq!(close, Err(refused(Rejection::SystemAccount, id("card"))));
    world.post(Reverse::new(transfer_id(1)));
    assert_eq!(balances(&world), [0, 10_000]);
}

#[test]
fn no_command_of_a_customer_names_a_system_account() {
    let mut world = shop();
    world.put(crate::support::state(B, 500));
    let card = id("card");
    let share = |to, share_bp| Share { to, share_bp };
    let overdraft = Policy::Overdraft(amount(1));
    let commands: Vec<Command> = vec![
        PostTransfer::new(vec![leg(card, A, 1)]).into(),
        PostTransfer::new(vec![leg(A, card, 1)]).into(),
        PostTransfer::new(vec![leg(A, B, 1), leg(B, card, 1)]).into(),
        Split::new(A, cents(100), vec![share(B, 1), share(card, 9_999)]).into(),
        Split::new(card, cents(100), vec![share(B, 10_000)]).into(),
        PlaceHold::new(A, card, cents(1)).into(),
        PlaceHold::new(card, A, cents(1)).into(),
        Deposit::new(card, cents(1), bank()).into(),
        Withdrawal::new(card, cents(1), bank()).into(),
        ChangeStatus::new(card, Status::Active).into(),
        ChangeStatus::new(card, Status::DebitsFrozen).into(),
        ChangeStatus::new(card, Status::CreditsFrozen).into(),
        ChangeStatus::new(card, Status::Frozen).into(),
        ChangeStatus::new(card, Status::Closed).into(),
        ChangeLimits::new(card)
            .with_policy(Policy::Unlimited)
            .into(),
        ChangeLimits::new(card).with_policy(overdraft).into(),
        ChangeLimits::new(card)
            .with_max_balance(Change::Set(amount(1)))
            .into(),
    ];
    for command in commands {
        let expected = Err(refused(Rejection::SystemAccount, card));
        assert_eq!(world.ask(command.clone()), expected, "{command:?}");
    }
}

#[test]
fn an_account_that_the_host_opened_as_its_own_is_a_system_account() {
    let mut world = World::with(&[(A, 100)]);
    let funds = OpenAccount::new(Owner::new("own funds").unwrap(), eur());
    world.run(funds.with_id(B).with_system(true)).unwrap();
    let fee = world.ask(PostTransfer::new(vec![leg(A, B, 1)]));
    assert_eq!(fee, Err(refused(Rejection::SystemAccount, B)));
    let own = SystemAccount::Account(B);
    world.post(SystemTransfer::new(vec![system(
        named("bank"),
        own.clone(),
        7,
    )]));
    assert_eq!((world.posted(B), world.posted(bank_account())), (7, -7));
    // Its floor holds as for any account.
    let below = world.ask(SystemTransfer::new(vec![system(own, named("bank"), 8)]));
    assert_eq!(below, Err(refused(Rejection::InsufficientFunds, B)));
}

#[test]
fn a_system_transfer_names_no_customer() {
    let world = shop();
    let customer = SystemAccount::Account(A);
    for leg in [
        system(customer.clone(), named("card"), 1),
        system(named("card"), customer.clone(), 1),
        // Refused before the account of the name is opened.
        system(named("bank"), customer.clone(), 1),
    ] {
        let found = world.ask(SystemTransfer::new(vec![leg]));
        assert_eq!(found, Err(refused(Rejection::NotSystemAccount, A)));
    }
    let nobody = SystemAccount::Account(C);
    let found = world.ask(SystemTransfer::new(vec![system(customer, nobody, 1)]));
    assert_eq!(found, Err(refused(Rejection::AccountNotFound, C)));
}

#[test]
fn a_customer_is_missed_before_a_currency_that_cannot_be_opened() {
    let mut world = shop();
    world.tables.currencies.insert(eur3().code(), eur3());
    let nobody = SystemAccount::Account(C);
    let both = |to| SystemTransfer::new(vec![system(named("bank"), to, 1)]);
    let found = world.ask(both(nobody));
    assert_eq!(found, Err(refused(Rejection::AccountNotFound, C)));
    let found = world.ask(both(SystemAccount::Account(A)));
    assert_eq!(found, Err(refused(Rejection::NotSystemAccount, A)));
    let found = world.ask(both(SystemAccount::Account(id("card"))));
    let rejection = found.unwrap_err().rejection;
    assert_eq!(rejection, Rejection::CurrencyExponentMismatch);
}

#[test]
fn a_system_transfer_that_is_refused_opens_nothing() {
    let mut world = World::new();
    let dollars = Money::minor(1, usd()).unwrap();
    let own = SystemAccount::Account(bank_account());
    let mixed = SystemTransfer::new(vec![
        system(named("bank"), named("card"), 1),
        SystemLeg::new(named("fees"), own, dollars),
    ]);
    let found = world.run(mixed).unwrap_err();
    assert_eq!(found.rejection, Rejection::CurrencyMismatch);
    assert!(world.tables.accounts.is_empty());
}

#[test]
fn deposits_and_withdrawals_are_reversed_forced_or_not() {
    let mut world = shop();
    let card = SettlementName::new("card").unwrap();
    let out = Withdrawal::new(A, cents(10_000), card).with_id(transfer_id(2));
    world.post(out);
    let deposit = || Reverse::new(transfer_id(1));
    let found = world.ask(deposit());
    assert_eq!(found, Err(refused(Rejection::InsufficientFunds, A)));
    world.post(deposit().with_force(true));
    assert_eq!(
        (world.posted(A), world.posted(id("card"))),
        (-10_000, 10_000)
    );
    world.post(Reverse::new(transfer_id(2)));
    assert_eq!((world.posted(A), world.posted(id("card"))), (0, 0));
}

#[test]
fn what_joins_two_system_accounts_is_not_reversed_forced_or_not() {
    let mut world = shop();
    let payout = vec![system(named("bank"), named("card"), 100)];
    world.post(SystemTransfer::new(payout).with_id(transfer_id(2)));
    for force in [false, true] {
        let back = world.ask(Reverse::new(transfer_id(2)).with_force(force));
        assert_eq!(back, Err(refused(Rejection::SystemAccount, id("card"))));
    }
    world.post(SystemTransfer::new(vec![system(
        named("card"),
        named("bank"),
        100,
    )]));
    assert_eq!(world.posted(bank_account()), 0);
}

fn prepared(command: impl Into<Command>) -> Result<PreparedRequest, InvalidRequest> {
    let request = Request::new(crate::support::key("k"), command);
    PreparedRequest::new(request, &Uuid7, &SettlementShards::new())
}

#[test]
fn a_leg_between_one_account_is_invalid_however_it_is_named() {
    let by_id = SystemAccount::Account(settlement_account(LEDGER, eur(), &bank(), 0));
    for (from, to) in [
        (named("bank"), named("bank")),
        (named("bank"), by_id.clone()),
        (by_id.clone(), by_id),
    ] {
        let legs = vec![system(named("a"), named("b"), 1), system(from, to, 1)];
        let found = prepared(SystemTransfer::new(legs));
        assert_eq!(found.unwrap_err(), InvalidRequest::SameAccount);
    }
    let none = prepared(SystemTransfer::new(Vec::new()));
    assert_eq!(none.unwrap_err(), InvalidRequest::NoLegs);
    let many = vec![system(named("a"), named("b"), 1); 501];
    let many = prepared(SystemTransfer::new(many));
    assert_eq!(many.unwrap_err(), InvalidRequest::TooManyLegs);
}

#[test]
fn reserved_owners_are_refused_in_any_case() {
    for owner in ["settlement:bank", "SETTLEMENT:x", "System:", "wallet:ops"] {
        let open = OpenAccount::new(Owner::new(owner).unwrap(), eur());
        assert_eq!(
            prepared(open).unwrap_err(),
            InvalidRequest::ReservedOwner,
            "{owner}"
        );
    }
    for owner in ["settlement", "settlements:bank", "a settlement:bank", "é"] {
        let open = OpenAccount::new(Owner::new(owner).unwrap(), eur());
        assert!(prepared(open).is_ok(), "{owner}");
    }
}

//! Accounts: opening, status, limits, closing.

use crate::support::{
    A, B, NOW, World, amount, cents, changed, eur, eur3, fresh, in_ledger, leg, usd,
};
use wallet_core::ledger::{Counters, EffectKind};
use wallet_core::request::Change;
use wallet_core::{
    Account, AccountId, ChangeLimits, ChangeStatus, Metadata, OpenAccount, Owner, PlaceHold,
    Policy, PostTransfer, Receipt, Rejected, Rejection, Status,
};

fn ada() -> Owner {
    Owner::new("ada").unwrap()
}

fn open(id: AccountId) -> OpenAccount {
    OpenAccount::new(ada(), eur()).with_id(id)
}

fn opened(receipt: Receipt) -> Account {
    match receipt {
        Receipt::AccountOpened(account) => account,
        other => panic!("not an opening: {other:?}"),
    }
}

fn rejection(result: Result<Receipt, Rejected>) -> Option<Rejection> {
    result.err().map(|rejected| rejected.rejection)
}

#[test]
fn an_account_opens_empty_as_asked() {
    let mut world = World::new();
    let metadata = Metadata::parse(r#"{"tier":1}"#).unwrap();
    let command = open(A)
        .with_policy(Policy::Overdraft(amount(5)))
        .with_max_balance(amount(99))
        .with_metadata(metadata.clone())
        .with_system(true);
    let account = opened(world.run(command).unwrap());
    assert_eq!(account.owner, ada());
    assert_eq!(account.metadata, Some(metadata));
    assert_eq!(account.created_at, NOW);
    let state = account.state;
    assert_eq!(state.key, in_ledger(A));
    assert_eq!(state.currency, eur());
    assert!(state.system);
    assert_eq!(state.policy, Policy::Overdraft(amount(5)));
    assert_eq!(state.max_balance, Some(amount(99)));
    assert_eq!(state.status, Status::Active);
    assert_eq!(state.counters, Counters::default());
    assert_eq!((state.version, state.sequence), (1, 0));
    assert_eq!(state.last_at, NOW);
    assert_eq!(world.tables.accounts[&in_ledger(A)], account);
    assert_eq!(rejection(world.ask(open(A))), Some(Rejection::IdTaken));
}

#[test]
fn an_account_is_used_in_the_request_that_opens_it() {
    let mut world = World::with(&[(B, 10)]);
    let request = world.requests(vec![
        open(A).into(),
        PostTransfer::new(vec![leg(B, A, 4)]).into(),
        ChangeStatus::new(A, Status::DebitsFrozen).into(),
    ]);
    let decision = world.decide(vec![request.clone()]);
    let account = &decision.changes.opened[0];
    assert_eq!(decision.changes.updated.len(), 1);
    assert_eq!(account.state.version, 3);
    assert_eq!(account.state.counters.posted(), 4);
    assert_eq!(account.state.status, Status::DebitsFrozen);
    world.commit(vec![request]);
    assert_eq!(world.posted(A), 4);
    let receipt = fresh(&decision.decided[0]).receipts()[0].clone();
    assert_eq!(opened(receipt).state.version, 1);
}

#[test]
fn an_account_is_as_old_as_the_request_that_opens_it() {
    let ahead = NOW.saturating_add(std::time::Duration::from_micros(5));
    let mut world = World::with(&[(B, 10)]);
    world.edit(B).last_at = ahead;
    let pay = PostTransfer::new(vec![leg(B, A, 4)]);
    let request = world.requests(vec![open(A).into(), pay.into()]);
    let decided = world.commit(vec![request]);
    let account = opened(fresh(&decided[0]).receipts()[0].clone());
    assert_eq!((account.created_at, account.state.last_at), (ahead, ahead));
    assert_eq!(world.tables.accounts[&in_ledger(A)].created_at, ahead);
}

#[test]
fn two_openings_of_one_id_in_a_batch_make_one_account() {
    let world = World::new();
    let second = OpenAccount::new(Owner::new("eve").unwrap(), usd()).with_id(A);
    let decision = world.decide(vec![world.request(open(A)), world.request(second)]);
    let refused = crate::support::only_receipt(&decision.decided[1]);
    assert_eq!(rejection(refused), Some(Rejection::IdTaken));
    assert_eq!(decision.changes.opened.len(), 1);
    assert_eq!(decision.changes.opened[0].owner, ada());
    assert_eq!(decision.changes.currencies, []);
}

#[test]
fn an_opening_that_is_taken_back_leaves_id_and_currency_free() {
    let world = World::new();
    let dollars = OpenAccount::new(ada(), usd()).with_id(A);
    let fails = vec![dollars.into(), ChangeStatus::new(B, Status::Frozen).into()];
    let as_points = wallet_core::Currency::new("USD", 0).unwrap();
    let works = OpenAccount::new(ada(), as_points).with_id(A);
    let decision = world.decide(vec![world.requests(fails), world.request(works)]);
    let refused = fresh(&decision.decided[0]).result.clone().unwrap_err();
    assert_eq!(refused.rejection, Rejection::AccountNotFound);
    assert!(fresh(&decision.decided[1]).result.is_ok());
    assert_eq!(decision.changes.opened.len(), 1);
    assert_eq!(decision.changes.opened[0].state.currency, as_points);
    assert_eq!(decision.changes.currencies, [as_points]);
}

#[test]
fn a_currency_keeps_its_first_exponent_within_the_batch_too() {
    let mut world = World::new();
    world.tables.currencies.clear();
    let other = OpenAccount::new(ada(), eur3()).with_id(B);
    let decision = world.decide(vec![world.request(open(A)), world.request(other.clone())]);
    let refused = crate::support::only_receipt(&decision.decided[1]);
    assert_eq!(
        rejection(refused),
        Some(Rejection::CurrencyExponentMismatch)
    );
    assert_eq!(decision.changes.currencies, [eur()]);
    world.run(open(A)).unwrap();
    let refused = world.ask(other);
    assert_eq!(
        rejection(refused),
        Some(Rejection::CurrencyExponentMismatch)
    );
}

#[test]
fn currencies_that_a_batch_brings_in_are_written_in_order() {
    let mut world = World::new();
    world.tables.currencies.clear();
    let dollars = OpenAccount::new(ada(), usd()).with_id(B);
    let decision = world.decide(vec![world.request(dollars), world.request(open(A))]);
    assert_eq!(decision.changes.currencies, [eur(), usd()]);
}

#[test]
fn a_change_of_status_raises_the_version_and_repeating_it_does_nothing() {
    let mut world = World::with(&[(A, 10)]);
    for (status, version) in [
        (Status::DebitsFrozen, 2),
        (Status::CreditsFrozen, 3),
        (Status::Frozen, 4),
        (Status::Active, 5),
    ] {
        let change = changed(world.run(ChangeStatus::new(A, status)).unwrap());
        assert_eq!(change.effect, Some(EffectKind::StatusChanged));
        assert_eq!(change.state, world.state(A));
        assert_eq!(
            (change.state.status, change.state.version),
            (status, version)
        );
        assert_eq!(change.state.last_at, NOW);
        assert_eq!(
            (change.state.sequence, change.state.counters.posted()),
            (0, 10)
        );

        let again = world.decide(vec![world.request(ChangeStatus::new(A, status))]);
        let receipt = crate::support::only_receipt(&again.decided[0]).unwrap();
        assert_eq!(changed(receipt).effect, None);
        assert_eq!(again.changes.updated, []);
        assert_eq!(again.changes.records.len(), 1);
        assert_eq!(again.changes.accepted.len(), 1);
    }
}

#[test]
fn a_repeated_status_succeeds_even_at_the_last_version() {
    let mut world = World::with(&[(A, 10)]);
    world.edit(A).version = i64::MAX;
    let same = world.ask(ChangeStatus::new(A, Status::Active)).unwrap();
    assert_eq!(changed(same).effect, None);
    let other = world.ask(ChangeStatus::new(A, Status::Frozen));
    assert_eq!(rejection(other), Some(Rejection::CounterOverflow));
}

#[test]
fn an_account_at_its_last_sequence_takes_what_writes_no_entry() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    world.edit(A).sequence = i64::MAX;
    let entry = world.ask(PostTransfer::new(vec![leg(A, B, 1)]));
    assert_eq!(rejection(entry), Some(Rejection::CounterOverflow));
    let limits = ChangeLimits::new(A).with_policy(Policy::Overdraft(amount(1)));
    world.run(limits).unwrap();
    world.run(PlaceHold::new(A, B, cents(1))).unwrap();
    world.run(ChangeStatus::new(A, Status::Frozen)).unwrap();
    let state = world.state(A);
    assert_eq!((state.version, state.sequence), (4, i64::MAX));
}

#[test]
fn an_account_closes_only_without_money_and_holds_and_for_ever() {
    let close = || ChangeStatus::new(A, Status::Closed);
    let mut world = World::with(&[(A, 10), (B, 10)]);
    assert_eq!(
        rejection(world.ask(close())),
        Some(Rejection::BalanceNotZero)
    );
    world.run(PlaceHold::new(B, A, cents(1))).unwrap();
    assert_eq!(
        rejection(world.ask(close())),
        Some(Rejection::HoldsOutstanding)
    );

    let mut world = World::with(&[(A, 10), (B, 0)]);
    world.post(PostTransfer::new(vec![leg(A, B, 10)]));
    let closed = changed(world.run(close()).unwrap());
    assert_eq!(closed.state.status, Status::Closed);
    assert_eq!(closed.state.counters.debits_posted, 10);
    for status in [Status::Active, Status::Frozen] {
        let refused = world.ask(ChangeStatus::new(A, status));
        assert_eq!(rejection(refused), Some(Rejection::AccountClosed));
    }
    let limits = ChangeLimits::new(A).with_policy(Policy::Unlimited);
    assert_eq!(rejection(world.ask(limits)), Some(Rejection::AccountClosed));
    for transfer in [leg(A, B, 1), leg(B, A, 1)] {
        let refused = world.ask(PostTransfer::new(vec![transfer]));
        assert_eq!(rejection(refused), Some(Rejection::AccountClosed));
    }
    assert_eq!(rejection(world.ask(open(A))), Some(Rejection::IdTaken));
}

#[test]
fn a_frozen_account_can_be_closed() {
    let mut world = World::with(&[(A, 0)]);
    world.edit(A).status = Status::Frozen;
    let closed = changed(world.run(ChangeStatus::new(A, Status::Closed)).unwrap());
    assert_eq!(closed.state.status, Status::Closed);
}

#[test]
fn limits_change_one_at_a_time_and_the_other_stays() {
    let mut world = World::with(&[(A, 100)]);
    let floor = ChangeLimits::new(A).with_policy(Policy::Overdraft(amount(7)));
    let change = changed(world.run(floor.clone()).unwrap());
    assert_eq!(change.effect, Some(EffectKind::LimitsChanged));
    assert_eq!(change.state.version, 2);
    assert_eq!(change.state.max_balance, None);
    let ceiling = ChangeLimits::new(A).with_max_balance(Change::Set(amount(100)));
    let change = changed(world.run(ceiling).unwrap());
    assert_eq!(change.state.policy, Policy::Overdraft(amount(7)));
    assert_eq!(change.state.max_balance, Some(amount(100)));
    let same = changed(world.run(floor).unwrap());
    assert_eq!((same.effect, same.state.version), (None, 3));
    let clear = ChangeLimits::new(A).with_max_balance(Change::Clear);
    let change = changed(world.run(clear).unwrap());
    assert_eq!(change.state.max_balance, None);
    assert_eq!(change.state.policy, Policy::Overdraft(amount(7)));
}

#[test]
fn a_limit_that_the_balance_exceeds_already_is_refused() {
    let mut world = World::with(&[(A, 100), (B, 0)]);
    world.edit(A).counters.credits_pending = 20;
    let ceiling = |minor| ChangeLimits::new(A).with_max_balance(Change::Set(amount(minor)));
    assert_eq!(
        rejection(world.ask(ceiling(119))),
        Some(Rejection::LimitBreached)
    );
    assert_eq!(rejection(world.ask(ceiling(120))), None);

    world.edit(A).policy = Policy::Unlimited;
    world.edit(A).counters.debits_posted = 120;
    world.edit(A).counters.debits_pending = 5;
    let floor = |minor| ChangeLimits::new(A).with_policy(Policy::Overdraft(amount(minor)));
    assert_eq!(
        rejection(world.ask(floor(24))),
        Some(Rejection::LimitBreached)
    );
    assert_eq!(rejection(world.ask(floor(25))), None);
}

#[test]
fn a_limit_that_stays_is_not_held_against_a_change_of_the_other() {
    let mut world = World::with(&[(A, 100)]);
    world.edit(A).counters.debits_posted = 150;
    let ceiling = ChangeLimits::new(A).with_max_balance(Change::Set(amount(1)));
    assert_eq!(rejection(world.ask(ceiling)), None);
    world.edit(A).counters.debits_posted = 0;
    world.edit(A).max_balance = Some(amount(50));
    let floor = ChangeLimits::new(A).with_policy(Policy::Unlimited);
    assert_eq!(rejection(world.ask(floor)), None);
}

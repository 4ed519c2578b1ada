//! Deposits and withdrawals, and the settlement accounts that they meet.

use super::steps;
use crate::support::{
    A, B, LEDGER, NOW, World, amount, bank, bank_account, cents, eur, fresh, leg, posted,
};
use wallet_core::ledger::{EffectKind, SettlementShards, TransferKind, settlement_account};
use wallet_core::request::{InvalidRequest, PreparedRequest};
use wallet_core::{AccountId, Deposit, Policy, Rejection, Request, Withdrawal};

#[test]
fn a_batch_of_deposits_opens_the_settlement_account_once() {
    let mut world = World::with(&[(A, 0), (B, 0)]);
    world.tables.currencies.clear();
    let requests = vec![
        world.request(Deposit::new(A, cents(10), bank())),
        world.request(Deposit::new(B, cents(20), bank())),
    ];
    let decision = world.decide(requests.clone());
    assert_eq!(decision.changes.opened.len(), 1);
    let opened = &decision.changes.opened[0];
    assert_eq!(opened.state.key.id, bank_account());
    assert_eq!(opened.owner.as_str(), "settlement:bank");
    assert!(opened.state.system);
    assert_eq!(opened.state.policy, Policy::Unlimited);
    assert_eq!(opened.created_at, NOW);
    assert_eq!(opened.state.version, 3);
    assert_eq!(opened.state.sequence, 2);
    assert_eq!(opened.state.counters.posted(), -30);
    assert_eq!(decision.changes.currencies, [eur()]);

    let decided = world.commit(requests);
    let receipt = |index: usize| posted(fresh(&decided[index]).receipts()[0].clone());
    let kinds = |index: usize| -> Vec<EffectKind> {
        let effects = receipt(index).effects;
        effects.iter().map(|effect| effect.kind).collect()
    };
    let (first, later) = (kinds(0), kinds(1));
    let leg = [EffectKind::Debited, EffectKind::Credited];
    assert_eq!(first[0], EffectKind::Opened);
    assert_eq!(first[1..], leg);
    assert_eq!(later, leg);
    assert_eq!(receipt(0).transfer.kind, TransferKind::Deposit);
    assert_eq!(world.posted(A), 10);
    assert_eq!(world.posted(B), 20);

    let more = world.decide(vec![world.request(Deposit::new(A, cents(1), bank()))]);
    assert_eq!(more.changes.opened, []);
    assert_eq!(more.changes.currencies, []);
}

#[test]
fn a_refused_deposit_opens_nothing_and_a_later_one_does() {
    let mut world = World::with(&[(A, 0), (B, 0)]);
    world.tables.currencies.clear();
    world.edit(A).max_balance = Some(amount(5));
    let decision = world.decide(vec![
        world.request(Deposit::new(A, cents(6), bank())),
        world.request(Deposit::new(B, cents(6), bank())),
    ]);
    let refused = fresh(&decision.decided[0]).result.clone().unwrap_err();
    assert_eq!(refused.rejection, Rejection::MaxBalanceExceeded);
    assert_eq!(decision.changes.opened.len(), 1);
    assert_eq!(decision.changes.opened[0].state.version, 2);
    assert_eq!(decision.changes.currencies, [eur()]);

    let alone = world.decide(vec![world.request(Deposit::new(A, cents(6), bank()))]);
    assert_eq!(alone.changes.opened, []);
    assert_eq!(alone.changes.currencies, []);
    assert_eq!(alone.changes.records.len(), 1);
}

#[test]
fn a_withdrawal_takes_back_what_a_deposit_brought() {
    let mut world = World::with(&[(A, 0)]);
    world.post(Deposit::new(A, cents(10), bank()));
    let posted = world.post(Withdrawal::new(A, cents(10), bank()));
    assert_eq!(posted.transfer.kind, TransferKind::Withdrawal);
    assert_eq!(steps(&posted), [(A, 3, 2, 0), (bank_account(), 3, 2, 0)]);
    let more = world.ask(Withdrawal::new(A, cents(1), bank()));
    assert_eq!(more.unwrap_err().rejection, Rejection::InsufficientFunds);
}

#[test]
fn money_never_moves_from_a_settlement_account_to_itself() {
    let mut world = World::with(&[(A, 0)]);
    world.post(Deposit::new(A, cents(10), bank()));
    let ids = crate::support::CountedIds::default();
    let prepare = |command| {
        let request = Request::of_many(crate::support::key("itself"), vec![command]);
        PreparedRequest::new(request, &ids, &SettlementShards::new())
    };
    let deposit = Deposit::new(bank_account(), cents(10), bank());
    let withdrawal = Withdrawal::new(bank_account(), cents(10), bank());
    for command in [deposit.into(), withdrawal.into()] {
        let refused = prepare(command).unwrap_err();
        assert_eq!(refused, InvalidRequest::SameAccount);
    }
}

#[test]
fn a_customer_always_meets_the_same_shard() {
    let shards = SettlementShards::new().with(bank(), 8);
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..200_u128 {
        let customer = AccountId::new(uuid::Uuid::from_u128(number << 3 | 7));
        let shard = shards.shard(&bank(), customer);
        assert_eq!(shard, shards.shard(&bank(), customer));
        assert!(shard < 8);
        seen.insert(shard);
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(SettlementShards::new().shard(&bank(), A), 0);

    let mut world = World::with(&[(A, 0)]);
    world.shards = shards.clone();
    let posted = world.post(Deposit::new(A, cents(10), bank()));
    let shard = shards.shard(&bank(), A);
    let expected = settlement_account(LEDGER, eur(), &bank(), shard);
    assert_eq!(posted.transfer.legs, [leg(expected, A, 10)]);
    let posted = world.post(Withdrawal::new(A, cents(10), bank()));
    assert_eq!(posted.transfer.legs, [leg(A, expected, 10)]);
}

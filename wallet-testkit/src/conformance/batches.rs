//! Batches: independent requests decided together. Each request is atomic.

use std::sync::Arc;

use super::steps::{
    bank, cents, deposit, eur, given, owner, receipts, refusal, request, settlement, transfer,
};
use crate::StoreKit;
use crate::store_kit::fresh;
use wallet_core::ledger::Decided;
use wallet_core::request::{LEGS_MAX, PreparedRequest};
use wallet_core::{
    AccountId, Command, Currency, Deposit, Leg, Money, OpenAccount, Outcome, PostTransfer,
    Rejection, TransferId,
};

impl StoreKit {
    /// Each command as a separate request, under a fresh key.
    fn requests(&self, commands: impl IntoIterator<Item = Command>) -> Vec<Arc<PreparedRequest>> {
        let each = |command| self.prepare(wallet_core::Request::new(self.fresh_key(), command));
        commands.into_iter().map(each).collect()
    }

    /// Commits each command as a separate request of one batch.
    async fn batch(&self, commands: impl IntoIterator<Item = Command>) -> Vec<Arc<Outcome>> {
        let decided = self.transact(self.requests(commands)).await;
        decided.into_iter().map(fresh).collect()
    }
}

/// Each request of a batch sees the effects of earlier ones.
pub async fn each_request_sees_those_before_it(kit: &StoreKit) {
    let ids = [1, 2, 3].map(|number| AccountId::new(given(number)));
    let [ada, bob, eve] = ids;
    let open = |id| OpenAccount::new(owner("x"), eur()).with_id(Some(id)).into();
    let outcomes = kit
        .batch([
            open(ada),
            open(bob),
            open(eve),
            deposit(ada, 100).into(),
            transfer(ada, bob, 80).into(),
            transfer(bob, eve, 60).into(),
            transfer(eve, ada, 40).into(),
        ])
        .await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    for (account, balance, version) in [(ada, 60, 4), (bob, 20, 3), (eve, 20, 3)] {
        assert_eq!(kit.balances(account).await, (balance, balance));
        assert_eq!(kit.account(account).await.state.version, version);
    }
}

/// Of two requests for the same money, the first gets it.
pub async fn the_first_of_two_that_want_the_same_wins(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let outcomes = kit
        .batch([
            transfer(ada, bob, 70).into(),
            transfer(ada, eve, 70).into(),
            transfer(ada, eve, 30).into(),
        ])
        .await;
    receipts(&outcomes[0]);
    assert_eq!(
        refusal(&outcomes[1]).rejection,
        Rejection::InsufficientFunds
    );
    receipts(&outcomes[2]);
    assert_eq!(kit.balances(bob).await, (70, 70));
    assert_eq!(kit.balances(eve).await, (30, 30));
}

/// A refused request rolls back only its own effects.
pub async fn a_refused_request_leaves_its_neighbours(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let legs = vec![
        Leg::new(ada, bob, cents(20)),
        Leg::new(ada, bob, cents(500)),
    ];
    let outcomes = kit
        .batch([
            transfer(ada, bob, 1).into(),
            PostTransfer::new(legs).into(),
            transfer(ada, bob, 2).into(),
        ])
        .await;
    assert_eq!(
        refusal(&outcomes[1]).rejection,
        Rejection::InsufficientFunds
    );
    assert_eq!(kit.balances(bob).await, (3, 3));
    let sequences: Vec<_> = kit.entries(bob).await.iter().map(|e| e.sequence).collect();
    assert_eq!(sequences, [1, 2]);
}

/// Two requests of a batch may need the same settlement account or currency for the
/// first time. It is created once.
pub async fn what_two_requests_need_is_made_once(kit: &StoreKit) {
    let gems = Currency::new("GEMS", 0).unwrap();
    let ids = [1, 2].map(|number| AccountId::new(given(number)));
    let open = |id| OpenAccount::new(owner("x"), gems).with_id(Some(id)).into();
    let pay = |id| {
        let money = Money::minor(5, gems).unwrap();
        Deposit::new(id, money, settlement("mine")).into()
    };
    let outcomes = kit
        .batch([open(ids[0]), open(ids[1]), pay(ids[0]), pay(ids[1])])
        .await;
    let accepted = outcomes.iter().filter(|outcome| outcome.result.is_ok());
    assert_eq!(accepted.count(), 4);
    let mine = outcomes[2].transfers().next().unwrap().legs[0].from;
    let state = kit.account(mine).await.state;
    assert_eq!((state.version, state.sequence), (3, 2));
    assert_eq!(state.counters.posted(), -10);
}

/// Two requests of a batch cannot use the same new id.
pub async fn an_id_is_taken_by_the_first_of_a_batch(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let id = Some(TransferId::new(given(1)));
    let outcomes = kit
        .batch([
            transfer(ada, bob, 1).with_id(id).into(),
            transfer(ada, bob, 10).with_id(id).into(),
        ])
        .await;
    receipts(&outcomes[0]);
    assert_eq!(refusal(&outcomes[1]).rejection, Rejection::IdTaken);
    assert_eq!(kit.balances(bob).await, (1, 1));
}

/// A hot account in every request of a batch has sequences without gaps.
pub async fn a_popular_account_keeps_its_numbers_gapless(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    for _ in 0..3 {
        kit.batch((1..=9).map(|minor| transfer(ada, bob, minor).into()))
            .await;
    }
    let entries = kit.entries(bob).await;
    let sequences: Vec<_> = entries.iter().map(|e| e.sequence).collect();
    assert_eq!(sequences, (1..=27).collect::<Vec<_>>());
    let versions: Vec<_> = entries.iter().map(|e| e.version).collect();
    assert_eq!(versions, (2..=28).collect::<Vec<_>>());
    assert_eq!(kit.balances(bob).await, (135, 135));
}

/// Hundreds of requests are committed, in as many batches as the store's limits
/// require.
pub async fn hundreds_of_requests_come_through(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let outcomes = kit
        .batch((1..=300).map(|minor| deposit(ada, minor).into()))
        .await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(kit.balances(ada).await, (45_150, 45_150));
    assert_eq!(kit.balances(bank()).await, (-45_150, -45_150));
    assert_eq!(kit.account(ada).await.state.sequence, 300);
}

/// An empty batch commits with an empty result.
pub async fn an_empty_batch_does_nothing(kit: &StoreKit) {
    let committed = kit.try_transact(Vec::new()).await.unwrap();
    assert_eq!(committed.decided, []);
    assert_eq!(kit.store().ledgers().await.unwrap(), []);
}

/// A batch of refusals alone is recorded and changes no account.
pub async fn a_batch_of_refusals_changes_no_account(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let before = (kit.account(ada).await, kit.account(bob).await);
    let requests = ["a", "b"].map(|text| kit.prepare(request(text, transfer(ada, bob, 1))));
    for decided in kit.transact(requests.to_vec()).await {
        refusal(&fresh(decided));
    }
    let again = kit.transact(requests.to_vec()).await;
    assert!(
        again
            .iter()
            .all(|decided| matches!(decided, Decided::Replayed(_)))
    );
    assert_eq!((kit.account(ada).await, kit.account(bob).await), before);
}

/// The limits admit usual requests: a deposit, a transfer of ten legs, a request of
/// five commands.
pub async fn the_limits_admit_what_is_usual(kit: &StoreKit) {
    let [ada, bob] = [1, 2].map(|number| AccountId::new(given(number)));
    let limits = kit.store().limits();
    assert!(limits.requests > 0);
    let legs = vec![Leg::new(ada, bob, cents(1)); 10];
    let usual: [Vec<Command>; 3] = [
        vec![deposit(ada, 1).into()],
        vec![PostTransfer::new(legs).into()],
        vec![deposit(ada, 1).into(); 5],
    ];
    for commands in usual {
        let request = wallet_core::Request::of_many(kit.fresh_key(), commands);
        let cost = kit.prepare(request).cost();
        assert!(limits.admit(cost), "{limits:?} do not admit {cost:?}");
    }
}

/// A transfer with the greatest number of legs is posted completely and in order.
pub async fn the_most_legs_are_posted_in_order(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000_000).await;
    let bob = kit.open("bob").await;
    let limits = kit.store().limits();
    let mut count = i128::try_from(LEGS_MAX).unwrap();
    let prepared = loop {
        let legs = (1..=count).map(|minor| Leg::new(ada, bob, cents(minor)));
        let command = PostTransfer::new(legs.collect());
        let prepared = kit.prepare(wallet_core::Request::new(kit.fresh_key(), command));
        if limits.admit(prepared.cost()) {
            break prepared;
        }
        count -= 1;
    };
    let outcome = fresh(kit.transact(vec![prepared]).await.remove(0));
    assert_eq!(receipts(&outcome).len(), 1);
    let entries = kit.entries(bob).await;
    let amounts = entries
        .iter()
        .map(|e| (i128::from(e.leg) + 1, e.amount.minor()));
    assert!(amounts.eq((1..=count).map(|minor| (minor, minor))));
    let sum = count * (count + 1) / 2;
    assert_eq!(kit.balances(bob).await, (sum, sum));
}

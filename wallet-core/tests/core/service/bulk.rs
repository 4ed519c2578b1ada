//! Bulk requests and cancelled keys: one idempotency key has one body.

use std::sync::Arc;
use std::time::Duration;

use wallet_core::memory::MemoryStore;
use wallet_core::request::{BulkRequest, InvalidRequest, Recorded};
use wallet_core::service::Answer;
use wallet_core::store::StoreErrorKind;
use wallet_core::{
    Command, Currency, LedgerId, OpenAccount, Outcome, Owner, PostTransfer, Rejection, Request,
    Settings, Wallet, WalletError,
};
use wallet_sim::{Fault, FaultyStore, ScriptedFaults};

use crate::service::scripted::Step;
use crate::service::world::{JumpClock, World, account, key, leg, quiet};

fn pay(from: u128, to: u128) -> PostTransfer {
    PostTransfer::new(vec![leg(from, to, 1)])
}

fn transfer(text: &str, from: u128, to: u128) -> Request {
    Request::new(key(text), pay(from, to))
}

fn pays(to: &[u128]) -> Vec<Command> {
    to.iter().map(|to| pay(1, *to).into()).collect()
}

fn bulk(text: &str, to: &[u128]) -> BulkRequest {
    BulkRequest::new(key(text), pays(to))
}

fn outcomes(answers: Vec<Result<Answer, WalletError>>) -> Vec<Arc<Outcome>> {
    let answers = answers.into_iter();
    answers.map(|answer| answer.unwrap().outcome).collect()
}

fn rejection(outcome: &Outcome) -> Option<Rejection> {
    Some(outcome.result.as_ref().err()?.rejection)
}

fn is_mismatch<T>(answer: &Result<T, WalletError>) -> bool {
    matches!(answer, Err(WalletError::IdempotencyMismatch))
}

#[tokio::test]
async fn other_items_under_the_key_of_a_bulk_request_move_nothing() {
    let world = World::new().await;
    let first = outcomes(
        world
            .wallet
            .submit_bulk_raw(bulk("k", &[2, 3]))
            .await
            .unwrap(),
    );
    assert_eq!(world.posted(1).await, 9_998);
    let others: [&[u128]; 4] = [&[4, 2, 3], &[3, 2], &[2], &[2, 3, 4]];
    for other in others {
        let answer = world.wallet.submit_bulk_raw(bulk("k", other)).await;
        assert!(is_mismatch(&answer), "{other:?}");
        let list = Request::of_many(key("k"), pays(other));
        assert!(
            is_mismatch(&world.wallet.submit_raw(list).await),
            "{other:?}"
        );
    }
    let alone = world.wallet.submit_raw(transfer("k", 1, 2)).await;
    assert!(is_mismatch(&alone));
    let again = outcomes(
        world
            .wallet
            .submit_bulk_raw(bulk("k", &[2, 3]))
            .await
            .unwrap(),
    );
    assert_eq!(again, first);
    assert_eq!(world.posted(1).await, 9_998);
}

#[tokio::test]
async fn a_key_of_another_request_carries_out_no_item() {
    let world = World::new().await;
    let alone = world.wallet.submit_raw(transfer("k", 1, 2)).await;
    alone.unwrap().accepted().unwrap();
    assert!(is_mismatch(
        &world.wallet.submit_bulk_raw(bulk("k", &[2])).await
    ));
    let item = Request::new(key("k").item(0), pay(1, 2));
    let answer = world.wallet.submit_raw(item).await;
    assert!(matches!(
        answer,
        Err(WalletError::Invalid(InvalidRequest::ItemKey))
    ));
    assert_eq!(world.posted(1).await, 9_999);
}

#[tokio::test]
async fn one_invalid_item_keeps_all_of_them_from_being_done() {
    let world = World::new().await;
    let mut items = pays(&[2, 3]);
    items.push(pay(1, 1).into());
    let answer = world
        .wallet
        .submit_bulk_raw(BulkRequest::new(key("k"), items));
    assert!(matches!(
        answer.await,
        Err(WalletError::InvalidItem {
            index: 2,
            error: InvalidRequest::SameAccount
        })
    ));
    let none = world.wallet.submit_bulk_raw(bulk("k", &[])).await;
    let no_commands = InvalidRequest::NoCommands;
    assert!(
        matches!(none, Err(WalletError::InvalidItem { index: 0, error }) if error == no_commands)
    );
    assert_eq!(world.posted(1).await, 10_000);
    // The key is still free.
    outcomes(world.wallet.submit_bulk_raw(bulk("k", &[2])).await.unwrap());
}

#[tokio::test]
async fn a_bulk_request_larger_than_the_queue_is_carried_out() {
    let settings = Settings {
        queue_capacity: 1,
        ..quiet()
    };
    let world = World::with(settings).await;
    for _ in 0..2 {
        let answers = world.wallet.submit_bulk_raw(bulk("k", &[2, 3, 4, 5])).await;
        outcomes(answers.unwrap());
        assert_eq!(world.posted(1).await, 9_996);
    }
}

#[tokio::test]
async fn a_queue_that_others_fill_takes_no_item() {
    let settings = Settings {
        queue_capacity: 1,
        committers: 1,
        ..quiet()
    };
    let world = World::with(settings).await;
    world.store.close();
    let under_way = world.submit(transfer("a", 6, 7)).await;
    let waiting = world.submit(transfer("b", 6, 7)).await;
    let answers = world
        .wallet
        .submit_bulk_raw(bulk("k", &[2, 3]))
        .await
        .unwrap();
    let is_overloaded = |answer: &Result<_, _>| matches!(answer, Err(WalletError::Overloaded));
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(is_overloaded));
    world.store.open_wide();
    for other in [under_way, waiting] {
        other.await.unwrap().unwrap().accepted().unwrap();
    }
    outcomes(
        world
            .wallet
            .submit_bulk_raw(bulk("k", &[2, 3]))
            .await
            .unwrap(),
    );
    assert_eq!(world.posted(1).await, 9_998);
}

#[tokio::test]
async fn an_item_that_fails_is_resumed_and_none_behind_it_comes_first() {
    let world = World::new().await;
    let poisoned = key("k").item(1).record_key(LedgerId::default());
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(poisoned, StoreErrorKind::Invalid);
    let answers = world.wallet.submit_bulk_raw(bulk("k", &[2, 3, 4])).await;
    let done: Vec<bool> = answers.unwrap().iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, false]);
    assert_eq!(world.posted(1).await, 9_999);
    world.store.poison.lock().unwrap().clear();
    let answers = world
        .wallet
        .submit_bulk_raw(bulk("k", &[2, 3, 4]))
        .await
        .unwrap();
    let replayed = answers
        .iter()
        .map(|answer| answer.as_ref().unwrap().replayed);
    assert_eq!(replayed.collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(world.posted(1).await, 9_997);
}

#[tokio::test]
async fn a_key_shows_of_every_item_whether_it_is_done() {
    let world = World::new().await;
    let ledger = LedgerId::default();
    assert_eq!(
        world.wallet.outcomes(ledger, &key("k")).await.unwrap(),
        None
    );
    let poisoned = key("k").item(1).record_key(ledger);
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(poisoned, StoreErrorKind::Invalid);
    let answers = world
        .wallet
        .submit_bulk_raw(bulk("k", &[2, 3, 4]))
        .await
        .unwrap();
    let first = Arc::clone(&answers[0].as_ref().unwrap().outcome);
    let found = world.wallet.outcomes(ledger, &key("k")).await.unwrap();
    let Some(Recorded::Bulk { accepted, items }) = found else {
        panic!("a bulk request: {found:?}");
    };
    assert_eq!(accepted.bulk_items(), Some(3));
    assert_eq!(items, [Some(first), None, None]);
}

#[tokio::test]
async fn cancelling_the_key_of_a_bulk_request_ends_its_open_items() {
    let world = World::new().await;
    let ledger = LedgerId::default();
    let poisoned = key("k").item(1).record_key(ledger);
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(poisoned, StoreErrorKind::Invalid);
    let answers = world
        .wallet
        .submit_bulk_raw(bulk("k", &[2, 3, 4]))
        .await
        .unwrap();
    let first = Arc::clone(&answers[0].as_ref().unwrap().outcome);
    world.store.poison.lock().unwrap().clear();
    let cancelled = world.wallet.cancel(ledger, &key("k")).await.unwrap();
    let Recorded::Bulk { items, .. } = &cancelled else {
        panic!("a bulk request: {cancelled:?}");
    };
    assert_eq!(items[0], Some(first));
    for item in &items[1..] {
        assert_eq!(
            rejection(item.as_ref().unwrap()),
            Some(Rejection::Cancelled)
        );
    }
    assert_eq!(
        world.wallet.cancel(ledger, &key("k")).await.unwrap(),
        cancelled
    );
    let again = outcomes(
        world
            .wallet
            .submit_bulk_raw(bulk("k", &[2, 3, 4]))
            .await
            .unwrap(),
    );
    let again: Vec<_> = again.into_iter().map(Some).collect();
    assert_eq!(again, *items);
    assert_eq!(world.posted(1).await, 9_999);
}

#[tokio::test]
async fn a_cancelled_key_answers_every_request_as_cancelled() {
    let world = World::new().await;
    let ledger = LedgerId::default();
    let cancelled = world.wallet.cancel(ledger, &key("k")).await.unwrap();
    let Recorded::Request(cancelled) = cancelled else {
        panic!("no bulk request: {cancelled:?}");
    };
    assert!(cancelled.is_cancelled());
    let alone = world.wallet.submit_raw(transfer("k", 1, 2)).await.unwrap();
    assert!(alone.replayed);
    assert_eq!(
        alone.accepted().unwrap_err().rejection,
        Rejection::Cancelled
    );
    let items = outcomes(
        world
            .wallet
            .submit_bulk_raw(bulk("k", &[2, 3]))
            .await
            .unwrap(),
    );
    assert!(items.iter().all(|item| *item == cancelled));
    assert_eq!(world.posted(1).await, 10_000);
    let item = world.wallet.cancel(ledger, &key("k").item(0)).await;
    assert!(matches!(
        item,
        Err(WalletError::Invalid(InvalidRequest::ItemKey))
    ));
}

#[tokio::test]
async fn a_key_that_somebody_else_holds_is_not_called_cancelled() {
    let world = World::new().await;
    let conflicts = [Step::Fail(StoreErrorKind::Conflict); 100];
    world.store.script.lock().unwrap().extend(conflicts);
    let answer = world.wallet.cancel(LedgerId::default(), &key("k")).await;
    assert!(matches!(answer, Err(WalletError::Indeterminate { .. })));
    world.store.script.lock().unwrap().clear();
    assert!(!world.is_recorded("k").await);
}

/// A store whose commit is still on its way when its answer is lost.
struct Late {
    store: Arc<FaultyStore>,
    wallet: Wallet,
    inner: Arc<MemoryStore>,
}

impl Late {
    fn new() -> Self {
        let clock = JumpClock::new();
        let inner = Arc::new(MemoryStore::new(clock.clone()));
        let late = Fault::ArriveLater(Duration::from_secs(3_600));
        let faults = Arc::new(ScriptedFaults::new([late]));
        let store = Arc::new(FaultyStore::new(inner.clone(), clock.clone(), faults));
        let builder = Wallet::builder(store.clone())
            .clock(clock)
            .settings(quiet());
        let (wallet, driver) = builder.build().unwrap();
        tokio::spawn(driver);
        Self {
            store,
            wallet,
            inner,
        }
    }

    fn accounts(&self) -> usize {
        self.inner.shared().tables().account_order.len()
    }
}

fn open() -> Request {
    let open = OpenAccount::new(Owner::new("ada").unwrap(), Currency::iso("EUR").unwrap());
    Request::new(key("open"), open.with_id(Some(account(1))))
}

#[tokio::test]
async fn that_nothing_is_recorded_does_not_mean_that_nothing_will_be() {
    let late = Late::new();
    let answer = late.wallet.submit_raw(open()).await;
    assert!(matches!(answer, Err(WalletError::Indeterminate { .. })));
    let ledger = LedgerId::default();
    let before = late.wallet.outcome(ledger, &key("open")).await.unwrap();
    assert_eq!(before, None);
    late.store.settle().await;
    let after = late.wallet.outcome(ledger, &key("open")).await.unwrap();
    assert!(after.unwrap().result.is_ok());
    assert_eq!(late.accounts(), 1);
}

#[tokio::test]
async fn a_commit_that_arrives_after_the_cancellation_does_nothing() {
    let late = Late::new();
    let answer = late.wallet.submit_raw(open()).await;
    assert!(matches!(answer, Err(WalletError::Indeterminate { .. })));
    let ledger = LedgerId::default();
    let cancelled = late.wallet.cancel(ledger, &key("open")).await.unwrap();
    let Recorded::Request(cancelled) = cancelled else {
        panic!("no bulk request: {cancelled:?}");
    };
    assert!(cancelled.is_cancelled());
    late.store.settle().await;
    assert_eq!(late.accounts(), 0);
    let after = late.wallet.outcome(ledger, &key("open")).await.unwrap();
    assert_eq!(after, Some(Arc::clone(&cancelled)));
    let again = late.wallet.submit_raw(open()).await.unwrap();
    assert_eq!(again.outcome, cancelled);
}

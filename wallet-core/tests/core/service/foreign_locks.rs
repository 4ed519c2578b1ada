use wallet_core::store::StoreErrorKind;
use wallet_core::{PostTransfer, Request, Settings, WalletError};

use crate::service::world::{World, account_key, key, leg, quiet, settle, transfer};

fn patient() -> Settings {
    Settings {
        tries_max: u32::MAX,
        ..quiet()
    }
}

#[tokio::test]
async fn an_account_kept_by_somebody_else_stalls_nobody_but_its_own_requests() {
    let world = World::with(patient()).await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    let blocked = world.submit(transfer("blocked", 1, 2)).await;
    // Another request under the blocked key waits too, and blocks no other.
    let again = world.submit(transfer("blocked", 1, 2)).await;
    for number in 0..20 {
        // The blocked request needs account 2 too.
        let answer = world
            .wallet
            .submit_raw(transfer(&format!("t{number}"), 3, 2))
            .await;
        answer.unwrap().accepted().unwrap();
    }
    assert!(!blocked.is_finished() && !again.is_finished());
    drop(lock);
    assert!(!blocked.await.unwrap().unwrap().replayed);
    assert!(again.await.unwrap().unwrap().replayed);
    assert_eq!(
        (world.posted(1).await, world.posted(2).await),
        (9900, 12_100)
    );
    assert!(world.wallet.stats().blocked > 0);
}

#[tokio::test]
async fn neighbours_in_the_same_batch_are_answered_at_once() {
    let world = World::with(patient()).await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    world.store.close();
    let busy = world.submit(transfer("busy", 30, 31)).await;
    let blocked = world.submit(transfer("blocked", 1, 2)).await;
    let neighbour = world.submit(transfer("neighbour", 3, 4)).await;
    world.store.open(2);
    busy.await.unwrap().unwrap().accepted().unwrap();
    neighbour.await.unwrap().unwrap().accepted().unwrap();
    settle().await;
    assert!(!blocked.is_finished());
    assert_eq!(world.store.sizes()[1], 2, "both were in one batch");
    drop(lock);
    world.store.open_wide();
    blocked.await.unwrap().unwrap().accepted().unwrap();
}

#[tokio::test]
async fn a_lock_that_stays_ends_in_a_conflict_and_records_nothing() {
    let settings = Settings {
        tries_max: 3,
        ..quiet()
    };
    let world = World::with(settings).await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    let answer = world.wallet.submit_raw(transfer("blocked", 1, 2)).await;
    let Err(WalletError::Store(error)) = answer else {
        panic!("an error of the store, not {answer:?}");
    };
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    assert_eq!(world.store.sizes(), [1, 1, 1]);
    drop(lock);
    assert!(!world.is_recorded("blocked").await);
    world
        .wallet
        .submit_raw(transfer("blocked", 1, 2))
        .await
        .unwrap()
        .accepted()
        .unwrap();
}

#[tokio::test]
async fn many_blocked_requests_stall_nobody() {
    let settings = Settings {
        batch_requests_max: 2,
        ..patient()
    };
    let world = World::with(settings).await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    let mut blocked = Vec::new();
    for number in 0..60 {
        blocked.push(world.submit(transfer(&format!("b{number}"), 1, 2)).await);
    }
    for number in 0..20 {
        let answer = world
            .wallet
            .submit_raw(transfer(&format!("t{number}"), 3, 4))
            .await;
        answer.unwrap().accepted().unwrap();
    }
    assert!(blocked.iter().all(|task| !task.is_finished()));
    drop(lock);
    for task in blocked {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert_eq!(world.posted(1).await, 4000);
}

fn pay(text: &str, from: u128, to: u128, cents: i128) -> Request {
    Request::new(key(text), PostTransfer::new(vec![leg(from, to, cents)]))
}

/// The second request needs the money of the first, and the third that of the
/// second. The fourth is independent.
async fn a_call_keeps_its_order(settings: Settings) {
    let world = World::with(settings).await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    let call = vec![
        pay("first", 1, 2, 9_000),
        pay("second", 2, 3, 15_000),
        pay("third", 3, 4, 20_000),
        pay("fourth", 5, 6, 100),
    ];
    let wallet = world.wallet.clone();
    let call = tokio::spawn(async move { wallet.submit_all_raw(call).await });
    settle().await;
    for number in 0..20 {
        // Another call takes what is there.
        let other = pay(&format!("o{number}"), 2, 7, 10);
        world
            .wallet
            .submit_raw(other)
            .await
            .unwrap()
            .accepted()
            .unwrap();
    }
    assert!(world.is_recorded("fourth").await, "it waits for nobody");
    assert!(!world.is_recorded("second").await && !world.is_recorded("third").await);
    drop(lock);
    for answer in call.await.unwrap() {
        answer.unwrap().accepted().unwrap();
    }
    assert_eq!(world.posted(2).await, 10_000 + 9_000 - 15_000 - 200);
    assert_eq!(world.posted(4).await, 30_000);
}

#[tokio::test]
async fn a_later_request_of_a_call_waits_for_the_one_that_it_depends_on() {
    a_call_keeps_its_order(patient()).await;
    a_call_keeps_its_order(Settings {
        tries_max: u32::MAX,
        sweep_interval: None,
        ..Settings::for_server()
    })
    .await;
    // In batches of their own.
    a_call_keeps_its_order(Settings {
        batch_requests_max: 1,
        ..patient()
    })
    .await;
}

#[tokio::test]
async fn behind_one_that_ends_with_an_error_the_rest_of_a_call_goes_on() {
    let settings = Settings {
        tries_max: 3,
        ..quiet()
    };
    let world = World::with(settings).await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    let call = vec![pay("first", 1, 2, 1), pay("second", 2, 3, 1)];
    let answers = world.wallet.submit_all_raw(call).await;
    assert!(matches!(&answers[0], Err(WalletError::Store(_))));
    answers[1]
        .as_ref()
        .unwrap()
        .outcome
        .result
        .as_ref()
        .unwrap();
    drop(lock);
}

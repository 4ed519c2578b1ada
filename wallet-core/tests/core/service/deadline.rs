//! The clock of these tests moves forward at each sleep, so a deadline passes as soon as
//! all others wait.

use std::time::Duration;

use wallet_core::memory::MemoryStore;
use wallet_core::request::BulkRequest;
use wallet_core::service::BuildError;
use wallet_core::{Capture, HoldId, PostTransfer, Request, Settings, Wallet, WalletError};

use crate::service::scripted::Scripted;
use crate::service::world::{JumpClock, World, key, leg, quiet, record, settle, transfer};

const WAIT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_silent_store_leaves_a_call_indeterminate_after_its_deadline() {
    let world = World::new().await;
    world.store.close();
    let hasty = world.wallet.within(WAIT);
    let error = hasty.submit(transfer("late", 1, 2)).await.unwrap_err();
    let WalletError::Indeterminate { key: unknown, ids } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((*unknown, ids.len()), (record("late"), 1));
    // The request is carried out all the same, and once.
    world.store.open_wide();
    settle().await;
    let again = world.wallet.submit(transfer("late", 1, 2)).await.unwrap();
    assert!(again.is_replay());
    assert_eq!(world.posted(2).await, 10_100);
}

#[tokio::test]
async fn each_of_many_requests_and_a_bulk_request_has_the_deadline() {
    let world = World::new().await;
    world.store.close();
    let hasty = world.wallet.within(WAIT);
    let requests = vec![transfer("one", 1, 2), transfer("two", 3, 4)];
    let done = hasty.submit_all(requests).await;
    assert_eq!(done.len(), 2);
    for (done, name) in done.into_iter().zip(["one", "two"]) {
        let error = done.unwrap_err();
        assert!(
            matches!(&error, WalletError::Indeterminate { key, .. } if *key == record(name)),
            "{error:?}"
        );
    }
    let items = vec![PostTransfer::new(vec![leg(5, 6, 1)]).into()];
    let bulk = BulkRequest::new(key("bulk"), items);
    let error = hasty.submit_bulk(bulk).await.unwrap_err();
    assert!(
        matches!(&error, WalletError::Indeterminate { key, .. } if *key == record("bulk")),
        "{error:?}"
    );
}

/// A hold is looked up before the request is queued.
#[tokio::test]
async fn what_was_not_queued_by_the_deadline_was_not_done() {
    let world = World::new().await;
    world.store.hang_reads();
    let hasty = world.wallet.within(WAIT);
    let hold = HoldId::from_bytes([7; 16]);
    let capture = Request::new(key("capture"), Capture::new(hold));
    let error = hasty.submit(capture).await.unwrap_err();
    assert_eq!(error.code(), "store_unavailable");
}

#[tokio::test]
async fn the_settings_give_a_deadline_to_every_call() {
    let settings = Settings {
        answer_wait: Some(WAIT),
        ..quiet()
    };
    let clock = JumpClock::new();
    let store = Scripted::new(MemoryStore::new(clock.clone()));
    store.close();
    let builder = Wallet::builder(store).clock(clock).settings(settings);
    let (wallet, driver) = builder.build().unwrap();
    tokio::spawn(driver);
    let error = wallet.submit(transfer("late", 1, 2)).await.unwrap_err();
    assert_eq!(error.code(), "indeterminate");

    let settings = Settings {
        answer_wait: Some(Duration::ZERO),
        ..quiet()
    };
    let clock = JumpClock::new();
    let store = MemoryStore::new(clock.clone());
    let builder = Wallet::builder(store).clock(clock).settings(settings);
    assert_eq!(
        builder.build().unwrap_err(),
        BuildError::Zero("answer_wait")
    );
}

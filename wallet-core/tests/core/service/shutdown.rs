use std::sync::Arc;

use wallet_core::memory::MemoryStore;
use wallet_core::{Wallet, WalletError};

use crate::service::world::{JumpClock, World, quiet, settle, transfer};

#[tokio::test]
async fn shutting_down_answers_all_that_was_accepted_and_accepts_no_more() {
    let world = World::new().await;
    world.store.close();
    let mut tasks = Vec::new();
    for number in 1..=5 {
        tasks.push(
            world
                .submit(transfer(&format!("t{number}"), number, 20))
                .await,
        );
    }
    let wallet = world.wallet.clone();
    let shutdown = tokio::spawn(async move { wallet.shutdown().await });
    settle().await;
    let late = world.wallet.submit_raw(transfer("late", 6, 7)).await;
    assert!(matches!(late, Err(WalletError::ShuttingDown)));
    assert!(!shutdown.is_finished(), "five requests wait");
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    shutdown.await.unwrap();
    world.driver.await.unwrap();
    // The shutdown is idempotent.
    world.wallet.shutdown().await;
}

#[tokio::test]
async fn shutting_down_ends_every_idle_committer_and_the_sweep() {
    let settings = wallet_core::Settings {
        committers: 3,
        ..wallet_core::Settings::default()
    };
    let world = World::with(settings).await;
    settle().await;
    world.wallet.shutdown().await;
    world.driver.await.unwrap();
}

#[tokio::test]
async fn a_driver_that_is_dropped_answers_everybody() {
    let world = World::new().await;
    world.store.close();
    let taken = world.submit(transfer("taken", 1, 2)).await;
    world.store.until_begun(1).await;
    let waiting = world.submit(transfer("waiting", 3, 4)).await;
    world.driver.abort();
    let taken = taken.await.unwrap();
    assert!(
        matches!(taken, Err(WalletError::Indeterminate { .. })),
        "{taken:?}"
    );
    assert!(matches!(
        waiting.await.unwrap(),
        Err(WalletError::ShuttingDown)
    ));
    let late = world.wallet.submit_raw(transfer("late", 5, 6)).await;
    assert!(matches!(late, Err(WalletError::ShuttingDown)));
    world.wallet.shutdown().await;
}

#[tokio::test]
async fn a_driver_shows_whether_it_has_ended_and_ends_once() {
    let clock = JumpClock::new();
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let builder = Wallet::builder(store).clock(clock).settings(quiet());
    let (wallet, mut driver) = builder.build().unwrap();
    assert_eq!(format!("{driver:?}"), "Driver { has_ended: false, .. }");
    tokio::join!(wallet.shutdown(), &mut driver);
    assert_eq!(format!("{driver:?}"), "Driver { has_ended: true, .. }");
    driver.await;
}

use std::future::Future;
use std::task::{Context, Waker};

use wallet_core::{LedgerId, WalletError};

use crate::world::{World, key, settle, transfer};

#[tokio::test]
async fn a_caller_that_goes_away_changes_nothing_about_its_request() {
    let world = World::new().await;
    world.store.close();
    {
        let mut waiting = Box::pin(world.wallet.submit(transfer("gone", 1, 2)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    world.store.open_wide();
    let answer = world.wallet.submit(transfer("gone", 1, 2)).await.unwrap();
    assert!(answer.replayed, "the request went on without its caller");
    assert_eq!(
        (world.posted(1).await, world.posted(2).await),
        (9900, 10_100)
    );
}

#[tokio::test]
async fn a_request_that_was_never_polled_was_never_made() {
    let world = World::new().await;
    drop(world.wallet.submit(transfer("never", 1, 2)));
    settle().await;
    assert!(!world.is_recorded("never").await);
}

#[tokio::test]
async fn what_arrives_while_a_batch_commits_is_the_next_batch() {
    let world = World::new().await;
    world.store.close();
    let mut tasks = vec![world.submit(transfer("first", 1, 2)).await];
    for number in 3..=12 {
        tasks.push(
            world
                .submit(transfer(&format!("t{number}"), number, number + 20))
                .await,
        );
    }
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert_eq!(world.store.sizes(), [1, 10]);
}

#[tokio::test]
async fn a_full_queue_answers_at_once_and_does_nothing() {
    let settings = wallet_core::Settings {
        queue_capacity: 2,
        ..crate::world::quiet()
    };
    let world = World::with(settings).await;
    world.store.close();
    let mut tasks = Vec::new();
    for number in 1..=3 {
        tasks.push(
            world
                .submit(transfer(&format!("t{number}"), number, 20))
                .await,
        );
    }
    let refused = world.wallet.submit(transfer("late", 4, 5)).await;
    assert!(matches!(refused, Err(WalletError::Overloaded)));
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert!(!world.is_recorded("late").await);
    assert_eq!(world.wallet.stats().overloaded, 1);
    // The same key again, now that there is room: it was free all along.
    assert!(
        !world
            .wallet
            .submit(transfer("late", 4, 5))
            .await
            .unwrap()
            .replayed
    );
}

#[tokio::test]
async fn of_two_equal_keys_in_flight_the_second_is_a_replay_of_the_first() {
    let world = World::new().await;
    world.store.close();
    let busy = world.submit(transfer("busy", 9, 10)).await;
    let first = world.submit(transfer("same", 1, 2)).await;
    let second = world.submit(transfer("same", 1, 2)).await;
    let other = world.submit(transfer("same", 1, 3)).await;
    world.store.open_wide();
    busy.await.unwrap().unwrap().accepted().unwrap();
    let (first, second) = (
        first.await.unwrap().unwrap(),
        second.await.unwrap().unwrap(),
    );
    assert!(!first.replayed && second.replayed);
    assert_eq!(first.outcome, second.outcome);
    assert!(matches!(
        other.await.unwrap(),
        Err(WalletError::IdempotencyMismatch)
    ));
    assert_eq!(world.posted(1).await, 9900);
    let recorded = world
        .wallet
        .outcome(LedgerId::default(), &key("same"))
        .await
        .unwrap();
    assert_eq!(recorded, Some(first.outcome));
}

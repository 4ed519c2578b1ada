use std::future::Future;
use std::task::{Context, Waker};

use wallet_core::request::InvalidRequest;
use wallet_core::{
    Capture, HoldId, LedgerId, PlaceHold, PostTransfer, Rejection, Request, WalletError,
};

use crate::service::world::{World, account, euros, key, leg, settle, transfer};

#[tokio::test]
async fn a_caller_that_goes_away_changes_nothing_about_its_request() {
    let world = World::new().await;
    world.store.close();
    {
        let mut waiting = Box::pin(world.wallet.submit_raw(transfer("gone", 1, 2)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    world.store.open_wide();
    let answer = world
        .wallet
        .submit_raw(transfer("gone", 1, 2))
        .await
        .unwrap();
    assert!(answer.replayed, "the request went on without its caller");
    assert_eq!(
        (world.posted(1).await, world.posted(2).await),
        (9900, 10_100)
    );
}

#[tokio::test]
async fn a_request_that_was_never_polled_was_never_made() {
    let world = World::new().await;
    drop(world.wallet.submit_raw(transfer("never", 1, 2)));
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
        ..crate::service::world::quiet()
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
    let refused = world.wallet.submit_raw(transfer("late", 4, 5)).await;
    assert!(matches!(refused, Err(WalletError::Overloaded)));
    assert_eq!(world.wallet.stats().waiting, 2, "one of three is taken");
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
            .submit_raw(transfer("late", 4, 5))
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

#[tokio::test]
async fn many_at_once_share_a_commit_and_each_is_answered_by_itself() {
    let world = World::new().await;
    let hold = HoldId::new(uuid::Uuid::from_u128(7));
    let place = PlaceHold::new(account(1), account(2), euros(300)).with_id(hold);
    let too_much = PostTransfer::new(vec![leg(3, 4, 10_001)]);
    let requests = vec![
        Request::new(key("hold"), place),
        Request::new(key("same"), PostTransfer::new(vec![leg(3, 3, 100)])),
        Request::new(key("too much"), too_much),
        Request::new(key("capture"), Capture::new(hold)),
    ];
    let answers = world.wallet.submit_all_raw(requests.clone()).await;
    let [placed, same, refused, captured] = answers.try_into().unwrap();
    assert_eq!(placed.unwrap().hold().unwrap().unwrap().key.id, hold);
    assert!(matches!(
        same,
        Err(WalletError::Invalid(InvalidRequest::SameAccount))
    ));
    let rejected = refused.unwrap().accepted().unwrap_err();
    assert_eq!(rejected.rejection, Rejection::InsufficientFunds);
    assert!(captured.unwrap().posted().unwrap().is_some());
    assert_eq!(world.store.sizes(), [3], "one commit for all");
    assert_eq!(
        (world.posted(1).await, world.posted(3).await),
        (9_700, 10_000)
    );

    let again = world.wallet.submit_all_raw(requests).await;
    let replayed = again.iter().flatten().filter(|answer| answer.replayed);
    assert_eq!(replayed.count(), 3);
    assert_eq!(world.posted(1).await, 9_700);
}

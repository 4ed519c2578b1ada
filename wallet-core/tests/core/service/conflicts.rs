use std::sync::Arc;
use std::sync::atomic::Ordering;

use wallet_core::store::StoreErrorKind;
use wallet_core::{Capture, HoldId, PlaceHold, PostTransfer, Request, Settings};

use crate::service::scripted::Step;
use crate::service::world::{World, account, euros, key, leg, quiet, record, settle, transfer};

fn two_committers() -> Settings {
    Settings {
        committers: 2,
        ..quiet()
    }
}

#[tokio::test]
async fn a_request_waits_for_the_accounts_of_a_batch_under_way_and_others_pass_it() {
    let world = World::with(two_committers()).await;
    world.store.close();
    let mut tasks = vec![world.submit(transfer("a", 1, 2)).await];
    tasks.push(world.submit(transfer("behind a", 2, 3)).await);
    tasks.push(world.submit(transfer("behind both", 3, 4)).await);
    tasks.push(world.submit(transfer("free", 5, 6)).await);
    world.store.until_begun(2).await;
    let batches = world.store.batches.lock().unwrap().clone();
    assert_eq!(batches, [vec![record("a")], vec![record("free")]]);
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    let batches = world.store.batches.lock().unwrap().clone();
    assert_eq!(batches[2], [record("behind a"), record("behind both")]);
    assert_eq!(world.store.overlaps.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn the_next_batch_follows_on_the_same_accounts_once_the_store_says_so() {
    let world = World::with(two_committers()).await;
    world.store.close();
    let followed = [record("a")];
    world.store.followed.lock().unwrap().extend(followed);
    let first = world.submit(transfer("a", 1, 2)).await;
    let again = world.submit(transfer("a", 1, 2)).await;
    let behind = world.submit(transfer("behind a", 2, 3)).await;
    let batches = world.store.batches.lock().unwrap().clone();
    let begun = [vec![record("a")], vec![record("behind a")]];
    assert_eq!(batches, begun, "the same key waits for its answer");
    world.store.open_wide();
    assert!(!first.await.unwrap().unwrap().replayed);
    assert!(again.await.unwrap().unwrap().replayed);
    behind.await.unwrap().unwrap().accepted().unwrap();
    assert_eq!(world.posted(2).await, 10_000);
    assert_eq!(world.posted(3).await, 10_100);
}

#[tokio::test]
async fn a_batch_tried_again_leaves_those_alone_who_follow_it() {
    let settings = Settings {
        committers: 3,
        ..quiet()
    };
    let world = World::with(settings).await;
    world.store.close();
    let followed = [record("a")];
    world.store.followed.lock().unwrap().extend(followed);
    let fails = Step::Fail(StoreErrorKind::Unavailable);
    world.store.script.lock().unwrap().push_back(fails);
    let mut tasks = vec![world.submit(transfer("a", 1, 2)).await];
    tasks.push(world.submit(transfer("behind a", 2, 3)).await);
    world.store.open(1);
    world.store.until_begun(3).await;
    tasks.push(world.submit(transfer("behind both", 2, 4)).await);
    let batches = world.store.batches.lock().unwrap().clone();
    let begun = ["a", "behind a", "a"].map(|text| vec![record(text)]);
    assert_eq!(batches, begun, "the last waits for the one it is behind");
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert_eq!(world.posted(2).await, 9_900);
}

#[tokio::test]
async fn a_committer_beside_others_takes_its_share_and_one_alone_takes_all() {
    for (committers, taken) in [(1, 100), (2, 34)] {
        let settings = Settings {
            committers,
            ..quiet()
        };
        let world = World::with(settings).await;
        world.store.close();
        let mut tasks = vec![world.submit(transfer("first", 1, 2)).await];
        if committers > 1 {
            tasks.push(world.submit(transfer("second", 3, 4)).await);
        }
        for number in 0..100 {
            tasks.push(world.submit(transfer(&format!("t{number}"), 5, 6)).await);
        }
        world.store.open(1);
        world.store.until_begun(committers + 1).await;
        assert_eq!(world.store.sizes().last(), Some(&taken));
        world.store.open_wide();
        for task in tasks {
            task.await.unwrap().unwrap().accepted().unwrap();
        }
    }
}

#[tokio::test]
async fn another_committer_works_while_there_is_much_to_do() {
    let settings = Settings {
        busy_committers: 3,
        busy_requests: 10,
        batch_requests_max: 1,
        ..two_committers()
    };
    let world = World::with(settings).await;
    world.store.close();
    let submit = |number: u128| {
        let text = format!("t{number}");
        world.submit(transfer(&text, 2 * number, 2 * number + 1))
    };
    let mut tasks = Vec::new();
    for number in 1..=9 {
        tasks.push(submit(number).await);
    }
    settle().await;
    assert_eq!(world.store.sizes().len(), 2, "nine requests are for two");
    tasks.push(submit(10).await);
    settle().await;
    assert_eq!(world.store.sizes().len(), 3, "ten are for three");
    world.store.open(1);
    settle().await;
    assert_eq!(world.store.sizes().len(), 3, "nine are left, and two work");
    tasks.push(submit(11).await);
    settle().await;
    assert_eq!(world.store.sizes().len(), 4, "ten again");
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert_eq!(world.store.sizes(), [1; 11]);
    world.wallet.shutdown().await;
    world.driver.await.unwrap();
}

#[tokio::test]
async fn a_capture_conflicts_by_the_accounts_of_its_hold() {
    let world = World::with(two_committers()).await;
    let hold = PlaceHold::new(account(1), account(2), euros(1000));
    let placed = world
        .wallet
        .submit_raw(Request::new(key("hold"), hold))
        .await
        .unwrap();
    let hold: HoldId = placed.hold().unwrap().unwrap().key.id;
    world.store.close();
    let busy = world.submit(transfer("busy", 2, 3)).await;
    let capture = world
        .submit(Request::new(key("capture"), Capture::new(hold)))
        .await;
    settle().await;
    assert_eq!(
        world.store.sizes(),
        [1, 1],
        "the hold, and what is busy; the capture waits"
    );
    world.store.open_wide();
    busy.await.unwrap().unwrap().accepted().unwrap();
    capture.await.unwrap().unwrap().accepted().unwrap();
    assert_eq!(world.posted(1).await, 9000);
}

#[tokio::test]
async fn what_a_batch_held_up_goes_to_every_idle_committer_at_once() {
    let settings = Settings {
        committers: 3,
        batch_requests_max: 1,
        ..quiet()
    };
    let world = World::with(settings).await;
    world.store.close();
    let legs = vec![leg(1, 2, 100), leg(3, 4, 100), leg(5, 6, 100)];
    let all = Request::new(key("all"), PostTransfer::new(legs));
    let mut tasks = vec![world.submit(all).await];
    for number in [1, 3, 5] {
        let behind = transfer(&format!("behind {number}"), number, number + 1);
        tasks.push(world.submit(behind).await);
    }
    assert_eq!(world.store.sizes(), [1], "all three wait for the first");
    world.store.open(1);
    settle().await;
    assert_eq!(world.store.sizes(), [1; 4], "and go on side by side");
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert_eq!(world.store.overlaps.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn committers_never_share_an_account_under_load() {
    let settings = Settings {
        committers: 4,
        batch_requests_max: 5,
        ..quiet()
    };
    let world = Arc::new(World::with(settings).await);
    let mut tasks = Vec::new();
    for caller in 0..32_u128 {
        let wallet = world.wallet.clone();
        tasks.push(tokio::spawn(async move {
            for step in 0..50_u128 {
                let from = 1 + (caller * 7 + step * 3) % 40;
                let to = 1 + (from + step % 38) % 40;
                let text = format!("{caller}-{step}");
                let _answer = wallet.submit_raw(transfer(&text, from, to)).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(world.store.overlaps.load(Ordering::Relaxed), 0);
    let mut sum = 0;
    for number in 1..=40 {
        sum += world.posted(number).await;
    }
    assert_eq!(sum, 40 * 10_000);
    assert_eq!(world.wallet.stats().submitted, 1 + 32 * 50);
}

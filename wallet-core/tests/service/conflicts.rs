use std::sync::Arc;
use std::sync::atomic::Ordering;

use wallet_core::{Capture, HoldId, PlaceHold, PostTransfer, Request, Settings};

use crate::world::{World, account, euros, key, leg, quiet, record, settle, transfer};

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
async fn a_capture_conflicts_by_the_accounts_of_its_hold() {
    let world = World::with(two_committers()).await;
    let hold = PlaceHold::new(account(1), account(2), euros(1000));
    let placed = world
        .wallet
        .submit(Request::new(key("hold"), hold))
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
                wallet.submit(transfer(&text, from, to)).await.unwrap();
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

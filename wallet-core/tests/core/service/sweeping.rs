use std::time::Duration;

use wallet_core::ledger::HoldStatus;
use wallet_core::runtime::Clock;
use wallet_core::store::HoldQuery;
use wallet_core::{Capture, PlaceHold, Rejection, Request, Settings};

use crate::service::world::{World, account, account_key, euros, key, quiet, settle};

fn ten_seconds() -> PlaceHold {
    let hold = PlaceHold::new(account(1), account(2), euros(1000));
    hold.with_expires_in(Duration::from_secs(10))
}

#[tokio::test]
async fn the_driver_ends_expired_holds_by_itself() {
    let settings = Settings {
        sweep_interval: Some(Duration::from_secs(2)),
        ..quiet()
    };
    let world = World::with(settings).await;
    let held = Request::new(key("hold"), ten_seconds());
    let held = world.wallet.submit_raw(held).await.unwrap();
    held.accepted().unwrap();
    // The clock of these tests jumps with every pause of the sweep.
    settle().await;
    let query = HoldQuery {
        account: account_key(1),
        status: Some(HoldStatus::Expired),
        after: None,
        limit: 10,
    };
    let expired = world.wallet.list_holds(&query).await.unwrap();
    assert_eq!(expired.len(), 1);
    assert_eq!(world.wallet.stats().expired, 1);
    let account = world.wallet.account(account_key(1)).await.unwrap().unwrap();
    assert_eq!(account.state.counters.available(), 10_000);
}

#[tokio::test]
async fn two_sweepers_end_a_hold_once() {
    let world = World::new().await;
    let placed = world
        .wallet
        .submit_raw(Request::new(key("hold"), ten_seconds()))
        .await
        .unwrap();
    let hold = placed.hold().unwrap().unwrap().key.id;
    assert_eq!(world.wallet.sweep_expired(10).await.unwrap(), 0, "not yet");
    world.clock.sleep(Duration::from_secs(12)).await;
    let refused = world
        .wallet
        .submit_raw(Request::new(key("late"), Capture::new(hold)))
        .await;
    let rejected = refused.unwrap().accepted().unwrap_err();
    assert_eq!(rejected.rejection, Rejection::HoldExpired);
    let (one, two) = tokio::join!(
        world.wallet.sweep_expired(10),
        world.wallet.sweep_expired(10)
    );
    assert_eq!(one.unwrap() + two.unwrap(), 1);
}

#[tokio::test]
async fn more_than_one_look_finds_are_ended_without_another_pause() {
    let settings = Settings {
        sweep_interval: Some(Duration::from_secs(3_600)),
        sweep_size: 2,
        ..quiet()
    };
    let world = World::with(settings).await;
    let holds = (0..5).map(|index| Request::new(key(&format!("hold {index}")), ten_seconds()));
    for placed in world.wallet.submit_all_raw(holds.collect()).await {
        placed.unwrap().accepted().unwrap();
    }
    let before = world.clock.now();
    // The first pause ends them all: none is left for the second.
    while world.wallet.stats().expired == 0 {
        tokio::task::yield_now().await;
    }
    while world.wallet.stats().expired < 5 {
        tokio::task::yield_now().await;
        let paused = world.clock.now().since(before);
        assert!(paused < Duration::from_secs(7_200), "a second pause");
    }
}

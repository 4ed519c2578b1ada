use std::sync::Arc;
use std::time::Duration;

use wallet_core::store::Outbox;
use wallet_events::RelayState;

use crate::kit::{World, assert_in_order, spawn};
use crate::relay::publisher::Recorder;

#[tokio::test(start_paused = true)]
async fn another_relay_takes_over_when_one_dies() {
    let world = World::new();
    let recorder = Recorder::new();
    let publisher = || Arc::<Recorder>::clone(&recorder);
    let first = world.relay(publisher());
    let second = world.relay_with(publisher(), World::settings("second"));
    let running = spawn(&first);
    let [ada, bob] = world.accounts().await;
    world.drained().await;
    let standby = spawn(&second);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(first.stats().state, RelayState::Active);
    assert_eq!(second.stats().state, RelayState::Standby);
    assert_eq!((first.stats().takeovers, second.stats().takeovers), (1, 0));

    running.kill().await;
    world.pay(ada, bob).await;
    let died = tokio::time::Instant::now();
    world.drained().await;
    // The lease ends after five seconds; standby relays check it four times in that time.
    assert!(
        died.elapsed() < Duration::from_secs(7),
        "{:?}",
        died.elapsed()
    );
    assert_eq!(second.stats().state, RelayState::Active);
    standby.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_stops_leaves_nothing_undone_and_no_lease() {
    let world = World::new();
    let mut recorder = Recorder::scripted(|_, _| wallet_core::messaging::Published::Done);
    recorder.latency = Duration::from_millis(500);
    let recorder = Arc::new(recorder);
    let [ada, bob] = world.accounts().await;
    for _ in 0..30 {
        world.pay(ada, bob).await;
    }
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    running.stop().await;
    let before = recorder.published().len();
    assert!((4..60).contains(&before), "{before}");
    let lease = world.store.acquire("other", Duration::from_secs(1)).await;
    let lease = lease.unwrap().expect("it was given back");
    world.store.release(&lease).await.unwrap();
    // The next relay repeats nothing.
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    world.drained().await;
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
    assert_eq!(recorder.published().len(), 64);
}

#[tokio::test(start_paused = true)]
async fn a_relay_whose_lease_was_taken_begins_again() {
    let world = World::new();
    let recorder = Recorder::new();
    let relay = world.relay(Arc::<Recorder>::clone(&recorder));
    let running = spawn(&relay);
    let [ada, bob] = world.accounts().await;
    world.drained().await;
    // As if the process had stopped for longer than its lease.
    let lease = world.store.acquire("first", Duration::from_secs(30)).await;
    let lease = lease.unwrap().unwrap();
    let stolen = wallet_core::store::Lease {
        owner: "thief".to_owned(),
        ..lease
    };
    world.pay(ada, bob).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.store.release(&stolen).await.ok();
    world.drained().await;
    running.stop().await;
    assert!(relay.stats().takeovers >= 2);
    assert_in_order(&recorder.published());
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_cannot_renew_stops_publishing_before_its_lease_ends() {
    let world = World::new();
    let recorder = Recorder::new();
    let outbox = crate::relay::stores::Faulty::new(Arc::clone(&world.store));
    let settings = World::settings("first");
    let relay = world.relay_on(
        Arc::<crate::relay::stores::Faulty>::clone(&outbox),
        Arc::<Recorder>::clone(&recorder),
        settings,
    );
    let running = spawn(&relay);
    world.accounts::<2>().await;
    world.drained().await;
    outbox.fails_renewals(true);
    let lease = world.store.acquire("other", Duration::from_secs(5)).await;
    assert_eq!(lease.unwrap(), None, "it is still held");
    let begin = tokio::time::Instant::now();
    while relay.stats().state == RelayState::Active {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        begin.elapsed() <= Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
    outbox.fails_renewals(false);
    world.open("late").await;
    world.drained().await;
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
}

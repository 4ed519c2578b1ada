use std::sync::Arc;
use std::time::Duration;

use wallet_core::store::CommitSignal;

use crate::kit::{World, spawn};
use crate::relay::publisher::Recorder;

#[tokio::test(start_paused = true)]
async fn a_commit_is_published_at_once_without_polling() {
    let world = World::new();
    let recorder = Recorder::new();
    let mut settings = World::settings("first");
    settings.poll = Duration::from_secs(3_600);
    let relay = world.relay_with(Arc::<Recorder>::clone(&recorder), settings);
    let running = spawn(&relay);
    let ada = world.open("ada").await;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.deposit(ada).await;
        let committed = tokio::time::Instant::now();
        let before = recorder.published().len();
        while recorder.published().len() == before {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        // The publisher itself takes three milliseconds.
        assert!(committed.elapsed() <= Duration::from_millis(5));
        assert!(relay.stats().lag_micros <= 5_000);
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_relay_looks_into_the_outbox_as_often_as_it_is_set_to() {
    let world = World::new();
    let recorder = Recorder::new();
    let mut settings = World::settings("first");
    settings.poll = Duration::from_millis(50);
    let relay = world.relay_with(recorder, settings);
    let running = spawn(&relay);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = relay.stats().claims;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let looks = relay.stats().claims - before;
    assert!((195..=201).contains(&looks), "{looks}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_no_signal_reported_is_found_by_polling() {
    let mut world = World::new();
    // The wallet of another process.
    world.signal = CommitSignal::default();
    let recorder = Recorder::new();
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.open("ada").await;
    let committed = tokio::time::Instant::now();
    world.drained().await;
    assert!(committed.elapsed() <= Duration::from_millis(300));
    running.stop().await;
}

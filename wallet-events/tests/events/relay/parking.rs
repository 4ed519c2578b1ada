use std::sync::Arc;
use std::time::Duration;

use wallet_core::AccountId;
use wallet_core::messaging::Published;
use wallet_core::store::{Outbox, Resolution};

use crate::kit::{World, assert_in_order, event, firsts, spawn};
use crate::relay::publisher::{Recorder, refused};

/// Refuses an account's event of version 3 this many times.
fn poisoned(account: AccountId, times: u32) -> Arc<Recorder> {
    let group = format!("0/{account}");
    Arc::new(Recorder::scripted(move |message, tried| {
        let is_bad = message.group == group && event(message).version == 3;
        if is_bad && tried < times {
            refused()
        } else {
            Published::Done
        }
    }))
}

async fn parked(world: &World, count: usize) {
    for _ in 0..10_000 {
        if world.store.parked().await.unwrap().len() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not {count} parked");
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_stops_its_account_and_no_other_until_skipped() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    let recorder = poisoned(ada, u32::MAX);
    let relay = world.relay(Arc::<Recorder>::clone(&recorder));
    let running = spawn(&relay);
    for _ in 0..20 {
        world.pay(ada, bob).await;
    }
    // Twenty rows hold one of ada's events each; the first of them is parked.
    world.until_rows(20).await;
    parked(&world, 1).await;
    while recorder.published().len() < 24 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (seen, _) = firsts(&recorder.published());
    assert_eq!(seen[&ada], [1, 2]);
    assert_eq!(seen[&bob], (1..=22).collect::<Vec<_>>());
    let events = world.store.parked().await.unwrap();
    assert_eq!((events[0].account.id, events[0].version), (ada, 3));
    assert_eq!(events[0].reason, "malformed");
    assert_eq!(relay.stats().parked, 1);
    assert_eq!(
        relay.stats().in_flight,
        0,
        "what waits is not kept in memory"
    );

    let skipped = world
        .store
        .unpark(events[0].row, events[0].index, Resolution::Skip);
    assert!(skipped.await.unwrap());
    world.drained().await;
    running.stop().await;
    let (seen, again) = firsts(&recorder.published());
    let due: Vec<i64> = (1..=22).filter(|version| *version != 3).collect();
    assert_eq!((&seen[&ada], again), (&due, 0));
}

#[tokio::test(start_paused = true)]
async fn a_redriven_event_goes_first_and_what_waited_follows() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    // Refused twice: after the first redrive it is parked again.
    let recorder = poisoned(ada, 2);
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    for _ in 0..300 {
        world.pay(ada, bob).await;
    }
    for _ in 0..2 {
        parked(&world, 1).await;
        let events = world.store.parked().await.unwrap();
        let redriven = world
            .store
            .unpark(events[0].row, events[0].index, Resolution::Redrive);
        assert!(redriven.await.unwrap());
        // Meanwhile the account gets more events.
        world.pay(bob, ada).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    world.drained().await;
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
    let (seen, _) = firsts(&recorder.published());
    assert_eq!(seen[&ada].len(), 304);
}

#[tokio::test(start_paused = true)]
async fn parked_events_outlive_the_relay() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    let recorder = poisoned(ada, u32::MAX);
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    world.pay(ada, bob).await;
    parked(&world, 1).await;
    running.kill().await;

    let recorder = Recorder::new();
    let second = World::settings("second");
    let running = spawn(&world.relay_with(Arc::<Recorder>::clone(&recorder), second));
    for _ in 0..5 {
        world.pay(ada, bob).await;
    }
    world.until_rows(6).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!firsts(&recorder.published()).0.contains_key(&ada));
    let events = world.store.parked().await.unwrap();
    let redriven = world
        .store
        .unpark(events[0].row, events[0].index, Resolution::Redrive);
    assert!(redriven.await.unwrap());
    world.drained().await;
    running.stop().await;
    let (seen, again) = firsts(&recorder.published());
    assert_eq!((&seen[&ada], again), (&(3..=8).collect(), 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_larger_than_the_publisher_takes_is_parked_unsent() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    let details = wallet_core::ledger::Details {
        metadata: Some(
            wallet_core::Metadata::from_value(&serde_json::json!({ "note": "long ".repeat(400) }))
                .unwrap(),
        ),
        ..wallet_core::ledger::Details::default()
    };
    let leg = wallet_core::Leg::new(ada, bob, crate::kit::cents(1));
    let transfer = wallet_core::PostTransfer::new(vec![leg]).with_details(details);
    let recorder = Recorder::scripted(|_, _| Published::Done);
    let recorder = Arc::new(recorder.with_limits(|limits| limits.bytes = 2_000));
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    world.must(vec![transfer.into()]).await;
    parked(&world, 2).await;
    running.stop().await;
    let events = world.store.parked().await.unwrap();
    for event in events {
        assert!(event.reason.starts_with("too large: "), "{}", event.reason);
    }
    assert_eq!(recorder.published().len(), 4);
}

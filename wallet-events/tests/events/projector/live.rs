//! Histories that are built while payments go on and processes die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wallet_core::history::Backfill;
use wallet_core::memory::{MemoryHistory, MemoryInbox};
use wallet_core::runtime::Clock;
use wallet_events::memory::MemoryQueue;
use wallet_events::{Consumer, ConsumerSettings, Projector};

use crate::kit::{Running, TestClock, spawn};
use crate::projector::far::Far;
use crate::projector::place::Place;

/// Fifty relays with their projectors die at random points. Their history fails
/// sometimes, before or after a call was carried out.
#[tokio::test(start_paused = true)]
async fn projectors_die_and_history_is_whole() {
    let place = Place::new();
    let accounts = place.world.accounts::<10>().await;
    let mut rng = fastrand::Rng::with_seed(17);
    for number in 0..50 {
        let mut settings = Place::settings(&format!("relay-{number}"));
        settings.lease = Duration::from_millis(200);
        let relay = place.world.relay_with(place.far(5), settings);
        let running = spawn(&relay);
        place.pay(&mut rng, &accounts, 20).await;
        tokio::time::sleep(Duration::from_micros(rng.u64(1_000..450_000))).await;
        running.kill().await;
    }
    let projector = place.far(0);
    let relay = place.world.relay_with(projector, Place::settings("last"));
    let running = spawn(&relay);
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.assert_whole().await, 2_020);
}

async fn travel() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// From a queue that repeats messages, through consumers that die.
#[tokio::test(start_paused = true)]
async fn consumers_die_and_history_is_whole() {
    let place = Place::new();
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&place.world.clock);
    let queue = MemoryQueue::new(Arc::clone(&clock)).with_window(Duration::ZERO);
    let queue = Arc::new(queue.with_wait(Duration::from_secs(1)));
    let inbox = Arc::new(MemoryInbox::new());
    let accounts = place.world.accounts::<10>().await;
    let mut rng = fastrand::Rng::with_seed(19);
    let mut settings = ConsumerSettings::new("history");
    settings.visibility = Duration::from_millis(400);
    let mut received = 0;
    for number in 0..41 {
        let mut of_relay = Place::settings(&format!("relay-{number}"));
        of_relay.lease = Duration::from_millis(200);
        let publisher = Arc::<MemoryQueue>::clone(&queue);
        let relay = spawn(&place.world.relay_with(publisher, of_relay));
        let consumer = Consumer::new(
            Arc::<MemoryQueue>::clone(&queue),
            Arc::<MemoryInbox>::clone(&inbox),
            place.far(5),
            Arc::clone(&clock),
            settings.clone(),
        );
        let consumer = consumer.unwrap().with_ledger(place.ledger());
        let at_work = consumer.clone();
        let at_work = Running::start(|stopped| async move { at_work.run(stopped).await });
        if number < 40 {
            place.pay(&mut rng, &accounts, 20).await;
            tokio::time::sleep(Duration::from_micros(rng.u64(1_000..450_000))).await;
            relay.kill().await;
            at_work.kill().await;
        } else {
            place.world.drained().await;
            relay.stop().await;
            while !queue.messages().is_empty() {
                travel().await;
            }
            at_work.stop().await;
        }
        received += consumer.stats().received;
    }
    assert_eq!(place.assert_whole().await, 1_620);
    // 1,620 lines and 11 openings.
    assert!(received > 1_631, "nothing ever came twice");
}

/// A new history is backfilled while payments go on and a projector adds new lines. The
/// backfill dies and restarts.
#[tokio::test(start_paused = true)]
async fn history_is_built_anew_while_everything_goes_on() {
    let mut place = Place::new();
    let accounts = place.world.accounts::<10>().await;
    let mut rng = fastrand::Rng::with_seed(23);
    place.pay(&mut rng, &accounts, 500).await;
    // The earlier events are also gone from the outbox.
    assert!(!place.published().await.is_empty());

    place.history = MemoryHistory::new();
    let relay = place
        .world
        .relay_with(place.far(5), Place::settings("history"));
    let running = spawn(&relay);
    let is_done = Arc::new(AtomicBool::new(false));
    let filling = {
        let (ledger, is_done) = (place.ledger(), Arc::clone(&is_done));
        let history = Far::new(place.history.clone(), 10);
        tokio::spawn(async move {
            let mut deaths: u64 = 0;
            let mut reported = Vec::new();
            loop {
                let mut notify = |progress| reported.push(progress);
                let backfill = Backfill::new(&history, &*ledger);
                let patience = Duration::from_millis(1 + deaths);
                match tokio::time::timeout(patience, backfill.run(&mut notify)).await {
                    Ok(Ok(report)) => {
                        is_done.store(true, Ordering::Relaxed);
                        break (deaths, report, reported);
                    }
                    Ok(Err(_)) | Err(_) => deaths += 1,
                }
            }
        })
    };
    let mut payments = 500;
    while !is_done.load(Ordering::Relaxed) || payments < 600 {
        place.pay(&mut rng, &accounts, 1).await;
        payments += 1;
        tokio::time::sleep(Duration::from_micros(rng.u64(..900))).await;
    }
    let (deaths, report, reported) = filling.await.unwrap();
    place.world.drained().await;
    running.stop().await;
    assert!(deaths > 0, "it died and began again");
    assert_eq!(report.accounts, 11, "with the bank's");
    let last = reported.last().unwrap();
    assert!(last.total.is_some_and(|total| last.done <= total));
    assert_eq!(place.assert_whole().await, 20 + payments * 2);

    // A complete history needs no backfill.
    let ledger = place.ledger();
    let backfill = Backfill::new(&place.history, &*ledger);
    assert_eq!(backfill.run(&mut |_| ()).await.unwrap().written, 0);
}

/// Two concurrent projectors, as when a relay takes over from one that is still running.
#[tokio::test(start_paused = true)]
async fn two_projectors_do_no_harm() {
    let place = Place::new();
    let accounts = place.world.accounts::<4>().await;
    let mut rng = fastrand::Rng::with_seed(29);
    place.pay(&mut rng, &accounts, 100).await;
    let published = place.published().await;
    let events: Vec<_> = published.iter().map(crate::kit::event).collect();
    let tasks = (0..2).map(|number| {
        let history = Arc::new(Far::new(place.history.clone(), number));
        let projector = Projector::new(history, place.ledger());
        let events = events.clone();
        tokio::spawn(async move {
            for events in events.chunks(3) {
                while projector.project(events).await.is_err() {}
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(place.assert_whole().await, 208);
}

//! A handler that panics fails like one that answers with an error.

use std::sync::Arc;

use wallet_events::{HandlerPublisher, HandlerSettings};

use crate::consumer::books::Failing;
use crate::consumer::shop::NAME;
use crate::handler::place::Place;
use crate::kit::{spawn, until};

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt_and_stops_its_account_only() {
    let place = Place::new();
    let [ada, bob] = place.world.accounts().await;
    place.world.deposit(bob).await;
    place.world.deposit(bob).await;
    // Ada has two events and Bob four.
    place.books.fail_by(Failing::Panic, 3, 2);
    let handler = place.handler();
    let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(ada), [1, 2]);
    assert_eq!(place.books.versions(bob), [1, 2, 3, 4]);
    let stats = handler.stats();
    assert_eq!((stats.failures, stats.gaps), (2, 0));
    let last = stats.last_failure.unwrap();
    let words = "the handler panicked: a fault of the handler";
    assert!(last.contains(words), "{last}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_always_panics_is_parked_after_its_attempts() {
    let place = Place::new();
    let [ada, bob] = place.world.accounts().await;
    place.world.deposit(bob).await;
    place.world.deposit(bob).await;
    place.books.fail_by(Failing::Panic, 4, u32::MAX);
    let mut settings = HandlerSettings::new(NAME);
    settings.attempts_max = Some(3);
    let handler = place.handler_with(settings);
    let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
    let events = place.world.parked(1).await;
    assert_eq!((events[0].account.id, events[0].version), (bob, 4));
    assert!(events[0].reason.contains("panicked: a fault"), "{events:?}");
    assert_eq!(handler.stats().failures, 3);
    // The relay goes on.
    place.world.pay(ada, bob).await;
    until(|| place.books.versions(ada) == [1, 2, 3]).await;
    running.stop().await;
}

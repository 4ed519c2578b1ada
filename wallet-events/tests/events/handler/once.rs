use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::store::Outbox;
use wallet_events::{HandlerPublisher, RelaySettings};

use crate::consumer::books::{Books, Way};
use crate::handler::place::Place;
use crate::kit::{World, spawn, until};

#[tokio::test(start_paused = true)]
async fn every_event_has_its_effect_in_order_and_is_marked() {
    for way in [Way::Together, Way::EffectOnly] {
        let place = Place::with(Books::new(way));
        let [ada, bob] = place.world.accounts().await;
        place.world.pay(ada, bob).await;
        let handler = place.handler();
        let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
        place.world.drained().await;
        running.stop().await;

        assert_eq!(place.books.versions(ada), [1, 2, 3]);
        assert_eq!(place.books.versions(bob), [1, 2, 3]);
        let stats = handler.stats();
        assert_eq!((stats.received, stats.handled), (6, 6));
        assert_eq!((stats.duplicates, stats.gaps, stats.failures), (0, 0, 0));
    }
}

/// Hands events to the handler, but never returns: the process ends before the relay marks
/// anything.
#[derive(Debug)]
struct Unanswered {
    inner: Arc<HandlerPublisher>,
    handled: AtomicUsize,
}

#[async_trait]
impl EventPublisher for Unanswered {
    fn limits(&self) -> PublisherLimits {
        self.inner.limits()
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let published = self.inner.publish(messages).await?;
        self.handled.fetch_add(published.len(), Ordering::Relaxed);
        std::future::pending().await
    }
}

fn second() -> RelaySettings {
    World::settings("second")
}

#[tokio::test(start_paused = true)]
async fn a_death_between_the_handler_s_commit_and_the_mark_repeats_no_effect() {
    let place = Place::new();
    let [ada] = place.world.accounts().await;
    let unanswered = Arc::new(Unanswered {
        inner: place.handler(),
        handled: AtomicUsize::new(0),
    });
    let running = spawn(&place.world.relay(Arc::<Unanswered>::clone(&unanswered)));
    until(|| unanswered.handled.load(Ordering::Relaxed) >= 2).await;
    running.kill().await;
    assert_eq!(place.books.versions(ada), [1, 2]);
    assert_eq!(place.world.store.depth().await.unwrap().rows, 2);

    let handler = place.handler();
    let relay = place
        .world
        .relay_with(Arc::<HandlerPublisher>::clone(&handler), second());
    let running = spawn(&relay);
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(ada), [1, 2]);
    let stats = handler.stats();
    assert_eq!((stats.handled, stats.duplicates), (0, 2));
}

/// The account has no event after the crash.
#[tokio::test(start_paused = true)]
async fn a_death_before_the_handler_s_commit_loses_no_effect() {
    let place = Place::with(Books::slow(Way::Together, Duration::from_secs(20)));
    let [ada] = place.world.accounts().await;
    let handler = place.handler();
    let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
    until(|| handler.stats().received > 0).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(place.world.store.depth().await.unwrap().rows, 2, "marked");
    running.kill().await;
    assert_eq!(place.books.versions(ada), [0; 0]);

    let relay = place.world.relay_with(place.handler(), second());
    let running = spawn(&relay);
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(ada), [1, 2]);
}

/// Two relays hand over the same events, because the first one has lost its lease without
/// knowing. One of them finds that the position has moved.
#[tokio::test(start_paused = true)]
async fn of_two_processes_that_handle_an_event_one_has_its_effect() {
    let place = Place::with(Books::slow(Way::Together, Duration::from_secs(1)));
    let [ada] = place.world.accounts().await;
    let messages = place.world.published(World::settings("first")).await;
    let [first, second] = [place.handler(), place.handler()];
    let (one, other) = tokio::join!(first.publish(&messages), second.publish(&messages));
    let due = vec![Published::Done; 2];
    assert_eq!((one.unwrap(), other.unwrap()), (due.clone(), due));
    assert_eq!(place.books.versions(ada), [1, 2]);
    assert!(place.books.moved() > 0, "the two never met");
    let [first, second] = [first.stats(), second.stats()];
    assert_eq!(first.handled + second.handled, 2);
    assert_eq!(first.duplicates + second.duplicates, 2);
}

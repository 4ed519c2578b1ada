use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::memory::MemoryStore;
use wallet_core::messaging::{EventPublisher, Inbox, InboxStep, Message, Published};
use wallet_core::store::{Outbox, Resolution, StoreErrorKind};
use wallet_events::{HandlerPublisher, HandlerSettings};

use crate::consumer::books::Books;
use crate::consumer::shop::NAME;
use crate::handler::place::Place;
use crate::kit::{TestClock, World, spawn, until};

#[tokio::test(start_paused = true)]
async fn a_failing_event_is_tried_again_and_stops_its_account_only() {
    let place = Place::new();
    let [ada, bob] = place.world.accounts().await;
    place.world.pay(bob, ada).await;
    place.world.deposit(bob).await;
    place.world.deposit(bob).await;
    // Ada has three events and Bob five: only Bob has a fourth.
    place.books.fail(4, 5);
    let handler = place.handler();
    let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
    until(|| handler.stats().failures >= 3).await;
    assert_eq!(place.books.versions(ada), [1, 2, 3]);
    assert_eq!(place.books.versions(bob), [1, 2, 3]);
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(bob), [1, 2, 3, 4, 5]);
    let stats = handler.stats();
    assert_eq!((stats.failures, stats.gaps), (5, 0));
    assert!(stats.last_failure.unwrap().contains("out of stock"));
}

#[tokio::test(start_paused = true)]
async fn poison_is_parked_after_its_attempts_and_handled_after_a_redrive() {
    let place = Place::new();
    let [ada, bob] = place.world.accounts().await;
    for _ in 0..3 {
        place.world.deposit(bob).await;
    }
    place.books.fail(4, 4);
    let mut settings = HandlerSettings::new(NAME);
    settings.attempts_max = Some(3);
    let handler = place.handler_with(settings);
    let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
    let events = place.world.parked(1).await;
    assert_eq!((events[0].account.id, events[0].version), (bob, 4));
    assert!(events[0].reason.contains("out of stock"), "{events:?}");
    assert_eq!(handler.stats().failures, 3);
    // Later events of other accounts pass.
    place.world.deposit(ada).await;
    until(|| place.books.versions(ada) == [1, 2, 3]).await;
    assert_eq!(place.books.versions(bob), [1, 2, 3]);

    // The count begins again: the next attempt fails, the one after it succeeds.
    let (row, index) = (events[0].row, events[0].index);
    let redriven = place.world.store.unpark(row, index, Resolution::Redrive);
    assert!(redriven.await.unwrap());
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(bob), [1, 2, 3, 4, 5]);
}

/// The next event of the account brings what was skipped.
#[tokio::test(start_paused = true)]
async fn a_skipped_event_is_read_from_the_ledger() {
    let place = Place::new();
    let [ada] = place.world.accounts().await;
    place.world.deposit(ada).await;
    place.world.deposit(ada).await;
    place.books.fail(3, u32::MAX);
    let mut settings = HandlerSettings::new(NAME);
    settings.attempts_max = Some(1);
    let running = spawn(&place.world.relay(place.handler_with(settings)));
    let events = place.world.parked(1).await;
    let (row, index) = (events[0].row, events[0].index);
    let skipped = place.world.store.unpark(row, index, Resolution::Skip);
    assert!(skipped.await.unwrap());
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(ada), [1, 2, 4]);
    let missed = place.books.effects()[2].missed.clone().unwrap();
    assert_eq!(missed.entries[0].version, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_is_refused_at_once_and_stops_what_follows_it() {
    let place = Place::new();
    let [ada] = place.world.accounts().await;
    let mut messages = place.world.published(World::settings("first")).await;
    let bad = Message {
        body: "{}".to_owned(),
        ..messages[0].clone()
    };
    messages.insert(0, bad);
    let published = place.handler().publish(&messages).await.unwrap();
    let is_refused = matches!(published[0], Published::Refused { .. });
    assert!(is_refused, "{published:?}");
    for later in &published[1..] {
        assert!(matches!(later, Published::Failed { .. }), "{published:?}");
    }
    assert_eq!(place.books.versions(ada), [0; 0]);
}

/// An inbox that cannot read positions.
#[derive(Debug)]
struct Away;

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unavailable, "the inbox"))
}

#[async_trait]
impl Inbox for Away {
    async fn positions(&self, _: &str, _: &[AccountKey]) -> Result<Vec<Position>, StoreError> {
        away()
    }
    async fn advance(&self, _: &str, _: &InboxStep) -> Result<bool, StoreError> {
        away()
    }
    async fn restores(&self, _: &str) -> Result<Vec<Restore>, StoreError> {
        Ok(Vec::new())
    }
    async fn note_restore(&self, _: &str, _: &Restore) -> Result<(), StoreError> {
        away()
    }
}

/// An inbox whose restores cannot always be read.
#[derive(Debug)]
struct Unsteady {
    books: Arc<Books>,
    is_away: AtomicBool,
}

#[async_trait]
impl Inbox for Unsteady {
    async fn positions(&self, by: &str, of: &[AccountKey]) -> Result<Vec<Position>, StoreError> {
        self.books.positions(by, of).await
    }
    async fn advance(&self, by: &str, step: &InboxStep) -> Result<bool, StoreError> {
        self.books.advance(by, step).await
    }
    async fn restores(&self, by: &str) -> Result<Vec<Restore>, StoreError> {
        if self.is_away.load(Ordering::Relaxed) {
            return away();
        }
        Inbox::restores(&*self.books, by).await
    }
    async fn note_restore(&self, by: &str, restore: &Restore) -> Result<(), StoreError> {
        self.books.note_restore(by, restore).await
    }
}

/// A refusal that the relay never learns of does not begin the count again.
#[tokio::test(start_paused = true)]
async fn an_event_that_was_to_be_refused_stays_so_when_the_answer_fails() {
    let place = Place::new();
    place.world.accounts::<1>().await;
    let messages = place.world.published(World::settings("first")).await;
    place.books.fail(1, u32::MAX);
    let inbox = Arc::new(Unsteady {
        books: Arc::<Books>::clone(&place.books),
        is_away: AtomicBool::new(false),
    });
    let mut settings = HandlerSettings::new(NAME);
    settings.attempts_max = Some(2);
    let ledger = Arc::<MemoryStore>::clone(&place.world.store);
    let books = Arc::<Books>::clone(&place.books);
    let clock = Arc::<TestClock>::clone(&place.world.clock);
    let unsteady = Arc::<Unsteady>::clone(&inbox);
    let handler = HandlerPublisher::new(unsteady, books, ledger, clock, settings).unwrap();
    let first = &messages[..1];
    let published = handler.publish(first).await.unwrap();
    assert!(matches!(published[0], Published::Failed { .. }));
    inbox.is_away.store(true, Ordering::Relaxed);
    handler.publish(first).await.unwrap_err();
    inbox.is_away.store(false, Ordering::Relaxed);
    let published = handler.publish(first).await.unwrap();
    assert!(matches!(published[0], Published::Refused { .. }));
    // It was refused, so the count begins again.
    let published = handler.publish(first).await.unwrap();
    assert!(matches!(published[0], Published::Failed { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_inbox_parks_nothing() {
    let place = Place::new();
    let [ada] = place.world.accounts().await;
    let mut settings = HandlerSettings::new(NAME);
    settings.attempts_max = Some(1);
    let ledger = Arc::<MemoryStore>::clone(&place.world.store);
    let books = Arc::<Books>::clone(&place.books);
    let clock = Arc::<TestClock>::clone(&place.world.clock);
    let handler = HandlerPublisher::new(Arc::new(Away), books, ledger, clock, settings).unwrap();
    let relay = place.world.relay(Arc::new(handler));
    let running = spawn(&relay);
    tokio::time::sleep(Duration::from_secs(600)).await;
    running.stop().await;
    assert!(relay.stats().failed > 20);
    assert_eq!(place.world.store.parked().await.unwrap(), []);
    assert_eq!(place.world.store.depth().await.unwrap().rows, 2);

    let relay = place.world.relay(place.handler());
    let running = spawn(&relay);
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(ada), [1, 2]);
}

//! The queue passes every case of the test kit, and keeps its messages in any file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tempfile::TempDir;
use wallet_core::messaging::{
    EVENT_ID, EventPublisher, Message, MessageQueue, Published, Received,
};
use wallet_core::runtime::Clock;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{SystemClock, Timestamp};
use wallet_sqlite::{DeadLetters, SqliteQueue, SqliteQueueSettings, SqliteSettings, SqliteStore};
use wallet_testkit::{Built, Factory, Guard, ManualClock, QueueEnds, block_on};

const VISIBILITY: Duration = Duration::from_secs(30);

fn settings(name: &str) -> SqliteQueueSettings {
    SqliteQueueSettings {
        wait: Duration::ZERO,
        ..SqliteQueueSettings::new(name)
    }
}

fn open(path: &Path, settings: SqliteQueueSettings, clock: &Arc<ManualClock>) -> Arc<SqliteQueue> {
    let clock = Arc::<ManualClock>::clone(clock);
    let opened = SqliteQueue::open(&SqliteSettings::new(path), settings, clock);
    Arc::new(opened.expect("the file opens"))
}

/// Queues in files of their own; or several objects on one file, as several processes have.
#[derive(Debug)]
struct Queues {
    is_shared: bool,
}

const ALONE: Queues = Queues { is_shared: false };
const SHARED: Queues = Queues { is_shared: true };

#[async_trait]
impl Factory<QueueEnds> for Queues {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<QueueEnds> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("queues.db");
        let queue = open(&path, settings("test"), &clock);
        let publisher = if self.is_shared {
            open(&path, settings("test"), &clock)
        } else {
            Arc::<SqliteQueue>::clone(&queue)
        };
        Built::new(Arc::new(QueueEnds { publisher, queue }), Guard(folder))
    }
}

mod alone {
    use super::ALONE;
    wallet_testkit::message_queue_conformance!(ALONE);
}
mod shared {
    use super::SHARED;
    wallet_testkit::message_queue_conformance!(SHARED);
}

/// A file of queues at a time that the test sets.
struct Place {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(ManualClock::new(Timestamp::from_micros(
                1_790_000_000_000_000,
            ))),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("queues.db")
    }

    fn open(&self, settings: SqliteQueueSettings) -> Arc<SqliteQueue> {
        open(&self.path(), settings, &self.clock)
    }
}

fn message(name: &str) -> Message {
    let group = name.split('.').next().unwrap_or(name);
    Message {
        id: name.to_owned(),
        group: group.to_owned(),
        attributes: vec![("type".to_owned(), "credited".to_owned())],
        body: format!("{{\"name\":\"{name}\"}}"),
    }
}

fn publish(queue: &SqliteQueue, names: &[&str]) {
    let messages: Vec<_> = names.iter().map(|name| message(name)).collect();
    let published = block_on(queue.publish(&messages)).expect("published");
    assert_eq!(published, vec![Published::Done; names.len()]);
}

fn receive(queue: &SqliteQueue) -> Vec<Received> {
    block_on(queue.receive(10, VISIBILITY)).expect("received")
}

fn names(received: &[Received]) -> Vec<&str> {
    let ids = received.iter().map(|one| one.message.id.as_str());
    ids.collect()
}

#[test]
fn messages_outlive_the_process_in_order_and_whole() {
    let place = Place::new();
    publish(&place.open(settings("a")), &["x.1", "y.1", "x.2"]);
    let received = receive(&place.open(settings("a")));
    assert_eq!(names(&received), ["x.1", "y.1", "x.2"]);
    assert_eq!(received[2].message, message("x.2"));
    // The receiver has died: its messages come back after the visibility timeout.
    let queue = place.open(settings("a"));
    assert_eq!(names(&receive(&queue)), [""; 0]);
    place.clock.advance(VISIBILITY);
    let again = receive(&queue);
    assert_eq!(names(&again), ["x.1", "y.1", "x.2"]);
    assert_eq!(again[0].receives, 2);
    assert_eq!(again[0].message, message("x.1"));
    // The dead receiver's receipts are stale.
    assert!(block_on(queue.delete(&received[0].receipt)).is_err());
    assert!(block_on(queue.extend(&received[0].receipt, VISIBILITY)).is_err());
    for one in &again {
        block_on(queue.delete(&one.receipt)).unwrap();
        block_on(queue.delete(&one.receipt)).unwrap();
    }
    assert_eq!(block_on(queue.len()).unwrap(), 0);
}

#[test]
fn an_id_is_dropped_within_the_window_and_taken_after_it() {
    let place = Place::new();
    publish(&place.open(settings("a")), &["x.1"]);
    let queue = place.open(settings("a"));
    let received = receive(&queue);
    block_on(queue.delete(&received[0].receipt)).unwrap();
    place.clock.advance(Duration::from_secs(299));
    publish(&queue, &["x.1", "x.1"]);
    assert_eq!(names(&receive(&queue)), [""; 0]);
    // Another queue of the file knows nothing of it.
    publish(&place.open(settings("b")), &["x.1"]);
    assert_eq!(block_on(place.open(settings("b")).len()).unwrap(), 1);
    place.clock.advance(Duration::from_secs(1));
    publish(&queue, &["x.1"]);
    assert_eq!(names(&receive(&queue)), ["x.1"]);
}

#[test]
fn a_held_message_stops_its_group_until_it_ends() {
    let place = Place::new();
    let queue = place.open(settings("a"));
    publish(&queue, &["x.1", "x.2", "y.1"]);
    let first = block_on(queue.receive(1, VISIBILITY)).unwrap();
    assert_eq!(names(&first), ["x.1"]);
    let other = receive(&queue);
    assert_eq!(names(&other), ["y.1"]);
    block_on(queue.delete(&other[0].receipt)).unwrap();
    place.clock.advance(Duration::from_secs(29));
    block_on(queue.extend(&first[0].receipt, VISIBILITY)).unwrap();
    place.clock.advance(Duration::from_secs(29));
    assert_eq!(names(&receive(&queue)), [""; 0]);
    block_on(queue.extend(&first[0].receipt, Duration::ZERO)).unwrap();
    assert_eq!(names(&receive(&queue)), ["x.1", "x.2"]);
}

#[test]
fn a_deleted_message_counts_as_deleted_and_one_that_never_was_does_not() {
    let place = Place::new();
    let queue = place.open(settings("a"));
    publish(&queue, &["x.1", "x.2"]);
    let received = receive(&queue);
    let [first, second] = [0, 1].map(|index: usize| received[index].receipt.as_str());
    block_on(queue.delete(first)).unwrap();
    block_on(queue.delete(first)).unwrap();
    // Another delivery of a message that is there.
    assert!(block_on(queue.delete("2-7")).is_err());
    for never in ["3-1", "0-1", "-1-1", "1", "", "x-1"] {
        assert!(block_on(queue.delete(never)).is_err(), "{never}");
    }
    block_on(queue.delete(second)).unwrap();
}

#[test]
fn a_message_that_comes_back_too_often_goes_to_the_dead_letters_whole() {
    let place = Place::new();
    let dead_letters = Some(DeadLetters {
        queue: "dead".to_owned(),
        max_receives: 2,
    });
    let queue = place.open(SqliteQueueSettings {
        dead_letters,
        ..settings("a")
    });
    let dead = place.open(settings("dead"));
    publish(&queue, &["x.1", "x.2"]);
    let mut last = Vec::new();
    for receives in 1..=2 {
        last = block_on(queue.receive(1, VISIBILITY)).unwrap();
        assert_eq!(names(&last), ["x.1"]);
        assert_eq!(last[0].receives, receives);
        assert_eq!(names(&receive(&dead)), [""; 0]);
        place.clock.advance(VISIBILITY);
    }
    assert_eq!(names(&receive(&queue)), ["x.2"]);
    let buried = receive(&dead);
    assert_eq!(names(&buried), ["x.1"]);
    assert_eq!(
        (buried[0].receives, &buried[0].message),
        (1, &message("x.1"))
    );
    assert!(block_on(queue.delete(&last[0].receipt)).is_err(), "moved");
    // A redrive sends it under another id; its own id travels as an attribute.
    let mut redriven = message("x.1");
    redriven.id = "redrive-1".to_owned();
    redriven
        .attributes
        .insert(0, (EVENT_ID.to_owned(), "x.1".to_owned()));
    block_on(queue.publish(&[redriven])).unwrap();
    block_on(dead.delete(&buried[0].receipt)).unwrap();
    place.clock.advance(VISIBILITY);
    let back = receive(&queue);
    assert_eq!(names(&back), ["x.2", "x.1"]);
    assert_eq!(back[1].message, message("x.1"));
    assert_eq!(block_on(dead.len()).unwrap(), 0);
}

#[test]
fn a_message_that_does_not_fit_stops_its_group_in_the_call() {
    let place = Place::new();
    let queue = place.open(settings("a"));
    let mut large = message("x.1");
    large.body = "x".repeat(2 << 20);
    let messages = [message("y.1"), large, message("x.2")];
    assert!(
        block_on(queue.publish(&messages)).is_err(),
        "too much for a call"
    );
    let mut many = message("x.1");
    let attribute = |number| (format!("a{number}"), String::new());
    many.attributes = (0..10).map(attribute).collect();
    let messages = [message("y.1"), many, message("x.2"), message("z.1")];
    let published = block_on(queue.publish(&messages)).unwrap();
    assert!(matches!(published[1], Published::Refused { .. }));
    assert!(matches!(published[2], Published::Failed { .. }));
    assert_eq!(names(&receive(&queue)), ["y.1", "z.1"]);
}

/// A receive that waits is woken by a message of its own process at once, and finds one of
/// another process when it looks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_receive_gets_the_next_message_of_any_process() {
    let place = Place::new();
    let file = SqliteSettings::new(place.path());
    let patient = |poll| SqliteQueueSettings {
        wait: Duration::from_secs(300),
        poll,
        ..SqliteQueueSettings::new("a")
    };
    let open = |settings| SqliteQueue::open(&file, settings, Arc::new(SystemClock)).unwrap();
    let other = open(settings("a"));
    let long = Duration::from_secs(3_600);
    for (poll, is_own, name) in [
        (long, true, "x.1"),
        (Duration::from_millis(1), false, "x.2"),
    ] {
        let queue = Arc::new(open(patient(poll)));
        let waiting = Arc::<SqliteQueue>::clone(&queue);
        let received = tokio::spawn(async move { waiting.receive(10, VISIBILITY).await });
        let from = if is_own { &*queue } else { &other };
        from.publish(&[message(name)]).await.unwrap();
        let received = received.await.unwrap().unwrap();
        assert_eq!(names(&received), [name]);
        queue.delete(&received[0].receipt).await.unwrap();
    }
}

/// The worked example of ADR 24.
#[test]
fn after_a_clock_that_was_ahead_a_hold_and_an_id_last_no_longer_than_usual() {
    let place = Place::new();
    let noon = place.clock.now();
    let set = |minutes: u64, secs: u64| {
        let since = Duration::from_secs(minutes * 60 + secs);
        place.clock.set(noon.saturating_add(since));
    };
    let queue = place.open(settings("a"));
    set(60, 0);
    publish(&queue, &["x.1", "x.2"]);
    let held = receive(&queue);
    assert_eq!(names(&held), ["x.1", "x.2"]);
    set(5, 0);
    assert_eq!(names(&receive(&queue)), [""; 0]);
    set(5, 29);
    assert_eq!(names(&receive(&queue)), [""; 0]);
    set(5, 30);
    let again = receive(&queue);
    assert_eq!(names(&again), ["x.1", "x.2"]);
    assert_eq!(again[0].receives, 2);
    assert!(block_on(queue.delete(&held[0].receipt)).is_err(), "stale");
    for one in &again {
        block_on(queue.delete(&one.receipt)).unwrap();
    }
    set(6, 0);
    publish(&queue, &["x.1"]);
    set(10, 59);
    publish(&queue, &["x.1"]);
    assert_eq!(names(&receive(&queue)), [""; 0]);
    set(11, 0);
    publish(&queue, &["x.1"]);
    assert_eq!(names(&receive(&queue)), ["x.1"]);
}

/// The receiver is alive, and holds the message when the clock is set back.
#[test]
fn a_receiver_keeps_its_message_when_the_clock_is_set_back() {
    let place = Place::new();
    let queue = place.open(settings("a"));
    publish(&queue, &["x.1"]);
    let held = receive(&queue);
    place.clock.step_back(Duration::from_secs(3_600));
    assert_eq!(names(&receive(&queue)), [""; 0]);
    place.clock.advance(Duration::from_secs(20));
    block_on(queue.extend(&held[0].receipt, VISIBILITY)).unwrap();
    place.clock.advance(Duration::from_secs(29));
    assert_eq!(names(&receive(&queue)), [""; 0]);
    block_on(queue.delete(&held[0].receipt)).unwrap();
    assert_eq!(block_on(queue.len()).unwrap(), 0);
}

#[tokio::test]
async fn a_receive_ends_after_its_wait_though_the_clock_steps_back() {
    let place = Place::new();
    let queue = place.open(SqliteQueueSettings::new("a"));
    let received = tokio::spawn(async move { queue.receive(10, VISIBILITY).await });
    let mut waited = Duration::ZERO;
    while !received.is_finished() {
        if let Some(pause) = place.clock.next_wake_in() {
            place.clock.advance(pause);
            place.clock.step_back(Duration::from_secs(3_600));
            waited += pause;
            assert!(waited <= Duration::from_secs(10), "{waited:?}");
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(received.await.unwrap().unwrap(), []);
    assert_eq!(waited, Duration::from_secs(10));
}

#[test]
fn queues_and_a_ledger_share_a_file_whichever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    for is_queue_first in [false, true] {
        let file = SqliteSettings::new(folder.path().join(format!("{is_queue_first}.db")));
        let ledger = || SqliteStore::open(&file, Arc::new(SystemClock)).unwrap();
        let queue = || SqliteQueue::open(&file, settings("a"), Arc::new(SystemClock)).unwrap();
        let (queue, ledger) = if is_queue_first {
            let queue = queue();
            (queue, ledger())
        } else {
            let ledger = ledger();
            (queue(), ledger)
        };
        publish(&queue, &["x.1"]);
        assert_eq!(block_on(ledger.ledgers()).unwrap(), []);
        drop(ledger);
        SqliteStore::open(&file, Arc::new(SystemClock)).unwrap();
        assert_eq!(names(&receive(&queue)), ["x.1"]);
    }
}

#[test]
fn without_migrating_the_tables_must_be_there() {
    let place = Place::new();
    let host = Connection::open(place.path()).unwrap();
    host.execute_batch("CREATE TABLE shop_order (id INTEGER PRIMARY KEY) STRICT")
        .unwrap();
    let careful = SqliteSettings {
        migrate: false,
        ..SqliteSettings::new(place.path())
    };
    let open = |settings| {
        let clock = Arc::<ManualClock>::clone(&place.clock);
        SqliteQueue::open(&careful, settings, clock)
    };
    let kind = |settings| open(settings).unwrap_err().kind();
    assert_eq!(kind(settings("a")), StoreErrorKind::Internal);
    SqliteQueue::create_in(&host).unwrap();
    SqliteQueue::create_in(&host).unwrap();
    publish(&open(settings("a")).unwrap(), &["x.1"]);
    assert_eq!(kind(settings("")), StoreErrorKind::Internal);
}

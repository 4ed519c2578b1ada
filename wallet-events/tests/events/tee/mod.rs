//! Several publishers behind one relay.

use std::sync::Arc;
use std::time::Duration;

use wallet_core::messaging::{EventPublisher, Published};
use wallet_core::store::{Outbox, Resolution};
use wallet_events::Tee;

use crate::handler::place::Place;
use crate::kit::{World, assert_in_order, event, firsts, spawn};
use crate::relay::publisher::{Recorder, failed, refused};

fn tee(publishers: [Arc<dyn EventPublisher>; 2]) -> Arc<Tee> {
    Arc::new(Tee::new(publishers.into()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn every_publisher_gets_every_event_in_order() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    let [first, second] = [Recorder::new(), Recorder::new()];
    let running = spawn(&world.relay(tee([first.clone(), second.clone()])));
    for _ in 0..50 {
        world.pay(ada, bob).await;
    }
    world.drained().await;
    running.stop().await;
    for recorder in [first, second] {
        assert_eq!(assert_in_order(&recorder.published()), 0);
        assert_eq!(recorder.published().len(), 104);
    }
}

/// The other publisher has no event past the one that failed, although it keeps order and
/// would take several events of an account at once.
#[tokio::test(start_paused = true)]
async fn no_publisher_gets_an_event_past_another_one_s_failure() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    let group = format!("0/{ada}");
    let fails = Recorder::scripted(move |message, tried| {
        let is_bad = message.group == group && event(message).version == 3;
        if is_bad && tried < 8 {
            failed()
        } else {
            Published::Done
        }
    });
    let fails = Arc::new(fails.with_limits(|limits| limits.keeps_order = true));
    let steady = Recorder::scripted(|_, _| Published::Done);
    let steady = Arc::new(steady.with_limits(|limits| limits.keeps_order = true));
    for _ in 0..20 {
        world.pay(ada, bob).await;
    }
    let running = spawn(&world.relay(tee([steady.clone(), fails.clone()])));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (seen, _) = firsts(&steady.published());
    assert_eq!(seen[&ada], [1, 2, 3], "past the failure");
    assert_eq!(
        seen[&bob],
        (1..=22).collect::<Vec<_>>(),
        "another account waits"
    );
    let (seen, _) = firsts(&fails.published());
    assert_eq!(seen[&ada], [1, 2]);

    world.drained().await;
    running.stop().await;
    // Each failure repeats the event at the other publisher.
    assert_eq!(assert_in_order(&steady.published()), 8);
    assert_eq!(assert_in_order(&fails.published()), 0);
    assert_eq!(firsts(&fails.published()).0[&ada].len(), 22);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_as_a_whole_marks_nothing() {
    let world = World::new();
    let [ada] = world.accounts().await;
    let [first, second] = [Recorder::new(), Recorder::new()];
    second.fail(3, false);
    let relay = world.relay(tee([first.clone(), second.clone()]));
    let running = spawn(&relay);
    world.drained().await;
    running.stop().await;
    assert_eq!(firsts(&second.published()).0[&ada], [1, 2]);
    assert_eq!(assert_in_order(&first.published()), 3);
    assert!(relay.stats().last_failure.is_some());
}

/// A refused event is parked once every other publisher has it. Skipped, it is missing
/// only where it was refused.
#[tokio::test(start_paused = true)]
async fn a_refused_event_is_parked_when_the_others_have_it() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    let group = format!("0/{ada}");
    let is_bad = move |message: &_| {
        let message: &wallet_core::messaging::Message = message;
        message.group == group && event(message).version == 3
    };
    let also = is_bad.clone();
    let refuses = Arc::new(Recorder::scripted(move |message, _| {
        if is_bad(message) {
            refused()
        } else {
            Published::Done
        }
    }));
    let busy = Arc::new(Recorder::scripted(move |message, tried| {
        if also(message) && tried < 3 {
            failed()
        } else {
            Published::Done
        }
    }));
    let running = spawn(&world.relay(tee([refuses.clone(), busy.clone()])));
    world.pay(ada, bob).await;
    world.pay(ada, bob).await;
    let events = world.parked(1).await;
    assert_eq!((events[0].account.id, events[0].version), (ada, 3));
    assert_eq!(firsts(&busy.published()).0[&ada], [1, 2, 3]);
    assert_eq!(firsts(&refuses.published()).0[&ada], [1, 2]);

    let (row, index) = (events[0].row, events[0].index);
    let skipped = world.store.unpark(row, index, Resolution::Skip);
    assert!(skipped.await.unwrap());
    world.drained().await;
    running.stop().await;
    assert_eq!(firsts(&busy.published()).0[&ada], [1, 2, 3, 4]);
    assert_eq!(firsts(&refuses.published()).0[&ada], [1, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_beside_a_failing_queue_has_each_effect_once() {
    let place = Place::new();
    let [ada] = place.world.accounts().await;
    let queue = Recorder::scripted(
        |_, tried| {
            if tried < 3 { failed() } else { Published::Done }
        },
    );
    let queue = Arc::new(queue);
    let handler = place.handler();
    let running = spawn(&place.world.relay(tee([handler.clone(), queue.clone()])));
    place.world.drained().await;
    running.stop().await;
    assert_eq!(place.books.versions(ada), [1, 2]);
    assert_eq!(handler.stats().duplicates, 6);
    assert_eq!(firsts(&queue.published()).0[&ada], [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_limits_are_the_narrowest() {
    let narrow = Recorder::scripted(|_, _| Published::Done);
    let narrow = Arc::new(narrow.with_limits(|limits| limits.bytes = 3_000));
    let few = Recorder::scripted(|_, _| Published::Done);
    let few = Arc::new(few.with_limits(|limits| limits.messages = 2));
    let limits = tee([narrow, few]).limits();
    assert_eq!((limits.bytes, limits.messages), (3_000, 2));
    assert!(!limits.keeps_order);
}

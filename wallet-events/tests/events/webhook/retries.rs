use wallet_events::Redrive;
use wallet_events::webhook::Webhook;

use crate::kit::TestClock;
use crate::webhook::receiver::{Answer, Receiver};
use crate::webhook::route::{Route, settings, webhook_with};

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_delivered_once() {
    let receiver = Receiver::start().await;
    let route = Route::start(&receiver.url());
    route.send(&["a1", "b1", "a2", "a3"]).await;
    route.emptied().await;
    let mut ids = receiver.ids();
    ids.sort();
    assert_eq!(ids, ["a1", "a2", "a3", "b1"]);
    assert_eq!(route.forwarder.stats().forwarded, 4);
    assert!(route.dead.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_fails_comes_again_in_order_and_stops_no_other_account() {
    let receiver = Receiver::start().await;
    let route = Route::start(&receiver.url());
    receiver.always("a1", Some(Answer::Status(503)));
    route.send(&["a1", "a2", "b1", "b2"]).await;
    while receiver.ids().iter().filter(|id| *id == "a1").count() < 4 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    receiver.always("a1", None);
    route.emptied().await;
    let of = |account: &str| -> Vec<_> {
        let ids = receiver.ids().into_iter();
        ids.filter(|id| id.starts_with(account)).collect()
    };
    assert_eq!(of("a"), ["a1", "a1", "a1", "a1", "a1", "a2"]);
    assert_eq!(of("b"), ["b1", "b2"]);
    let came = receiver.came().into_iter();
    let times: Vec<_> = came
        .filter(|came| came.id() == "a1")
        .map(|came| came.timestamp_secs())
        .collect();
    for (pair, pause) in times.windows(2).zip([5, 10, 20, 40]) {
        assert!(pair[1] - pair[0] >= pause, "{times:?}");
    }
}

/// A permanent failure is retried for a day and then becomes a dead letter. Later events
/// are delivered, and a redrive delivers the dead letter.
#[tokio::test(start_paused = true)]
async fn poison_is_tried_for_a_day_put_aside_and_redelivered() {
    let receiver = Receiver::start().await;
    let route = Route::start(&receiver.url());
    receiver.always("a2", Some(Answer::Status(400)));
    route.send(&["a1", "a2"]).await;
    route.emptied().await;
    route.send(&["a3"]).await;
    route.emptied().await;
    let dead = route.dead.messages();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].id, "a2");

    let came = receiver.came();
    let tries: Vec<_> = came.iter().filter(|came| came.id() == "a2").collect();
    assert_eq!(tries.len(), usize::try_from(Webhook::MAX_RECEIVES).unwrap());
    let first = tries.first().unwrap().timestamp_secs();
    let last = tries.last().unwrap().timestamp_secs();
    assert!(last - first >= 86_400, "{first} to {last}");
    assert_eq!(came.first().unwrap().id(), "a1");
    assert_eq!(came.last().unwrap().id(), "a3");

    receiver.always("a2", None);
    let redrive = Redrive::new(route.dead.clone(), route.queue.clone(), route.clock.clone());
    assert_eq!(redrive.run(|_| ()).await.unwrap().moved, 1);
    route.emptied().await;
    assert!(route.dead.messages().is_empty());
    let again = receiver.came();
    assert_eq!(again.len(), came.len() + 1);
    let again = again.last().unwrap();
    assert_eq!((again.id(), &again.body), ("a2", &tries[0].body));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_is_given_up_and_tried_again() {
    let receiver = Receiver::start().await;
    let clock = TestClock::new();
    let webhook = webhook_with(settings(), &receiver.url(), clock.clone()).unwrap();
    receiver.always("a1", Some(Answer::Nothing));
    let route = Route::of(webhook, clock);
    route.send(&["a1"]).await;
    while route.forwarder.stats().failed < 3 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let stats = route.forwarder.stats();
    assert!(stats.last_error.unwrap().contains("in time"));
    receiver.always("a1", None);
    route.emptied().await;
    assert!(route.dead.messages().is_empty());
    assert!(receiver.ids().len() >= 3);
}

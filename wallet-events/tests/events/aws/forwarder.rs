use std::sync::Arc;

use wallet_core::SystemClock;
use wallet_core::runtime::Backoff;
use wallet_events::{Forwarder, ForwarderSettings, Redrive};

use super::sns::Topic;
use super::*;

#[tokio::test]
async fn messages_go_from_the_queue_through_the_topic_to_a_subscriber_in_order() {
    let queue = Fifo::new("forward", &[]).await;
    let subscriber = Fifo::new("subscriber", &[]).await;
    let topic = Topic::fifo("forward").await;
    topic
        .deliver_to(&subscriber.arn, Some(r#"{"currency":["EUR"]}"#))
        .await;
    let mut sent = Vec::new();
    for number in 0..6 {
        let call: Vec<_> = "abc"
            .chars()
            .map(|group| message(&format!("{group}{number}")))
            .collect();
        assert_eq!(
            publish(&queue.publisher(), &call).await,
            vec![Published::Done; 3]
        );
        sent.extend(call);
    }
    let forwarder = Forwarder::new(
        Arc::new(queue.queue()),
        Arc::new(topic.publisher()),
        Arc::new(SystemClock),
    );
    let all_there = async {
        while forwarder.stats().forwarded < 18 {
            tokio::task::yield_now().await;
        }
    };
    forwarder.run(all_there).await;
    assert_eq!(forwarder.stats().last_error, None);
    assert_eq!(queue.receive(0).await, []);
    let mut arrived = Vec::new();
    while arrived.len() < sent.len() {
        for received in subscriber.receive(30).await {
            subscriber.queue().delete(&received.receipt).await.unwrap();
            arrived.push(received.message);
        }
    }
    // In order per group, and unchanged.
    arrived.sort_by(|one, other| one.group.cmp(&other.group));
    sent.sort_by(|one, other| one.group.cmp(&other.group));
    assert_eq!(arrived, sent);
}

#[tokio::test]
async fn what_the_topic_refuses_becomes_a_dead_letter_and_comes_back() {
    let (queue, dead) = Fifo::with_dead_letters("refused", 2).await;
    let topic = Topic::fifo("refused").await;
    let large = Message {
        body: "x".repeat(300_000),
        ..message("a1")
    };
    publish(&queue.publisher(), std::slice::from_ref(&large)).await;
    queue.send(&["a2", "b1"]).await;
    let settings = ForwarderSettings {
        workers: 1,
        retry: Backoff::new(Duration::ZERO, Duration::ZERO),
        ..ForwarderSettings::default()
    };
    let forwarder = Forwarder::new(
        Arc::new(queue.queue()),
        Arc::new(topic.publisher()),
        Arc::new(SystemClock),
    )
    .with_settings(settings);
    for left in [3, 2, 0] {
        assert_eq!(forwarder.step().await, left);
    }
    let stats = forwarder.stats();
    assert_eq!((stats.forwarded, stats.refused, stats.held_back), (1, 2, 2));

    // A later message of the same receives follows it, and both come back, although their
    // ids were sent to the queue a moment ago.
    let redrive = Redrive::new(
        Arc::new(dead.queue()),
        Arc::new(queue.publisher()),
        Arc::new(SystemClock),
    );
    let listed = redrive.list().await.unwrap();
    assert_eq!(ids(&listed), ["a1", "a2"]);
    assert_eq!(redrive.run(|_| ()).await.unwrap().moved, 2);
    assert_eq!(dead.receive(0).await, []);
    let back = queue.receive(30).await;
    assert_eq!(ids(&back), ["a1", "a2"]);
    assert_eq!(back[0].message, large);
    assert_eq!(back[1].message, message("a2"));
}

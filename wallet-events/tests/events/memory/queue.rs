use wallet_core::messaging::{Published, PublisherLimits};

use super::*;

async fn ids(queue: &MemoryQueue, seconds: u64) -> Vec<String> {
    let received = receive(queue, seconds).await.into_iter();
    received.map(|(id, _)| id).collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_is_locked_while_one_of_its_messages_is_in_hand() {
    let queue = MemoryQueue::new(clock());
    send(&queue, &["a1", "a2", "b1"]).await;
    let first = queue.receive(1, Duration::from_secs(30)).await.unwrap();
    assert_eq!(first[0].message, message("a1"));
    assert_eq!(ids(&queue, 30).await, ["b1"]);
    queue.delete(&first[0].receipt).await.unwrap();
    assert_eq!(ids(&queue, 30).await, ["a2"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_back_when_its_visibility_ends_and_counts_its_receives() {
    let queue = MemoryQueue::new(clock());
    send(&queue, &["a1"]).await;
    let first = queue.receive(1, Duration::from_secs(30)).await.unwrap();
    assert_eq!(first[0].receives, 1);
    pass(29).await;
    assert_eq!(ids(&queue, 30).await, [""; 0]);
    pass(1).await;
    let second = queue.receive(1, Duration::from_secs(30)).await.unwrap();
    assert_eq!(second[0].receives, 2);
    assert_ne!(first[0].receipt, second[0].receipt);
    assert!(queue.delete(&first[0].receipt).await.is_err());
    let zero = Duration::ZERO;
    assert!(queue.extend(&first[0].receipt, zero).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_is_received_at_once_and_in_order() {
    let queue = MemoryQueue::new(clock());
    send(&queue, &["a1", "a2"]).await;
    for (_, receipt) in receive(&queue, 30).await.into_iter().rev() {
        queue.extend(&receipt, Duration::ZERO).await.unwrap();
    }
    assert_eq!(ids(&queue, 30).await, ["a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_taken_once_in_five_minutes_even_after_its_end() {
    let queue = MemoryQueue::new(clock());
    send(&queue, &["a1", "a1"]).await;
    let received = receive(&queue, 30).await;
    assert_eq!(received.len(), 1);
    queue.delete(&received[0].1).await.unwrap();
    pass(299).await;
    send(&queue, &["a1"]).await;
    assert_eq!(names(&queue), [""; 0]);
    pass(1).await;
    send(&queue, &["a1"]).await;
    assert_eq!(names(&queue), ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn ending_a_message_twice_is_ending_it_once() {
    let queue = MemoryQueue::new(clock());
    send(&queue, &["a1"]).await;
    let received = receive(&queue, 30).await;
    queue.delete(&received[0].1).await.unwrap();
    queue.delete(&received[0].1).await.unwrap();
    assert!(queue.delete("never given").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_message_received_often_enough_goes_to_the_dead_letters() {
    let clock = clock();
    let dead = Arc::new(MemoryQueue::new(clock.clone()));
    let queue = MemoryQueue::new(clock).with_dead_letters(2, dead.clone());
    send(&queue, &["a1"]).await;
    for _ in 0..2 {
        assert_eq!(ids(&queue, 10).await, ["a1"]);
        pass(10).await;
    }
    send(&queue, &["a2"]).await;
    assert_eq!(ids(&queue, 10).await, ["a2"]);
    assert_eq!(names(&dead), ["a1"]);
    assert_eq!(dead.messages(), [message("a1")]);
}

#[tokio::test(start_paused = true)]
async fn a_receive_waits_for_a_message() {
    let clock = clock();
    let queue = Arc::new(MemoryQueue::new(clock.clone()).with_wait(Duration::from_secs(20)));
    assert_eq!(ids(&queue, 30).await, [""; 0]);
    assert_eq!(clock.elapsed(), Duration::from_secs(20));
    let (received, ()) = tokio::join!(ids(&queue, 30), async {
        pass(5).await;
        send(&queue, &["a1"]).await;
    });
    assert_eq!(received, ["a1"]);
    assert_eq!(clock.elapsed(), Duration::from_secs(25));
    // The same for a message that comes back.
    queue.extend("0-1", Duration::from_secs(3)).await.unwrap();
    assert_eq!(ids(&queue, 30).await, ["a1"]);
    assert_eq!(clock.elapsed(), Duration::from_secs(28));
}

#[tokio::test(start_paused = true)]
async fn limits_refuse_one_message_and_fail_a_call() {
    let limits = PublisherLimits {
        messages: 2,
        bytes: 60,
        keeps_order: true,
    };
    let queue = MemoryQueue::new(clock()).with_limits(limits);
    let small = |name: &str| Message {
        attributes: Vec::new(),
        ..message(name)
    };
    let large = Message {
        body: "x".repeat(100),
        ..small("a1")
    };
    let alone = queue.publish(&[large]).await.unwrap();
    assert!(matches!(alone[0], Published::Refused { .. }));
    let three = [small("a1"), small("a2"), small("a3")];
    assert!(queue.publish(&three).await.is_err());
    assert!(queue.messages().is_empty());
    assert_eq!(
        queue.publish(&three[..2]).await.unwrap(),
        [Published::Done, Published::Done]
    );
}

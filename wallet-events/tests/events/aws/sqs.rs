use super::*;

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let fifo = Fifo::new("arrives", &[]).await;
    fifo.send(&["a1"]).await;
    let received = fifo.receive(30).await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].message, message("a1"));
    assert_eq!(received[0].receives, 1);
}

#[tokio::test]
async fn a_call_takes_ten_and_each_group_arrives_in_order() {
    let fifo = Fifo::new("order", &[]).await;
    for number in 0..3 {
        let call = "abcdefghij"
            .chars()
            .map(|group| message(&format!("{group}{number}")));
        let call = call.collect::<Vec<_>>();
        assert_eq!(
            publish(&fifo.publisher(), &call).await,
            vec![Published::Done; 10]
        );
    }
    let mut all = Vec::new();
    loop {
        let received = fifo.receive(30).await;
        if received.is_empty() {
            break;
        }
        for received in received {
            fifo.queue().delete(&received.receipt).await.unwrap();
            all.push(received.message.id);
        }
    }
    assert_eq!(all.len(), 30);
    for group in "abcdefghij".chars() {
        let of_group = all.iter().filter(|id| id.starts_with(group));
        let expected: Vec<_> = (0..3).map(|number| format!("{group}{number}")).collect();
        assert!(of_group.eq(&expected), "{all:?}");
    }
}

#[tokio::test]
async fn a_group_is_locked_while_one_of_it_is_in_hand_and_given_back_in_order() {
    let fifo = Fifo::new("locked", &[]).await;
    fifo.send(&["a1", "a2", "b1"]).await;
    let first = fifo
        .queue()
        .receive(1, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(ids(&first), ["a1"]);
    assert_eq!(ids(&fifo.receive(30).await), ["b1"]);
    fifo.queue()
        .extend(&first[0].receipt, Duration::ZERO)
        .await
        .unwrap();
    let again = fifo.receive(30).await;
    assert_eq!(ids(&again), ["a1", "a2"]);
    assert_eq!(again[0].receives, 2);
}

#[tokio::test]
async fn an_id_is_delivered_once_even_after_its_end() {
    let fifo = Fifo::new("once", &[]).await;
    fifo.send(&["a1", "a1"]).await;
    let received = fifo.receive(30).await;
    assert_eq!(ids(&received), ["a1"]);
    fifo.queue().delete(&received[0].receipt).await.unwrap();
    fifo.send(&["a1"]).await;
    assert_eq!(fifo.receive(30).await, []);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_refuses_no_other() {
    let small = [(Attribute::MaximumMessageSize, "2048".to_owned())];
    let fifo = Fifo::new("large", &small).await;
    let large = |name: &str, bytes: usize| Message {
        body: "x".repeat(bytes),
        ..message(name)
    };
    // An entry of a call.
    let call = [message("a1"), large("b1", 3_000), message("c1")];
    let published = publish(&fifo.publisher(), &call).await;
    assert_eq!(published[0], Published::Done);
    assert!(matches!(&published[1], Published::Refused { reason } if reason.contains("2048")));
    assert_eq!(published[2], Published::Done);
    // A whole call.
    let call = [message("a2"), large("b2", 1_100_000), message("c2")];
    let published = publish(&fifo.publisher(), &call).await;
    assert_eq!(published[0], Published::Done);
    let Published::Refused { reason } = &published[1] else {
        panic!("{published:?}");
    };
    assert!(reason.starts_with("BatchRequestTooLong"), "{reason}");
    assert_eq!(published[2], Published::Done);
    assert_eq!(ids(&fifo.receive(30).await), ["a1", "c1", "a2", "c2"]);
}

#[tokio::test]
async fn characters_that_the_service_does_not_carry_are_refused() {
    let fifo = Fifo::new("characters", &[]).await;
    let odd = Message {
        body: "\u{1}".to_owned(),
        ..message("a1")
    };
    let published = publish(&fifo.publisher(), &[odd, message("b1")]).await;
    let Published::Refused { reason } = &published[0] else {
        panic!("{published:?}");
    };
    assert!(reason.starts_with("InvalidMessageContents"), "{reason}");
    assert_eq!(published[1], Published::Done);
}

#[tokio::test]
async fn the_largest_call_within_the_limits_is_taken() {
    let fifo = Fifo::new("full", &[]).await;
    let publisher = fifo.publisher();
    let limits = publisher.limits();
    let each = limits.bytes / limits.messages;
    let call = "abcdefghij".chars().map(|group| {
        let mut message = message(&format!("{group}1"));
        message.body = "x".repeat(each - message.bytes() + message.body.len());
        message
    });
    let call = call.collect::<Vec<_>>();
    assert_eq!(publish(&publisher, &call).await, vec![Published::Done; 10]);
}

#[tokio::test]
async fn a_smaller_queue_has_smaller_calls() {
    let fifo = Fifo::new("smaller", &[]).await;
    let limits = fifo.publisher().with_message_size(262_144).limits();
    assert_eq!(limits.bytes, 262_144 - 1_024);
    let limits = fifo.publisher().with_message_size(usize::MAX).limits();
    assert_eq!(limits.bytes, 1_048_576 - 1_024);
}

#[tokio::test]
async fn a_missing_queue_fails_the_call_and_refuses_nothing() {
    let url = format!("{}/000000000000/wallet-none.fifo", shared_aws());
    let publisher = SqsPublisher::new(sqs(), &url).unwrap();
    for call in [&[message("a1")][..], &[message("a1"), message("b1")]] {
        let error = publisher.publish(call).await.unwrap_err();
        assert!(error.to_string().contains("NonExistentQueue"), "{error}");
    }
    let queue = SqsQueue::new(sqs(), url).unwrap();
    assert!(queue.receive(1, Duration::from_secs(1)).await.is_err());
}

#[tokio::test]
async fn a_stale_receipt_is_an_error_and_said_to_be_one() {
    let fifo = Fifo::new("stale", &[]).await;
    fifo.send(&["a1"]).await;
    let first = fifo.receive(0).await;
    let second = fifo.receive(30).await;
    assert_eq!(ids(&second), ["a1"]);
    let (stale, queue) = (&first[0].receipt, fifo.queue());
    for result in [
        queue.delete(stale).await,
        queue.extend(stale, Duration::ZERO).await,
    ] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("no longer in the caller's hands"), "{error}");
    }
    queue.delete(&second[0].receipt).await.unwrap();
}

#[tokio::test]
async fn a_receive_waits_for_a_message_longer_than_an_attempt_may_take() {
    let fifo = Fifo::new("waits", &[]).await;
    let timeouts = wallet_events::aws::Timeouts {
        attempt: Duration::from_secs(2),
        call: Duration::from_secs(2),
    };
    let queue = fifo
        .waiting()
        .with_wait(Duration::from_secs(3))
        .with_timeouts(timeouts);
    assert_eq!(
        queue.receive(10, Duration::from_secs(30)).await.unwrap(),
        []
    );
    let receive = queue.receive(10, Duration::from_secs(30));
    let (received, ()) = tokio::join!(receive, fifo.send(&["a1"]));
    assert_eq!(ids(&received.unwrap()), ["a1"]);
}

#[tokio::test]
async fn after_as_many_receives_as_allowed_a_message_is_a_dead_letter() {
    let (queue, dead) = Fifo::with_dead_letters("dead", 2).await;
    queue.send(&["a1"]).await;
    for receives in 1..=2 {
        let received = queue.receive(0).await;
        assert_eq!(ids(&received), ["a1"]);
        assert_eq!(received[0].receives, receives);
    }
    assert_eq!(queue.receive(0).await, []);
    let received = dead.receive(30).await;
    assert_eq!(received[0].message, message("a1"));
}

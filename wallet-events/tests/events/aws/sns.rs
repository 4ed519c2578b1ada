use wallet_events::aws::SnsPublisher;

use super::*;

/// A topic for one test.
pub(crate) struct Topic {
    client: aws_sdk_sns::Client,
    arn: String,
}

impl Topic {
    pub(crate) async fn fifo(name: &str) -> Self {
        let client = sns();
        let create = client.create_topic().name(unique(name));
        let create = create.attributes("FifoTopic", "true").send().await;
        let arn = create.unwrap().topic_arn.unwrap();
        Self { client, arn }
    }

    async fn standard(name: &str) -> Self {
        let client = sns();
        let name = unique(name).replace('.', "-");
        let create = client.create_topic().name(name).send().await;
        let arn = create.unwrap().topic_arn.unwrap();
        Self { client, arn }
    }

    /// Subscribes a queue with raw delivery, by attributes if need be.
    pub(crate) async fn deliver_to(&self, queue_arn: &str, filter: Option<&str>) {
        let subscribe = self.client.subscribe().topic_arn(&self.arn);
        let subscribe = subscribe.protocol("sqs").endpoint(queue_arn);
        let mut subscribe = subscribe.attributes("RawMessageDelivery", "true");
        if let Some(filter) = filter {
            subscribe = subscribe.attributes("FilterPolicy", filter);
        }
        subscribe.send().await.unwrap();
    }

    pub(crate) fn publisher(&self) -> SnsPublisher {
        SnsPublisher::fifo(self.client.clone(), &self.arn).unwrap()
    }
}

fn in_currency(name: &str, currency: &str) -> Message {
    let mut message = message(name);
    currency.clone_into(&mut message.attributes[0].1);
    message
}

#[tokio::test]
async fn a_fifo_topic_delivers_to_fifo_queues_by_their_filters() {
    let topic = Topic::fifo("filters").await;
    let all = Fifo::new("all", &[]).await;
    let euros = Fifo::new("euros", &[]).await;
    topic.deliver_to(&all.arn, None).await;
    topic
        .deliver_to(&euros.arn, Some(r#"{"currency":["EUR"]}"#))
        .await;
    let publisher = topic.publisher();
    for (name, currency) in [("a1", "EUR"), ("a2", "BTC"), ("a3", "EUR"), ("a3", "EUR")] {
        let call = [in_currency(name, currency)];
        assert_eq!(publish(&publisher, &call).await, [Published::Done]);
    }
    assert_eq!(ids(&all.receive(30).await), ["a1", "a2", "a3"]);
    let received = euros.receive(30).await;
    assert_eq!(ids(&received), ["a1", "a3"]);
    // Attributes, group and body arrive unchanged.
    assert_eq!(received[0].message, message("a1"));
}

#[tokio::test]
async fn a_call_takes_ten_and_refuses_only_what_is_too_large() {
    let topic = Topic::fifo("ten").await;
    let queue = Fifo::new("ten", &[]).await;
    topic.deliver_to(&queue.arn, None).await;
    let mut call: Vec<_> = "abcdefghij"
        .chars()
        .map(|group| message(&format!("{group}1")))
        .collect();
    call[4].body = "x".repeat(300_000);
    let published = publish(&topic.publisher(), &call).await;
    for (index, published) in published.iter().enumerate() {
        let is_refused = matches!(published, Published::Refused { .. });
        assert_eq!(is_refused, index == 4, "{published:?}");
    }
    assert_eq!(queue.receive(30).await.len(), 9);
}

#[tokio::test]
async fn a_standard_topic_takes_messages_without_a_group() {
    let topic = Topic::standard("standard").await;
    assert!(SnsPublisher::fifo(sns(), &topic.arn).is_err());
    let to = SnsPublisher::standard(sns(), &topic.arn);
    let published = publish(&to, &[message("a1"), message("a2")]).await;
    assert_eq!(published, [Published::Done, Published::Done]);
}

#[tokio::test]
async fn a_missing_topic_fails_the_call_and_refuses_nothing() {
    let arn = "arn:aws:sns:eu-central-1:000000000000:wallet-none.fifo";
    let publisher = SnsPublisher::fifo(sns(), arn).unwrap();
    let error = publisher.publish(&[message("a1")]).await.unwrap_err();
    assert!(error.to_string().contains("NotFound"), "{error}");
}

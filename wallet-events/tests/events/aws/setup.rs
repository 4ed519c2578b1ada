//! Creates queues, topics and subscriptions, also if some of them exist.

use std::collections::HashMap;

use serde_json::{Value, json};
use wallet_events::aws::SnsPublisher;
use wallet_events::aws::setup::{
    FifoQueue, QueueSettings, TopicSettings, create_queue, create_topic, subscribe,
};

use super::scripted::Scripted;
use super::*;

async fn attributes(url: &str) -> HashMap<Attribute, String> {
    let client = sqs();
    let answer = client.get_queue_attributes().queue_url(url);
    let answer = answer.attribute_names(Attribute::All).send().await;
    answer.unwrap().attributes.unwrap()
}

fn assert_is_sound(found: &HashMap<Attribute, String>) {
    for (attribute, due) in [
        (Attribute::FifoQueue, "true"),
        (Attribute::ContentBasedDeduplication, "false"),
        (Attribute::DeduplicationScope, "messageGroup"),
        (Attribute::FifoThroughputLimit, "perMessageGroupId"),
        (Attribute::MessageRetentionPeriod, "1209600"),
    ] {
        let value = found.get(&attribute).map(String::as_str);
        assert_eq!(value, Some(due), "{attribute}");
    }
}

fn redrive(queue: &FifoQueue, max_receives: u32) -> Value {
    json!({ "deadLetterTargetArn": queue.dead_letters_arn, "maxReceiveCount": max_receives })
}

fn parsed(found: &HashMap<Attribute, String>, attribute: &Attribute) -> Value {
    serde_json::from_str(&found[attribute]).unwrap()
}

async fn subscription(arn: &str) -> HashMap<String, String> {
    let client = sns();
    let answer = client.get_subscription_attributes().subscription_arn(arn);
    answer.send().await.unwrap().attributes.unwrap()
}

#[tokio::test]
async fn a_queue_has_high_throughput_and_dead_letters() {
    let mut settings = QueueSettings::new(unique("made"));
    settings.max_receives = 7;
    let queue = create_queue(&sqs(), &settings).await.unwrap();
    let again = create_queue(&sqs(), &settings).await.unwrap();
    assert_eq!(queue, again);
    let found = attributes(&queue.url).await;
    assert_is_sound(&found);
    assert_eq!(
        parsed(&found, &Attribute::RedrivePolicy),
        redrive(&queue, 7)
    );
    assert_is_sound(&attributes(&queue.dead_letters_url).await);
    assert!(queue.dead_letters_arn.ends_with("-dead.fifo"));
    let error = create_queue(&sqs(), &QueueSettings::new("standard")).await;
    assert!(error.is_err(), "it would keep no order");
}

#[tokio::test]
async fn of_a_queue_that_is_there_what_is_missing_is_set_and_the_rest_left() {
    let own = [
        (Attribute::VisibilityTimeout, "45".to_owned()),
        (Attribute::DeduplicationScope, "queue".to_owned()),
    ];
    let fifo = Fifo::new("there", &own).await;
    let name = fifo.url.rsplit('/').next().unwrap();
    let mut settings = QueueSettings::new(name);
    settings.kms_key = Some("alias/wallet".to_owned());
    let queue = create_queue(&sqs(), &settings).await.unwrap();
    assert_eq!(queue.arn, fifo.arn);
    let found = attributes(&queue.url).await;
    assert_is_sound(&found);
    assert_eq!(found[&Attribute::VisibilityTimeout], "45");
    assert_eq!(found[&Attribute::KmsMasterKeyId], "alias/wallet");
    assert_eq!(
        parsed(&found, &Attribute::RedrivePolicy),
        redrive(&queue, 5)
    );
}

#[tokio::test]
async fn the_throughput_of_a_topic_is_by_group_also_of_one_that_is_there() {
    for is_there in [false, true] {
        let settings = TopicSettings::new(unique("scope"));
        if is_there {
            let client = sns();
            let create = client.create_topic().name(&settings.name);
            create.attributes("FifoTopic", "true").send().await.unwrap();
        }
        for _ in 0..2 {
            let arn = create_topic(&sns(), &settings).await.unwrap();
            let client = sns();
            let answer = client.get_topic_attributes().topic_arn(arn).send().await;
            let answer = answer.unwrap().attributes.unwrap();
            assert_eq!(answer["FifoThroughputScope"], "MessageGroup");
            assert_eq!(answer["FifoTopic"], "true");
            assert_eq!(answer["ContentBasedDeduplication"], "false");
        }
    }
    let standard = create_topic(&sns(), &TopicSettings::new("standard")).await;
    assert!(standard.is_err());
}

/// The queues accept only the senders that their policy names. Without a statement for
/// the topic nothing is delivered.
#[tokio::test]
async fn a_subscription_delivers_raw_and_names_its_dead_letters() {
    let topic = TopicSettings::new(unique("redrive"));
    let topic = create_topic(&sns(), &topic).await.unwrap();
    let queue = QueueSettings::new(unique("redrive"));
    let queue = create_queue(&sqs(), &queue).await.unwrap();
    let own = json!({ "Version": "2012-10-17", "Statement": {
        "Sid": "own", "Effect": "Allow", "Action": "sqs:SendMessage",
        "Principal": { "AWS": "arn:aws:iam::999999999999:root" }, "Resource": queue.arn } });
    for url in [&queue.url, &queue.dead_letters_url] {
        let client = sqs();
        let set = client.set_queue_attributes().queue_url(url);
        let set = set.attributes(Attribute::Policy, own.to_string());
        set.send().await.unwrap();
    }
    let filter = r#"{"currency":["EUR"]}"#;
    let arn = subscribe(&sns(), &sqs(), &topic, &queue, Some(filter)).await;
    let arn = arn.unwrap();
    let again = subscribe(&sns(), &sqs(), &topic, &queue, Some(filter)).await;
    assert_eq!(again.unwrap(), arn);
    let found = subscription(&arn).await;
    assert_eq!(found["RawMessageDelivery"], "true");
    let due = json!({ "deadLetterTargetArn": queue.dead_letters_arn });
    let policy: Value = serde_json::from_str(&found["RedrivePolicy"]).unwrap();
    assert_eq!(policy, due);
    for url in [&queue.url, &queue.dead_letters_url] {
        let policy = parsed(&attributes(url).await, &Attribute::Policy);
        let statements = policy["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 2, "{policy}");
        let ours = &statements[1];
        assert_eq!(ours["Condition"]["ArnEquals"]["aws:SourceArn"], topic);
        assert_eq!(ours["Principal"]["Service"], "sns.amazonaws.com");
    }
    let publisher = SnsPublisher::fifo(sns(), &topic).unwrap();
    let mut other = message("b1");
    "BTC".clone_into(&mut other.attributes[0].1);
    for call in [message("a1"), other] {
        assert_eq!(publish(&publisher, &[call]).await, [Published::Done]);
    }
    let subscriber = SqsQueue::new(sqs(), &queue.url).unwrap();
    let subscriber = subscriber.with_wait(Duration::ZERO);
    let received = subscriber.receive(10, Duration::from_secs(30)).await;
    assert_eq!(received.unwrap()[0].message, message("a1"));
}

#[tokio::test]
async fn a_subscription_that_lacks_its_dead_letters_gets_them() {
    let topic = TopicSettings::new(unique("lacks"));
    let topic = create_topic(&sns(), &topic).await.unwrap();
    let queue = QueueSettings::new(unique("lacks"));
    let queue = create_queue(&sqs(), &queue).await.unwrap();
    let client = sns();
    let own = client.subscribe().topic_arn(&topic).protocol("sqs");
    let own = own.endpoint(&queue.arn).send().await.unwrap();
    let arn = subscribe(&sns(), &sqs(), &topic, &queue, None).await;
    assert_eq!(own.subscription_arn, Some(arn.unwrap()));
    let found = subscription(&own.subscription_arn.unwrap()).await;
    assert!(found["RedrivePolicy"].contains(&queue.dead_letters_arn));
    assert_eq!(found["RawMessageDelivery"], "true");
    assert_eq!(found.get("FilterPolicy"), None);
}

/// A FIFO topic accepts no standard queue.
#[tokio::test]
async fn dead_letters_of_a_subscription_are_a_fifo_queue() {
    let queue = FifoQueue {
        url: String::new(),
        arn: "arn:aws:sqs:eu-central-1:000000000000:q.fifo".to_owned(),
        dead_letters_url: String::new(),
        dead_letters_arn: "arn:aws:sqs:eu-central-1:000000000000:q-dead".to_owned(),
    };
    let topic = "arn:aws:sns:eu-central-1:000000000000:t.fifo";
    let error = subscribe(&sns(), &sqs(), topic, &queue, None).await;
    let error = std::error::Error::source(&error.unwrap_err()).map(ToString::to_string);
    assert!(error.unwrap().contains("q-dead is not FIFO"));
}

const ERROR: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>\
    <Message>there is one with other attributes</Message></Error></ErrorResponse>";

/// The service returns this error where the emulator returns the existing resource.
#[tokio::test]
async fn what_is_there_with_other_attributes_is_found_by_its_name() {
    let topic = "arn:aws:sns:eu-central-1:000000000000:t.fifo";
    let created = format!(
        "<CreateTopicResponse><CreateTopicResult><TopicArn>{topic}</TopicArn>\
         </CreateTopicResult></CreateTopicResponse>"
    );
    let answer = "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry>\
        <key>ContentBasedDeduplication</key><value>false</value></entry><entry>\
        <key>FifoThroughputScope</key><value>Topic</value></entry></Attributes>\
        </GetTopicAttributesResult></GetTopicAttributesResponse>";
    let set = "<SetTopicAttributesResponse/>";
    let server = Scripted::start(&[
        (400, ERROR),
        (200, created.as_str()),
        (200, answer),
        (200, set),
    ])
    .await;
    let client = client!(aws_sdk_sns, &server.endpoint);
    let made = create_topic(&client, &TopicSettings::new("t.fifo")).await;
    assert_eq!(made.unwrap(), topic);
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[0].contains("FifoThroughputScope") && !asked[1].contains("FifoThroughputScope"));
    assert!(asked[3].contains("FifoThroughputScope") && asked[3].contains("MessageGroup"));

    let queue = FifoQueue {
        url: "http://127.0.0.1:1/q.fifo".to_owned(),
        arn: "arn:aws:sqs:eu-central-1:000000000000:q.fifo".to_owned(),
        dead_letters_url: "http://127.0.0.1:1/q-dead.fifo".to_owned(),
        dead_letters_arn: "arn:aws:sqs:eu-central-1:000000000000:q-dead.fifo".to_owned(),
    };
    let queues = Scripted::start(&[(200, r#"{"Attributes":{}}"#)]).await;
    let sqs = client!(aws_sdk_sqs, &queues.endpoint);
    let page = |endpoint: &str, next: &str| {
        format!(
            "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>\
             <member><SubscriptionArn>{topic}:7</SubscriptionArn><Endpoint>{endpoint}</Endpoint>\
             </member></Subscriptions>{next}</ListSubscriptionsByTopicResult>\
             </ListSubscriptionsByTopicResponse>"
        )
    };
    let first = page("arn:other", "<NextToken>more</NextToken>");
    let second = page(&queue.arn, "");
    let answer = "<GetSubscriptionAttributesResponse><GetSubscriptionAttributesResult><Attributes>\
        <entry><key>RawMessageDelivery</key><value>true</value></entry></Attributes>\
        </GetSubscriptionAttributesResult></GetSubscriptionAttributesResponse>";
    let set = "<SetSubscriptionAttributesResponse/>";
    let answers = [
        (400, ERROR),
        (200, first.as_str()),
        (200, second.as_str()),
        (200, answer),
        (200, set),
    ];
    let server = Scripted::start(&answers).await;
    let client = client!(aws_sdk_sns, &server.endpoint);
    let arn = subscribe(&client, &sqs, topic, &queue, None).await.unwrap();
    assert_eq!(arn, format!("{topic}:7"));
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    assert!(asked[4].contains("RedrivePolicy") && asked[4].contains("q-dead.fifo"));
    // If no such resource exists, the service's error is returned.
    let server = Scripted::start(&[(400, ERROR), (200, &page("arn:other", ""))]).await;
    let client = client!(aws_sdk_sns, &server.endpoint);
    assert!(subscribe(&client, &sqs, topic, &queue, None).await.is_err());
}

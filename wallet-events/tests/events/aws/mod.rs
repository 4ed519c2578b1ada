//! The adapters over the wire, on an emulator of Amazon SQS and SNS.

mod batches;
mod conformance;
mod forwarder;
mod scripted;
mod setup;
mod sns;
mod sqs;
mod timeouts;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use wallet_core::messaging::{EventPublisher, Message, MessageQueue, Published, Received};
use wallet_events::aws::{SqsPublisher, SqsQueue};
use wallet_test_servers::shared_aws;

/// A client of one of the two SDKs for an endpoint.
macro_rules! client {
    ($sdk:ident, $endpoint:expr) => {{
        let config = $sdk::Config::builder()
            .behavior_version_latest()
            .region($sdk::config::Region::new("eu-central-1"))
            .credentials_provider($sdk::config::Credentials::new(
                "test", "test", None, None, "test",
            ))
            .endpoint_url($endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        $sdk::Client::from_conf(config)
    }};
}
pub(crate) use client;

fn sqs() -> aws_sdk_sqs::Client {
    client!(aws_sdk_sqs, shared_aws())
}

fn sns() -> aws_sdk_sns::Client {
    client!(aws_sdk_sns, shared_aws())
}

/// A name that no other test uses.
fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!("wallet-{name}-{process}-{number}.fifo")
}

/// A FIFO queue for one test.
struct Fifo {
    client: aws_sdk_sqs::Client,
    url: String,
    arn: String,
}

impl Fifo {
    async fn new(name: &str, settings: &[(Attribute, String)]) -> Self {
        let client = sqs();
        let mut create = client.create_queue().queue_name(unique(name));
        create = create.attributes(Attribute::FifoQueue, "true");
        for (name, value) in settings {
            create = create.attributes(name.clone(), value);
        }
        let url = create.send().await.unwrap().queue_url.unwrap();
        let answer = client.get_queue_attributes().queue_url(&url);
        let answer = answer.attribute_names(Attribute::QueueArn).send().await;
        let arn = answer.unwrap().attributes.unwrap()[&Attribute::QueueArn].clone();
        Self { client, url, arn }
    }

    async fn with_dead_letters(name: &str, max_receives: u32) -> (Self, Self) {
        let dead = Self::new(name, &[]).await;
        let policy = format!(
            r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"{max_receives}"}}"#,
            dead.arn
        );
        let queue = Self::new(name, &[(Attribute::RedrivePolicy, policy)]).await;
        (queue, dead)
    }

    fn publisher(&self) -> SqsPublisher {
        SqsPublisher::new(self.client.clone(), &self.url).unwrap()
    }

    /// A queue without long polling.
    fn queue(&self) -> SqsQueue {
        let queue = SqsQueue::new(self.client.clone(), &self.url).unwrap();
        queue.with_wait(Duration::ZERO)
    }

    /// Waits for a message as long as the service allows.
    fn waiting(&self) -> SqsQueue {
        SqsQueue::new(self.client.clone(), &self.url).unwrap()
    }

    async fn send(&self, names: &[&str]) {
        for name in names {
            assert_eq!(
                publish(&self.publisher(), &[message(name)]).await,
                [Published::Done]
            );
        }
    }

    async fn receive(&self, seconds: u64) -> Vec<Received> {
        let visibility = Duration::from_secs(seconds);
        self.queue().receive(10, visibility).await.unwrap()
    }
}

/// A message of the group that its name begins with.
fn message(name: &str) -> Message {
    let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Message {
        id: name.to_owned(),
        group: name.chars().take(1).collect(),
        attributes: vec![
            attribute("currency", "EUR"),
            attribute("type", "wallet.account.credited.v1"),
        ],
        body: format!("{{\"name\":\"{name}\",\"text\":\"Grüße, 日本\"}}"),
    }
}

async fn publish(publisher: &dyn EventPublisher, messages: &[Message]) -> Vec<Published> {
    publisher.publish(messages).await.unwrap()
}

fn ids(received: &[Received]) -> Vec<&str> {
    let ids = received.iter();
    ids.map(|received| received.message.id.as_str()).collect()
}

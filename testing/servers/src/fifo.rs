//! FIFO queues on the emulator of Amazon SQS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use wallet_core::messaging::{EventPublisher, Message, MessageQueue, Published};
use wallet_events::aws::{SqsPublisher, SqsQueue};

/// The environment variables with the address of the emulator.
#[must_use]
pub fn environment() -> [(&'static str, String); 4] {
    [
        ("AWS_ENDPOINT_URL", crate::shared_aws().to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ]
}

/// A FIFO queue for one test.
#[derive(Debug)]
pub struct Queue {
    /// The URL of the queue.
    pub url: String,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Queue {
    /// Creates a queue; its name begins with `wallet-` and `name`.
    ///
    /// # Panics
    /// If the emulator refuses it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wallet-{name}-{}-{number}.fifo", std::process::id());
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(crate::shared_aws())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let client = Client::from_conf(config);
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        let create = client.create_queue().queue_name(name);
        let create = create.attributes(QueueAttributeName::FifoQueue, "true");
        let created = runtime
            .block_on(create.send())
            .expect("the emulator makes a queue");
        let url = created.queue_url.expect("its address");
        Self {
            url,
            client,
            runtime,
        }
    }

    /// Sends each message in its own call.
    ///
    /// # Panics
    /// If a message is refused.
    pub fn send(&self, messages: &[Message]) {
        let publisher = SqsPublisher::new(self.client.clone(), &self.url).expect("a FIFO queue");
        let publisher: Arc<dyn EventPublisher> = Arc::new(publisher);
        for message in messages {
            let sent = publisher.publish(std::slice::from_ref(message));
            let sent = self.runtime.block_on(sent).expect("the message is sent");
            assert_eq!(sent, [Published::Done]);
        }
    }

    /// Receives and deletes all messages.
    ///
    /// # Panics
    /// If the emulator fails.
    #[must_use]
    pub fn take_all(&self) -> Vec<Message> {
        let queue = SqsQueue::new(self.client.clone(), &self.url).expect("a FIFO queue");
        let queue = queue.with_wait(Duration::from_secs(1));
        self.runtime.block_on(async {
            let mut all = Vec::new();
            loop {
                let received = queue
                    .receive(10, Duration::from_secs(60))
                    .await
                    .expect("the emulator answers");
                if received.is_empty() {
                    return all;
                }
                for received in received {
                    queue
                        .delete(&received.receipt)
                        .await
                        .expect("the emulator answers");
                    all.push(received.message);
                }
            }
        })
    }
}

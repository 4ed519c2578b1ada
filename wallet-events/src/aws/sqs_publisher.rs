use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use wallet_core::messaging::{
    DeliveryError, EVENT_ID, EventPublisher, Message, Published, PublisherLimits,
};

use super::call::{self, Call, by_index, silent};
use super::error::{self, Answer, CallError, NotFifo};
use super::timeouts::{self, Timeouts};

/// The most bytes of one call to a queue, unless the queue is configured for less.
const BYTES_MAX: usize = 1_048_576;
/// Bytes that ten ids add under their longer attribute name, beyond the estimate of
/// [`Message::bytes`]; rounded up.
const RESERVED: usize = 1_024;

/// Publishes to a FIFO queue on Amazon SQS, ten messages a call.
///
/// A message's group is its `MessageGroupId` and its id the `MessageDeduplicationId`. The
/// queue drops a message with an id that it received within the last five minutes, even
/// if the first message is deleted. Attributes become message attributes of type
/// `String`; none may be empty. The id is one more of them, named
/// [`EVENT_ID`](crate::EVENT_ID).
///
/// A queue may refuse one message of a call and accept later ones. The caller therefore
/// keeps order within a group: one message of a group per call.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use wallet_core::messaging::EventPublisher;
/// use wallet_events::aws::SqsPublisher;
///
/// # fn publisher(client: aws_sdk_sqs::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/wallet-events.fifo";
/// let publisher: Arc<dyn EventPublisher> = Arc::new(SqsPublisher::new(client, url)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqsPublisher {
    client: Client,
    url: String,
    bytes: usize,
    timeouts: Timeouts,
}

impl SqsPublisher {
    /// Publishes to the queue of this URL.
    ///
    /// # Errors
    /// [`NotFifo`].
    pub fn new(client: Client, queue_url: impl Into<String>) -> Result<Self, NotFifo> {
        Ok(Self {
            client,
            url: error::fifo(queue_url)?,
            bytes: BYTES_MAX,
            timeouts: Timeouts::default(),
        })
    }

    /// The same for a queue with a `MaximumMessageSize` below 1 MiB, such as 262,144
    /// bytes, the maximum before 2025. The limit holds for all messages of a call
    /// together; above it they are sent one by one.
    #[must_use]
    pub const fn with_message_size(mut self, bytes: usize) -> Self {
        self.bytes = if bytes < BYTES_MAX { bytes } else { BYTES_MAX };
        self
    }

    /// The same with other timeouts.
    #[must_use]
    pub const fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}

#[async_trait]
impl EventPublisher for SqsPublisher {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            messages: 10,
            bytes: self.bytes.saturating_sub(RESERVED),
            keeps_order: false,
        }
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        call::publish(self, messages).await
    }
}

#[async_trait]
impl Call for SqsPublisher {
    async fn call(&self, messages: &[Message]) -> Result<Vec<Published>, CallError> {
        let entries = messages.iter().enumerate();
        let entries = entries.map(|(index, message)| entry_of(index, message));
        let entries = entries.collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| error::call(Answer::default(), error))?;
        let answer = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .customize()
            .config_override(timeouts::config!(aws_sdk_sqs, self.timeouts))
            .send()
            .await;
        let answer = answer.map_err(|error| {
            let code = error.code().map(str::to_owned);
            let text = error.message().map(str::to_owned);
            let status = error.raw_response().map(|raw| raw.status().as_u16());
            let answer = Answer {
                code: code.as_deref(),
                text: text.as_deref(),
                status,
            };
            error::call(answer, error)
        })?;
        let done = answer.successful.into_iter();
        let done = done.map(|entry| (entry.id, Published::Done));
        let failed = answer.failed.into_iter().map(|entry| {
            let text = entry.message.as_deref();
            let published = error::entry(entry.sender_fault, &entry.code, text);
            (entry.id, published)
        });
        Ok(by_index(messages.len(), done.chain(failed), silent))
    }
}

fn entry_of(index: usize, message: &Message) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_group_id(&message.group)
        .message_deduplication_id(&message.id)
        .message_body(&message.body)
        .message_attributes(EVENT_ID, text(message.event_id())?);
    for (name, value) in &message.attributes {
        entry = entry.message_attributes(name, text(value)?);
    }
    entry.build()
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    let attribute = MessageAttributeValue::builder().data_type("String");
    attribute.string_value(value).build()
}

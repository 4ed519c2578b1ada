use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use wallet_core::messaging::{
    DeliveryError, EVENT_ID, EventPublisher, Message, Published, PublisherLimits,
};

use super::call::{self, Call, by_index, silent};
use super::error::{self, Answer, CallError, NotFifo};
use super::timeouts::{self, Timeouts};

/// The bytes of one call to a topic: a quarter of a queue's. The extra bytes of ten ids
/// under their longer attribute name, which [`Message::bytes`] does not count, are
/// subtracted.
const LIMITS: PublisherLimits = PublisherLimits {
    messages: 10,
    bytes: 262_144 - 1_024,
    keeps_order: false,
};

/// Publishes to a topic on Amazon SNS, ten messages a call.
///
/// Attributes become message attributes of type `String`; none may be empty.
/// Subscriptions filter by them. The id is one more of them, named
/// [`EVENT_ID`](crate::EVENT_ID). A FIFO topic keeps order by group and drops a message
/// with an id that it received within the last five minutes. A standard topic does
/// neither; its subscribers use the version in the event.
///
/// ```no_run
/// use wallet_events::aws::SnsPublisher;
///
/// # fn publisher(client: aws_sdk_sns::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let topic = "arn:aws:sns:eu-central-1:123456789012:wallet-events.fifo";
/// let publisher = SnsPublisher::fifo(client, topic)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SnsPublisher {
    client: Client,
    arn: String,
    timeouts: Timeouts,
}

impl SnsPublisher {
    /// Publishes to the FIFO topic of this ARN.
    ///
    /// # Errors
    /// [`NotFifo`].
    pub fn fifo(client: Client, topic_arn: impl Into<String>) -> Result<Self, NotFifo> {
        error::fifo(topic_arn).map(|arn| Self::new(client, arn))
    }

    /// Publishes to the standard topic of this ARN. A standard topic keeps no order.
    pub fn standard(client: Client, topic_arn: impl Into<String>) -> Self {
        Self::new(client, topic_arn.into())
    }

    fn new(client: Client, arn: String) -> Self {
        Self {
            client,
            arn,
            timeouts: Timeouts::default(),
        }
    }

    /// The same with other timeouts.
    #[must_use]
    pub const fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    fn entry_of(
        &self,
        index: usize,
        message: &Message,
    ) -> Result<PublishBatchRequestEntry, BuildError> {
        let mut entry = PublishBatchRequestEntry::builder()
            .id(index.to_string())
            .message(&message.body)
            .message_attributes(EVENT_ID, text(message.event_id())?);
        for (name, value) in &message.attributes {
            entry = entry.message_attributes(name, text(value)?);
        }
        // A standard topic accepts neither group nor deduplication id.
        if error::is_fifo(&self.arn) {
            entry = entry
                .message_group_id(&message.group)
                .message_deduplication_id(&message.id);
        }
        entry.build()
    }
}

#[async_trait]
impl EventPublisher for SnsPublisher {
    fn limits(&self) -> PublisherLimits {
        LIMITS
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        call::publish(self, messages).await
    }
}

#[async_trait]
impl Call for SnsPublisher {
    async fn call(&self, messages: &[Message]) -> Result<Vec<Published>, CallError> {
        let entries = messages.iter().enumerate();
        let entries = entries.map(|(index, message)| self.entry_of(index, message));
        let entries = entries.collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| error::call(Answer::default(), error))?;
        let answer = self
            .client
            .publish_batch()
            .topic_arn(&self.arn)
            .set_publish_batch_request_entries(Some(entries))
            .customize()
            .config_override(timeouts::config!(aws_sdk_sns, self.timeouts))
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
        let done = answer.successful.unwrap_or_default().into_iter();
        let done = done.filter_map(|entry| Some((entry.id?, Published::Done)));
        let failed = answer.failed.unwrap_or_default().into_iter().map(|entry| {
            let text = entry.message.as_deref();
            let published = error::entry(entry.sender_fault, &entry.code, text);
            (entry.id, published)
        });
        Ok(by_index(messages.len(), done.chain(failed), silent))
    }
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    let attribute = MessageAttributeValue::builder().data_type("String");
    attribute.string_value(value).build()
}

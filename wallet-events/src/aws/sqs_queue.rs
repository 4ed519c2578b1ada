use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message as SqsMessage, MessageAttributeValue,
    MessageSystemAttributeName as Named,
};
use futures_util::future::join_all;
use wallet_core::messaging::{DeliveryError, Message, MessageQueue, Received};
use wallet_core::runtime::{IdGenerator, Uuid7};

use super::call::by_index;
use super::error::{self, NotFifo};
use super::timeouts::{self, Timeouts};
use crate::identity::split;

/// The most messages that a queue returns in one receive call.
const MESSAGES_MAX: u32 = 10;
/// The most messages that one delete call takes.
const DELETES_MAX: usize = 10;
const DELETING: &str = "deleting";
/// How long a receive call waits for a message (long polling).
const WAIT_MAX: Duration = Duration::from_secs(20);

/// A FIFO queue on Amazon SQS, read with long polling.
///
/// [`Message::id`] is the attribute [`EVENT_ID`](crate::EVENT_ID), or the
/// `MessageDeduplicationId` of messages without it. Attributes of the types `String` and
/// `Number` are returned; others are left out.
///
/// If the answer of a receive is lost, the SDK repeats it under the same
/// `ReceiveRequestAttemptId`. The repetition returns the same messages; without it their
/// groups would stay locked until the visibility timeout ends. Durations are whole
/// seconds, rounded up. The visibility timeout ends at most twelve hours after the
/// receive.
///
/// ```no_run
/// use std::time::Duration;
///
/// use wallet_core::messaging::MessageQueue;
/// use wallet_events::aws::SqsQueue;
///
/// # async fn receive(client: aws_sdk_sqs::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/wallet-events.fifo";
/// let queue = SqsQueue::new(client, url)?;
/// for received in queue.receive(10, Duration::from_secs(30)).await? {
///     println!("{}", received.message.body);
///     queue.delete(&received.receipt).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
    wait: Duration,
    timeouts: Timeouts,
    ids: Arc<dyn IdGenerator>,
}

impl SqsQueue {
    /// The queue of this URL, with long polling of 20 seconds.
    ///
    /// # Errors
    /// [`NotFifo`].
    pub fn new(client: Client, queue_url: impl Into<String>) -> Result<Self, NotFifo> {
        Ok(Self {
            client,
            url: error::fifo(queue_url)?,
            wait: WAIT_MAX,
            timeouts: Timeouts::default(),
            ids: Arc::new(Uuid7),
        })
    }

    /// The same with another long polling time: at most 20 seconds.
    #[must_use]
    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait.min(WAIT_MAX);
        self
    }

    /// The same with other timeouts; the long polling time is added to them.
    #[must_use]
    pub const fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same with ids of receives from another source than [`Uuid7`].
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }
}

#[async_trait]
impl MessageQueue for SqsQueue {
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError> {
        let limit = i32::try_from(limit.clamp(1, MESSAGES_MAX)).unwrap_or(1);
        let timeouts = self.timeouts.and(self.wait);
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(limit)
            .visibility_timeout(seconds(visibility))
            .wait_time_seconds(seconds(self.wait))
            .receive_request_attempt_id(self.ids.new_id().to_string())
            .message_attribute_names("All")
            .message_system_attribute_names(Named::MessageGroupId)
            .message_system_attribute_names(Named::MessageDeduplicationId)
            .message_system_attribute_names(Named::ApproximateReceiveCount)
            .customize()
            .config_override(timeouts::config!(aws_sdk_sqs, timeouts))
            .send()
            .await;
        let answer = answer.map_err(|error| {
            let code = error.code().map(str::to_owned);
            error::queue("receiving", code.as_deref(), error)
        })?;
        let messages = answer.messages.unwrap_or_default();
        Ok(messages.into_iter().map(received).collect())
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        let answer = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(seconds(visibility))
            .customize()
            .config_override(timeouts::config!(aws_sdk_sqs, self.timeouts))
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let code = error.code().map(str::to_owned);
            error::queue("changing visibility", code.as_deref(), error)
        })
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        let answer = self
            .client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .customize()
            .config_override(timeouts::config!(aws_sdk_sqs, self.timeouts))
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let code = error.code().map(str::to_owned);
            error::queue(DELETING, code.as_deref(), error)
        })
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        let calls = receipts.chunks(DELETES_MAX);
        let calls = calls.map(|receipts| self.delete_together(receipts));
        join_all(calls).await.into_iter().flatten().collect()
    }
}

impl SqsQueue {
    /// Deletes at most ten messages in one call.
    ///
    /// The service answers with status 200 even if entries failed, and lists each entry
    /// as done or failed. An entry that is not listed is treated as not deleted.
    async fn delete_together(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        match self.call_delete(receipts).await {
            Ok(entries) => by_index(receipts.len(), entries, || {
                let context = format!("{DELETING}: the service said nothing of it");
                Err(DeliveryError::new(context))
            }),
            Err((code, text)) => {
                let each = receipts.iter();
                each.map(|_| Err(error::queue(DELETING, code.as_deref(), text.clone())))
                    .collect()
            }
        }
    }

    /// One delete call: the result of each entry, or the error code and the whole error
    /// chain of the call.
    async fn call_delete(
        &self,
        receipts: &[String],
    ) -> Result<Vec<(String, Result<(), DeliveryError>)>, (Option<String>, String)> {
        let entries = receipts.iter().enumerate().map(|(index, receipt)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(receipt)
                .build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| (None, error.to_string()))?;
        let answer = self
            .client
            .delete_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .customize()
            .config_override(timeouts::config!(aws_sdk_sqs, self.timeouts))
            .send()
            .await;
        let answer = answer.map_err(|error| {
            let code = error.code().map(str::to_owned);
            (code, DisplayErrorContext(error).to_string())
        })?;
        let done = answer
            .successful
            .into_iter()
            .map(|entry| (entry.id, Ok(())));
        let failed = answer.failed.into_iter().map(|entry| {
            let text = entry.message.unwrap_or_default();
            let failed = error::queue(DELETING, Some(&entry.code), text);
            (entry.id, Err(failed))
        });
        Ok(done.chain(failed).collect())
    }
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> i32 {
    let more = u64::from(duration.subsec_nanos() > 0);
    i32::try_from(duration.as_secs().saturating_add(more)).unwrap_or(i32::MAX)
}

fn received(message: SqsMessage) -> Received {
    let mut system_attributes = message.attributes.unwrap_or_default();
    let attributes = message.message_attributes.unwrap_or_default();
    let (attributes, own) = split(texts(attributes));
    let given = system_attributes.remove(&Named::MessageDeduplicationId);
    let receives = system_attributes.remove(&Named::ApproximateReceiveCount);
    let receives = receives.and_then(|count| count.parse().ok());
    Received {
        message: Message {
            id: own.or(given).or(message.message_id).unwrap_or_default(),
            group: system_attributes
                .remove(&Named::MessageGroupId)
                .unwrap_or_default(),
            attributes,
            body: message.body.unwrap_or_default(),
        },
        receipt: message.receipt_handle.unwrap_or_default(),
        receives: receives.unwrap_or(1).max(1),
    }
}

fn texts(attributes: HashMap<String, MessageAttributeValue>) -> Vec<(String, String)> {
    let texts = attributes.into_iter();
    let texts = texts.filter_map(|(name, value)| Some((name, value.string_value?)));
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up_to_seconds() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(30)), 30);
        assert_eq!(seconds(Duration::from_millis(30_001)), 31);
        assert_eq!(seconds(Duration::MAX), i32::MAX);
    }

    #[test]
    fn a_dead_letter_keeps_its_own_id_though_the_service_gave_another() {
        let id = MessageAttributeValue::builder().data_type("String");
        let id = id.string_value("0/a/7").build().unwrap();
        let message = SqsMessage::builder()
            .message_id("5fea7756-0ea4-451a-a703-a558b933e274")
            .body("{}")
            .receipt_handle("r")
            .attributes(Named::MessageGroupId, "a")
            .attributes(
                Named::MessageDeduplicationId,
                "5fea7756-0ea4-451a-a703-a558b933e274",
            )
            .attributes(Named::ApproximateReceiveCount, "3")
            .message_attributes("event_id", id)
            .build();
        let received = received(message);
        assert_eq!(received.message.id, "0/a/7");
        assert_eq!(received.message.group, "a");
        assert_eq!(received.message.attributes, []);
        assert_eq!(received.receives, 3);
    }
}

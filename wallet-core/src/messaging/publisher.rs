use std::fmt::Debug;

use async_trait::async_trait;

use crate::messaging::DeliveryError;

/// The message attribute that holds an event's own id.
///
/// The deduplication id of a service is not enough. Amazon SQS replaces it when it moves
/// a message to a dead letter queue, and a message that comes back from there needs a new
/// one.
///
/// The adapters add the attribute to each published message and remove it from each
/// received one, so that [`Message::id`] is the event's own id on both sides. If a
/// published message already has this attribute, its value is the event's id, and
/// [`Message::id`] is only the deduplication id.
///
/// Services accept ten attributes per message, so nine are left for others. A message
/// with more is refused.
pub const EVENT_ID: &str = "event_id";

/// An event in the form of a message for queues and topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event's own id, the same at every attempt. Consumers detect duplicates
    /// by it. At most 128 printable ASCII characters.
    pub id: String,
    /// The group. Messages of one group are delivered in the order in which they
    /// were published. At most 128 printable ASCII characters.
    pub group: String,
    /// The attributes that subscribers filter by: at most 9 names, each once,
    /// sorted.
    pub attributes: Vec<(String, String)>,
    /// The event as JSON.
    pub body: String,
}

impl Message {
    /// The size of the message in a call: body, attributes and ids.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| {
            // The 8 bytes are for the type of the attribute.
            name.len().saturating_add(value.len()).saturating_add(8)
        });
        let fixed = [self.id.len(), self.group.len(), self.body.len()];
        let all = attributes.chain(fixed);
        all.fold(0, usize::saturating_add)
    }

    /// The event's own id: the attribute [`EVENT_ID`], or [`id`](Self::id) without it.
    #[must_use]
    pub fn event_id(&self) -> &str {
        self.attribute(EVENT_ID).unwrap_or(&self.id)
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Publishes messages to a queue or topic.
#[async_trait]
pub trait EventPublisher: Debug + Send + Sync + 'static {
    /// The limits of one call. They never change.
    fn limits(&self) -> PublisherLimits;

    /// Publishes messages, at least one, within the [`limits`](Self::limits).
    /// Returns one result per message, in order.
    ///
    /// Unless the limits have `keeps_order`, a later message may be published
    /// although an earlier one of its group failed. Callers then put at most one
    /// message of a group into a call. They start no other call with this group
    /// meanwhile.
    ///
    /// # Errors
    /// [`DeliveryError`]: the result of the call is unknown, or the service refused it as a
    /// whole: it is unavailable, busy, or not configured for it. Each message may or may
    /// not have been published. Publish them again.
    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError>;
}

/// The limits of one call to an [`EventPublisher`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherLimits {
    /// The number of messages, at least 1.
    pub messages: usize,
    /// The sum of their [`bytes`](Message::bytes).
    pub bytes: usize,
    /// Whether a message is never published after an earlier one of its group
    /// failed. Then one call may hold several messages of a group.
    pub keeps_order: bool,
}

/// The result of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The message is published, now or before.
    Done,
    /// The message is not published. Try again later.
    Failed {
        /// The reason, in words.
        reason: String,
    },
    /// The message can never be published in this form: it is too large, or
    /// malformed for the service.
    Refused {
        /// The reason, in words.
        reason: String,
    },
}

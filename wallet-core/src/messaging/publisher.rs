use std::fmt::Debug;

use async_trait::async_trait;
use thiserror::Error;

/// An event on its way to consumers, as queues and topics carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event's own id, the same at every attempt: what is seen twice is
    /// recognised by it. At most 128 printable ASCII characters.
    pub id: String,
    /// What is kept in order: messages of one group are delivered in the order
    /// in which they were published. At most 128 printable ASCII characters.
    pub group: String,
    /// What subscribers filter by: at most 9 names, each once, sorted.
    pub attributes: Vec<(String, String)>,
    /// The event as JSON.
    pub body: String,
}

impl Message {
    /// What it counts for in a call: body, attributes and ids.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| {
            // Their type is told, too.
            name.len().saturating_add(value.len()).saturating_add(8)
        });
        let fixed = [self.id.len(), self.group.len(), self.body.len()];
        let all = attributes.chain(fixed);
        all.fold(0, usize::saturating_add)
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
    /// How much one call takes; always the same.
    fn limits(&self) -> PublisherLimits;

    /// Publishes messages, at least one, within the [`limits`](Self::limits);
    /// answers for each of them in order.
    ///
    /// Unless the limits say `keeps_order`, a later message may be published
    /// although an earlier one of its group was not: callers then put at most
    /// one message of a group into a call, and none of it into another call
    /// under way.
    ///
    /// # Errors
    /// [`PublishError`]: each of the messages may have been published or not.
    /// Publish them again.
    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, PublishError>;
}

/// How much one call to an [`EventPublisher`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherLimits {
    /// Messages, at least 1.
    pub messages: usize,
    /// The sum of their [`bytes`](Message::bytes).
    pub bytes: usize,
    /// Whether nothing of a group is published behind a message of it that was
    /// not, so that one call may hold several of a group.
    pub keeps_order: bool,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It is published, or was before.
    Done,
    /// It is not; try again later.
    Failed {
        /// Why, in words.
        reason: String,
    },
    /// It never will be, as it is: too large, or malformed for the service.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

/// A call to an [`EventPublisher`] whose fate is unknown, or that was not
/// accepted as a whole: the service is away, busy, or not set up for it.
#[derive(Debug, Error)]
#[error("publishing failed: {context}")]
pub struct PublishError {
    context: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl PublishError {
    /// What failed, in words.
    #[must_use]
    pub fn new(context: impl Into<String>) -> Self {
        let (context, source) = (context.into(), None);
        Self { context, source }
    }

    /// The same with what the driver said.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

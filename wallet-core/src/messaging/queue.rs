use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::messaging::Message;

/// A queue that delivers each message at least once, in order within a group. While
/// one receiver holds a message of a group, no other receiver gets a later message
/// of that group.
#[async_trait]
pub trait MessageQueue: Debug + Send + Sync + 'static {
    /// Receives at most `limit` messages. They are invisible to others for
    /// `visibility`. The call waits for the first message, for a time that the
    /// adapter's settings define. An empty result is no error.
    ///
    /// # Errors
    /// [`QueueError`]: the call failed.
    async fn receive(&self, limit: u32, visibility: Duration) -> Result<Vec<Received>, QueueError>;

    /// Extends the invisibility of a message until `visibility` from now. With zero
    /// it returns the message at once, and the message is received again.
    ///
    /// # Errors
    /// [`QueueError`], also when the caller no longer holds the message.
    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError>;

    /// Deletes a message, so that it is not received again. The call is idempotent.
    ///
    /// # Errors
    /// [`QueueError`], also when the caller no longer holds the message.
    async fn delete(&self, receipt: &str) -> Result<(), QueueError>;

    /// Deletes any number of messages, in as few calls as the service allows.
    /// Returns one result per receipt, in the order of `receipts`, as
    /// [`delete`](Self::delete) would return it. One failure does not affect the
    /// other messages. An empty list makes no call.
    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), QueueError>>;
}

/// A message that one receiver holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The published message.
    pub message: Message,
    /// The id of this delivery. It differs at each delivery.
    pub receipt: String,
    /// The number of deliveries including this one, at least 1.
    pub receives: u32,
}

/// A call to a [`MessageQueue`] that failed. Its effect may or may not have
/// happened.
#[derive(Debug, Error)]
#[error("the queue failed: {context}")]
pub struct QueueError {
    context: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl QueueError {
    /// An error with this description.
    #[must_use]
    pub fn new(context: impl Into<String>) -> Self {
        let (context, source) = (context.into(), None);
        Self { context, source }
    }

    /// The same error with the driver's error as its source.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

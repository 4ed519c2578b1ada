use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::messaging::Message;

/// A queue that delivers each message at least once, those of one group in
/// order: while a message of a group is in somebody's hands, no later one of it
/// is given to anybody else.
#[async_trait]
pub trait MessageQueue: Debug + Send + Sync + 'static {
    /// At most `limit` messages, which nobody else gets for `visibility`; waits
    /// for the first of them as long as the adapter is set to. None is no error.
    ///
    /// # Errors
    /// [`QueueError`].
    async fn receive(&self, limit: u32, visibility: Duration) -> Result<Vec<Received>, QueueError>;

    /// Keeps a message from others until `visibility` from now; with zero, gives
    /// it back at once, and it is received again.
    ///
    /// # Errors
    /// [`QueueError`], also when it is no longer in the caller's hands.
    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError>;

    /// Ends a message: it is not received again. Ending it twice is ending it
    /// once.
    ///
    /// # Errors
    /// [`QueueError`], also when it is no longer in the caller's hands.
    async fn delete(&self, receipt: &str) -> Result<(), QueueError>;

    /// Ends several messages, any number of them, in as few calls as the service
    /// takes. What became of each, in the order of `receipts`: one answer for each,
    /// as [`delete`](Self::delete) would give it. One that could not be ended keeps
    /// no other from it. None is no call.
    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), QueueError>>;
}

/// A message in the hands of one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What was published.
    pub message: Message,
    /// What this receipt is called: another one each time it is received.
    pub receipt: String,
    /// How often it was received, this time included: at least 1.
    pub receives: u32,
}

/// A call to a [`MessageQueue`] that failed; what it was about is as before, or
/// done.
#[derive(Debug, Error)]
#[error("the queue failed: {context}")]
pub struct QueueError {
    context: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl QueueError {
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

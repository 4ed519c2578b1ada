use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::messaging::{DeliveryError, Message};

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
    /// [`DeliveryError`]: the call failed.
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError>;

    /// Extends the invisibility of a message until `visibility` from now. With zero
    /// it returns the message at once, and the message is received again.
    ///
    /// # Errors
    /// [`DeliveryError`], also when the caller no longer holds the message.
    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError>;

    /// Deletes a message, so that it is not received again. The call is idempotent.
    ///
    /// # Errors
    /// [`DeliveryError`], also when the caller no longer holds the message.
    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError>;

    /// Deletes any number of messages, in as few calls as the service allows.
    /// Returns one result per receipt, in the order of `receipts`, as
    /// [`delete`](Self::delete) would return it. One failure does not affect the
    /// other messages. An empty list makes no call.
    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>>;
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

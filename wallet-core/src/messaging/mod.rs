//! Ports for events. [`EventPublisher`] sends messages to a queue or topic,
//! [`MessageQueue`] receives each message at least once, and an [`Inbox`] records
//! the events that a consumer has seen.

mod error;
mod inbox;
mod publisher;
mod queue;

pub use error::DeliveryError;
pub use inbox::{Inbox, InboxStep};
pub use publisher::{EVENT_ID, EventPublisher, Message, Published, PublisherLimits};
pub use queue::{MessageQueue, Received};

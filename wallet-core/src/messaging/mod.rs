//! Ports that events leave by and arrive through: [`EventPublisher`] sends messages
//! to a queue or topic, [`MessageQueue`] receives each at least once, and an
//! [`Inbox`] records what a consumer has seen.

mod inbox;
mod publisher;
mod queue;

pub use inbox::{Inbox, InboxStep};
pub use publisher::{EventPublisher, Message, PublishError, Published, PublisherLimits};
pub use queue::{MessageQueue, QueueError, Received};

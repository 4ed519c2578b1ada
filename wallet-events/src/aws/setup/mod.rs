//! Queues, topics and subscriptions, made by calls: idempotent, so that a host may
//! call them at every start. Of what exists, the attributes named here are set and
//! all others left as they are.

mod error;
#[cfg(feature = "sqs")]
mod queue;
#[cfg(all(feature = "sns", feature = "sqs"))]
mod subscription;
#[cfg(feature = "sns")]
mod topic;

pub use error::SetupError;
#[cfg(feature = "sqs")]
pub use queue::{FifoQueue, QueueSettings, create_queue};
#[cfg(all(feature = "sns", feature = "sqs"))]
pub use subscription::subscribe;
#[cfg(feature = "sns")]
pub use topic::{TopicSettings, create_topic};

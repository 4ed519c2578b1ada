//! Creates queues, topics and subscriptions. The calls are idempotent, so a host may make
//! them at every start. On existing resources they set the attributes named here and
//! leave all others.

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

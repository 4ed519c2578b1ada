//! Queues on Amazon SQS (feature `sqs`) and topics on Amazon SNS (feature `sns`).
//!
//! The host creates the client, with its credentials, region, endpoint, HTTP and TLS;
//! this crate provides none of them. Calls have [`Timeouts`] of their own, because the
//! SDK by default waits without limit for a silent server.
//!
//! # What the services have to be set to
//! [`setup`] makes these settings by calls; `docs/events.md` lists them for other tools.
//! - A queue is FIFO, with `ContentBasedDeduplication` off or on (ids are always given),
//!   a `RedrivePolicy` to a FIFO dead letter queue, and the longest retention there (14
//!   days). The retention of a FIFO queue starts anew when a message is moved; no message
//!   is kept for longer than it.
//! - A subscription of a queue has raw message delivery on. Without it bodies arrive
//!   wrapped, and attributes do not arrive. It has its own `RedrivePolicy`; without one
//!   the topic drops messages that it cannot deliver.
//! - High throughput of a queue (`FifoThroughputLimit` = `perMessageGroupId`) needs
//!   `DeduplicationScope` = `messageGroup`, of a topic `FifoThroughputScope` =
//!   `MessageGroup`. Both suit: an event's id is always published in the same group.

mod call;
mod error;
pub mod setup;
#[cfg(feature = "sns")]
mod sns_publisher;
#[cfg(feature = "sqs")]
mod sqs_publisher;
#[cfg(feature = "sqs")]
mod sqs_queue;
mod timeouts;

pub use error::NotFifo;
#[cfg(feature = "sns")]
pub use sns_publisher::SnsPublisher;
#[cfg(feature = "sqs")]
pub use sqs_publisher::SqsPublisher;
#[cfg(feature = "sqs")]
pub use sqs_queue::SqsQueue;
pub use timeouts::Timeouts;

//! Queues on Amazon SQS (feature `sqs`) and topics on Amazon SNS (feature `sns`).
//!
//! The host makes the client, with its credentials, region, endpoint, HTTP and
//! TLS: this crate brings none of them. Calls have [`Timeouts`] of their own,
//! because the SDK waits for a silent server for ever unless told otherwise.
//!
//! # What the services have to be set to
//! [`setup`] makes it so by calls, `docs/events.md` says it for other tools.
//! - A queue is FIFO, with `ContentBasedDeduplication` off or on (ids are always
//!   given), a `RedrivePolicy` to a FIFO dead-letter queue, and the longest
//!   retention there (14 days): a FIFO queue's time starts anew when a message
//!   is moved, but nothing is kept for longer than it.
//! - A subscription of a queue has raw message delivery on; without it bodies come
//!   wrapped and attributes not at all. It has a `RedrivePolicy` of its own, without
//!   which the topic throws away what it cannot deliver.
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

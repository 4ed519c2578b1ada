//! Queues on Amazon SQS (feature `sqs`) and topics on Amazon SNS (feature `sns`).
//!
//! The host makes the client, with its credentials, region, endpoint, HTTP and
//! TLS: this crate brings none of them. Calls have [`Timeouts`] of their own,
//! because the SDK waits for a silent server for ever unless told otherwise.
//!
//! # What the services have to be set to
//! - A queue is FIFO, with `ContentBasedDeduplication` off or on (ids are always
//!   given), a `RedrivePolicy` to a FIFO dead-letter queue, and the longest
//!   retention there (14 days): a FIFO queue's time starts anew when a message
//!   is moved, but nothing is kept for longer than it.
//! - A queue that is subscribed to a topic has raw message delivery on; without
//!   it bodies come wrapped and attributes not at all.
//! - High throughput (`FifoThroughputLimit` = `perMessageGroupId`) needs
//!   `DeduplicationScope` = `messageGroup`, which suits: an event's id is always
//!   published in the same group.

mod call;
mod error;
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

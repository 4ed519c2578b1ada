use std::sync::Arc;

use wallet_core::messaging::{EventPublisher, MessageQueue};

/// Both ends of a queue under test. A [`Factory`](super::Factory) of a
/// [`MessageQueue`] builds it. The queue does not wait for messages.
///
/// ```
/// use std::sync::Arc;
/// use wallet_testkit::broken::ports::BrokenQueue;
/// use wallet_testkit::{Built, Factory, ManualClock, QueueEnds};
///
/// #[derive(Debug)]
/// struct Queues;
///
/// #[async_trait::async_trait]
/// impl Factory<QueueEnds> for Queues {
///     async fn build(&self, _: Arc<ManualClock>) -> Built<QueueEnds> {
///         let queue = Arc::new(BrokenQueue::new(None));
///         let ends = QueueEnds { publisher: queue.clone(), queue };
///         Built::new(Arc::new(ends), ())
///     }
/// }
///
/// wallet_testkit::message_queue_conformance!(Queues);
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct QueueEnds {
    /// The end where messages are sent.
    pub publisher: Arc<dyn EventPublisher>,
    /// The end where messages are received.
    pub queue: Arc<dyn MessageQueue>,
}

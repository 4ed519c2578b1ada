use std::sync::Arc;
use std::time::Duration;

use wallet_core::messaging::{EventPublisher, MessageQueue, Published};

/// Forwards each message separately. A failed message is left for redelivery, and
/// later messages overtake it.
pub(super) async fn forward(
    from: Arc<dyn MessageQueue>,
    to: Arc<dyn EventPublisher>,
    visibility: Duration,
) {
    loop {
        let Ok(received) = from.receive(10, visibility).await else {
            continue;
        };
        for message in received {
            let published = to.publish(std::slice::from_ref(&message.message)).await;
            let is_done = published.is_ok_and(|answers| answers.contains(&Published::Done));
            if is_done {
                // If this fails, the message is delivered again, which does no harm.
                let _ = from.delete(&message.receipt).await;
            }
        }
    }
}

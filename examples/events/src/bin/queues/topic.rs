use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_sqlite::SqliteQueue;

/// A topic with one subscriber, who filters by type as a subscription of SNS does.
#[derive(Debug)]
pub(crate) struct Topic {
    subscriber: Arc<SqliteQueue>,
    wanted: &'static str,
}

impl Topic {
    pub(crate) fn new(subscriber: &Arc<SqliteQueue>, wanted: &'static str) -> Self {
        let subscriber = Arc::clone(subscriber);
        Self { subscriber, wanted }
    }
}

#[async_trait]
impl EventPublisher for Topic {
    fn limits(&self) -> PublisherLimits {
        self.subscriber.limits()
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let mut published = Vec::with_capacity(messages.len());
        for message in messages {
            let one = std::slice::from_ref(message);
            if message.attribute("type") == Some(self.wanted) {
                published.extend(self.subscriber.publish(one).await?);
            } else {
                published.push(Published::Done);
            }
        }
        Ok(published)
    }
}

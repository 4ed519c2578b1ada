use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::messaging::{
    DeliveryError, EventPublisher, Message, MessageQueue, Published, PublisherLimits, Received,
};
use wallet_core::store::StoreErrorKind;

use super::Rng;
use super::faulty_port::FaultyPort;
use super::oracle::Oracle;

/// A publisher with injected faults, for whole calls or single messages. An oracle
/// checks the order of published messages.
#[derive(Debug)]
pub(super) struct FaultyPublisher {
    pub(super) inner: Arc<dyn EventPublisher>,
    pub(super) faults: FaultyPort,
    pub(super) rng: Rng,
    pub(super) oracle: Arc<Oracle>,
    /// The index of the queue.
    pub(super) stage: usize,
}

fn not_published(kind: StoreErrorKind) -> DeliveryError {
    DeliveryError::new(format!("a planned fault: {kind:?}"))
}

impl FaultyPublisher {
    async fn publish_some(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let published = self.inner.publish(messages).await?;
        for (message, published) in messages.iter().zip(&published) {
            if *published == Published::Done {
                self.oracle.published(self.stage, message);
            }
        }
        Ok(published)
    }

    /// Publishes a part of a call.
    async fn publish_part(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            if self.rng.chance(500) {
                let reason = "a planned fault".to_owned();
                answers.push(Published::Failed { reason });
            } else {
                let one = std::slice::from_ref(message);
                answers.extend(self.publish_some(one).await?);
            }
        }
        Ok(answers)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EventPublisher for FaultyPublisher {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            keeps_order: false,
            ..self.inner.limits()
        }
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let call = async {
            match self.publish_some(messages).await {
                Ok(published) => Ok(published),
                Err(error) => Err(error),
            }
        };
        let published = self.faults.call("publish", call, not_published).await;
        match published {
            Err(_) if messages.len() > 1 && self.rng.chance(300) => {
                self.publish_part(messages).await
            }
            other => other,
        }
    }
}

/// A queue with injected faults: messages arrive late, again, or at several
/// receivers.
#[derive(Debug)]
pub(super) struct FaultyQueue {
    pub(super) inner: Arc<dyn MessageQueue>,
    pub(super) faults: FaultyPort,
}

fn not_done(kind: StoreErrorKind) -> DeliveryError {
    DeliveryError::new(format!("a planned fault: {kind:?}"))
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MessageQueue for FaultyQueue {
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError> {
        let call = self.inner.receive(limit, visibility);
        self.faults.call("receive", call, not_done).await
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        let call = self.inner.extend(receipt, visibility);
        self.faults.call("extend", call, not_done).await
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        let call = self.inner.delete(receipt);
        self.faults.call("delete", call, not_done).await
    }

    /// Faults are injected one by one, so that a batch can be done in part.
    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        let mut answers = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            answers.push(self.delete(receipt).await);
        }
        answers
    }
}

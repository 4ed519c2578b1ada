use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::messaging::{DeliveryError, MessageQueue, Received};

use super::super::Rng;
use super::Bug;

/// A queue with a bug, or with a wrong use.
#[derive(Debug)]
pub(in super::super) struct BuggyQueue {
    pub(in super::super) bug: Bug,
    pub(in super::super) inner: Arc<dyn MessageQueue>,
    pub(in super::super) rng: Rng,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MessageQueue for BuggyQueue {
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError> {
        let mut received = self.inner.receive(limit, visibility).await?;
        match self.bug {
            Bug::DeletesOnReceipt => {
                for message in &received {
                    self.inner.delete(&message.receipt).await?;
                }
            }
            Bug::MixesGroups if received.len() > 1 => {
                let other = self.rng.index(received.len());
                received.swap(0, other);
            }
            _ => {}
        }
        Ok(received)
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        if self.bug == Bug::DeletesOnReceipt {
            return Ok(());
        }
        self.inner.extend(receipt, visibility).await
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        self.inner.delete(receipt).await
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        self.inner.delete_batch(receipts).await
    }
}

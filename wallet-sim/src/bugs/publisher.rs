use std::sync::Arc;

use async_trait::async_trait;

use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::runtime::Clock;
use wallet_testkit::ManualClock;

use super::super::Rng;
use super::super::faulty_queue::FaultyPublisher;
use crate::{Group, Spawner};

/// A publisher that reports messages as published before they are. The relay then
/// marks their events too early. The messages are lost with their process.
#[derive(Debug)]
pub(in super::super) struct BuggyPublisher {
    pub(in super::super) inner: Arc<FaultyPublisher>,
    pub(in super::super) clock: Arc<ManualClock>,
    pub(in super::super) spawner: Spawner,
    pub(in super::super) process: usize,
    pub(in super::super) rng: Rng,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EventPublisher for BuggyPublisher {
    fn limits(&self) -> PublisherLimits {
        self.inner.limits()
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let (inner, clock) = (Arc::clone(&self.inner), Arc::clone(&self.clock));
        let (messages, pause) = (messages.to_vec(), self.rng.delay(20));
        let count = messages.len();
        let later = async move {
            clock.sleep(pause).await;
            let mut left = messages;
            while !left.is_empty() {
                if let Ok(answers) = inner.publish(&left).await {
                    let mut answers = answers.into_iter();
                    left.retain(|_| answers.next() != Some(Published::Done));
                }
                clock.sleep(pause).await;
            }
        };
        let group = Group::Parts(self.process);
        self.spawner.spawn(group, "late publishing", later);
        Ok(vec![Published::Done; count])
    }
}

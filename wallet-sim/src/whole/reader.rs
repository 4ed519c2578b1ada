use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Bug, ConsumedEvent, ConsumerReplica, Ports};
use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::messaging::DeliveryError;
use wallet_core::messaging::Inbox;
use wallet_events::{Delivery, EventHandler, Handled, Projector};

/// The number of events in the deduplication window.
const WINDOW: usize = 16;

/// Applies each event to history and to the consumer's own database.
#[derive(Debug)]
pub(super) struct Reader {
    projector: Projector,
    replica: Arc<ConsumerReplica>,
    bug: Option<Bug>,
    /// The ids of recent events, for the bug with a deduplication window.
    seen: Mutex<VecDeque<String>>,
}

impl Reader {
    pub(super) fn new(ports: &Ports) -> Self {
        let (history, store) = (Arc::clone(&ports.history), Arc::clone(&ports.store));
        Self {
            projector: Projector::new(history, store),
            replica: Arc::clone(&ports.replica),
            bug: ports.bug,
            seen: Mutex::default(),
        }
    }

    async fn apply(
        &self,
        delivery: &Delivery,
        event: &ConsumedEvent,
    ) -> Result<Handled, StoreError> {
        let step = &delivery.step;
        match self.bug {
            Some(Bug::RecordsStepAfterEffect) => {
                self.replica.apply_alone(event).await?;
                Ok(Handled::Unrecorded)
            }
            Some(Bug::RecordsStepBeforeEffect) => {
                if !self
                    .replica
                    .advance(ConsumerReplica::CONSUMER, step)
                    .await?
                {
                    return Ok(Handled::Moved);
                }
                self.replica.apply_alone(event).await?;
                Ok(Handled::Recorded)
            }
            Some(Bug::DeduplicatesByWindow) => {
                if self.is_new(delivery.event.id()) {
                    self.replica.apply_alone(event).await?;
                }
                Ok(Handled::Recorded)
            }
            _ => {
                let moved = self.replica.apply(step, event).await?;
                Ok(if moved {
                    Handled::Recorded
                } else {
                    Handled::Moved
                })
            }
        }
    }

    fn is_new(&self, id: String) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !seen.contains(&id);
        if is_new {
            seen.push_back(id);
            while seen.len() > WINDOW {
                seen.pop_front();
            }
        }
        is_new
    }
}

#[async_trait]
impl EventHandler for Reader {
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError> {
        let failed = |what: &'static str| {
            move |error: StoreError| DeliveryError::new(what).with_source(error)
        };
        if delivery.missed.is_some() {
            self.replica.missed(&delivery.step);
        }
        self.projector.handle(delivery).await?;
        let event = &delivery.event;
        let consumed = ConsumedEvent {
            account: event.account,
            version: event.version,
            kind: event.kind,
            posted: event.balance.posted,
            pending_out: event.balance.pending_out,
            pending_in: event.balance.pending_in,
            sequence: event.entry.map(|entry| entry.sequence),
        };
        self.apply(delivery, &consumed)
            .await
            .map_err(failed("replica"))
    }
}

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Bug, Mirror, Ports, Told};
use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::messaging::Inbox;
use wallet_events::{Delivery, EventHandler, Handled, HandlerError, Projector};

/// How many events are known again by a consumer that knows the latest only.
const WINDOW: usize = 16;

/// Brings each event into history and into the consumer's own database.
#[derive(Debug)]
pub(super) struct Reader {
    projector: Projector,
    mirror: Arc<Mirror>,
    bug: Option<Bug>,
    /// Ids seen lately, for the bug that goes by them.
    seen: Mutex<VecDeque<String>>,
}

impl Reader {
    pub(super) fn new(ports: &Ports) -> Self {
        let (history, store) = (Arc::clone(&ports.history), Arc::clone(&ports.store));
        Self {
            projector: Projector::new(history, store),
            mirror: Arc::clone(&ports.mirror),
            bug: ports.bug,
            seen: Mutex::default(),
        }
    }

    async fn apply(&self, delivery: &Delivery, told: &Told) -> Result<Handled, StoreError> {
        let step = &delivery.step;
        match self.bug {
            Some(Bug::RecordsStepAfterEffect) => {
                self.mirror.apply_alone(told).await?;
                Ok(Handled::Unrecorded)
            }
            Some(Bug::RecordsStepBeforeEffect) => {
                if !self.mirror.advance(Mirror::CONSUMER, step).await? {
                    return Ok(Handled::Moved);
                }
                self.mirror.apply_alone(told).await?;
                Ok(Handled::Recorded)
            }
            Some(Bug::DeduplicatesByWindow) => {
                if self.is_new(delivery.event.id()) {
                    self.mirror.apply_alone(told).await?;
                }
                Ok(Handled::Recorded)
            }
            _ => {
                let moved = self.mirror.apply(step, told).await?;
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
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, HandlerError> {
        let failed = |what: &'static str| {
            move |error: StoreError| HandlerError::new(what).with_source(error)
        };
        if delivery.missed.is_some() {
            self.mirror.missed(&delivery.step);
        }
        self.projector.handle(delivery).await?;
        let event = &delivery.event;
        let told = Told {
            account: event.account,
            version: event.version,
            kind: event.kind,
            posted: event.balance.posted,
            pending_out: event.balance.pending_out,
            pending_in: event.balance.pending_in,
            sequence: event.entry.map(|entry| entry.sequence),
        };
        self.apply(delivery, &told).await.map_err(failed("mirror"))
    }
}

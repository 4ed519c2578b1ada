//! Worlds with all parts outside the core. Each process runs a relay, in some
//! worlds a forwarder, and a consumer with a projector. The queues follow the rules
//! of Amazon SQS.
//!
//! ```text
//! outbox ── Relay ──► [ queue ── Forwarder ──► ] queue ── Consumer ──┬── history
//!                                                                    └── mirror
//! ```

use std::sync::Arc;
use std::time::Duration;

use crate::{Bug, Harness, Part, Ports, QueueEnds, Rng, Scenario};
use wallet_core::runtime::Clock;
use wallet_events::memory::MemoryQueue;

mod overtaking;
mod parts;
mod reader;

/// Adds queues, relay and consumer to each world. Every fourth world gets a
/// forwarder between the two.
#[derive(Debug, Clone, Copy, Default)]
pub struct Whole;

/// The harness of whole worlds.
#[must_use]
pub fn whole() -> Arc<dyn Harness> {
    Arc::new(Whole)
}

impl Harness for Whole {
    fn queue(&self, clock: Arc<dyn Clock>, rng: &Rng) -> Option<QueueEnds> {
        // A short deduplication window lets repeated messages through, as a long outage
        // does.
        let window_ms = rng.pick(&[0, 200, 300_000]);
        let queue = MemoryQueue::new(clock)
            .with_wait(Duration::from_secs(2))
            .with_window(Duration::from_millis(window_ms));
        let queue = Arc::new(queue);
        Some(QueueEnds {
            publisher: Arc::<MemoryQueue>::clone(&queue),
            queue,
        })
    }

    fn parts(&self, ports: Ports) -> Vec<Part> {
        // Most hosts have a queue and no topic behind it.
        let forwards = ports.seed.is_multiple_of(4) || ports.bug == Some(Bug::OvertakesInGroup);
        if forwards {
            let forwarder = parts::forwarder(&ports);
            let relay = parts::relay(&ports, &ports.outbound.publisher);
            vec![relay, forwarder, parts::consumer(&ports)]
        } else {
            let relay = parts::relay(&ports, &ports.inbound.publisher);
            vec![relay, parts::consumer(&ports)]
        }
    }

    fn replay(&self, scenario: &Scenario, seed: u64) -> String {
        let end = seed.saturating_add(1);
        let bug = scenario.bug;
        let bug = bug.map_or_else(String::new, |bug| format!(" --bug {bug:?}"));
        format!("scripts/simulate --seeds {seed}..{end} --trace{bug}")
    }
}

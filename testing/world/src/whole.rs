use std::sync::Arc;
use std::time::Duration;

use wallet_core::Clock;
use wallet_core::testkit::simulation::{Harness, Part, Ports, QueueEnds, Rng, Scenario};
use wallet_events::memory::MemoryQueue;

use crate::parts;

/// Adds queues, relay, forwarder and consumer to each world.
#[derive(Debug, Clone, Copy, Default)]
pub struct Whole;

/// The harness of whole worlds.
#[must_use]
pub fn whole() -> Arc<dyn Harness> {
    Arc::new(Whole)
}

impl Harness for Whole {
    fn queue(&self, clock: Arc<dyn Clock>, rng: &Rng) -> Option<QueueEnds> {
        // A short window lets through what is published again, as a long outage
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
        vec![
            parts::relay(&ports),
            parts::forwarder(&ports),
            parts::consumer(&ports),
        ]
    }

    fn replay(&self, scenario: &Scenario, seed: u64) -> String {
        let end = seed.saturating_add(1);
        let bug = scenario.bug;
        let bug = bug.map_or_else(String::new, |bug| format!(" --bug {bug:?}"));
        format!("scripts/simulate --seeds {seed}..{end} --trace{bug}")
    }
}

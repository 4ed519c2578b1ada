//! The metrics of the wallet: its own counters, and whether it can commit.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use wallet_core::Wallet;
use wallet_core::service::StatsSnapshot;

use super::{count, gauge};
use crate::readiness::Readiness;

/// The service's own counters, read at each scrape.
#[derive(Debug)]
pub(super) struct Service(pub(super) Wallet);

impl Collector for Service {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let stats: StatsSnapshot = self.0.stats();
        let counters = [
            (
                "submitted",
                "Requests accepted into the queue",
                stats.submitted,
            ),
            (
                "overloaded",
                "Requests refused for a full queue",
                stats.overloaded,
            ),
            (
                "batches",
                "Batches handed to the store, further tries included",
                stats.batches,
            ),
            (
                "retries",
                "Further tries after a failure that may pass",
                stats.retries,
            ),
            (
                "settled",
                "Unknown commits that a further try settled",
                stats.settled,
            ),
            (
                "splits",
                "Batches split to find the request that fails",
                stats.splits,
            ),
            (
                "damaged",
                "Requests that failed and holds left out for a stored row that cannot be read",
                stats.damaged,
            ),
            (
                "blocked",
                "Requests put back for an account that is locked",
                stats.blocked,
            ),
            (
                "clock_behind",
                "Requests refused for a clock that is behind",
                stats.clock_behind,
            ),
            ("panics", "Stores that panicked", stats.panics),
            (
                "expired",
                "Holds ended because their time was over",
                stats.expired,
            ),
            (
                "history_answers",
                "Statements and past balances that history proved",
                stats.history_answers,
            ),
            (
                "history_misses",
                "Those that the ledger answered, since history did not prove them",
                stats.history_misses,
            ),
            (
                "history_failures",
                "Those that the ledger answered, since history failed",
                stats.history_failures,
            ),
        ];
        count(&mut encoder, &counters)?;
        let help = "Requests that wait for a commit";
        gauge(&mut encoder, "waiting", help, stats.waiting)?;
        let help = "How far accounts' times may run ahead of the store's clock at present";
        let seconds = self.0.max_ahead().as_secs();
        gauge(&mut encoder, "max_ahead_seconds", help, seconds)
    }
}

/// Whether the wallet can commit, by the last known result.
#[derive(Debug)]
pub(super) struct Ready(pub(super) Readiness);

impl Collector for Ready {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Some(was_ready) = self.0.was_ready() else {
            return Ok(());
        };
        let help = "Whether the latest commit or probe was done";
        gauge(&mut encoder, "can_commit", help, u64::from(was_ready))
    }
}

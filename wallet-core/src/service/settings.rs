use std::time::Duration;

use super::BuildError;
use crate::ledger::SettlementShards;
use crate::request::MAX_AHEAD;
use crate::runtime::Backoff;

/// The most batches in flight that a service may have.
const COMMITTERS_MAX: usize = 1_000;

/// The settings of a [`Wallet`](crate::service::Wallet): plain data with safe
/// defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The greatest number of waiting requests. A further one gets `Overloaded`.
    pub queue_capacity: usize,
    /// The greatest number of batches in flight, 1 ..= 1,000. One is right for a store with a
    /// single writer (SQLite). See also [`for_server`](Self::for_server).
    pub committers: usize,
    /// The greatest number of batches in flight under load, if it is larger. An
    /// additional one pays only with large batches, and where a commit waits for a
    /// disk.
    pub busy_committers: usize,
    /// The number of requests, waiting or in flight, that counts as load.
    pub busy_requests: usize,
    /// The greatest number of requests in a batch. The store's own limit applies
    /// too.
    pub batch_requests_max: usize,
    /// The number of shards of each settlement account.
    pub settlement_shards: SettlementShards,
    /// The bound on how far an account's time may be ahead of the store's clock.
    /// Beyond it requests are refused as
    /// [`ClockBehind`](crate::service::WalletError::ClockBehind).
    /// [`Wallet::raise_max_ahead`](crate::service::Wallet::raise_max_ahead) raises
    /// it temporarily.
    pub max_ahead: Duration,
    /// The pauses before a batch or a blocked request is retried. From 5 ms to 1 s by
    /// default.
    pub retry: Backoff,
    /// The total number of attempts for a batch or a blocked request, at least 1.
    pub tries_max: u32,
    /// The interval of the sweep of expired holds. Without it there is no sweep.
    pub sweep_interval: Option<Duration>,
    /// The number of holds that expire in one step.
    pub sweep_size: u32,
    /// The longest wait of a call that submits; without it a call waits until it is
    /// answered. [`Wallet::within`](crate::service::Wallet::within) sets it for some
    /// calls.
    pub answer_wait: Option<Duration>,
    /// The longest wait for history before the ledger answers instead.
    pub history_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue_capacity: 8_192,
            committers: 1,
            busy_committers: 1,
            busy_requests: 400,
            batch_requests_max: 1_000,
            settlement_shards: SettlementShards::new(),
            max_ahead: MAX_AHEAD,
            retry: Backoff::new(Duration::from_millis(5), Duration::from_secs(1)),
            tries_max: 12,
            sweep_interval: Some(Duration::from_secs(2)),
            sweep_size: 500,
            answer_wait: None,
            history_wait: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// Settings for a store with concurrent commits, such as a database server. One
    /// batch is decided while another is written, and under load a third batch is
    /// in flight.
    ///
    /// ```
    /// let settings = wallet_core::Settings::for_server();
    /// assert_eq!((settings.committers, settings.busy_committers), (2, 3));
    /// ```
    #[must_use]
    pub fn for_server() -> Self {
        Self {
            committers: 2,
            busy_committers: 3,
            ..Self::default()
        }
    }

    /// Refuses settings with which the service could not work.
    pub(super) fn validate(&self) -> Result<(), BuildError> {
        let at_least_one = [
            ("queue_capacity", self.queue_capacity == 0),
            ("committers", self.committers == 0),
            ("batch_requests_max", self.batch_requests_max == 0),
            ("tries_max", self.tries_max == 0),
            ("history_wait", self.history_wait.is_zero()),
            (
                "answer_wait",
                self.answer_wait.is_some_and(|wait| wait.is_zero()),
            ),
            (
                "sweep_interval",
                self.sweep_interval
                    .is_some_and(|interval| interval.is_zero()),
            ),
        ];
        if let Some((name, _)) = at_least_one.iter().find(|(_, is_zero)| *is_zero) {
            return Err(BuildError::Zero(name));
        }
        let at_most = [
            ("committers", self.committers),
            ("busy_committers", self.busy_committers),
        ];
        let large = at_most.iter().find(|(_, count)| *count > COMMITTERS_MAX);
        large.map_or(Ok(()), |(name, _)| {
            let max = COMMITTERS_MAX;
            Err(BuildError::TooLarge { name, max })
        })
    }

    /// The greatest number of batches in flight.
    pub(super) fn committers_max(&self) -> usize {
        self.committers.max(self.busy_committers).max(1)
    }

    /// The number of batches that may be in flight with this many requests.
    pub(super) fn committers_for(&self, requests: usize) -> usize {
        if requests >= self.busy_requests {
            self.committers_max()
        } else {
            self.committers.max(1)
        }
    }
}

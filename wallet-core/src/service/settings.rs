use std::time::Duration;

use super::BuildError;
use crate::ledger::SettlementShards;
use crate::request::MAX_AHEAD;

/// How a [`Wallet`](crate::service::Wallet) works: plain data, sane by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How many requests may wait; one more is answered `Overloaded`.
    pub queue_capacity: usize,
    /// How many batches may be under way at a time. One is right for a store
    /// with a single writer (SQLite); see also [`for_server`](Self::for_server).
    pub committers: usize,
    /// How many of them while there is much to do, where that is more: an additional
    /// one pays only with large batches, and where a commit has to wait for a disk.
    pub busy_committers: usize,
    /// With how many requests, waiting or under way, there is much to do.
    pub busy_requests: usize,
    /// The most requests in a batch; the store's own limit counts as well.
    pub batch_requests_max: usize,
    /// How many shards each settlement account has.
    pub settlement_shards: SettlementShards,
    /// How far an account's time may run ahead of the store's clock before its
    /// requests are refused as [`ClockBehind`](crate::service::WalletError::ClockBehind). A
    /// raise for a while:
    /// [`Wallet::raise_max_ahead`](crate::service::Wallet::raise_max_ahead).
    pub max_ahead: Duration,
    /// The first pause before a batch or a blocked request is tried again; it
    /// doubles with each further try.
    pub retry_pause: Duration,
    /// The longest pause.
    pub retry_pause_max: Duration,
    /// How often a batch or a blocked request is tried in all; at least 1.
    pub tries_max: u32,
    /// How often expired holds are looked for; never when absent.
    pub sweep_interval: Option<Duration>,
    /// How many expired holds are ended at a time.
    pub sweep_size: u32,
    /// How long history may take before the ledger is asked instead.
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
            retry_pause: Duration::from_millis(5),
            retry_pause_max: Duration::from_secs(1),
            tries_max: 12,
            sweep_interval: Some(Duration::from_secs(2)),
            sweep_size: 500,
            history_wait: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// For a store that takes several commits at a time, as a database server does:
    /// one batch is decided while another is written, and a third one is under way
    /// while there is much to do.
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

    /// Refuses what would make the service stand still.
    pub(super) fn validate(&self) -> Result<(), BuildError> {
        let at_least_one = [
            ("queue_capacity", self.queue_capacity == 0),
            ("committers", self.committers == 0),
            ("batch_requests_max", self.batch_requests_max == 0),
            ("tries_max", self.tries_max == 0),
            ("history_wait", self.history_wait.is_zero()),
            (
                "sweep_interval",
                self.sweep_interval
                    .is_some_and(|interval| interval.is_zero()),
            ),
        ];
        let zero = at_least_one.iter().find(|(_, is_zero)| *is_zero);
        zero.map_or(Ok(()), |(name, _)| Err(BuildError::Zero(name)))
    }

    /// The most batches that are ever under way.
    pub(super) fn committers_max(&self) -> usize {
        self.committers.max(self.busy_committers).max(1)
    }

    /// How many batches may be under way where there are so many requests.
    pub(super) fn committers_for(&self, requests: usize) -> usize {
        if requests >= self.busy_requests {
            self.committers_max()
        } else {
            self.committers.max(1)
        }
    }

    /// The pause after `failures` failures in a row.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.retry_pause
            .saturating_mul(factor)
            .min(self.retry_pause_max)
    }
}

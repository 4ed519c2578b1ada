use std::time::Duration;

use crate::setting::{SettingError, check};

use wallet_core::runtime::Backoff;

/// The settings of a [`Relay`](super::Relay): plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelaySettings {
    /// The relay's name among the relays of an outbox: unique for each process.
    pub owner: String,
    /// The CloudEvents `source` of its events; `/wallet` by default.
    pub source: String,
    /// The lease time: how long the outbox stays owned without a renewal, at least 100 ms.
    /// After a crash, another relay takes over this much later. 5 s by default.
    pub lease: Duration,
    /// The poll interval without news: the fallback if no
    /// [`CommitSignal`](wallet_core::store::CommitSignal) reaches the relay; at least 1
    /// ms. 250 ms by default.
    pub poll: Duration,
    /// How many events are in flight at most, approximately; 20,000 by default. One large
    /// commit may exceed it.
    pub events_max: usize,
    /// The most outbox rows of one claim; 64 by default.
    pub rows: u32,
    /// The most publisher calls in flight; 32 by default.
    pub calls_max: usize,
    /// The pauses before a failed event is retried, shortened by up to 50% at random
    /// (jitter). From 50 ms to 5 s by default.
    pub retry: Backoff,
    /// Whether the events of system accounts (settlement, fees) are published too. They
    /// are many, and each account is one group.
    pub system_accounts: bool,
}

impl RelaySettings {
    /// The defaults for a relay of this name.
    #[must_use]
    pub fn new(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            source: "/wallet".to_owned(),
            lease: Duration::from_secs(5),
            poll: Duration::from_millis(250),
            events_max: 20_000,
            rows: 64,
            calls_max: 32,
            retry: Backoff::new(Duration::from_millis(50), Duration::from_secs(5)),
            system_accounts: false,
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        check([
            ("owner", (1..=256).contains(&self.owner.len())),
            ("source", (1..=256).contains(&self.source.len())),
            ("lease", self.lease >= Duration::from_millis(100)),
            ("poll", self.poll >= Duration::from_millis(1)),
            ("events_max", self.events_max > 0),
            ("rows", self.rows > 0),
            ("calls_max", self.calls_max > 0),
            ("retry", !self.retry.first.is_zero()),
            ("retry", self.retry.longest >= self.retry.first),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ_by_half() {
        let retry = RelaySettings::new("test").retry;
        let ms = Duration::from_millis;
        assert_eq!(retry.pause_with_jitter(1, 0), ms(25));
        assert_eq!(retry.pause_with_jitter(1, 1_000), ms(50));
        assert_eq!(retry.pause_with_jitter(3, 1_000), ms(200));
        assert_eq!(retry.pause_with_jitter(3, 500), ms(150));
        for failures in [8, 40, u32::MAX] {
            assert_eq!(retry.pause_with_jitter(failures, 1_000), ms(5_000));
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let with = |change: fn(&mut RelaySettings)| {
            let mut settings = RelaySettings::new("test");
            change(&mut settings);
            settings.validate()
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(
            with(|s| s.owner = String::new()),
            Err(SettingError("owner"))
        );
        assert_eq!(
            with(|s| s.source = String::new()),
            Err(SettingError("source"))
        );
        assert_eq!(
            with(|s| s.lease = Duration::ZERO),
            Err(SettingError("lease"))
        );
        assert_eq!(with(|s| s.poll = Duration::ZERO), Err(SettingError("poll")));
        assert_eq!(with(|s| s.events_max = 0), Err(SettingError("events_max")));
        assert_eq!(with(|s| s.rows = 0), Err(SettingError("rows")));
        assert_eq!(with(|s| s.calls_max = 0), Err(SettingError("calls_max")));
        assert_eq!(
            with(|s| s.retry.first = Duration::ZERO),
            Err(SettingError("retry"))
        );
        assert_eq!(
            with(|s| s.retry.longest = Duration::ZERO),
            Err(SettingError("retry"))
        );
    }
}

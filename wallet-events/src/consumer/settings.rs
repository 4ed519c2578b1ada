use std::time::Duration;

use wallet_core::messaging::InboxStep;
use wallet_core::runtime::Backoff;

use crate::setting::{SettingError, check};

/// How long a handler may take for one event, by default.
pub(crate) const HANDLER_WAIT: Duration = Duration::from_secs(30);

/// How a [`Consumer`](super::Consumer) works: plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// The consumer's name in the inbox: 1 to 128 bytes. All processes that share the
    /// work use the same name; every other purpose uses another name.
    pub name: String,
    /// The start position on an account that the consumer has never seen.
    pub start: Start,
    /// What missing versions mean to the consumer.
    pub gaps: Gaps,
    /// How many messages are received at a time; 10 by default.
    pub batch: u32,
    /// The visibility timeout of a received message; extended while the consumer works.
    /// 30 s by default.
    pub visibility: Duration,
    /// How long the handler may take for one event, at least 1 ms. Then the call is dropped,
    /// and the attempt counts as failed. 30 s by default. `Duration::MAX` sets no limit. A
    /// handler that blocks its thread is not interrupted.
    pub handler_wait: Duration,
    /// The pauses before a failed event is received again. From 1 s to 5 min by default.
    pub retry: Backoff,
}

/// The start position on an account that the consumer has never seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// At the account's opening: versions before the first event are missing, and are
    /// read from the ledger.
    #[default]
    Opening,
    /// At the first event that arrives: for a consumer that is added later and needs no
    /// history.
    FirstSeen,
}

/// What missing versions of an account mean to a consumer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Gaps {
    /// Their events were lost; their effects are read from the ledger.
    #[default]
    CatchUp,
    /// Nothing: the consumer subscribed to some events only.
    Expected,
}

impl ConsumerSettings {
    /// The defaults for a consumer of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: Start::default(),
            gaps: Gaps::default(),
            batch: 10,
            visibility: Duration::from_secs(30),
            handler_wait: HANDLER_WAIT,
            retry: Backoff::new(Duration::from_secs(1), Duration::from_secs(300)),
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        let name = 1..=InboxStep::CONSUMER_BYTES_MAX;
        check([
            ("name", name.contains(&self.name.len())),
            ("batch", self.batch > 0),
            ("visibility", self.visibility >= Duration::from_millis(100)),
            (
                "handler_wait",
                self.handler_wait >= Duration::from_millis(1),
            ),
            ("retry", self.retry.longest >= self.retry.first),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let with = |change: fn(&mut ConsumerSettings)| {
            let mut settings = ConsumerSettings::new("test");
            change(&mut settings);
            settings.validate()
        };
        let fault = |name| Err(SettingError(name));
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|s| s.name = "x".repeat(128)), Ok(()));
        assert_eq!(with(|s| s.name = String::new()), fault("name"));
        assert_eq!(with(|s| s.name = "x".repeat(129)), fault("name"));
        assert_eq!(with(|s| s.batch = 0), fault("batch"));
        assert_eq!(with(|s| s.visibility = Duration::ZERO), fault("visibility"));
        let wait = |s: &mut ConsumerSettings| s.handler_wait = Duration::ZERO;
        assert_eq!(with(wait), fault("handler_wait"));
        assert_eq!(with(|s| s.handler_wait = Duration::MAX), Ok(()));
        assert_eq!(with(|s| s.retry.longest = Duration::ZERO), fault("retry"));
    }
    #[test]
    fn pauses_double_up_to_the_longest() {
        let settings = ConsumerSettings::new("test");
        let pause = |failures| settings.retry.pause(failures).as_secs();
        let pauses = [1, 2, 3, 9, 10, u32::MAX].map(pause);
        assert_eq!(pauses, [1, 2, 4, 256, 300, 300]);
    }
}

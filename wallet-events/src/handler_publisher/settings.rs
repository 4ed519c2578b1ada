use std::time::Duration;

use wallet_core::messaging::InboxStep;

use crate::consumer::{Gaps, HANDLER_WAIT, Start};
use crate::setting::{SettingError, check};

/// The settings of a [`HandlerPublisher`](super::HandlerPublisher): plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerSettings {
    /// The handler's name in the inbox: 1 to 128 bytes. All processes that run the same
    /// handler use the same name; every other purpose uses another name.
    pub name: String,
    /// The start position on an account that the handler has never seen.
    pub start: Start,
    /// What missing versions mean to the handler.
    pub gaps: Gaps,
    /// How many calls of the handler may fail for one event before the event is parked; 20
    /// by default, which takes about a minute with the default pauses of a relay. The count
    /// is in memory: it begins again when the process starts. `None` never parks the event.
    pub attempts_max: Option<u32>,
    /// How long the handler may take for one event, at least 1 ms. Then the call is dropped,
    /// and the attempt counts as failed. 30 s by default. `Duration::MAX` sets no limit. A
    /// handler that blocks its thread is not interrupted.
    pub handler_wait: Duration,
}

impl HandlerSettings {
    /// The defaults for a handler of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: Start::default(),
            gaps: Gaps::default(),
            attempts_max: Some(20),
            handler_wait: HANDLER_WAIT,
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        let name = 1..=InboxStep::CONSUMER_BYTES_MAX;
        check([
            ("name", name.contains(&self.name.len())),
            ("attempts_max", self.attempts_max != Some(0)),
            (
                "handler_wait",
                self.handler_wait >= Duration::from_millis(1),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let with = |change: fn(&mut HandlerSettings)| {
            let mut settings = HandlerSettings::new("test");
            change(&mut settings);
            settings.validate()
        };
        let fault = |name| Err(SettingError(name));
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|s| s.attempts_max = None), Ok(()));
        assert_eq!(with(|s| s.name = String::new()), fault("name"));
        assert_eq!(with(|s| s.name = "x".repeat(129)), fault("name"));
        assert_eq!(with(|s| s.attempts_max = Some(0)), fault("attempts_max"));
        let wait = |s: &mut HandlerSettings| s.handler_wait = Duration::ZERO;
        assert_eq!(with(wait), fault("handler_wait"));
        assert_eq!(with(|s| s.handler_wait = Duration::MAX), Ok(()));
    }
}

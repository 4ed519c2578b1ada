use std::time::Duration;

/// How long a call to a service may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// One attempt; the SDK makes several. 5 seconds by default.
    pub attempt: Duration,
    /// All attempts of a call and the pauses between them. 20 seconds by default.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(20),
        }
    }
}

impl Timeouts {
    /// The same timeouts for a long polling call.
    #[cfg(feature = "sqs")]
    pub(super) const fn and(self, wait: Duration) -> Self {
        Self {
            attempt: self.attempt.saturating_add(wait),
            call: self.call.saturating_add(wait),
        }
    }
}

/// The part of an SDK client's configuration that sets the timeouts.
macro_rules! config {
    ($sdk:ident, $timeouts:expr) => {{
        let timeouts: $crate::aws::Timeouts = $timeouts;
        let config = $sdk::config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(timeouts.attempt)
            .operation_timeout(timeouts.call)
            .build();
        $sdk::config::Builder::new().timeout_config(config)
    }};
}
pub(super) use config;

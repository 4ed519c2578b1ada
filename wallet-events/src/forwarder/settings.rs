use std::time::Duration;

/// The settings of a [`Forwarder`](super::Forwarder).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForwarderSettings {
    /// The number of concurrent receives: at least 1. The queue's lock on a group keeps
    /// order between them. 4 by default.
    pub workers: usize,
    /// The visibility timeout of a received message. It is extended at every third of its
    /// length while the message is in flight. After a crash, messages in flight are
    /// received again this much later. 30 seconds by default.
    pub visibility: Duration,
    /// The pause after an empty receive, for queues without long polling. 100
    /// milliseconds by default.
    pub idle_pause: Duration,
    /// The first pause of a failed message. It doubles with each receive, up to the
    /// longest. 1 and 30 seconds by default.
    pub retry_pause: Duration,
    /// The longest pause of a failed message; on Amazon SQS less than 12 hours.
    pub retry_pause_max: Duration,
    /// How long messages are held while every call to the topic fails. After that they go
    /// back and their receives count. Set it longer than the topic's usual outages, so
    /// that an outage sends no message to the dead letter queue. 10 minutes by default.
    pub patience: Duration,
}

impl Default for ForwarderSettings {
    fn default() -> Self {
        Self {
            workers: 4,
            visibility: Duration::from_secs(30),
            idle_pause: Duration::from_millis(100),
            retry_pause: Duration::from_secs(1),
            retry_pause_max: Duration::from_secs(30),
            patience: Duration::from_secs(600),
        }
    }
}

impl ForwarderSettings {
    /// How long a failed message stays back after its `receives`.
    pub(crate) fn pause_after(&self, receives: u32) -> Duration {
        let doublings = receives.saturating_sub(1).min(20);
        let factor = 2_u32.saturating_pow(doublings);
        let pause = self.retry_pause.saturating_mul(factor);
        pause.min(self.retry_pause_max.max(self.retry_pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let settings = ForwarderSettings::default();
        let pauses = [1, 2, 3, 6, 7, 100].map(|n| settings.pause_after(n).as_secs());
        assert_eq!(pauses, [1, 2, 4, 30, 30, 30]);
    }
}

use std::time::Duration;

use wallet_core::runtime::Backoff;

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
    /// The pauses of a failed message, by its number of receives; on Amazon SQS less than
    /// 12 hours. 1 to 30 seconds by default.
    pub retry: Backoff,
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
            retry: Backoff::new(Duration::from_secs(1), Duration::from_secs(30)),
            patience: Duration::from_secs(600),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let settings = ForwarderSettings::default();
        let pauses = [1, 2, 3, 6, 7, 100].map(|n| settings.retry.pause(n).as_secs());
        assert_eq!(pauses, [1, 2, 4, 30, 30, 30]);
    }
}

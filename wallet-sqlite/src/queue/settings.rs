use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

/// The settings of a [`SqliteQueue`](super::SqliteQueue): plain data.
///
/// ```
/// use wallet_sqlite::{DeadLetters, SqliteQueueSettings};
///
/// let settings = SqliteQueueSettings {
///     dead_letters: Some(DeadLetters::new("mailer-dead")),
///     ..SqliteQueueSettings::new("mailer")
/// };
/// assert_eq!(settings.name, "mailer");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteQueueSettings {
    /// The queue's name in its file: 1 to 128 bytes.
    pub name: String,
    /// The dead letters. `None` by default: a message comes again without limit.
    pub dead_letters: Option<DeadLetters>,
    /// How long an id is remembered: a message with an id that was sent within this time is
    /// accepted and dropped. 5 minutes by default.
    pub window: Duration,
    /// How long a receive waits for its first message. 10 s by default.
    pub wait: Duration,
    /// How often a waiting receive looks for messages of other processes; at least 1 ms.
    /// 100 ms by default. A message that is published through the same object ends the wait
    /// at once.
    pub poll: Duration,
}

/// Where messages go that failed too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The name of another queue in the same file: 1 to 128 bytes.
    pub queue: String,
    /// How often a message is received at most, at least once. If it comes back then, it
    /// goes to the dead letters. 5 by default.
    pub max_receives: u32,
}

impl DeadLetters {
    /// The defaults for dead letters in the queue of this name.
    #[must_use]
    pub fn new(queue: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            max_receives: 5,
        }
    }
}

impl SqliteQueueSettings {
    /// The defaults for a queue of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            dead_letters: None,
            window: Duration::from_secs(300),
            wait: Duration::from_secs(10),
            poll: Duration::from_millis(100),
        }
    }

    pub(super) fn validate(&self) -> Result<(), StoreError> {
        let fits = |name: &str| (1..=128).contains(&name.len());
        let dead = self.dead_letters.as_ref();
        let problems = [
            (!fits(&self.name), "a queue's name has 1 to 128 bytes"),
            (
                dead.is_some_and(|dead| !fits(&dead.queue)),
                "the name of the dead letters has 1 to 128 bytes",
            ),
            (
                dead.is_some_and(|dead| dead.queue == self.name),
                "the dead letters must be another queue",
            ),
            (
                dead.is_some_and(|dead| dead.max_receives == 0),
                "the setting `max_receives` must be at least 1",
            ),
            (
                self.poll < Duration::from_millis(1),
                "the setting `poll` must be at least 1 ms",
            ),
        ];
        let found = problems.iter().find(|(is_problem, _)| *is_problem);
        found.map_or(Ok(()), |(_, problem)| {
            Err(StoreError::new(StoreErrorKind::Internal, *problem))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(settings: &mut SqliteQueueSettings) -> &mut DeadLetters {
        settings.dead_letters.as_mut().unwrap()
    }

    #[test]
    fn settings_with_which_a_queue_could_not_work_are_refused() {
        let with = |change: fn(&mut SqliteQueueSettings)| {
            let mut settings = SqliteQueueSettings::new("mailer");
            settings.dead_letters = Some(DeadLetters::new("dead"));
            change(&mut settings);
            settings.validate().is_ok()
        };
        assert!(with(|_| ()));
        assert!(with(|s| s.name = "x".repeat(128)));
        assert!(!with(|s| s.name = "x".repeat(129)));
        assert!(!with(|s| s.name.clear()));
        assert!(!with(|s| dead(s).queue.clear()));
        assert!(!with(|s| dead(s).queue = "mailer".to_owned()));
        assert!(!with(|s| dead(s).max_receives = 0));
        assert!(!with(|s| s.poll = Duration::ZERO));
    }
}

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a [`Forwarder`](super::Forwarder) has done since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForwarderStats {
    /// Messages published to the topic, repeated ones included.
    pub forwarded: u64,
    /// Failed publications: the topic did not accept the message, and it went back to the
    /// queue. Each attempt counts.
    pub failed: u64,
    /// Refused publications: the topic will never accept the message as it is. It went
    /// back to the queue, which moves it to the dead letter queue. Each attempt counts.
    pub refused: u64,
    /// Messages that went back because an earlier message of their group did.
    pub held_back: u64,
    /// Messages that were published but could not be deleted; they are received again.
    pub undeleted: u64,
    /// Calls to the topic that failed as a whole.
    pub publish_errors: u64,
    /// Receive calls that failed.
    pub receive_errors: u64,
    /// The text of the latest error.
    pub last_error: Option<String>,
}

/// The live counters behind the stats.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) forwarded: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) held_back: AtomicU64,
    pub(super) undeleted: AtomicU64,
    pub(super) publish_errors: AtomicU64,
    pub(super) receive_errors: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn wrong(&self, counter: &AtomicU64, what: String) {
        one(counter);
        *self.last_error() = Some(what);
    }

    pub(super) fn read(&self) -> ForwarderStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ForwarderStats {
            forwarded: of(&self.forwarded),
            failed: of(&self.failed),
            refused: of(&self.refused),
            held_back: of(&self.held_back),
            undeleted: of(&self.undeleted),
            publish_errors: of(&self.publish_errors),
            receive_errors: of(&self.receive_errors),
            last_error: self.last_error().clone(),
        }
    }

    fn last_error(&self) -> MutexGuard<'_, Option<String>> {
        let error = self.last_error.lock();
        error.unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

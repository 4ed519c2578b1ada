use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a [`Forwarder`](super::Forwarder) has done since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForwarderStats {
    /// Messages published to the topic, those that came again included.
    pub forwarded: u64,
    /// Messages that the topic did not take, and that went back to the queue: as
    /// often as they did.
    pub failed: u64,
    /// Messages that the topic never will take as they are, and that went back
    /// to the queue, which puts them aside in the end: as often as they did.
    pub refused: u64,
    /// Messages that went back because an earlier one of their group did.
    pub held_back: u64,
    /// Messages that were published but could not be deleted: they come again.
    pub undeleted: u64,
    /// Calls to the topic that failed as a whole.
    pub publish_errors: u64,
    /// Calls to receive that failed.
    pub receive_errors: u64,
    /// What was said of the latest that went wrong.
    pub last_error: Option<String>,
}

/// The same, as it is counted.
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

use std::sync::{Mutex, MutexGuard, PoisonError};

use wallet_core::runtime::Counter;

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
    pub(super) forwarded: Counter,
    pub(super) failed: Counter,
    pub(super) refused: Counter,
    pub(super) held_back: Counter,
    pub(super) undeleted: Counter,
    pub(super) publish_errors: Counter,
    pub(super) receive_errors: Counter,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn wrong(&self, counter: &Counter, what: String) {
        counter.add(1);
        *self.last_error() = Some(what);
    }

    pub(super) fn read(&self) -> ForwarderStats {
        ForwarderStats {
            forwarded: self.forwarded.get(),
            failed: self.failed.get(),
            refused: self.refused.get(),
            held_back: self.held_back.get(),
            undeleted: self.undeleted.get(),
            publish_errors: self.publish_errors.get(),
            receive_errors: self.receive_errors.get(),
            last_error: self.last_error().clone(),
        }
    }

    fn last_error(&self) -> MutexGuard<'_, Option<String>> {
        let error = self.last_error.lock();
        error.unwrap_or_else(PoisonError::into_inner)
    }
}

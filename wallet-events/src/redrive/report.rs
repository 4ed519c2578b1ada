use thiserror::Error;
use wallet_core::messaging::{DeliveryError, Message};

/// One message of a [`Redrive`](super::Redrive) and its result.
#[derive(Debug, Clone, Copy)]
pub struct RedriveStep<'a> {
    /// The message, under its own id.
    pub message: &'a Message,
    /// The result of the message.
    pub fate: &'a RedriveFate,
}

/// The result of one message of a [`Redrive`](super::Redrive).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedriveFate {
    /// It is back in the queue and no longer among the dead letters.
    Moved,
    /// It is back in the queue and also still in the dead letter queue, because it could
    /// not be deleted there. Another run sends it once more.
    Undeleted {
        /// The reason, as text.
        reason: String,
    },
    /// The queue did not take it; it stays. Another run may move it.
    Failed {
        /// The reason, as text.
        reason: String,
    },
    /// The queue will never accept it as it is; it stays.
    Refused {
        /// The reason, as text.
        reason: String,
    },
    /// It stays, because an earlier message of its group stays.
    Behind,
}

/// The counts of a [`Redrive`](super::Redrive): see [`RedriveFate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RedriveReport {
    /// Moved.
    pub moved: u64,
    /// Sent but not deleted.
    pub undeleted: u64,
    /// Not accepted this time.
    pub failed: u64,
    /// Refused for good.
    pub refused: u64,
    /// Not sent, because an earlier message of the group stays.
    pub behind: u64,
}

/// Why a [`Redrive`](super::Redrive) ended early. Moved messages stay moved, the others
/// stay.
#[derive(Debug, Error)]
pub enum RedriveError {
    /// The dead-letter queue could not be received from.
    #[error("receiving dead letters failed")]
    Receive(#[source] DeliveryError),
    /// The queue failed several times in a row. Some messages may have been sent; another
    /// run sends them once more.
    #[error("sending back failed")]
    Publish(#[source] DeliveryError),
}

impl RedriveReport {
    pub(super) fn count(&mut self, fate: &RedriveFate) {
        let counter = match fate {
            RedriveFate::Moved => &mut self.moved,
            RedriveFate::Undeleted { .. } => &mut self.undeleted,
            RedriveFate::Failed { .. } => &mut self.failed,
            RedriveFate::Refused { .. } => &mut self.refused,
            RedriveFate::Behind => &mut self.behind,
        };
        *counter = counter.saturating_add(1);
    }
}

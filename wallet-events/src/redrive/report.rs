use thiserror::Error;
use wallet_core::messaging::{Message, PublishError, QueueError};

/// One message of a [`Redrive`](super::Redrive), once it is known what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct RedriveStep<'a> {
    /// The message, under its own id.
    pub message: &'a Message,
    /// What became of it.
    pub fate: &'a RedriveFate,
}

/// What became of one message of a [`Redrive`](super::Redrive).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedriveFate {
    /// It is back in the queue and no longer among the dead letters.
    Moved,
    /// It is back in the queue, and among the dead letters still, because it
    /// could not be deleted there: another run sends it once more.
    Undeleted {
        /// Why, in words.
        reason: String,
    },
    /// The queue did not take it; it stays. Another run may move it.
    Failed {
        /// Why, in words.
        reason: String,
    },
    /// The queue never will take it as it is; it stays.
    Refused {
        /// Why, in words.
        reason: String,
    },
    /// It stays, because an earlier one of its group does.
    Behind,
}

/// How many messages of a [`Redrive`](super::Redrive) came to what: see [`RedriveFate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RedriveReport {
    /// Moved.
    pub moved: u64,
    /// Sent, but not deleted.
    pub undeleted: u64,
    /// Not taken this time.
    pub failed: u64,
    /// Never taken.
    pub refused: u64,
    /// Not sent, because an earlier one of the group stays.
    pub behind: u64,
}

/// Why a [`Redrive`](super::Redrive) ended early. What it had moved is moved, the rest stays.
#[derive(Debug, Error)]
pub enum RedriveError {
    /// The dead-letter queue could not be received from.
    #[error("receiving dead letters failed")]
    Receive(#[source] QueueError),
    /// The queue took nothing, several times in a row; some of it may have been
    /// sent, and is sent once more by another run.
    #[error("sending back failed")]
    Publish(#[source] PublishError),
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

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Answer, WalletError};
use crate::ledger::Timestamp;
use crate::request::PreparedRequest;

/// A request in the queue or in a batch, with its waiting caller. A ticket that is
/// dropped without an answer still answers.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) request: Arc<PreparedRequest>,
    caller: Option<oneshot::Sender<Result<Answer, WalletError>>>,
    /// Whether a committer has taken the request, so that the store may have it.
    pub(super) is_taken: bool,
    /// Whether an earlier attempt may have committed the request.
    pub(super) is_unknown: bool,
    /// The number of times that the request was blocked.
    pub(super) blocked: u32,
    /// The time before which the request must not be taken.
    pub(super) not_before: Timestamp,
}

impl Ticket {
    pub(super) fn new(
        request: Arc<PreparedRequest>,
        caller: oneshot::Sender<Result<Answer, WalletError>>,
    ) -> Self {
        Self {
            request,
            caller: Some(caller),
            is_taken: false,
            is_unknown: false,
            blocked: 0,
            not_before: Timestamp::from_micros(i64::MIN),
        }
    }

    /// Answers the caller, if it still waits.
    pub(super) fn answer(mut self, answer: Result<Answer, WalletError>) {
        if let Some(caller) = self.caller.take() {
            // A caller that is gone only loses the answer.
            let _ = caller.send(answer);
        }
    }

    /// Answers that nothing was done, unless an earlier attempt may have committed.
    pub(super) fn fail(self, error: WalletError) {
        let error = if self.is_unknown {
            self.indeterminate()
        } else {
            error
        };
        self.answer(Err(error));
    }

    /// The answer when the result of the request is unknown.
    pub(super) fn indeterminate(&self) -> WalletError {
        WalletError::indeterminate(&self.request)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(caller) = self.caller.take() {
            let error = if self.is_taken || self.is_unknown {
                self.indeterminate()
            } else {
                WalletError::ShuttingDown
            };
            let _ = caller.send(Err(error));
        }
    }
}

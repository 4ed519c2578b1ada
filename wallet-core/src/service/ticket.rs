use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Answer, WalletError};
use crate::ledger::Timestamp;
use crate::request::Prepared;

/// A request in the queue or in a batch, and the caller who waits for it. A
/// ticket that is dropped unanswered answers all the same.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) request: Arc<Prepared>,
    caller: Option<oneshot::Sender<Result<Answer, WalletError>>>,
    /// Whether a committer has taken it: the store may know of it.
    pub(super) is_taken: bool,
    /// Whether an earlier try may have committed it.
    pub(super) is_unknown: bool,
    /// How often it came back blocked.
    pub(super) blocked: u32,
    /// Not to be taken before this time.
    pub(super) not_before: Timestamp,
}

impl Ticket {
    pub(super) fn new(
        request: Arc<Prepared>,
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
            // A caller who went away loses nothing but the answer.
            let _ = caller.send(answer);
        }
    }

    /// Tells the caller that nothing was done, unless an earlier try may have.
    pub(super) fn fail(self, error: WalletError) {
        let error = if self.is_unknown {
            self.indeterminate()
        } else {
            error
        };
        self.answer(Err(error));
    }

    /// What is true when nobody knows what became of it.
    pub(super) fn indeterminate(&self) -> WalletError {
        WalletError::Indeterminate {
            key: self.request.key(),
            ids: self.request.ids(),
        }
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

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Answer, WalletError};
use crate::{AccountKey, HoldKey, Prepared, RecordKey, Timestamp, TransferKey};

/// What two batches under way must not share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Resource {
    Key(RecordKey),
    Account(AccountKey),
    /// A hold whose accounts are not known.
    Hold(HoldKey),
    /// A transfer whose accounts are not known.
    Transfer(TransferKey),
}

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

    /// The key of the bulk request that it is an item of.
    pub(super) fn bulk(&self) -> Option<Resource> {
        let membership = self.request.membership();
        membership.map(|membership| Resource::Key(membership.key))
    }

    /// What it touches, its key first.
    pub(super) fn resources(&self) -> impl Iterator<Item = Resource> + '_ {
        let request = &self.request;
        let accounts = request.accounts().iter().copied();
        let holds = request.holds().iter().copied();
        let transfers = request.transfers().iter().copied();
        std::iter::once(Resource::Key(request.key()))
            .chain(self.bulk())
            .chain(accounts.map(Resource::Account))
            .chain(holds.map(Resource::Hold))
            .chain(transfers.map(Resource::Transfer))
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

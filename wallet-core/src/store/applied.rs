//! The result of requests that a store applied in the host's own transaction.

use std::sync::Arc;

use thiserror::Error;

use crate::ledger::{Decided, LedgerId, Outcome, Rejected};
use crate::store::{StatementError, StoreError};

/// The result of requests that a store applied in the host's own transaction. It is
/// valid if the host commits.
///
/// A refused request is an answer and no error. A host that commits without a check
/// commits an order that nobody paid. Call [`accepted`](Self::accepted) first, and
/// roll back when it returns an error.
///
/// ```
/// # use wallet_core::store::{Applied, NotAccepted};
/// # fn commit() {}
/// # fn roll_back() {}
/// fn settle(applied: &Applied) -> Result<(), NotAccepted> {
///     match applied.accepted() {
///         Ok(_) => commit(),
///         Err(refused) => {
///             roll_back();
///             return Err(refused);
///         }
///     }
///     Ok(())
/// }
/// # settle(&Applied::new(Vec::new(), Vec::new()))?;
/// # Ok::<(), NotAccepted>(())
/// ```
///
/// A host that denies warnings cannot ignore an unused value:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # fn apply() -> Result<wallet_core::store::Applied, String> { Err(String::new()) }
/// # fn order() -> Result<(), String> {
/// apply()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a refused payment is an `Applied` as well: ask `accepted` before committing"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    decided: Vec<Decided>,
    after_commit: Vec<(LedgerId, Arc<Outcome>)>,
}

impl Applied {
    /// Builds the result: one answer per request, and every outcome that was
    /// accepted now, in the order of its effects. For stores.
    pub const fn new(decided: Vec<Decided>, after_commit: Vec<(LedgerId, Arc<Outcome>)>) -> Self {
        Self {
            decided,
            after_commit,
        }
    }

    /// The outcomes, one per request in order, if every request was accepted, now
    /// or earlier under the same key.
    ///
    /// # Errors
    /// [`NotAccepted`] for the first request that was not accepted. Roll the
    /// transaction back, unless the refusal is to be recorded.
    pub fn accepted(&self) -> Result<Vec<&Outcome>, NotAccepted> {
        let each = self.decided.iter().enumerate();
        each.map(|(request, decided)| match decided {
            Decided::Fresh(outcome) | Decided::Replayed(outcome) => match outcome.result {
                Ok(_) => Ok(&**outcome),
                Err(rejected) => Err(NotAccepted::Rejected { request, rejected }),
            },
            Decided::IdempotencyMismatch => Err(NotAccepted::IdempotencyMismatch { request }),
            Decided::Blocked => Err(NotAccepted::Blocked { request }),
            Decided::ClockBehind { ahead_micros } => Err(NotAccepted::ClockBehind {
                request,
                ahead_micros: *ahead_micros,
            }),
        })
        .collect()
    }

    /// One answer per request, in order. A refusal is an answer too. It is recorded
    /// only if the host commits. After the commit, pass the answers to
    /// [`Wallet::after_commit`](crate::service::Wallet::after_commit).
    #[must_use]
    pub fn decided(&self) -> &[Decided] {
        &self.decided
    }

    /// Every outcome that was accepted now, in the order of its effects. After the
    /// host's commit, and not before, it may be used to update caches and to wake
    /// the relay. After a rollback it is meaningless.
    #[must_use]
    pub fn after_commit(&self) -> &[(LedgerId, Arc<Outcome>)] {
        &self.after_commit
    }
}

/// The reason why a request in the host's own transaction was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotAccepted {
    /// The rules refused it. The refusal is recorded if the host commits.
    #[error("request {request} was refused: {rejected}")]
    Rejected {
        /// The request's index.
        request: usize,
        /// The reason.
        rejected: Rejected,
    },
    /// The idempotency key was used for another request.
    #[error("request {request} is not the first one under its key")]
    IdempotencyMismatch {
        /// The request's index.
        request: usize,
    },
    /// An account that the request needs could not be locked, or it changed
    /// meanwhile.
    #[error("request {request} needs what another transaction keeps")]
    Blocked {
        /// The request's index.
        request: usize,
    },
    /// An account's time is ahead of the store's clock by more than the allowed
    /// bound.
    #[error("the store's clock is {ahead_micros} microseconds behind for request {request}")]
    ClockBehind {
        /// The request's index.
        request: usize,
        /// How far the account's time is ahead, in microseconds.
        ahead_micros: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Epoch, Rejection, Timestamp};

    fn outcome(result: Result<Vec<crate::ledger::Receipt>, Rejected>) -> Arc<Outcome> {
        let at = Timestamp::EPOCH;
        Arc::new(Outcome {
            at,
            epoch: Epoch::FIRST,
            result,
        })
    }

    #[test]
    fn what_is_not_accepted_is_named_with_its_place() {
        let rejected = Rejected {
            rejection: Rejection::InsufficientFunds,
            command: 0,
            subject: uuid::Uuid::from_u128(7),
        };
        let fine = || Decided::Replayed(outcome(Ok(Vec::new())));
        let request = 1;
        for (decided, expected) in [
            (
                Decided::Fresh(outcome(Err(rejected))),
                NotAccepted::Rejected { request, rejected },
            ),
            (
                Decided::Replayed(outcome(Err(rejected))),
                NotAccepted::Rejected { request, rejected },
            ),
            (
                Decided::IdempotencyMismatch,
                NotAccepted::IdempotencyMismatch { request },
            ),
            (Decided::Blocked, NotAccepted::Blocked { request }),
            (
                Decided::ClockBehind { ahead_micros: 3 },
                NotAccepted::ClockBehind {
                    request,
                    ahead_micros: 3,
                },
            ),
        ] {
            let applied = Applied::new(vec![fine(), decided, fine()], Vec::new());
            assert_eq!(applied.accepted(), Err(expected));
        }
        let all = Applied::new(vec![fine(), fine()], Vec::new());
        assert_eq!(all.accepted().unwrap().len(), 2);
    }
}

/// The host's transaction is gone: the database rolled it back, after a deadlock, a full
/// disk or a lost connection. A further statement would commit on its own. Nothing that
/// was applied in the transaction is committed or will be. Begin a new transaction.
///
/// On MySQL, if nothing was applied yet, a statement of the host that commits implicitly
/// (a change of schema) may have committed the transaction instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the database has rolled the host's transaction back")]
pub struct TransactionLost;

/// The reason why a store applied nothing in the host's transaction, or an inbox recorded
/// nothing in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The host's transaction is gone.
    #[error("{TransactionLost}")]
    TransactionLost(#[source] Option<StoreError>),
    /// A statement of the host that commits implicitly (a change of schema) has ended the
    /// transaction. Everything applied in it is committed. Every later statement was
    /// committed on its own. The handle refuses further work.
    #[error("a statement of the host has committed its transaction early")]
    CommittedEarly,
    /// A request was not accepted. The host's transaction is as it was before the call, and
    /// the refusal is not recorded.
    #[error(transparent)]
    NotAccepted(#[from] NotAccepted),
    /// The database refused a statement of the host. The transaction goes on without it.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Only the work of this call was rolled back. The host's transaction is as it was
    /// before the call. The host decides whether to roll back, commit, or begin again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TransactionLost> for ApplyError {
    fn from(_: TransactionLost) -> Self {
        Self::TransactionLost(None)
    }
}

//! The service that a host holds: group commit over a store.
//!
//! [`Wallet::submit`] and [`Scope::run`] return a refusal by the rules as an error.
//! [`Wallet::submit_raw`] returns it as an answer, for those who replay answers byte
//! for byte. Both take the same way: the service validates and fingerprints a request and puts it into a bounded queue. A committer of the [`Driver`] takes all waiting requests that
//! share no account or key with a batch in flight. It passes them to the store as
//! one batch. A batch costs a constant number of round trips and one flush, for any
//! number of requests. No request waits on purpose: a batch is the set of requests
//! that arrived during the previous commit.
//!
//! A request stays with its committer until its result is known. `Conflict`,
//! `Unavailable` and `Indeterminate` repeat the whole batch under the same keys,
//! with backoff. `Invalid` and `Corrupt` split the batch until the culprit is
//! alone, and so does a repeated `Conflict`. If a foreign transaction locks an
//! account, the request returns to the queue for a while.
//!
//! Statements and past balances come from history where history proves the same
//! answer as the ledger's ([`Wallet::statement`], [`Wallet::balance_at`]).
//!
//! Balances go to a cache by write-behind, and readers choose how fresh they must
//! be ([`Wallet::balances`]). Only readers wait for the cache.

mod accepted;
mod ahead;
mod answer;
mod balances;
mod builder;
mod bulk;
mod committer;
mod deadline;
mod driver;
mod ensure;
mod error;
mod fate;
mod history;
mod lines;
mod pending;
mod present;
mod quarantine;
mod queue;
mod reads;
mod reservation;
mod scope;
mod selection;
mod settings;
mod shared;
mod single_flight;
mod stats;
mod sweep;
mod ticket;
mod transaction;
mod wallet;

pub use accepted::Accepted;
pub use ahead::{MAX_AHEAD_RAISE, MAX_RAISE_LIFE, RaiseError};
pub use answer::Answer;
pub use builder::{BuildError, IntoStore, WalletBuilder};
pub use driver::Driver;
pub use ensure::{Difference, Ensured};
pub use error::{InvalidValue, WalletError};
pub use fate::LastCommit;
pub use scope::Scope;
pub use settings::Settings;
pub use stats::StatsSnapshot;
pub use transaction::Transaction;
pub use wallet::Wallet;

use shared::Shared;
use stats::Stats;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::request::PreparedRequest;
use crate::store::{StoreError, StoreErrorKind};
use ticket::Ticket;

/// Puts a request into the queue at once. The answer comes later. Dropping the
/// receiver does not affect the request.
fn push(shared: &Shared, request: Arc<PreparedRequest>) -> Result<AnswerReceiver, WalletError> {
    if transaction::is_inside() {
        return Err(WalletError::InsideTransaction);
    }
    let (caller, answer) = oneshot::channel();
    let ticket = Ticket::new(request, caller);
    let pushed = shared.queue.push(ticket, &shared.settings);
    match &pushed {
        Ok(()) => shared.stats.submitted.add(1),
        Err(WalletError::Overloaded) => shared.stats.overloaded.add(1),
        Err(_) => {}
    }
    pushed.map(|()| answer)
}

type AnswerReceiver = oneshot::Receiver<Result<Answer, WalletError>>;

/// Waits for the answer to a request in the queue.
async fn received(answer: AnswerReceiver) -> Result<Answer, WalletError> {
    // A ticket always answers, at the latest when it is dropped.
    answer.await.unwrap_or(Err(WalletError::ShuttingDown))
}

/// Puts a request into the queue at once and returns a future of its answer.
fn enqueue(
    shared: &Shared,
    request: Arc<PreparedRequest>,
) -> impl Future<Output = Result<Answer, WalletError>> + use<> {
    let pushed = push(shared, request);
    async move { received(pushed?).await }
}

/// A record whose receipt does not fit the command that its fingerprint is of.
fn other_receipt() -> WalletError {
    let context = "the receipt under the key is of another command";
    StoreError::new(StoreErrorKind::Corrupt, context).into()
}

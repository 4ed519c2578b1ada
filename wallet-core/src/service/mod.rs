//! The service that a host holds: group commit over a store.
//!
//! [`Wallet::submit`] validates and fingerprints a request and puts it into a
//! bounded queue. A committer of the [`Driver`] takes all that is waiting, as far
//! as no batch under way touches the same accounts or keys, and hands it to the
//! store as one batch: a constant number of round trips and one flush, however
//! many requests. Nothing waits on purpose: a batch is what arrived while the
//! last one was committing.
//!
//! A request stays with its committer until its fate is known. `Conflict`,
//! `Unavailable` and `Indeterminate` repeat the whole batch under the same keys;
//! `Invalid` and `Corrupt` split it until the culprit stands alone, and so does a
//! `Conflict` that repeats; a request whose account a foreign transaction keeps goes
//! back to the queue for a while.
//!
//! Statements and past balances come from history where that proves that the
//! ledger would say the same ([`Wallet::statement`], [`Wallet::balance_at`]).
//!
//! Balances go to a cache beside all that, and come from it as fresh as a reader
//! asks ([`Wallet::balances`]); nothing waits for it but who reads.

mod ahead;
mod answer;
mod balances;
mod builder;
mod bulk;
mod committer;
mod driver;
mod error;
mod fate;
mod flights;
mod history;
mod kept;
mod pending;
mod present;
mod quarantine;
mod queue;
mod reads;
mod settings;
mod shared;
mod stats;
mod sweep;
mod ticket;
mod wallet;

pub use ahead::{MAX_AHEAD_RAISE, MAX_RAISE_LIFE, RaiseError};
pub use answer::Answer;
pub use builder::{BuildError, WalletBuilder};
pub use driver::Driver;
pub use error::WalletError;
pub use fate::LastCommit;
pub use settings::Settings;
pub use stats::StatsSnapshot;
pub use wallet::Wallet;

use shared::Shared;
use stats::Stats;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::request::Prepared;
use ticket::Ticket;

/// Puts a request into the queue at once; the answer comes later. Dropping the
/// receiver changes nothing about the request.
fn push(shared: &Shared, request: Arc<Prepared>) -> Result<AnswerReceiver, WalletError> {
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

/// The answer to a request in the queue.
async fn received(answer: AnswerReceiver) -> Result<Answer, WalletError> {
    // A ticket always answers, at the latest when it is dropped.
    answer.await.unwrap_or(Err(WalletError::ShuttingDown))
}

/// Puts a request into the queue at once and gives its answer.
fn enqueue(
    shared: &Shared,
    request: Prepared,
) -> impl Future<Output = Result<Answer, WalletError>> + use<> {
    let pushed = push(shared, Arc::new(request));
    async move { received(pushed?).await }
}

//! Applies requests inside a transaction of the host.

use std::sync::Arc;

use wallet_core::decide::Decision;
use wallet_core::ledger::Decided;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::{Applied, ApplyError};

use super::session::{invalid, probe};
use super::{HostTransaction, State};
use crate::commit::Refusals;
use crate::error::{Doing, Failed};
use crate::run::Runner;
use crate::sql::Script;
use crate::{AuroraStore, commit, number};

const SAVE: &str = "SAVEPOINT wallet_apply";
const RELEASE: &str = "RELEASE SAVEPOINT wallet_apply";
const UNDO: &str = "ROLLBACK TO SAVEPOINT wallet_apply";

impl AuroraStore {
    /// Applies `requests` inside the host's transaction, all or none. The rules, records
    /// and events are those of [`transact`](wallet_core::store::LedgerStore::transact).
    /// Everything is committed or rolled back together with the host's own work. Pass
    /// several requests in one call: two calls could lock accounts in different orders. The
    /// method never retries. It waits for locks as long as the host's session allows.
    ///
    /// The accounts stay locked until the host ends its transaction, so keep it short. If
    /// the future is dropped before it ends, the handle refuses further work.
    ///
    /// # Errors
    /// - [`ApplyError::NotAccepted`]: the first request that was not accepted. Nothing is
    ///   recorded, not even the refusal. The transaction is as it was before the call, but
    ///   the accounts are locked.
    /// - [`ApplyError::Store`]: nothing of the requests remains in the transaction, which
    ///   is as it was before the call. `Invalid`: the connection belongs to other books,
    ///   two requests have one key, or the store refuses the data. `Conflict`: an account
    ///   was locked for too long, or another transaction took a key or a caller's id
    ///   meanwhile.
    /// - [`ApplyError::TransactionLost`]: the server has rolled back the host's
    ///   transaction.
    /// - [`ApplyError::CommittedEarly`]: the host has changed a schema in the transaction.
    pub async fn apply_in(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<PreparedRequest>],
    ) -> Result<Applied, ApplyError> {
        let applied = self.apply_as(transaction, requests, Refusals::Dropped);
        let applied = applied.await?;
        applied.accepted()?;
        Ok(applied)
    }

    /// Like [`apply_in`](Self::apply_in), but a refusal is an answer and no error. It is
    /// recorded if the host commits, and so are the requests next to it that were accepted.
    /// Check [`accepted`](Applied::accepted) before you commit anything that must not be
    /// committed without its payment.
    ///
    /// # Errors
    /// As [`apply_in`](Self::apply_in), without `NotAccepted`.
    pub async fn apply_in_raw(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<PreparedRequest>],
    ) -> Result<Applied, ApplyError> {
        let applied = self.apply_as(transaction, requests, Refusals::Recorded);
        applied.await
    }

    async fn apply_as(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<PreparedRequest>],
        refusals: Refusals,
    ) -> Result<Applied, ApplyError> {
        let batch = Batch::with_max_ahead(requests.to_vec(), self.max_ahead);
        if batch.requests().len() != requests.len() {
            return Err(invalid("two requests have the same key").into());
        }
        transaction.state.check()?;
        // If the caller drops the future from here on, the handle refuses further work.
        transaction.state = State::Lost;
        let decision = match self.apply(transaction, &batch, refusals).await {
            Ok(decision) => decision,
            Err(End::UnderWay(error)) => {
                transaction.state = State::Open;
                return Err(error);
            }
            Err(End::Over(error)) => return Err(error),
        };
        transaction.state = State::Open;
        let fresh = batch.requests().iter().zip(&decision.decided);
        let mut fresh = fresh.filter(|(_, decided)| matches!(decided, Decided::Fresh(_)));
        if transaction.recorded.is_none() && refusals.are_written(&decision.decided) {
            transaction.recorded = fresh.next().map(|(request, _)| request.key());
        }
        Ok(Applied::new(decision.decided, decision.changes.accepted))
    }

    async fn apply(
        &self,
        host: &mut HostTransaction<'_>,
        batch: &Batch,
        refusals: Refusals,
    ) -> Result<Decision, End> {
        if host.identity().await? != self.identity {
            let error = invalid("the host's connection is to other books");
            return Err(End::UnderWay(error.into()));
        }
        let connection = host.link.connection().map_err(ApplyError::from)?;
        match probe(connection, Script::of("setting a savepoint", SAVE)).await {
            Ok(true) => {}
            // The host continued after an error of its own statement, or after a change of
            // schema.
            Ok(false) => return Err(End::Over(host.over().await)),
            Err(error) => return Err(ApplyError::TransactionLost(Some(error)).into()),
        }
        let mut runner = Runner {
            connection,
            answer_wait: self.host_wait,
            packet_bytes: self.packet_bytes,
            is_limit: true,
        };
        let applied = commit::apply(&mut runner, batch, &self.time, refusals, RELEASE);
        match applied.await {
            Ok(decision) => Ok(decision),
            Err(failed) => {
                let code = failed.code;
                let error = undo(&mut runner, failed).await;
                host.link.note(code);
                Err(error.into())
            }
        }
    }
}

/// Why nothing was applied, and whether the host's transaction is still open.
enum End {
    UnderWay(ApplyError),
    Over(ApplyError),
}

impl From<ApplyError> for End {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(_) => Self::UnderWay(error),
            _ => Self::Over(error),
        }
    }
}

/// Rolls back the part that was applied.
async fn undo(runner: &mut Runner<'_>, failed: Failed) -> ApplyError {
    if failed.ended_transaction() {
        return ApplyError::TransactionLost(Some(failed.error));
    }
    let mut script = Script::of("rolling back to a savepoint", UNDO);
    script.fixed(Doing::Work, "releasing a savepoint", RELEASE);
    match runner.run(&script).await {
        Ok(_) if failed.is_duplicate() => match number::passed_over(runner).await {
            Ok(given_again) => ApplyError::Store(given_again.unwrap_or(failed).error),
            Err(lost) if lost.ended_transaction() => ApplyError::TransactionLost(Some(lost.error)),
            Err(other) => ApplyError::Store(other.error),
        },
        Ok(_) => ApplyError::Store(failed.error),
        // A part may still be there. It must not be committed.
        Err(_) => ApplyError::TransactionLost(Some(failed.error)),
    }
}

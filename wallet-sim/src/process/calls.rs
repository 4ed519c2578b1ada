//! The calls that clients make through a process. Each runs as a task of its process, so
//! that it dies with it.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use wallet_core::ledger::{AccountKey, Freshness, HoldKey, InLedger, KeyText};
use wallet_core::request::{BulkRequest, Recorded};
use wallet_core::{
    Balance, Command, IdempotencyKey, LedgerId, Outcome, Request, Timestamp, Wallet, WalletError,
};

use super::Processes;
use super::reply::{Reply, reply};
use crate::{Bug, Group};

impl Processes {
    /// Submits a request to a process; `None` while it is down. If the caller hangs
    /// up and `withdraws` is set, the call is dropped midway.
    pub(crate) fn submit(
        self: &Arc<Self>,
        process: usize,
        request: Request,
        withdraws: bool,
    ) -> Option<oneshot::Receiver<Reply>> {
        let wallet = self.wallet(process)?;
        let (mut sender, receiver) = oneshot::channel();
        let key = request.key().record_key(request.ledger());
        let holds = named_holds(request.ledger(), request.commands());
        let processes = Arc::clone(self);
        let call = async move {
            let answer = {
                let answer = pin!(processes.carry_out(&wallet, request));
                if withdraws {
                    match select(answer, pin!(sender.closed())).await {
                        Either::Left((answer, _)) => answer,
                        Either::Right(_) => return,
                    }
                } else {
                    answer.await
                }
            };
            let is_concerned = processes.store.damage.concerns(&holds);
            let mut reply = reply(answer, is_concerned);
            if processes.bug == Some(Bug::CallsUnknownNotDone) && matches!(reply, Reply::Unknown) {
                reply = Reply::NotDone("so it says".to_owned());
            }
            if let Reply::Outcome(outcome) = &reply {
                processes.acknowledged.take(key, outcome);
            }
            // The caller may be gone.
            let _ = sender.send(reply);
        };
        self.spawner.spawn(Group::Calls(process), "call", call);
        Some(receiver)
    }

    /// Submits a bulk request to a process; `None` while it is down.
    pub(crate) fn submit_bulk(
        self: &Arc<Self>,
        process: usize,
        bulk: BulkRequest,
    ) -> Option<oneshot::Receiver<Vec<Reply>>> {
        let wallet = self.wallet(process)?;
        let (sender, receiver) = oneshot::channel();
        let processes = Arc::clone(self);
        let key = bulk.key().record_key(bulk.ledger());
        let holds = named_holds(bulk.ledger(), bulk.items());
        let call = async move {
            let answers = match wallet.submit_bulk_raw(bulk).await {
                Ok(answers) => answers,
                Err(error) => vec![Err(error)],
            };
            let is_concerned = processes.store.damage.concerns(&holds);
            let replies = answers
                .into_iter()
                .map(|answer| reply(answer.map(|a| a.outcome), is_concerned));
            let replies: Vec<Reply> = replies.collect();
            for (index, reply) in (0..).zip(&replies) {
                match reply {
                    // A cancellation may be recorded under the bulk request's key.
                    Reply::Outcome(outcome) if !outcome.is_cancelled() => {
                        let key = key.item(index);
                        processes.acknowledged.take(key, outcome);
                    }
                    _ => {}
                }
            }
            // The caller may be gone.
            let _ = sender.send(replies);
        };
        self.spawner.spawn(Group::Calls(process), "bulk", call);
        Some(receiver)
    }

    /// Cancels a key through a process; `None` while it is down.
    pub(crate) fn cancel(
        self: &Arc<Self>,
        process: usize,
        key: IdempotencyKey,
    ) -> Option<oneshot::Receiver<Result<Recorded, WalletError>>> {
        let wallet = self.wallet(process)?;
        let (sender, receiver) = oneshot::channel();
        let processes = Arc::clone(self);
        let call = async move {
            let ledger = LedgerId::default();
            let cancelled = wallet.cancel(ledger, &key).await;
            if let Ok(Recorded::Request(outcome)) = &cancelled {
                let key = key.record_key(ledger);
                processes.acknowledged.take(key, outcome);
            }
            let _ = sender.send(cancelled);
        };
        self.spawner.spawn(Group::Calls(process), "cancel", call);
        Some(receiver)
    }

    /// Carries out a request in a process. Without a bug, the process submits it.
    async fn carry_out(
        &self,
        wallet: &Wallet,
        request: Request,
    ) -> Result<Arc<Outcome>, WalletError> {
        let again = request.clone();
        match self.bug {
            Some(Bug::AnswersWithoutCommit) if self.rng.chance(20) => {
                let answer = wallet.dry_run(request).await?;
                return Ok(answer.outcome);
            }
            Some(Bug::CachesBeforeCommit) if self.rng.chance(200) => {
                let answer = wallet.dry_run(again).await?;
                // A failure of the cache is ignored.
                let _ = self.environment.cache.put(&answer.outcome.balances()).await;
            }
            _ => {}
        }
        let answer = wallet.submit_raw(request.clone()).await;
        if self.bug == Some(Bug::ResubmitsUnderNewKey)
            && matches!(answer, Err(WalletError::Indeterminate { .. }))
        {
            let text = KeyText::new(&format!("again {}", self.rng.next())).unwrap();
            let key = IdempotencyKey::new(request.key().scope().clone(), text);
            let anew = Request::of_many(key, request.commands().to_vec());
            return Ok(wallet.submit_raw(anew).await?.outcome);
        }
        Ok(answer?.outcome)
    }

    /// Reads the recorded outcome of a request's key through a process; `None`
    /// while it is down.
    pub(crate) fn recall(
        &self,
        process: usize,
        request: &Request,
    ) -> Option<oneshot::Receiver<Result<Option<Arc<Outcome>>, WalletError>>> {
        let wallet = self.wallet(process)?;
        let (sender, receiver) = oneshot::channel();
        let (ledger, key) = (request.ledger(), request.key().clone());
        let call = async move {
            // The caller may be gone.
            let _ = sender.send(wallet.outcome(ledger, &key).await);
        };
        self.spawner.spawn(Group::Calls(process), "recall", call);
        Some(receiver)
    }

    /// Reads balances through a process; `None` while it is down. The answer is
    /// empty where the read failed.
    pub(crate) fn read(
        &self,
        process: usize,
        accounts: Vec<AccountKey>,
        freshness: Freshness,
    ) -> Option<oneshot::Receiver<Option<Vec<Option<Balance>>>>> {
        let wallet = self.wallet(process)?;
        let (sender, receiver) = oneshot::channel();
        let freshness = match freshness {
            Freshness::AtLeast(_) if self.bug == Some(Bug::IgnoresTokens) => Freshness::Cached,
            other => other,
        };
        let call = async move {
            let found = wallet.balances(&accounts, &freshness).await.ok();
            let _ = sender.send(found);
        };
        self.spawner.spawn(Group::Calls(process), "read", call);
        Some(receiver)
    }

    /// Reads a balance at a past time through a process, and ignores the answer,
    /// because the oracle of the store checks it. It does nothing while the process
    /// is down.
    pub(crate) fn look_back(&self, process: usize, account: AccountKey, at: Timestamp) {
        let Some(wallet) = self.wallet(process) else {
            return;
        };
        let call = async move {
            let _ = wallet.balance_at(account, at).await;
        };
        self.spawner.spawn(Group::Calls(process), "look back", call);
    }
}

/// The holds that commands name, whose rows they need.
fn named_holds(ledger: LedgerId, commands: &[Command]) -> Vec<HoldKey> {
    let ids = commands.iter().filter_map(|command| match command {
        Command::Capture(capture) => Some(capture.hold),
        Command::Release(release) => Some(release.hold),
        Command::PlaceHold(place) => place.id,
        _ => None,
    });
    ids.map(|id| InLedger::new(ledger, id)).collect()
}

//! A client: it wants each request done exactly once, and retries until it knows.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use wallet_core::ledger::{AccountKey, Freshness, KeyScope, KeyText, Position};
use wallet_core::request::{BulkRequest, Recorded};
use wallet_core::runtime::Clock;
use wallet_core::{Command, IdempotencyKey, LedgerId, Outcome, Request};

use super::process::Reply;
use super::world::World;
use super::{Bug, Rng, workload};

/// The number of attempts before a request counts as failed.
const ATTEMPTS_MAX: u32 = 300;

/// A client that wants each request done exactly once. It retries on any process
/// until the answer is definite.
#[derive(Debug)]
pub(super) struct Client {
    number: u64,
    world: Arc<World>,
    rng: Rng,
    /// The latest known position of each account, for monotonic reads.
    token: BTreeMap<AccountKey, Position>,
}

/// The result of one attempt.
enum Attempt {
    Answered(Arc<Outcome>),
    /// Certainly nothing was done.
    Refused,
    /// The result is unknown.
    Silence,
}

impl Client {
    pub(super) const fn new(number: u64, world: Arc<World>, rng: Rng) -> Self {
        Self {
            number,
            world,
            rng,
            token: BTreeMap::new(),
        }
    }

    pub(super) async fn run(mut self) {
        for operation in 0..self.world.scenario.operations {
            if self.is_left_out(operation) {
                continue;
            }
            let commands = if operation == 0 {
                workload::opening(self.number)
            } else {
                // The random numbers do not depend on earlier results.
                let seed = self.world.seed.rotate_left(32) ^ (self.number << 16) ^ operation;
                let rng = Rng::new(seed).fork();
                let notes = self.world.notes();
                workload::commands(&rng, self.world.scenario.clients, &notes.known)
            };
            self.world.notes().counts.requests += 1;
            if operation > 0 && commands.len() > 1 && self.rng.chance(600) {
                self.insist_on_items(operation, commands).await;
            } else {
                self.insist(operation, commands).await;
            }
            if self.rng.chance(300) {
                self.read().await;
            }
            if self.rng.chance(30) {
                self.look_back();
            }
            self.world.clock.sleep(self.rng.delay(60)).await;
        }
        self.world.finished();
    }

    fn is_left_out(&self, operation: u64) -> bool {
        let left_out = &self.world.scenario.left_out.operations;
        left_out.contains(&(self.number, operation))
    }

    /// Retries until the answer is definite.
    async fn insist(&mut self, operation: u64, commands: Vec<Command>) {
        let name = format!("{}-{operation}", self.number);
        let mut key = key(&name);
        let mut heard_all = true;
        for attempt in 0..ATTEMPTS_MAX {
            let request = Request::of_many(key.clone(), commands.clone());
            let silence = match self.attempt(&name, &request).await {
                Attempt::Answered(outcome) => return self.settle(&request, Some(outcome)),
                Attempt::Refused => false,
                Attempt::Silence => true,
            };
            heard_all &= !silence;
            if heard_all && self.rng.chance(300) {
                // Nothing was done, so the next request may be another one.
                self.settle(&request, None);
                key = self::key(&format!("{name}-{attempt}"));
            }
            if silence {
                self.world.notes().counts.unknown += 1;
                if self.rng.chance(200) {
                    let found = self.recall(&request).await;
                    match found {
                        Some(Some(outcome)) => return self.settle(&request, Some(outcome)),
                        Some(None)
                            if self.world.scenario.bug
                                == Some(Bug::TakesNothingRecordedForFailure) =>
                        {
                            self.settle(&request, None);
                            key = self::key(&format!("{name}-{attempt}"));
                        }
                        Some(None) | None => {}
                    }
                } else if self.rng.chance(150)
                    && let Some(outcome) = self.cancel(&key).await
                {
                    // The request is done or cancelled. Both are final.
                    return self.settle(&request, Some(outcome));
                }
            }
            match self.world.scenario.bug {
                Some(Bug::RetriesUnderNewKey) if silence => {
                    key = self::key(&format!("{name}-{attempt}"));
                }
                Some(Bug::TakesSilenceForFailure) if silence => {
                    return self.settle(&request, None);
                }
                _ => {}
            }
            self.world.clock.sleep(self.rng.delay(100)).await;
        }
        let finding = format_args!("client {name}: no definite answer");
        self.world.oracle.find(finding);
    }

    async fn attempt(&self, name: &str, request: &Request) -> Attempt {
        let process = self.rng.index(self.world.processes.count());
        self.world.notes().counts.attempts += 1;
        // Some clients give up early, and some of those cancel their request.
        let is_hasty = self.rng.chance(200);
        let patience = if is_hasty {
            self.rng.delay(300)
        } else {
            Duration::from_secs(60)
        };
        let withdraws = self.rng.chance(500);
        let reply = self
            .world
            .processes
            .submit(process, request.clone(), withdraws);
        let Some(reply) = reply else {
            return Attempt::Refused;
        };
        let wait = pin!(self.world.clock.sleep(patience));
        let line = |what: &str| self.world.trace.note(format_args!("client {name}: {what}"));
        match select(reply, wait).await {
            Either::Right(_) => {
                line("hangs up");
                Attempt::Silence
            }
            Either::Left((Err(_), _)) => {
                line("loses its process");
                Attempt::Silence
            }
            Either::Left((Ok(Reply::Outcome(outcome)), _)) => {
                match &outcome.result {
                    Ok(_) => line("done"),
                    Err(rejected) => line(rejected.rejection.code()),
                }
                Attempt::Answered(outcome)
            }
            Either::Left((Ok(Reply::NotDone(why)), _)) => {
                line(&why);
                Attempt::Refused
            }
            Either::Left((Ok(Reply::Unknown), _)) => {
                line("outcome unknown");
                Attempt::Silence
            }
            Either::Left((Ok(Reply::Mismatch), _)) => {
                let finding = format_args!("client {name}: its key was used for another");
                self.world.oracle.find(finding);
                Attempt::Refused
            }
            Either::Left((Ok(Reply::Wrong(why)), _)) => {
                self.world.oracle.find(format_args!("client {name}: {why}"));
                Attempt::Refused
            }
        }
    }

    /// Returns the recorded outcome of a request whose answer was lost; `None`
    /// where the query failed.
    async fn recall(&self, request: &Request) -> Option<Option<Arc<Outcome>>> {
        let process = self.rng.index(self.world.processes.count());
        let key = request.key().record_key(request.ledger());
        let was_known = self.world.oracle.knows(key);
        let recorded = self.world.processes.recall(process, request)?;
        // A store that fails now knows nothing now.
        let recorded = recorded.await.ok()?.ok()?;
        let found = recorded.is_some();
        self.world
            .trace
            .note(format_args!("client {}: recalls: {found}", self.number));
        if was_known && !found {
            let finding = format_args!("{key}: the record is not found");
            self.world.oracle.find(finding);
        }
        Some(recorded)
    }

    /// Cancels a key. Returns the outcome under it from then on, if an answer
    /// arrives.
    async fn cancel(&self, key: &IdempotencyKey) -> Option<Arc<Outcome>> {
        let process = self.rng.index(self.world.processes.count());
        let cancelled = self.world.processes.cancel(process, key.clone())?;
        let Recorded::Request(outcome) = cancelled.await.ok()?.ok()? else {
            return None;
        };
        let line = if outcome.is_cancelled() {
            "cancels"
        } else {
            "cannot cancel"
        };
        self.world
            .trace
            .note(format_args!("client {}: {line}", self.number));
        Some(outcome)
    }

    /// Submits a bulk request until every item has an outcome. Then submits other
    /// items under the same key, which must not be carried out.
    async fn insist_on_items(&mut self, operation: u64, items: Vec<Command>) {
        let name = format!("{}-{operation}", self.number);
        let key = key(&name);
        for _ in 0..ATTEMPTS_MAX {
            let bulk = BulkRequest::new(key.clone(), items.clone());
            let replies = self.attempt_items(bulk).await;
            let is_outcome = |reply: &Reply| matches!(reply, Reply::Outcome(_));
            if replies.len() == items.len() && replies.iter().all(is_outcome) {
                self.settle_items(&key, replies);
                let mut other = items.clone();
                other.rotate_left(1);
                other.extend(items);
                let replies = self.attempt_items(BulkRequest::new(key, other)).await;
                let is_done =
                    |reply: &Reply| matches!(reply, Reply::Outcome(o) if !o.is_cancelled());
                if replies.iter().any(is_done) {
                    let finding = format_args!("client {name}: other items are carried out");
                    self.world.oracle.find(finding);
                }
                return;
            }
            if self.rng.chance(100) {
                let process = self.rng.index(self.world.processes.count());
                let processes = &self.world.processes;
                if let Some(cancelled) = processes.cancel(process, key.clone()) {
                    // The result of the cancellation is visible when the items are
                    // submitted again.
                    let _ = cancelled.await;
                }
            }
            self.world.clock.sleep(self.rng.delay(100)).await;
        }
        let finding = format_args!("client {name}: no definite answer to its items");
        self.world.oracle.find(finding);
    }

    async fn attempt_items(&self, bulk: BulkRequest) -> Vec<Reply> {
        let process = self.rng.index(self.world.processes.count());
        self.world.notes().counts.attempts += 1;
        match self.world.processes.submit_bulk(process, bulk) {
            Some(replies) => replies.await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    fn settle_items(&mut self, key: &IdempotencyKey, replies: Vec<Reply>) {
        let key = key.record_key(LedgerId::default());
        let mut settled = Vec::new();
        for (index, reply) in (0..).zip(replies) {
            let Reply::Outcome(outcome) = reply else {
                continue;
            };
            for (account, position) in outcome.positions() {
                self.record_position(account, position);
            }
            self.world.notes().known.learn(&outcome);
            settled.push((key.item(index), outcome));
        }
        let mut notes = self.world.notes();
        notes.settled_bulks += 1;
        notes.settled_items.extend(settled);
    }

    /// Reads balances of its own accounts and one more.
    async fn read(&mut self) {
        let accounts = workload::account_keys(self.world.scenario.clients);
        let own = usize::try_from(self.number * 2).unwrap();
        let any = self.rng.index(accounts.len());
        let accounts = vec![accounts[own], accounts[any]];
        let freshness = match self.rng.below(4) {
            0 => Freshness::Cached,
            1 => Freshness::Strong,
            _ => Freshness::AtLeast(self.token.iter().map(|(a, v)| (*a, *v)).collect()),
        };
        let process = self.rng.index(self.world.processes.count());
        let before = self.world.oracle.positions(&accounts);
        let read = self
            .world
            .processes
            .read(process, accounts.clone(), freshness.clone());
        let Some(read) = read else { return };
        let Some(found) = read.await.ok().flatten() else {
            return;
        };
        self.world.notes().counts.reads += 1;
        for ((account, balance), before) in accounts.into_iter().zip(found).zip(before) {
            let oracle = &self.world.oracle;
            oracle.read(account, balance.as_ref(), &freshness, before);
            if let Some(balance) = balance {
                self.record_position(account, balance.position());
            }
        }
    }

    /// Reads a balance at a past or the current time.
    fn look_back(&self) {
        let accounts = workload::account_keys(self.world.scenario.clients);
        let account = accounts[self.rng.index(accounts.len())];
        let ago = Duration::from_millis(self.rng.pick(&[0, 0, 5, 500]));
        let at = self.world.store_clock.now().saturating_sub(ago);
        let process = self.rng.index(self.world.processes.count());
        self.world.processes.look_back(process, account, at);
    }

    fn settle(&mut self, request: &Request, outcome: Option<Arc<Outcome>>) {
        if let Some(outcome) = &outcome {
            for (account, position) in outcome.positions() {
                self.record_position(account, position);
            }
        }
        let mut notes = self.world.notes();
        if let Some(outcome) = &outcome {
            notes.known.learn(outcome);
        }
        let key = request.key().record_key(request.ledger());
        notes.settled.insert(key, outcome);
    }

    fn record_position(&mut self, account: AccountKey, position: Position) {
        let known = self.token.entry(account).or_default();
        *known = position.max(*known);
    }
}

fn key(text: &str) -> IdempotencyKey {
    let scope = KeyScope::new("simulation").unwrap();
    IdempotencyKey::new(scope, KeyText::new(text).unwrap())
}

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::{Clock, Command, IdempotencyKey, KeyScope, KeyText, Outcome, Request};

use super::process::Reply;
use super::world::World;
use super::{Bug, Rng, workload};

/// How often a client asks for one thing before it counts as a failure.
const ATTEMPTS_MAX: u32 = 300;

/// Somebody who wants things done, each exactly once, and asks either process
/// until the answer is definite.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) number: u64,
    pub(super) world: Arc<World>,
    pub(super) rng: Rng,
}

/// What came of one attempt.
enum Attempt {
    Answered(Arc<Outcome>),
    /// Certainly nothing was done.
    Refused,
    /// Nobody knows.
    Silence,
}

impl Client {
    pub(super) async fn run(self) {
        for operation in 0..self.world.operations {
            let commands = if operation == 0 {
                workload::opening(self.number)
            } else {
                let notes = self.world.notes();
                workload::commands(&self.rng, self.world.clients, &notes.known)
            };
            self.insist(operation, commands).await;
            self.world.clock.sleep(self.rng.delay(60)).await;
        }
        self.world.finished();
    }

    /// Asks until the answer is definite.
    async fn insist(&self, operation: u64, commands: Vec<Command>) {
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
                // Nothing was done, so it may as well be another request.
                self.settle(&request, None);
                key = self::key(&format!("{name}-{attempt}"));
            }
            if silence
                && self.rng.chance(200)
                && let Some(outcome) = self.recall(&request).await
            {
                return self.settle(&request, Some(outcome));
            }
            match self.world.bug {
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
        self.world
            .fail(format!("client {name}: no definite answer"));
    }

    async fn attempt(&self, name: &str, request: &Request) -> Attempt {
        let process = self.rng.index(self.world.processes.count());
        // Some give up early; of those some take their question back.
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
            .submit(&self.world, process, request.clone(), withdraws);
        let Some(reply) = reply else {
            return Attempt::Refused;
        };
        let wait = pin!(self.world.clock.sleep(patience));
        let line = |what: &str| self.world.trace.note(&format!("client {name}: {what}"));
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
            Either::Left((Ok(Reply::Wrong(why)), _)) => {
                self.world.fail(format!("client {name}: {why}"));
                Attempt::Refused
            }
        }
    }

    /// What the ledger remembers of a request whose answer was lost.
    async fn recall(&self, request: &Request) -> Option<Arc<Outcome>> {
        let process = self.rng.index(self.world.processes.count());
        let recorded = self.world.processes.recall(process, request)?;
        let recorded = recorded.await.ok().flatten();
        let found = recorded.is_some();
        self.world
            .trace
            .note(&format!("client {}: recalls: {found}", self.number));
        recorded
    }

    fn settle(&self, request: &Request, outcome: Option<Arc<Outcome>>) {
        let mut notes = self.world.notes();
        if let Some(outcome) = &outcome {
            notes.known.learn(outcome);
        }
        let key = request.key().record_key(request.ledger());
        notes.settled.insert(key, outcome);
    }
}

fn key(text: &str) -> IdempotencyKey {
    let scope = KeyScope::new("simulation").unwrap();
    IdempotencyKey::new(scope, KeyText::new(text).unwrap())
}

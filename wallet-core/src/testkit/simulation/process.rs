use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use crate::testkit::{ManualClock, SeededIds};
use crate::{LedgerStore, Outcome, Request, Settings, StoreErrorKind, Wallet, WalletError};

use super::executor::{Group, Spawner};
use super::world::World;
use super::{Bug, FaultyStore, Rng};

/// What a process answers.
#[derive(Debug)]
pub(super) enum Reply {
    Outcome(Arc<Outcome>),
    /// Nothing was done; why.
    NotDone(String),
    /// Nobody knows.
    Unknown,
    /// An answer that must never be given; why.
    Wrong(String),
}

/// The processes that serve the wallet: a service and its driver each.
#[derive(Debug)]
pub(super) struct Processes {
    spawner: Spawner,
    store: Arc<FaultyStore>,
    clock: Arc<ManualClock>,
    rng: Rng,
    slots: Mutex<Vec<Option<Wallet>>>,
}

impl Processes {
    pub(super) fn new(
        spawner: Spawner,
        store: Arc<FaultyStore>,
        clock: Arc<ManualClock>,
        rng: Rng,
        count: usize,
    ) -> Self {
        Self {
            spawner,
            store,
            clock,
            rng,
            slots: Mutex::new((0..count).map(|_| None).collect()),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.slots().len()
    }

    /// Starts a process with ids and settings of its own.
    pub(super) fn start(&self, process: usize) {
        let store: Arc<dyn LedgerStore> = Arc::<FaultyStore>::clone(&self.store);
        let builder = Wallet::builder(store)
            .clock(Arc::<ManualClock>::clone(&self.clock))
            .ids(Arc::new(SeededIds::new(self.rng.next())))
            .settings(self.settings());
        let (wallet, driver) = builder.build().expect("the settings make sense");
        self.spawner.spawn(Group::Driver(process), "driver", driver);
        self.slots()[process] = Some(wallet);
    }

    /// Small numbers, so that limits are met.
    fn settings(&self) -> Settings {
        Settings {
            queue_capacity: self.rng.pick(&[1, 2, 8]),
            committers: self.rng.pick(&[1, 2, 3]),
            batch_requests_max: self.rng.pick(&[1, 2, 8]),
            tries_max: self.rng.pick(&[1, 2, 5]),
            sweep_interval: Some(Duration::from_millis(400)),
            sweep_size: 3,
            ..Settings::default()
        }
    }

    /// Its driver and every call in it are gone at once.
    pub(super) fn kill(&self, process: usize) {
        self.slots()[process] = None;
        self.spawner.kill(Group::Calls(process));
        self.spawner.kill(Group::Driver(process));
    }

    /// Its driver is gone; those who wait in it live to hear what became of
    /// them.
    pub(super) fn lose_driver(&self, process: usize) {
        self.spawner.kill(Group::Driver(process));
    }

    /// Ends a process in good order: all that it accepted is answered first.
    pub(super) async fn shut_down(&self, process: usize) {
        let wallet = self.slots()[process].clone();
        if let Some(wallet) = wallet {
            wallet.shutdown().await;
        }
        self.slots()[process] = None;
    }

    /// Hands a request to a process; `None` while it is down. When the one who
    /// asked has hung up, the call is dropped in its middle if it `withdraws`.
    pub(super) fn submit(
        &self,
        world: &Arc<World>,
        process: usize,
        request: Request,
        withdraws: bool,
    ) -> Option<oneshot::Receiver<Reply>> {
        let wallet = self.slots()[process].clone()?;
        let (mut sender, receiver) = oneshot::channel();
        let key = request.key().record_key(request.ledger());
        let world = Arc::clone(world);
        let is_hollow = world.bug == Some(Bug::AnswersWithoutCommit) && self.rng.chance(20);
        let call = async move {
            let answer = {
                let answer = if is_hollow {
                    Either::Left(wallet.dry_run(request))
                } else {
                    Either::Right(wallet.submit(request))
                };
                let answer = pin!(answer);
                if withdraws {
                    match select(answer, pin!(sender.closed())).await {
                        Either::Left((answer, _)) => answer,
                        Either::Right(_) => return,
                    }
                } else {
                    answer.await
                }
            };
            let mut reply = reply(answer.map(|answer| answer.outcome));
            if world.bug == Some(Bug::CallsUnknownNotDone) && matches!(reply, Reply::Unknown) {
                reply = Reply::NotDone("so it says".to_owned());
            }
            if let Reply::Outcome(outcome) = &reply {
                let mut notes = world.notes();
                notes.acknowledged.push((key, Arc::clone(outcome)));
            }
            // Whoever asked may be gone.
            let _ = sender.send(reply);
        };
        self.spawner.spawn(Group::Calls(process), "call", call);
        Some(receiver)
    }

    /// Asks a process what is recorded under a request's key; `None` while it
    /// is down.
    pub(super) fn recall(
        &self,
        process: usize,
        request: &Request,
    ) -> Option<oneshot::Receiver<Option<Arc<Outcome>>>> {
        let wallet = self.slots()[process].clone()?;
        let (sender, receiver) = oneshot::channel();
        let (ledger, key) = (request.ledger(), request.key().clone());
        let call = async move {
            // A store that fails now knows nothing now.
            let recorded = wallet.outcome(ledger, &key).await.ok().flatten();
            let _ = sender.send(recorded);
        };
        self.spawner.spawn(Group::Calls(process), "recall", call);
        Some(receiver)
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Option<Wallet>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reply(answer: Result<Arc<Outcome>, WalletError>) -> Reply {
    let error = match answer {
        Ok(outcome) => return Reply::Outcome(outcome),
        Err(error) => error,
    };
    match &error {
        WalletError::Indeterminate { .. } => Reply::Unknown,
        WalletError::Overloaded | WalletError::ShuttingDown | WalletError::ClockBehind { .. } => {
            Reply::NotDone(error.to_string())
        }
        WalletError::Invalid(_) | WalletError::IdempotencyMismatch => {
            Reply::Wrong(error.to_string())
        }
        WalletError::Store(store) => match store.kind() {
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => {
                Reply::NotDone(error.to_string())
            }
            StoreErrorKind::Indeterminate
            | StoreErrorKind::Invalid
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Internal => Reply::Wrong(error.to_string()),
        },
    }
}

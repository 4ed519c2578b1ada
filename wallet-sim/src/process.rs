use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use wallet_core::ledger::{AccountKey, Freshness, HoldKey, InLedger, KeyText};
use wallet_core::request::{BulkRequest, Recorded};
use wallet_core::store::{CommitSignal, LedgerStore, StoreErrorKind};
use wallet_core::{
    Balance, Command, IdempotencyKey, LedgerId, Outcome, Request, Settings, Timestamp, Wallet,
    WalletError,
};
use wallet_testkit::SeededIds;

use super::environment::Environment;
use super::world::World;
use super::{Bug, FaultyStore, Harness, Rng, SkewedClock, Stop};
use crate::{Group, Spawner};

/// The answer of a process.
#[derive(Debug)]
pub(super) enum Reply {
    Outcome(Arc<Outcome>),
    /// Nothing was done, with the reason.
    NotDone(String),
    /// The result is unknown.
    Unknown,
    /// The key was used for another request.
    Mismatch,
    /// An answer that must never be given, with the reason.
    Wrong(String),
}

/// The processes that serve the wallet: a service, its driver, and the tasks beside
/// it.
#[derive(Debug)]
pub(super) struct Processes {
    spawner: Spawner,
    harness: Arc<dyn Harness>,
    pub(super) environment: Environment,
    store: Arc<FaultyStore>,
    clocks: Vec<Arc<SkewedClock>>,
    rng: Rng,
    bug: Option<Bug>,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    running: Vec<Option<Running>>,
    /// The number of started processes.
    started: u64,
}

#[derive(Debug, Clone)]
struct Running {
    wallet: Wallet,
    stop: Stop,
}

impl Processes {
    pub(super) fn new(
        spawner: Spawner,
        harness: Arc<dyn Harness>,
        environment: Environment,
        store: Arc<FaultyStore>,
        rng: Rng,
        count: usize,
    ) -> Self {
        let clock = || Arc::new(SkewedClock::new(Arc::clone(&environment.clock)));
        let clocks = (0..count).map(|_| clock()).collect();
        let bug = environment.bug;
        let slots = Mutex::new(Slots {
            running: (0..count).map(|_| None).collect(),
            started: 0,
        });
        Self {
            spawner,
            harness,
            environment,
            store,
            clocks,
            rng,
            bug,
            slots,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.clocks.len()
    }

    pub(super) fn clock(&self, process: usize) -> &SkewedClock {
        &self.clocks[process]
    }

    /// Starts a process with its own clock, ids and settings.
    pub(super) fn start(&self, process: usize) {
        let ahead_ms = self.rng.pick(&[0, 0, 3, -40, 900, -2_500, 60_000]);
        self.clocks[process].set_ahead(ahead_ms * 1_000);
        let clock = Arc::clone(&self.clocks[process]);
        let store: Arc<dyn LedgerStore> = Arc::<FaultyStore>::clone(&self.store);
        let stop = Stop::default();
        let started = self.slots().started + 1;
        let name = format!("process {process}/{started}");
        let signal = CommitSignal::default();
        let builder = Wallet::builder(Arc::clone(&store))
            .clock(Arc::<SkewedClock>::clone(&clock))
            .ids(Arc::new(SeededIds::new(self.rng.next())))
            .signal(signal.clone())
            .cache(Arc::clone(&self.environment.cache))
            .settings(self.settings());
        let (wallet, driver) = builder.build().expect("the settings make sense");
        self.spawner.spawn(Group::Driver(process), "driver", driver);
        self.spawner.kill(Group::Parts(process));
        let ports = self
            .environment
            .ports(process, name, clock, store, signal, stop.clone());
        for part in ports.map_or_else(Vec::new, |ports| self.harness.parts(ports)) {
            self.spawner
                .spawn(Group::Parts(process), part.name, part.future);
        }
        let mut slots = self.slots();
        slots.started = started;
        slots.running[process] = Some(Running { wallet, stop });
    }

    /// Small numbers, so that limits are reached.
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

    /// Kills a process: all its tasks are dropped at once.
    pub(super) fn kill(&self, process: usize) {
        self.slots().running[process] = None;
        self.spawner.kill(Group::Calls(process));
        self.spawner.kill(Group::Driver(process));
        self.spawner.kill(Group::Parts(process));
    }

    /// Drops the driver of a process. Its waiting callers live on and get their
    /// answers.
    pub(super) fn lose_driver(&self, process: usize) {
        self.spawner.kill(Group::Driver(process));
    }

    /// Shuts a process down in order: all accepted requests are answered first.
    pub(super) async fn shut_down(&self, process: usize) {
        let running = self.slots().running[process].clone();
        if let Some(Running { wallet, stop }) = running {
            stop.now();
            wallet.shutdown().await;
        }
        self.slots().running[process] = None;
    }

    fn wallet(&self, process: usize) -> Option<Wallet> {
        let slots = self.slots();
        let running = slots.running[process].as_ref();
        running.map(|running| running.wallet.clone())
    }

    /// Submits a request to a process; `None` while it is down. If the caller hangs
    /// up and `withdraws` is set, the call is dropped midway.
    pub(super) fn submit(
        &self,
        world: &Arc<World>,
        process: usize,
        request: Request,
        withdraws: bool,
    ) -> Option<oneshot::Receiver<Reply>> {
        let wallet = self.wallet(process)?;
        let (mut sender, receiver) = oneshot::channel();
        let key = request.key().record_key(request.ledger());
        let holds = named_holds(request.ledger(), request.commands());
        let world = Arc::clone(world);
        let call = async move {
            let answer = {
                let answer = pin!(world.processes.carry_out(&wallet, request));
                if withdraws {
                    match select(answer, pin!(sender.closed())).await {
                        Either::Left((answer, _)) => answer,
                        Either::Right(_) => return,
                    }
                } else {
                    answer.await
                }
            };
            let is_concerned = world.processes.store.damage.concerns(&holds);
            let mut reply = reply(answer, is_concerned);
            if world.scenario.bug == Some(Bug::CallsUnknownNotDone)
                && matches!(reply, Reply::Unknown)
            {
                reply = Reply::NotDone("so it says".to_owned());
            }
            if let Reply::Outcome(outcome) = &reply {
                world.oracle.acknowledged(key, outcome);
                let mut notes = world.notes();
                notes.acknowledged.push((key, Arc::clone(outcome)));
            }
            // The caller may be gone.
            let _ = sender.send(reply);
        };
        self.spawner.spawn(Group::Calls(process), "call", call);
        Some(receiver)
    }

    /// Submits a bulk request to a process; `None` while it is down.
    pub(super) fn submit_bulk(
        &self,
        world: &Arc<World>,
        process: usize,
        bulk: BulkRequest,
    ) -> Option<oneshot::Receiver<Vec<Reply>>> {
        let wallet = self.wallet(process)?;
        let (sender, receiver) = oneshot::channel();
        let world = Arc::clone(world);
        let key = bulk.key().record_key(bulk.ledger());
        let holds = named_holds(bulk.ledger(), bulk.items());
        let call = async move {
            let answers = match wallet.submit_bulk(bulk).await {
                Ok(answers) => answers,
                Err(error) => vec![Err(error)],
            };
            let is_concerned = world.processes.store.damage.concerns(&holds);
            let replies = answers
                .into_iter()
                .map(|answer| reply(answer.map(|a| a.outcome), is_concerned));
            let replies: Vec<Reply> = replies.collect();
            for (index, reply) in (0..).zip(&replies) {
                match reply {
                    // A cancellation may be recorded under the bulk request's key.
                    Reply::Outcome(outcome) if !outcome.is_cancelled() => {
                        let key = key.item(index);
                        world.oracle.acknowledged(key, outcome);
                        let mut notes = world.notes();
                        notes.acknowledged.push((key, Arc::clone(outcome)));
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
    pub(super) fn cancel(
        &self,
        world: &Arc<World>,
        process: usize,
        key: IdempotencyKey,
    ) -> Option<oneshot::Receiver<Result<Recorded, WalletError>>> {
        let wallet = self.wallet(process)?;
        let (sender, receiver) = oneshot::channel();
        let world = Arc::clone(world);
        let call = async move {
            let ledger = LedgerId::default();
            let cancelled = wallet.cancel(ledger, &key).await;
            if let Ok(Recorded::Request(outcome)) = &cancelled {
                let key = key.record_key(ledger);
                world.oracle.acknowledged(key, outcome);
                let mut notes = world.notes();
                notes.acknowledged.push((key, Arc::clone(outcome)));
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
        let answer = wallet.submit(request.clone()).await;
        if self.bug == Some(Bug::ResubmitsUnderNewKey)
            && matches!(answer, Err(WalletError::Indeterminate { .. }))
        {
            let text = KeyText::new(&format!("again {}", self.rng.next())).unwrap();
            let key = IdempotencyKey::new(request.key().scope().clone(), text);
            let anew = Request::of_many(key, request.commands().to_vec());
            return Ok(wallet.submit(anew).await?.outcome);
        }
        Ok(answer?.outcome)
    }

    /// Reads the recorded outcome of a request's key through a process; `None`
    /// while it is down.
    pub(super) fn recall(
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
    pub(super) fn read(
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
    pub(super) fn look_back(&self, process: usize, account: AccountKey, at: Timestamp) {
        let Some(wallet) = self.wallet(process) else {
            return;
        };
        let call = async move {
            let _ = wallet.balance_at(account, at).await;
        };
        self.spawner.spawn(Group::Calls(process), "look back", call);
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Converts an answer to a reply. If `is_concerned`, the answer may be that a row
/// is unreadable.
fn reply(answer: Result<Arc<Outcome>, WalletError>, is_concerned: bool) -> Reply {
    let error = match answer {
        Ok(outcome) => return Reply::Outcome(outcome),
        Err(error) => error,
    };
    match &error {
        WalletError::Indeterminate { .. } => Reply::Unknown,
        WalletError::Overloaded | WalletError::ShuttingDown | WalletError::ClockBehind { .. } => {
            Reply::NotDone(error.to_string())
        }
        WalletError::Invalid(_) | WalletError::InvalidItem { .. } => {
            Reply::Wrong(error.to_string())
        }
        WalletError::IdempotencyMismatch => Reply::Mismatch,
        WalletError::Store(store) => match store.kind() {
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => {
                Reply::NotDone(error.to_string())
            }
            StoreErrorKind::Corrupt if is_concerned => Reply::NotDone(error.to_string()),
            StoreErrorKind::Indeterminate
            | StoreErrorKind::Invalid
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Internal => Reply::Wrong(error.to_string()),
        },
        other => Reply::Wrong(format!("an error that no client knows: {other}")),
    }
}

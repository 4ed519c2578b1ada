use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::testkit::SeededIds;
use crate::{
    Batch, Clock, Decided, LedgerStore, Outcome, Prepared, Request, SettlementShards,
    StoreErrorKind,
};

use super::executor::{Group, Spawner};
use super::world::World;

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

/// The processes that serve the wallet.
#[derive(Debug)]
pub(super) struct Processes {
    spawner: Spawner,
    slots: Mutex<Vec<Option<()>>>,
}

impl Processes {
    pub(super) fn new(spawner: Spawner, count: usize) -> Self {
        Self {
            spawner,
            slots: Mutex::new((0..count).map(|_| None).collect()),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.slots().len()
    }

    pub(super) fn start(&self, _world: &Arc<World>, process: usize) {
        self.slots()[process] = Some(());
    }

    /// Its driver and every call in it are gone at once.
    pub(super) fn kill(&self, process: usize) {
        self.slots()[process] = None;
        self.spawner.kill(Group::Process(process));
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
        self.slots()[process]?;
        let (mut sender, receiver) = oneshot::channel();
        let key = request.key().record_key(request.ledger());
        let world = Arc::clone(world);
        let call = async move {
            let reply = {
                let call = std::pin::pin!(submit(&world, request));
                if withdraws {
                    let gone = std::pin::pin!(sender.closed());
                    match futures_util::future::select(call, gone).await {
                        futures_util::future::Either::Left((reply, _)) => reply,
                        futures_util::future::Either::Right(_) => return,
                    }
                } else {
                    call.await
                }
            };
            if let Reply::Outcome(outcome) = &reply {
                let mut notes = world.notes();
                notes.acknowledged.push((key, Arc::clone(outcome)));
            }
            // Whoever asked may be gone.
            let _ = sender.send(reply);
        };
        self.spawner.spawn(Group::Process(process), "call", call);
        Some(receiver)
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Option<()>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn submit(world: &World, request: Request) -> Reply {
    let ids = SeededIds::new(world.trace.hash());
    let prepared = Prepared::new(request, &ids, &SettlementShards::new()).unwrap();
    let batch = Arc::new(Batch::new(vec![Arc::new(prepared)]));
    loop {
        match world.store.transact(Arc::clone(&batch)).await {
            Ok(committed) => {
                return match &committed.decided[0] {
                    Decided::Fresh(outcome) | Decided::Replayed(outcome) => {
                        Reply::Outcome(Arc::clone(outcome))
                    }
                    Decided::IdempotencyMismatch => Reply::Wrong("mismatch".to_owned()),
                    other => Reply::NotDone(format!("{other:?}")),
                };
            }
            Err(error) => match error.kind() {
                StoreErrorKind::Conflict => {
                    world.clock.sleep(std::time::Duration::from_millis(3)).await;
                }
                StoreErrorKind::Unavailable => return Reply::NotDone(error.to_string()),
                StoreErrorKind::Indeterminate => return Reply::Unknown,
                _ => return Reply::Wrong(error.to_string()),
            },
        }
    }
}

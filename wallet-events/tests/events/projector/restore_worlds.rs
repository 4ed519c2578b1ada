//! Simulated worlds from a seed: a ledger is restored repeatedly under its relay and
//! restarting projectors. At the end history equals the books. Planted bugs show within a
//! few seeds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::history::{
    Backfill, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, RaisedBy, Restore, TransferKey};
use wallet_core::memory::{MemoryHistory, MemoryInbox, MemoryStore, Tables};
use wallet_core::messaging::{EventPublisher, MessageQueue};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::verify::reconcile::Reconciler;
use wallet_core::{AccountId, LedgerId, StoreError, Timestamp, Wallet};
use wallet_events::memory::MemoryQueue;
use wallet_events::{Consumer, ConsumerSettings, Projector};

use crate::kit::{Running, TestClock, spawn};
use crate::projector::far::Far;
use crate::projector::place::Place;

/// The number of seeds that correct projectors pass.
const SEEDS: u64 = 150;
/// The number of seeds within which a planted bug shows.
const CAUGHT_WITHIN: u64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// A restore loses nothing.
    KeepsWhatIsLost,
    /// Only the last of several restores counts.
    GoesByTheLastRestore,
    /// A row's known epoch is the epoch of its write instead of the epoch of its read.
    KnowsTooMuch,
    /// Reads return every row, superseded or not.
    ReadsWhatIsLost,
}

/// A slow history with a bug.
#[derive(Debug)]
struct Buggy {
    bug: Option<Bug>,
    far: Far,
    ledger: Arc<MemoryStore>,
}

impl Buggy {
    fn of(&self, restores: &[Restore]) -> Vec<Restore> {
        match self.bug {
            Some(Bug::KeepsWhatIsLost) => {
                let restored_to = Timestamp::from_micros(i64::MAX);
                let all = restores.iter().map(|one| Restore {
                    restored_to,
                    ..*one
                });
                all.collect()
            }
            Some(Bug::GoesByTheLastRestore) => restores.last().copied().into_iter().collect(),
            _ => restores.to_vec(),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for Buggy {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        if self.bug == Some(Bug::KnowsTooMuch) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let restores = self.ledger.epochs().await?.all_restores();
            return self.far.inner.append(lines, &restores).await;
        }
        self.far.append(lines, &self.of(restores)).await
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        self.far.supersede(accounts, &self.of(restores)).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.far.heads(accounts).await
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let mut page = self.far.page(query, restores).await?;
        if self.bug == Some(Bug::ReadsWhatIsLost) {
            let lost = self.far.superseded(query, restores).await?;
            page.rows.extend(lost.rows);
        }
        Ok(page)
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.far.of_transfer(transfer, restores).await
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.far.of_reference(query, restores).await
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.far.superseded(query, restores).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        self.far.expire(rows, at).await
    }
}

/// The source of the events.
enum Way {
    /// The outbox.
    Relay(Option<Running>),
    /// A queue, read by two processes of one consumer.
    Queue {
        queue: Arc<MemoryQueue>,
        inbox: Arc<MemoryInbox>,
        relay: Option<Running>,
        consumers: [tokio::task::JoinHandle<()>; 2],
    },
}

struct World {
    place: Place,
    bug: Option<Bug>,
    rng: fastrand::Rng,
    started: u32,
}

impl World {
    fn history(&self) -> Arc<Buggy> {
        Arc::new(Buggy {
            bug: self.bug,
            far: Far::new(self.place.history.clone(), 3),
            ledger: Arc::clone(&self.place.world.store),
        })
    }

    fn projector(&self) -> Arc<Projector> {
        Arc::new(Projector::new(self.history(), self.place.ledger()))
    }

    fn relay(&mut self, publisher: Arc<dyn EventPublisher>) -> Running {
        self.started += 1;
        let mut settings = Place::settings(&format!("relay-{}", self.started));
        settings.lease = Duration::from_millis(200);
        spawn(&self.place.world.relay_with(publisher, settings))
    }

    fn consumer(
        &self,
        queue: &Arc<MemoryQueue>,
        inbox: &Arc<MemoryInbox>,
    ) -> tokio::task::JoinHandle<()> {
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.place.world.clock);
        let queue: Arc<dyn MessageQueue> = Arc::<MemoryQueue>::clone(queue);
        let mut settings = ConsumerSettings::new("history");
        settings.visibility = Duration::from_millis(400);
        let inbox = Arc::<MemoryInbox>::clone(inbox);
        let consumer = Consumer::new(queue, inbox, self.projector(), clock, settings);
        let consumer = consumer.unwrap().with_ledger(self.place.ledger());
        tokio::spawn(async move { consumer.run(std::future::pending()).await })
    }

    fn begin(&mut self, by_queue: bool) -> Way {
        if !by_queue {
            let projector = self.projector();
            return Way::Relay(Some(self.relay(projector)));
        }
        let clock = Arc::<TestClock>::clone(&self.place.world.clock);
        let queue = MemoryQueue::new(clock).with_window(Duration::ZERO);
        let queue = Arc::new(queue.with_wait(Duration::from_secs(1)));
        let inbox = Arc::new(MemoryInbox::new());
        let relay = Some(self.relay(Arc::<MemoryQueue>::clone(&queue)));
        let consumers = [(); 2].map(|()| self.consumer(&queue, &inbox));
        Way::Queue {
            queue,
            inbox,
            relay,
            consumers,
        }
    }

    /// Kills a process at a random point and starts another.
    async fn restart(&mut self, way: &mut Way) {
        match way {
            Way::Relay(relay) => {
                relay.take().unwrap().kill().await;
                let projector = self.projector();
                *relay = Some(self.relay(projector));
            }
            Way::Queue {
                queue,
                inbox,
                consumers,
                ..
            } => {
                let one = &mut consumers[self.rng.usize(..2)];
                one.abort();
                *one = self.consumer(queue, inbox);
            }
        }
    }

    async fn end(way: Way) {
        match way {
            Way::Relay(relay) => relay.unwrap().kill().await,
            Way::Queue {
                relay, consumers, ..
            } => {
                relay.unwrap().kill().await;
                for one in consumers {
                    one.abort();
                }
            }
        }
    }

    /// Whether all events are processed in time.
    async fn is_drained(&self, way: &Way) -> bool {
        let relay = self.place.world.relay(self.place.projector());
        for _ in 0..300 {
            let depth = relay.depth().await;
            let is_queued = match way {
                Way::Relay(_) => false,
                Way::Queue { queue, .. } => !queue.messages().is_empty(),
            };
            if depth.unwrap().rows == 0 && !is_queued {
                return true;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        false
    }

    /// Restores the books from a backup with an approximate time.
    async fn restore(&mut self, (tables, at): &(Tables, Timestamp)) {
        *self.place.world.store.shared().tables() = tables.clone();
        let early = Duration::from_millis(self.rng.u64(..3) * self.rng.u64(..4_000));
        let by = RaisedBy::new(&format!("ops {}", self.rng.u32(..))).unwrap();
        let store = &self.place.world.store;
        let raised = store.raise_epoch(at.saturating_sub(early), &by).await;
        raised.unwrap();
        // Epochs distinguish restores of one backup by the second.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// A new wallet reads the same from history as from the ledger.
    async fn reads(&mut self, account: AccountKey) -> Option<String> {
        let store = Arc::<MemoryStore>::clone(&self.place.world.store);
        let clock = Arc::<TestClock>::clone(&self.place.world.clock);
        let builder = || Wallet::builder(store.clone()).clock(clock.clone());
        let with = builder().history(self.history()).spawn().unwrap();
        let without = builder().spawn().unwrap();
        let query = HistoryQuery::first(account, 1 + self.rng.u32(..9));
        let statement = with.statement(&query).await.unwrap();
        if statement != without.statement(&query).await.unwrap() {
            return Some(format!("{account}: another statement"));
        }
        let back = Duration::from_millis(self.rng.u64(..6_000));
        let at = clock.now().saturating_sub(back);
        let balance = with.balance_at(account, at).await.unwrap();
        let due = without.balance_at(account, at).await.unwrap();
        (balance != due).then(|| format!("{account}: {balance:?} at {at}, not {due:?}"))
    }
}

fn key(account: AccountId) -> AccountKey {
    AccountKey::new(LedgerId::default(), account)
}

/// The difference, at the end or on the way.
async fn run(seed: u64, bug: Option<Bug>) -> Option<String> {
    let mut world = World {
        place: Place::new(),
        bug,
        rng: fastrand::Rng::with_seed(seed),
        started: 0,
    };
    let mut way = world.begin(seed % 2 == 1);
    let accounts: [AccountId; 3] = world.place.world.accounts().await;
    let mut backups = Vec::new();
    for _ in 0..40 {
        let from = world.rng.usize(..3);
        match world.rng.u32(..12) {
            0 | 1 => {
                let tables = world.place.world.store.shared().tables().clone();
                backups.push((tables, world.place.world.clock.now()));
                // A later commit has a later time.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            2 if !backups.is_empty() => {
                let chosen = world.rng.usize(..backups.len());
                world.restore(&backups[chosen]).await;
                backups.truncate(chosen + 1);
            }
            3 => world.restart(&mut way).await,
            4 => {
                let pause = Duration::from_micros(world.rng.u64(..3_000_000));
                tokio::time::sleep(pause).await;
            }
            5 => {
                if let Some(wrong) = world.reads(key(accounts[from])).await {
                    return Some(wrong);
                }
            }
            _ => {
                let to = accounts[(from + 1) % 3];
                world.place.world.pay(accounts[from], to).await;
                let pause = Duration::from_micros(world.rng.u64(..3_000));
                tokio::time::sleep(pause).await;
            }
        }
    }
    // Every account has one more event, which brings it up to date.
    for from in 0..3 {
        let to = accounts[(from + 1) % 3];
        world.place.world.pay(accounts[from], to).await;
    }
    let is_drained = world.is_drained(&way).await;
    World::end(way).await;
    if !is_drained {
        return Some("events never come to their end".to_owned());
    }
    for account in accounts {
        if let Some(wrong) = differs(&world, key(account)).await {
            return Some(wrong);
        }
        if let Some(wrong) = world.reads(key(account)).await {
            return Some(wrong);
        }
    }
    mended(&world).await
}

async fn differs(world: &World, account: AccountKey) -> Option<String> {
    let restores = world.place.restores().await;
    let query = HistoryQuery::first(account, u32::MAX);
    let rows = world.history().page(&query, &restores).await.unwrap().rows;
    let held: Vec<HistoryLine> = rows.into_iter().map(|row| row.line).collect();
    let due = world.place.due(account).await;
    let (has, had) = (held.len(), due.len());
    (held != due).then(|| format!("{account}: {has} entries held, {had} due"))
}

/// System accounts without a new entry are repaired from the ledger.
async fn mended(world: &World) -> Option<String> {
    let (history, ledger): (&MemoryHistory, _) = (&world.place.history, world.place.ledger());
    let mended = Backfill::new(history, &*ledger).run(&mut |_| ()).await;
    if let Err(error) = mended {
        return Some(error.to_string());
    }
    for account in world.place.accounts().await {
        if let Some(wrong) = differs(world, account).await {
            return Some(wrong);
        }
    }
    let reconciler = Reconciler::new(&*ledger).with_history(history);
    let report = reconciler.run(&mut |_| ()).await.unwrap();
    report.differences.first().map(|one| format!("{one:?}"))
}

#[tokio::test(start_paused = true)]
async fn history_reads_as_the_books_do_however_often_they_are_restored() {
    for seed in 0..SEEDS {
        assert_eq!(run(seed, None).await, None, "seed {seed}");
    }
}

async fn assert_caught(bug: Bug) {
    for seed in 0..CAUGHT_WITHIN {
        if let Some(wrong) = run(seed, Some(bug)).await {
            println!("{bug:?}: seed {seed}: {wrong}");
            return;
        }
    }
    panic!("{bug:?} is not caught within {CAUGHT_WITHIN} seeds");
}

#[tokio::test(start_paused = true)]
async fn a_history_that_keeps_what_is_lost_is_caught() {
    assert_caught(Bug::KeepsWhatIsLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_goes_by_the_last_restore_is_caught() {
    assert_caught(Bug::GoesByTheLastRestore).await;
}

#[tokio::test(start_paused = true)]
async fn rows_known_in_too_late_an_epoch_are_caught() {
    assert_caught(Bug::KnowsTooMuch).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_reads_what_is_lost_is_caught() {
    assert_caught(Bug::ReadsWhatIsLost).await;
}

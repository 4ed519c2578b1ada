//! Simulated worlds from a seed: a ledger is restored repeatedly under its relay, its
//! queue and a restarting consumer. At the end the consumer holds what the books hold.
//! Planted bugs show within a few seeds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::{AccountKey, Epoch, Position, RaisedBy, Restore, Sequence};
use wallet_core::memory::{MemoryInbox, Tables};
use wallet_core::messaging::DeliveryError;
use wallet_core::messaging::{Inbox, InboxStep, MessageQueue};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::{Entry, EntryQuery, StoreError, Timestamp, TransferId};
use wallet_events::memory::MemoryQueue;
use wallet_events::{Consumer, ConsumerSettings, Delivery, EventHandler, Handled};

use crate::consumer::books::{Books, Way};
use crate::consumer::shop::{NAME, Shop, start};
use crate::kit::spawn;

/// The number of seeds that a correct consumer passes.
const SEEDS: u64 = 60;
/// The number of seeds within which a planted bug shows.
const CAUGHT_WITHIN: u64 = 150;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// The inbox compares versions and ignores epochs.
    PositionsByVersionOnly,
    /// The inbox stores no restores. A restarted process notifies its handler again, and
    /// forgets what the ledger has forgotten.
    ForgetsRestores,
    /// The handler discards nothing.
    KeepsWhatIsLost,
    /// The handler stores the epoch of an entry instead of the latest epoch in which the
    /// books held it, and the inbox stores no restores.
    KeepsTheEpochOfTheEntry,
}

/// The stored copy of an entry: its transfer, its time, and the latest epoch in which the
/// books held it.
type Held = BTreeMap<(AccountKey, Sequence), (TransferId, Timestamp, Epoch)>;

/// A copy of every entry.
#[derive(Debug)]
struct Mirror {
    bug: Option<Bug>,
    held: Mutex<Held>,
    wrong: Mutex<Vec<String>>,
    positions: MemoryInbox,
    /// The duration of each event's handling.
    pace: Rng,
}

impl Mirror {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(
        &self,
        entry: (AccountKey, Sequence),
        transfer: TransferId,
        at: Timestamp,
        epoch: Epoch,
    ) {
        let before = self.held().insert(entry, (transfer, at, epoch));
        // Rows that another process is about to discard may still be here.
        if let Some(before) = before.filter(|(_, _, before)| *before >= epoch) {
            let words = format!("{entry:?}: {transfer} over {before:?}");
            self.wrong.lock().unwrap().push(words);
        }
    }
}

#[async_trait]
impl EventHandler for Mirror {
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError> {
        let event = &delivery.event;
        tokio::time::sleep(Duration::from_millis(self.pace.below(600))).await;
        for entry in delivery.missed.iter().flat_map(|missed| &missed.entries) {
            let epoch = match self.bug {
                Some(Bug::KeepsTheEpochOfTheEntry) => entry.epoch,
                _ => event.epoch,
            };
            let place = (entry.account, entry.sequence);
            self.take(place, entry.transfer, entry.created_at, epoch);
        }
        if let (Some(entry), Some(transfer)) = (&event.entry, &event.transfer) {
            let place = (event.account, entry.sequence);
            self.take(place, transfer.key.id, event.at, event.epoch);
        }
        Ok(Handled::Unrecorded)
    }

    async fn restored(&self, restore: &Restore) -> Result<(), DeliveryError> {
        if self.bug != Some(Bug::KeepsWhatIsLost) {
            self.held()
                .retain(|_, (_, at, epoch)| *epoch >= restore.epoch || *at <= restore.restored_to);
        }
        Ok(())
    }
}

#[async_trait]
impl Inbox for Mirror {
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError> {
        let mut found = self.positions.positions(consumer, accounts).await?;
        if self.bug == Some(Bug::PositionsByVersionOnly) {
            // Such a position is ahead of every event without a greater version.
            let last = Epoch::new(Epoch::MAX).unwrap();
            for position in &mut found {
                position.epoch = last;
            }
        }
        Ok(found)
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError> {
        self.positions.advance(consumer, step).await
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError> {
        if matches!(
            self.bug,
            Some(Bug::ForgetsRestores | Bug::KeepsTheEpochOfTheEntry)
        ) {
            return Ok(Vec::new());
        }
        self.positions.restores(consumer).await
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        self.positions.note_restore(consumer, restore).await
    }
}

/// splitmix64.
#[derive(Debug)]
struct Rng(AtomicU64);

impl Rng {
    fn next(&self) -> u64 {
        let step = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap())).unwrap()
    }
}

struct World {
    shop: Shop,
    mirror: Arc<Mirror>,
    rng: Rng,
}

impl World {
    fn consumer(&self) -> Consumer {
        let queue: Arc<dyn MessageQueue> = Arc::<MemoryQueue>::clone(&self.shop.queue);
        let clock: Arc<dyn Clock> = self.shop.world.clock.clone();
        let (inbox, handler) = (Arc::clone(&self.mirror), Arc::clone(&self.mirror));
        let consumer = Consumer::new(queue, inbox, handler, clock, ConsumerSettings::new(NAME));
        consumer.unwrap().with_ledger(self.shop.ledger())
    }

    /// Restores the books from a backup with an approximate time.
    async fn restore(&self, (tables, at): &(Tables, Timestamp)) {
        // Epochs distinguish restores of one backup by the second.
        tokio::time::sleep(Duration::from_secs(1)).await;
        *self.shop.world.store.shared().tables() = tables.clone();
        let early = Duration::from_millis(self.rng.below(3) * self.rng.below(4_000));
        let by = RaisedBy::new(&format!("ops {}", self.rng.next())).unwrap();
        let raised = self
            .shop
            .world
            .store
            .raise_epoch(at.saturating_sub(early), &by)
            .await;
        raised.unwrap();
    }

    async fn entries(&self, account: AccountKey) -> Vec<Entry> {
        let query = EntryQuery::first(account, u32::MAX);
        self.shop.world.store.entries(&query).await.unwrap()
    }
}

/// The differences at the end.
async fn run(seed: u64, bug: Option<Bug>) -> Option<String> {
    let mirror = Arc::new(Mirror {
        bug,
        held: Mutex::default(),
        wrong: Mutex::default(),
        positions: MemoryInbox::new(),
        pace: Rng(AtomicU64::new(!seed)),
    });
    let shop = Shop::with_receives(1_000, Books::new(Way::Together));
    let world = World {
        shop,
        mirror,
        rng: Rng(AtomicU64::new(seed)),
    };
    let (shop, rng) = (&world.shop, &world.rng);
    let relay = spawn(&shop.world.relay(Arc::<MemoryQueue>::clone(&shop.queue)));
    // Two processes of one consumer, concurrently.
    let mut at_work = [start(world.consumer()), start(world.consumer())];
    let accounts: [_; 3] = shop.world.accounts().await;
    let mut backups = Vec::new();
    for _ in 0..30 {
        match rng.below(10) {
            0 => {
                let tables = shop.world.store.shared().tables().clone();
                backups.push((tables, shop.world.clock.now()));
                // A later commit has a later time.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            1 if !backups.is_empty() => {
                let chosen = rng.index(backups.len());
                world.restore(&backups[chosen]).await;
                backups.truncate(chosen + 1);
            }
            2 => {
                let ended = std::mem::replace(&mut at_work[rng.index(2)], start(world.consumer()));
                ended.stop().await;
            }
            3 => tokio::time::sleep(Duration::from_millis(rng.below(3_000))).await,
            _ => {
                let from = rng.index(3);
                shop.world
                    .pay(accounts[from], accounts[(from + 1) % 3])
                    .await;
            }
        }
    }
    // Every account has one more event, which brings it up to date.
    for from in 0..3 {
        shop.world
            .pay(accounts[from], accounts[(from + 1) % 3])
            .await;
    }
    shop.world.drained().await;
    shop.consumed().await;
    for one in at_work {
        one.stop().await;
    }
    relay.stop().await;
    let wrong = world.mirror.wrong.lock().unwrap().first().cloned();
    if wrong.is_some() {
        return wrong;
    }
    for account in accounts {
        let account = AccountKey::new(wallet_core::LedgerId::default(), account);
        let due = world.entries(account).await.into_iter();
        let due: Vec<_> = due.map(|entry| (entry.sequence, entry.transfer)).collect();
        let held = world.mirror.held();
        let found = held.iter().filter(|((of, _), _)| *of == account);
        let found: Vec<_> = found
            .map(|((_, sequence), held)| (*sequence, held.0))
            .collect();
        if found != due {
            return Some(format!(
                "{account}: {} entries held, {} due",
                found.len(),
                due.len()
            ));
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_consumer_holds_what_the_books_hold_however_often_they_are_restored() {
    for seed in 0..SEEDS {
        assert_eq!(run(seed, None).await, None, "seed {seed}");
    }
}

async fn assert_caught(bug: Bug) {
    crate::kit::assert_caught(bug, CAUGHT_WITHIN, |seed| run(seed, Some(bug))).await;
}

#[tokio::test(start_paused = true)]
async fn positions_compared_by_version_only_are_caught() {
    assert_caught(Bug::PositionsByVersionOnly).await;
}

#[tokio::test(start_paused = true)]
async fn restores_that_are_not_kept_are_caught() {
    assert_caught(Bug::ForgetsRestores).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_keeps_what_is_lost_is_caught() {
    assert_caught(Bug::KeepsWhatIsLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_back_what_came_again_is_caught() {
    assert_caught(Bug::KeepsTheEpochOfTheEntry).await;
}

//! Histories of a ledger whose database went back to an earlier state.

use std::time::Duration;

use wallet_core::history::{Backfill, HistoryQuery, HistoryStore};
use wallet_core::ledger::{AccountKey, Epoch, RaisedBy, Restore};
use wallet_core::memory::Tables;
use wallet_core::messaging::{EventPublisher, Message, Published};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::verify::reconcile::Reconciler;
use wallet_core::{AccountId, LedgerId, Timestamp};
use wallet_events::EventHandler;

use crate::kit::event;
use crate::projector::place::Place;

const MINUTE: Duration = Duration::from_secs(60);

/// Ada paid Bob once before the backup and twice after it. History has all of it.
struct Example {
    place: Place,
    ada: AccountId,
    bob: AccountId,
    backup: Tables,
    /// When the backup was taken.
    at: Timestamp,
    /// Events that were published after the backup.
    lost: Vec<Message>,
}

fn key(account: AccountId) -> AccountKey {
    AccountKey::new(LedgerId::default(), account)
}

impl Example {
    async fn new() -> Self {
        let place = Place::new();
        let [ada, bob] = place.world.accounts().await;
        place.world.pay(ada, bob).await;
        let retained = place.published().await;
        let backup = place.world.store.shared().tables().clone();
        let at = place.world.clock.now();
        for _ in 0..2 {
            tokio::time::sleep(MINUTE).await;
            place.world.pay(ada, bob).await;
        }
        let lost = place.published().await;
        let example = Self {
            place,
            ada,
            bob,
            backup,
            at,
            lost,
        };
        example.publish(&retained).await;
        example.publish(&example.lost).await;
        example.place.assert_whole().await;
        example
    }

    /// Publishes through a new projector.
    async fn publish(&self, messages: &[Message]) {
        let answers = self.place.projector().publish(messages).await.unwrap();
        assert!(
            answers.iter().all(|one| *one == Published::Done),
            "{answers:?}"
        );
    }

    /// Restores the books and raises the epoch.
    async fn restore(&self, restored_to: Timestamp) -> Restore {
        tokio::time::sleep(MINUTE).await;
        *self.place.world.store.shared().tables() = self.backup.clone();
        let by = RaisedBy::new("ops").unwrap();
        let raised = self.place.world.store.raise_epoch(restored_to, &by).await;
        let epoch = raised.unwrap().epoch;
        Restore { epoch, restored_to }
    }

    async fn superseded(&self, account: AccountId) -> usize {
        let query = HistoryQuery::first(key(account), 99);
        let restores = self.place.restores().await;
        let page = self.place.history.superseded(&query, &restores).await;
        page.unwrap().rows.len()
    }

    async fn epoch(&self, account: AccountId) -> Epoch {
        let heads = self.place.history.heads(&[key(account)]).await.unwrap();
        heads[0].epoch
    }
}

#[tokio::test(start_paused = true)]
async fn lines_of_a_new_epoch_take_the_place_of_lost_ones() {
    let example = Example::new().await;
    let Example {
        place, ada, bob, ..
    } = &example;
    let restore = example.restore(example.at).await;
    place.world.pay(*ada, *bob).await;
    let new = place.published().await;
    let (ada_key, bob_key) = (key(*ada), key(*bob));
    let of = |account: AccountKey| {
        let mut new = new.iter();
        new.find(|one| event(one).account == account)
            .unwrap()
            .clone()
    };
    example.publish(&[of(ada_key)]).await;
    assert_eq!(place.held(ada_key).await, place.due(ada_key).await);
    assert_eq!(example.epoch(*ada).await, restore.epoch);
    assert_eq!(example.superseded(*ada).await, 2, "kept");
    // No reader sees Bob's lines in doubt, though they are not superseded yet.
    assert_eq!(example.epoch(*bob).await, Epoch::FIRST);
    let due = place.due(bob_key).await;
    assert_eq!(place.held(bob_key).await, due[..due.len() - 1]);
    // The lost event arrives late: it is not written, and Bob's account is brought up to
    // date.
    let projector = place.projector();
    projector.publish(&example.lost).await.unwrap();
    let stats = projector.stats();
    assert_eq!((stats.doubted, stats.lines), (4, 0), "{stats:?}");
    assert_eq!(example.epoch(*bob).await, restore.epoch);
    example.publish(&new).await;
    assert_eq!(example.superseded(*bob).await, 2);
    place.assert_whole().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_books_still_hold_past_the_time_is_read_from_them() {
    let example = Example::new().await;
    let Example {
        place, ada, bob, ..
    } = &example;
    // The operator names a time before the first payment.
    let first = place.due(key(*ada)).await[0].entry.created_at;
    example.restore(first).await;
    place.world.pay(*ada, *bob).await;
    let new = place.published().await;
    let projector = place.projector();
    projector.publish(&new).await.unwrap();
    assert!(projector.stats().filled > 0);
    let (ada, bob) = (key(*ada), key(*bob));
    assert_eq!(place.held(ada).await, place.due(ada).await);
    assert_eq!(place.held(bob).await, place.due(bob).await);
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_is_restored_twice_forgets_the_first_time() {
    let example = Example::new().await;
    let Example {
        place, ada, bob, ..
    } = &example;
    // The first time is far too early: everything is read again, in the new epoch.
    let early = place.due(key(*ada)).await[0].entry.created_at;
    let early = early.saturating_sub(Duration::from_micros(1));
    example.restore(early).await;
    place.world.pay(*ada, *bob).await;
    example.publish(&place.published().await).await;
    let second = example.restore(example.at).await;
    place.world.pay(*ada, *bob).await;
    example.publish(&place.published().await).await;
    assert_eq!(
        place.restores().await,
        [second],
        "the ledger forgot the first"
    );
    let (ada, bob) = (key(*ada), key(*bob));
    assert_eq!(place.held(ada).await, place.due(ada).await);
    assert_eq!(place.held(bob).await, place.due(bob).await);
}

#[tokio::test(start_paused = true)]
async fn accounts_without_a_new_entry_are_mended_from_the_ledger() {
    let example = Example::new().await;
    let Example { place, .. } = &example;
    let restore = example.restore(example.at).await;
    let history = place.history.clone();
    let store = &*place.world.store;
    let reconciler = Reconciler::new(store).with_history(&history);
    let report = reconciler.run(&mut |_| ()).await.unwrap();
    assert_eq!(report.differences.len(), 2, "{:?}", report.differences);
    let backfill = Backfill::new(&history, store);
    let report = backfill.run(&mut |_| ()).await.unwrap();
    assert_eq!(
        (report.accounts, report.restored, report.written),
        (3, 3, 0)
    );
    place.assert_whole().await;
    let report = reconciler.run(&mut |_| ()).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!(example.epoch(example.bob).await, restore.epoch);
    let again = backfill.run(&mut |_| ()).await.unwrap();
    assert_eq!((again.restored, again.written), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn events_of_an_epoch_that_the_ledger_does_not_know_yet_wait() {
    let example = Example::new().await;
    let Example {
        place, ada, bob, ..
    } = &example;
    let restore = example.restore(example.at).await;
    place.world.pay(*ada, *bob).await;
    let new = place.published().await;
    // Restored again, without a raised epoch.
    *place.world.store.shared().tables() = example.backup.clone();
    let projector = place.projector();
    let answers = projector.publish(&new).await.unwrap();
    let failed = |one: &Published| matches!(one, Published::Failed { .. });
    assert!(answers.iter().all(failed), "{answers:?}");
    assert!(projector.restored(&restore).await.is_err());
    example.restore(example.at).await;
    projector.restored(&restore).await.unwrap();
    projector.publish(&new).await.unwrap();
    assert_eq!(projector.stats().doubted, 2);
    place.assert_whole().await;
}

//! A restored ledger database, as its consumers see it: the worked example of ADR 17.

use std::time::Duration;

use wallet_core::ledger::{Epoch, Position, RaisedBy, Restore};
use wallet_core::memory::Tables;
use wallet_core::messaging::Message;
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::{AccountId, Timestamp};
use wallet_events::ConsumerSettings;

use crate::consumer::shop::{NAME, Shop, start};
use crate::kit::event;

const MINUTE: Duration = Duration::from_secs(60);

fn of(messages: &[Message], account: AccountId) -> Vec<Message> {
    let of_account = messages
        .iter()
        .filter(|one| event(one).account.id == account);
    of_account.cloned().collect()
}

struct Example {
    shop: Shop,
    ada: AccountId,
    bob: AccountId,
    backup: Tables,
    /// When the backup was taken.
    at: Timestamp,
    /// Events before the backup.
    retained: Vec<Message>,
    /// Events of two payments from Ada to Bob after the backup.
    lost: Vec<Message>,
}

impl Example {
    async fn new() -> Self {
        let shop = Shop::new();
        let [ada, bob] = shop.world.accounts().await;
        shop.world.pay(ada, bob).await;
        let retained = shop.published().await;
        let backup = shop.world.store.shared().tables().clone();
        let at = shop.world.clock.now();
        for _ in 0..2 {
            tokio::time::sleep(MINUTE).await;
            shop.world.pay(ada, bob).await;
        }
        let lost = shop.published().await;
        assert_eq!((retained.len(), lost.len()), (6, 4));
        Self {
            shop,
            ada,
            bob,
            backup,
            at,
            retained,
            lost,
        }
    }

    /// Restores the books and raises the epoch.
    async fn restore(&self, restored_to: Timestamp) -> Restore {
        *self.shop.world.store.shared().tables() = self.backup.clone();
        let by = RaisedBy::new("ops").unwrap();
        let raised = self.shop.world.store.raise_epoch(restored_to, &by).await;
        let epoch = raised.unwrap().epoch;
        Restore { epoch, restored_to }
    }
}

#[tokio::test(start_paused = true)]
async fn effects_of_a_new_epoch_are_new_and_lost_ones_are_taken_back() {
    let example = Example::new().await;
    let Example { shop, ada, bob, .. } = &example;
    // All events but Bob's last one.
    shop.send(&example.retained).await;
    shop.send(&example.lost[..3]).await;
    let at_work = shop.start();
    shop.consumed().await;
    assert_eq!(shop.books.versions(*ada), [1, 2, 3, 4, 5]);
    assert_eq!(shop.books.versions(*bob), [1, 2, 3, 4]);

    let restore = example.restore(example.at).await;
    shop.world.pay(*ada, *bob).await;
    let new = shop.published().await;
    let ids: Vec<_> = new.iter().map(|one| one.id.clone()).collect();
    let id = |account| format!("0/{account}/{}/4", restore.epoch);
    assert_eq!(ids, [id(*ada), id(*bob)]);
    assert_eq!(event(&new[0]).restores, [restore]);
    // Bob's lost event is still in the queue, before and after the new ones.
    shop.send(&of(&new, *ada)).await;
    shop.consumed().await;
    shop.send(&example.lost[3..]).await;
    shop.consumed().await;
    shop.send(&of(&new, *bob)).await;
    shop.send(&example.lost).await;
    shop.consumed().await;

    assert_eq!(shop.books.restores(), [restore]);
    let effects = shop.books.effects();
    let of_new = effects
        .iter()
        .filter(|one| one.event.epoch == restore.epoch);
    let steps: Vec<_> = of_new.map(|one| (one.step.from, one.restored)).collect();
    let from = |version| Position::new(Epoch::FIRST, version);
    assert_eq!(
        steps,
        [(from(5), Some(restore)), (from(4), Some(restore))],
        "a position in what is lost is where the step begins"
    );
    // The lost effects are gone and the new ones are there, each once.
    assert_eq!(shop.books.versions(*ada), [1, 2, 3, 4]);
    assert_eq!(shop.books.versions(*bob), [1, 2, 3, 4]);
    let missed = effects.iter().filter_map(|one| one.missed.as_ref());
    assert!(missed.into_iter().all(|missed| missed.entries.is_empty()));
    let stats = at_work.consumer.stats();
    assert_eq!((stats.superseded, stats.restores), (1, 1), "{stats:?}");
    assert_eq!(stats.failures, 0, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_books_still_hold_past_the_time_comes_again() {
    let example = Example::new().await;
    let Example { shop, ada, bob, .. } = &example;
    shop.send(&example.retained).await;
    let at_work = shop.start();
    shop.consumed().await;
    // The operator names a time before the payment that the backup holds.
    let openings = event(&example.retained[3]).at;
    let early = openings.saturating_sub(Duration::from_micros(1));
    let restore = example.restore(early).await;
    shop.world.pay(*ada, *bob).await;
    shop.send(&shop.published().await).await;
    shop.consumed().await;

    assert_eq!(shop.books.restores(), [restore]);
    let effects = shop.books.effects();
    let mut of_ada = effects.iter().filter(|one| one.event.account.id == *ada);
    let last = of_ada.next_back().unwrap();
    let missed = last.missed.as_ref().unwrap();
    let again: Vec<_> = missed.entries.iter().map(|entry| entry.version).collect();
    assert_eq!(again, [2, 3], "seen, taken back, and published again");
    assert_eq!((last.event.version, last.step.from.version), (4, 3));
    assert_eq!(at_work.consumer.stats().failures, 0);
}

/// ADR 17's table of a restore that the ledger has forgotten.
#[tokio::test(start_paused = true)]
async fn a_second_restore_of_a_backup_takes_back_as_much_as_the_first() {
    let example = Example::new().await;
    let Example { shop, ada, bob, .. } = &example;
    shop.send(&example.retained).await;
    let at_work = shop.start();
    shop.consumed().await;
    // A time before the payment that the backup holds.
    let early = event(&example.retained[3]).at;
    let early = early.saturating_sub(Duration::from_micros(1));
    let first = example.restore(early).await;
    shop.world.pay(*ada, *bob).await;
    let published = shop.published().await;
    // Bob's event of the first restore arrives late.
    shop.send(&of(&published, *ada)).await;
    shop.consumed().await;
    assert_eq!(shop.books.restores(), [first]);

    tokio::time::sleep(MINUTE).await;
    let second = example.restore(example.at).await;
    assert!(second.epoch > first.epoch);
    shop.world.pay(*ada, *bob).await;
    let last = shop.published().await;
    assert_eq!(event(&last[0]).restores, [second], "the first is forgotten");
    shop.send(&last).await;
    shop.consumed().await;
    shop.send(&of(&published, *bob)).await;
    shop.consumed().await;

    let epoch = second.epoch;
    let widened = Restore {
        epoch,
        restored_to: early,
    };
    assert_eq!(shop.books.restores(), [first, widened]);
    // What the backup holds past that time came again, for both accounts.
    for account in [*ada, *bob] {
        assert_eq!(shop.books.versions(account), [4]);
        let mut effects = shop.books.effects().into_iter();
        let last = effects
            .rfind(|one| one.event.account.id == account)
            .unwrap();
        let missed = last.missed.unwrap().entries.into_iter();
        let again: Vec<_> = missed.map(|entry| entry.version).collect();
        assert_eq!((again, last.event.epoch), (vec![2, 3], second.epoch));
    }
    let stats = at_work.consumer.stats();
    assert_eq!((stats.restores, stats.failures), (2, 0), "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_event_behind_a_gap_is_passed_over_before_any_of_the_new_epoch_came() {
    let example = Example::new().await;
    let Example { shop, bob, .. } = &example;
    shop.send(&example.retained).await;
    let restore = example.restore(example.at).await;
    let last = of(&example.lost, *bob).pop().unwrap();
    shop.send(&[last]).await;
    let at_work = shop.start();
    shop.consumed().await;
    assert_eq!(shop.books.restores(), [restore], "the ledger was asked");
    assert_eq!(shop.books.versions(*bob), [1, 2, 3]);
    let stats = at_work.consumer.stats();
    assert_eq!((stats.superseded, stats.failures), (1, 0), "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_ledger_the_handler_is_asked_to_read_the_account_itself() {
    let example = Example::new().await;
    let Example { shop, ada, bob, .. } = &example;
    shop.send(&example.retained).await;
    shop.send(&example.lost).await;
    let at_work = start(shop.consumer(ConsumerSettings::new(NAME)));
    shop.consumed().await;
    let restore = example.restore(example.at).await;
    shop.world.pay(*ada, *bob).await;
    shop.send(&shop.published().await).await;
    shop.consumed().await;
    let effects = shop.books.effects();
    let of_new = effects
        .iter()
        .filter(|one| one.event.epoch == restore.epoch);
    let seen: Vec<_> = of_new
        .map(|one| (one.restored, one.missed.is_none()))
        .collect();
    assert_eq!(seen, [(Some(restore), true); 2]);
    assert_eq!(at_work.consumer.stats().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_at_a_restore_is_notified_again() {
    let example = Example::new().await;
    let Example { shop, ada, bob, .. } = &example;
    shop.send(&example.retained).await;
    let restore = example.restore(example.at).await;
    shop.world.pay(*ada, *bob).await;
    shop.books.panic_at_restores(2);
    shop.send(&shop.published().await).await;
    let at_work = shop.start();
    shop.consumed().await;
    assert_eq!(shop.books.restores(), [restore]);
    assert_eq!(shop.books.versions(*ada), [1, 2, 3, 4]);
    let last = at_work.consumer.stats().last_failure.unwrap();
    assert!(last.contains("the handler panicked: a fault"), "{last}");
    at_work.stop().await;
}

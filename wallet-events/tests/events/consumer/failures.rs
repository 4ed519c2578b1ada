use std::time::Duration;

use wallet_core::messaging::Message;
use wallet_events::Redrive;

use crate::consumer::shop::Shop;
use crate::kit::event;

#[tokio::test(start_paused = true)]
async fn what_fails_comes_again_in_order_and_stops_no_other_account() {
    let shop = Shop::new();
    let [ada, bob] = shop.world.accounts().await;
    shop.world.deposit(bob).await;
    shop.world.pay(bob, ada).await;
    // Ada has three events and Bob four: only Bob has a fourth.
    shop.books.fail(4, 2);
    shop.send(&shop.published().await).await;
    let at_work = shop.start();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(shop.books.versions(ada), [1, 2, 3]);
    assert_eq!(shop.books.versions(bob), [1, 2, 3]);
    shop.consumed().await;
    assert_eq!(shop.books.versions(bob), [1, 2, 3, 4]);
    let stats = at_work.consumer.stats();
    assert_eq!(stats.failures, 2);
    assert!(stats.last_failure.unwrap().contains("out of stock"));
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_ones_behind_a_failure_wait_for_it() {
    let shop = Shop::new();
    let [ada] = shop.world.accounts().await;
    for _ in 0..5 {
        shop.world.deposit(ada).await;
    }
    shop.books.fail(3, 3);
    shop.send(&shop.published().await).await;
    let at_work = shop.start();
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(at_work.consumer.stats().gaps, 0);
    assert!(shop.dead.messages().is_empty());
    at_work.stop().await;
}

/// A permanent failure ends in the dead letter queue. The next event reports what was
/// missed. After a redrive the event is recognised.
#[tokio::test(start_paused = true)]
async fn poison_goes_to_the_dead_letters_and_back() {
    let shop = Shop::new();
    let [ada] = shop.world.accounts().await;
    shop.world.deposit(ada).await;
    shop.world.deposit(ada).await;
    let published = shop.published().await;
    shop.books.fail(2, 5);
    shop.send(&published[..2]).await;
    let at_work = shop.start();
    shop.consumed().await;
    let dead = shop.dead.messages();
    let versions: Vec<_> = dead.iter().map(|one| event(one).version).collect();
    assert_eq!(versions, [2]);
    shop.send(&published[2..]).await;
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 3, 4]);
    let missed = shop.books.effects()[1].missed.clone().unwrap();
    assert_eq!(missed.entries[0].version, 2);

    let clock = std::sync::Arc::<crate::kit::TestClock>::clone(&shop.world.clock);
    let (from, to) = (shop.dead.clone(), shop.queue.clone());
    let redrive = Redrive::new(from, to, clock);
    redrive.run(|_| ()).await.unwrap();
    shop.consumed().await;
    assert!(shop.dead.messages().is_empty());
    assert_eq!(shop.books.versions(ada), [1, 3, 4]);
    assert_eq!(at_work.consumer.stats().duplicates, 1);
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_goes_to_the_dead_letters() {
    let shop = Shop::new();
    let [ada] = shop.world.accounts().await;
    let message = |group: &str, body: &str| Message {
        id: format!("{group}-{body}"),
        group: group.to_owned(),
        attributes: Vec::new(),
        body: body.to_owned(),
    };
    shop.send(&[
        message("a", "{}"),
        message("b", "nothing"),
        message("c", ""),
    ])
    .await;
    shop.send(&shop.published().await).await;
    let at_work = shop.start();
    shop.consumed().await;
    assert_eq!(shop.dead.messages().len(), 3);
    assert_eq!(shop.books.versions(ada), [1, 2]);
    assert_eq!(at_work.consumer.stats().unreadable, 15);
    at_work.stop().await;
}

//! A handler that panics fails like one that answers with an error.

use std::time::Duration;

use crate::consumer::books::Failing;
use crate::consumer::shop::Shop;
use crate::kit::event;

#[tokio::test(start_paused = true)]
async fn a_panic_is_tried_again_and_stops_no_other_account() {
    let shop = Shop::new();
    let [ada, bob] = shop.world.accounts().await;
    shop.world.deposit(bob).await;
    shop.world.pay(bob, ada).await;
    // Ada has three events and Bob four: only Bob has a fourth.
    shop.books.fail_by(Failing::Panic, 4, 2);
    shop.send(&shop.published().await).await;
    let at_work = shop.start();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(shop.books.versions(ada), [1, 2, 3]);
    assert_eq!(shop.books.versions(bob), [1, 2, 3]);
    shop.consumed().await;
    assert_eq!(shop.books.versions(bob), [1, 2, 3, 4]);
    let stats = at_work.consumer.stats();
    assert_eq!(stats.failures, 2);
    let last = stats.last_failure.unwrap();
    let words = "the handler panicked: a fault of the handler";
    assert!(last.contains(words), "{last}");
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_always_panics_goes_to_the_dead_letters() {
    let shop = Shop::new();
    let [ada] = shop.world.accounts().await;
    shop.world.deposit(ada).await;
    shop.books.fail_by(Failing::Panic, 2, u32::MAX);
    let published = shop.published().await;
    shop.send(&published[..2]).await;
    let at_work = shop.start();
    shop.consumed().await;
    let dead = shop.dead.messages();
    assert_eq!(
        dead.iter()
            .map(|one| event(one).version)
            .collect::<Vec<_>>(),
        [2]
    );
    shop.send(&published[2..]).await;
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 3]);
    at_work.stop().await;
}

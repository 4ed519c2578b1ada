//! A handler that does not answer fails like one that answers with an error.

use std::time::Duration;

use wallet_events::ConsumerSettings;

use crate::consumer::books::Failing;
use crate::consumer::shop::{NAME, Shop, start};

#[tokio::test(start_paused = true)]
async fn an_event_without_an_answer_is_tried_again_after_the_wait() {
    let shop = Shop::new();
    let [ada, bob] = shop.world.accounts().await;
    shop.world.deposit(bob).await;
    // Ada has two events and Bob three.
    shop.books.fail_by(Failing::Hang, 3, 2);
    shop.send(&shop.published().await).await;
    let begun = shop.world.clock.elapsed();
    let mut settings = ConsumerSettings::new(NAME);
    settings.handler_wait = Duration::from_secs(7);
    let at_work = start(shop.consumer(settings));
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 2]);
    assert_eq!(shop.books.versions(bob), [1, 2, 3]);
    let stats = at_work.consumer.stats();
    assert_eq!(stats.failures, 2);
    let last = stats.last_failure.unwrap();
    let words = "the handler did not answer within 7s";
    assert!(last.contains(words), "{last}");
    let took = shop.world.clock.elapsed().checked_sub(begun).unwrap();
    let most = Duration::from_secs(20);
    assert!(took >= Duration::from_secs(14) && took < most, "{took:?}");
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_whose_handler_does_not_answer_stops_after_the_wait() {
    let shop = Shop::new();
    shop.world.accounts::<1>().await;
    shop.books.fail_by(Failing::Hang, 1, u32::MAX);
    shop.send(&shop.published().await).await;
    let at_work = start(shop.consumer(ConsumerSettings::new(NAME)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = shop.world.clock.elapsed();
    at_work.stop().await;
    let took = shop.world.clock.elapsed().checked_sub(begun).unwrap();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

use std::time::Duration;

use wallet_events::ConsumerSettings;

use crate::consumer::books::{Books, Way};
use crate::consumer::shop::{NAME, Shop, start};

#[tokio::test(start_paused = true)]
async fn every_event_has_its_effect_in_order() {
    for way in [Way::Together, Way::EffectOnly] {
        let shop = Shop::with(Books::new(way));
        let [ada, bob] = shop.world.accounts().await;
        shop.world.pay(ada, bob).await;
        let published = shop.published().await;
        shop.send(&published).await;
        let at_work = shop.start();
        shop.consumed().await;

        assert_eq!(shop.books.versions(ada), [1, 2, 3]);
        assert_eq!(shop.books.versions(bob), [1, 2, 3]);
        for effect in shop.books.effects() {
            assert_eq!(effect.step.from.version + 1, effect.event.version);
            assert_eq!(effect.step.to, effect.event.position());
            assert_eq!(effect.missed, None);
        }
        let stats = at_work.consumer.stats();
        assert_eq!((stats.received, stats.handled), (6, 6));
        assert_eq!((stats.duplicates, stats.gaps, stats.failures), (0, 0, 0));
        at_work.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_has_no_second_effect() {
    for way in [Way::Together, Way::EffectOnly] {
        let shop = Shop::with(Books::new(way));
        let [ada, bob] = shop.world.accounts().await;
        shop.world.pay(ada, bob).await;
        let published = shop.published().await;
        let at_work = shop.start();
        for message in &published {
            // Each message is followed by a repetition of the first.
            shop.send(std::slice::from_ref(message)).await;
            shop.send(&published[..1]).await;
        }
        shop.send(&published).await;
        shop.consumed().await;

        assert_eq!(shop.books.versions(ada), [1, 2, 3]);
        assert_eq!(shop.books.versions(bob), [1, 2, 3]);
        let stats = at_work.consumer.stats();
        assert_eq!((stats.handled, stats.duplicates), (6, 12));
        at_work.stop().await;
    }
}

/// Two processes of one consumer hold the same event, because the first one is slower
/// than its visibility timeout. The slower one finds that the position has moved.
#[tokio::test(start_paused = true)]
async fn of_two_that_hold_an_event_one_has_its_effect() {
    let shop = Shop::with(Books::slow(Way::Together, Duration::from_secs(1)));
    let [ada] = shop.world.accounts().await;
    let published = shop.published().await;
    // Every message is there twice, in separate groups, so that only the inbox prevents a
    // second effect.
    let mut again = published.clone();
    for message in &mut again {
        message.group.push_str("/again");
    }
    shop.send(&published).await;
    shop.send(&again).await;
    let mut settings = ConsumerSettings::new(NAME);
    settings.batch = 2;
    let ledger = shop.ledger();
    let first = start(shop.consumer(settings.clone()).with_ledger(shop.ledger()));
    let second = start(shop.consumer(settings).with_ledger(ledger));
    shop.consumed().await;

    assert_eq!(shop.books.versions(ada), [1, 2]);
    assert!(shop.books.moved() > 0, "the two never met");
    let stats = [first.consumer.stats(), second.consumer.stats()];
    let sum = |what: fn(&wallet_events::ConsumerStats) -> u64| stats.iter().map(what).sum::<u64>();
    assert_eq!(sum(|stats| stats.handled), 2);
    assert_eq!(sum(|stats| stats.duplicates), 2);
    assert_eq!(sum(|stats| stats.failures), 0);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_keeps_its_messages() {
    let shop = Shop::with(Books::slow(Way::EffectOnly, Duration::from_secs(100)));
    let [ada] = shop.world.accounts().await;
    shop.send(&shop.published().await).await;
    let mut settings = ConsumerSettings::new(NAME);
    settings.handler_wait = Duration::from_secs(200);
    let begin = || start(shop.consumer(settings.clone()));
    let (first, second) = (begin(), begin());
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 2]);
    let stats = [first.consumer.stats(), second.consumer.stats()];
    assert_eq!(stats.iter().map(|stats| stats.received).sum::<u64>(), 2);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_under_way() {
    let shop = Shop::with(Books::slow(Way::Together, Duration::from_secs(5)));
    let [ada] = shop.world.accounts().await;
    shop.send(&shop.published().await).await;
    let at_work = shop.start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    at_work.stop().await;
    assert_eq!(shop.books.versions(ada), [1, 2]);
    assert!(shop.queue.messages().is_empty());
}

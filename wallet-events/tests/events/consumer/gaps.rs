use wallet_core::LedgerId;
use wallet_core::ledger::AccountKey;
use wallet_core::messaging::Message;
use wallet_events::{ConsumerSettings, Gaps, Start};

use crate::consumer::shop::{NAME, Shop, start};
use crate::kit::event;

/// One account with versions 1 to 6: opened, funded, four payments.
async fn six() -> (Shop, wallet_core::AccountId, Vec<Message>) {
    let shop = Shop::new();
    let [ada, bob] = shop.world.accounts().await;
    for _ in 0..4 {
        shop.world.pay(ada, bob).await;
    }
    let mut published = shop.published().await;
    published.retain(|message| event(message).account.id == ada);
    assert_eq!(published.len(), 6);
    (shop, ada, published)
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_read_from_the_ledger() {
    let (shop, ada, published) = six().await;
    shop.send(&[
        published[0].clone(),
        published[4].clone(),
        published[5].clone(),
    ])
    .await;
    let at_work = shop.start();
    shop.consumed().await;

    assert_eq!(shop.books.versions(ada), [1, 5, 6]);
    let effects = shop.books.effects();
    let missed = effects[1].missed.as_ref().unwrap();
    let versions = missed.entries.iter().map(|entry| entry.version);
    assert_eq!(versions.collect::<Vec<_>>(), [2, 3, 4]);
    let amounts = missed.entries.iter().map(|entry| entry.amount.minor());
    assert_eq!(amounts.collect::<Vec<_>>(), [1_000_000, 1, 1]);
    let key = AccountKey::new(LedgerId::default(), ada);
    assert_eq!(missed.account.state.key, key);
    assert_eq!(missed.account.state.version, 6);
    assert_eq!(effects[1].step.from.version, 1);
    assert_eq!(effects[2].missed, None);
    assert_eq!(at_work.consumer.stats().gaps, 1);

    // The late events are recognised.
    shop.send(&published[1..4]).await;
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 5, 6]);
    assert_eq!(at_work.consumer.stats().duplicates, 3);
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn more_than_a_page_of_the_statement_is_read() {
    let shop = Shop::new();
    let [ada, bob] = shop.world.accounts().await;
    for _ in 0..450 {
        shop.world.pay(ada, bob).await;
    }
    let mut published = shop.published().await;
    published.retain(|message| event(message).account.id == ada);
    let last = published.pop().unwrap();
    shop.send(&[published[0].clone(), last]).await;
    let at_work = shop.start();
    shop.consumed().await;
    let effects = shop.books.effects();
    let missed = effects[1].missed.as_ref().unwrap();
    let versions = missed.entries.iter().map(|entry| entry.version);
    assert!(versions.eq(2..452));
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_ledger_an_event_waits_for_what_is_missing() {
    let (shop, ada, published) = six().await;
    // In separate groups the second event overtakes the first.
    let mut late = published[1].clone();
    late.group.push_str("/late");
    shop.send(&[published[0].clone(), published[2].clone()])
        .await;
    let at_work = start(shop.consumer(ConsumerSettings::new(NAME)));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(shop.books.versions(ada), [1]);
    let last = at_work.consumer.stats().last_failure.unwrap();
    assert!(last.contains("no ledger"), "{last}");
    shop.send(&[late]).await;
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 2, 3]);
    assert!(shop.dead.messages().is_empty());
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_may_begin_with_the_first_event_that_comes() {
    let (shop, ada, published) = six().await;
    shop.send(&published[3..]).await;
    let mut settings = ConsumerSettings::new(NAME);
    settings.start = Start::FirstSeen;
    let at_work = start(shop.consumer(settings));
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [4, 5, 6]);
    assert!(shop.books.effects().iter().all(|one| one.missed.is_none()));
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_filters_expects_gaps() {
    let (shop, ada, published) = six().await;
    shop.send(&[
        published[1].clone(),
        published[3].clone(),
        published[5].clone(),
    ])
    .await;
    let mut settings = ConsumerSettings::new(NAME);
    settings.gaps = Gaps::Expected;
    let at_work = start(shop.consumer(settings));
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [2, 4, 6]);
    assert_eq!(at_work.consumer.stats().gaps, 0);
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn types_of_a_later_release_are_passed_over_in_their_place() {
    let (shop, ada, mut published) = six().await;
    let body = &published[2].body;
    let later = body.replace("wallet.account.debited.v1", "wallet.account.renamed.v1");
    assert_ne!(*body, later);
    published[2].body = later;
    shop.send(&published).await;
    let at_work = start(shop.consumer(ConsumerSettings::new(NAME)));
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 2, 4, 5, 6]);
    let stats = at_work.consumer.stats();
    assert_eq!((stats.unknown, stats.gaps, stats.failures), (1, 0, 0));
    at_work.stop().await;

    // Behind a gap, the next event reports what was missed.
    let (shop, ada, mut published) = six().await;
    published[2].body = published[2].body.replace("debited.v1", "debited.v9");
    published.remove(1);
    shop.send(&published).await;
    let at_work = shop.start();
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 4, 5, 6]);
    let missed = shop.books.effects()[1].missed.clone().unwrap();
    let versions = missed.entries.iter().map(|entry| entry.version);
    assert_eq!(versions.collect::<Vec<_>>(), [2, 3]);
    at_work.stop().await;
}

//! Events that arrive twice, out of order, not at all, or from a later release.

use wallet_core::LedgerId;
use wallet_core::ledger::AccountKey;
use wallet_core::messaging::{EventPublisher, Published};

use crate::kit::{event, spawn};
use crate::projector::place::Place;

async fn with_payments(count: usize) -> (Place, [wallet_core::AccountId; 4]) {
    let place = Place::new();
    let accounts = place.world.accounts::<4>().await;
    let mut rng = fastrand::Rng::with_seed(3);
    place.pay(&mut rng, &accounts, count).await;
    (place, accounts)
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_outbox_comes_into_history() {
    let (place, _) = with_payments(100).await;
    let projector = place.projector();
    let relay = place
        .world
        .relay_with(projector.clone(), Place::settings("r"));
    assert_eq!(place.held(place.accounts().await[0]).await, []);
    assert!(relay.depth().await.unwrap().rows > 0, "what lags behind");
    assert_eq!(projector.stats().latest, None);
    let running = spawn(&relay);
    place.world.drained().await;
    running.stop().await;

    let lines = place.assert_whole().await;
    assert_eq!(lines, 208, "4 deposits and 100 payments, two lines each");
    let stats = projector.stats();
    assert_eq!((stats.lines, stats.filled), (208, 0));
    let mut latest = None;
    for account in place.accounts().await {
        let last = place.due(account).await.pop().unwrap();
        latest = latest.max(Some(last.entry.created_at));
    }
    assert_eq!(stats.latest, latest);
}

#[tokio::test(start_paused = true)]
async fn events_may_come_twice_and_in_any_order() {
    let (place, _) = with_payments(60).await;
    let mut published = place.published().await;
    published.extend(published.clone());
    fastrand::Rng::with_seed(7).shuffle(&mut published);
    let projector = place.projector();
    for messages in published.chunks(7) {
        let answers = projector.publish(messages).await.unwrap();
        assert!(answers.iter().all(|one| *one == Published::Done));
    }
    assert_eq!(place.assert_whole().await, 128);
    assert!(projector.stats().filled > 0, "some came too early");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_read_from_the_ledger() {
    let (place, accounts) = with_payments(60).await;
    let mut published = place.published().await;
    let ada = AccountKey::new(LedgerId::default(), accounts[0]);
    published.retain(|message| event(message).account == ada);
    let lines = place.due(ada).await;
    assert!(lines.len() > 10);
    // Only the third line and the second to last arrive: all lines before them are
    // filled.
    let of = |sequence: i64| {
        let found = published.iter().find(|message| {
            let entry = event(message).entry;
            entry.is_some_and(|entry| entry.sequence == sequence)
        });
        found.unwrap().clone()
    };
    let projector = place.projector();
    projector.publish(&[of(3)]).await.unwrap();
    assert_eq!(place.held(ada).await, lines[..3]);
    assert_eq!(projector.stats().filled, 2);
    let last = i64::try_from(lines.len()).unwrap() - 1;
    projector.publish(&[of(5), of(last)]).await.unwrap();
    assert_eq!(place.held(ada).await, lines[..lines.len() - 1]);
}

#[tokio::test(start_paused = true)]
async fn what_moves_no_money_or_is_not_understood_leaves_no_gap() {
    let (place, accounts) = with_payments(10).await;
    let mut published = place.published().await;
    let ada = AccountKey::new(LedgerId::default(), accounts[0]);
    published.retain(|message| event(message).account == ada);
    assert!(event(&published[0]).entry.is_none(), "it was opened");
    // A type of a later release, and a text that is not an event.
    published[1].body = published[1].body.replace("credited.v1", "credited.v9");
    published[2].body = "{".to_owned();
    let answers = place.projector().publish(&published).await.unwrap();
    let refused = |one: &Published| matches!(one, Published::Refused { .. });
    let refused: Vec<bool> = answers.iter().map(refused).collect();
    let due: Vec<bool> = (0..published.len()).map(|index| index == 2).collect();
    assert_eq!(refused, due);
    assert_eq!(place.held(ada).await, place.due(ada).await);
}

#[tokio::test(start_paused = true)]
async fn another_ledgers_entries_are_refused_and_not_mixed_in() {
    let (place, accounts) = with_payments(10).await;
    let published = place.published().await;
    let projector = place.projector();
    projector.publish(&published).await.unwrap();
    let ada = AccountKey::new(LedgerId::default(), accounts[0]);
    let before = place.held(ada).await;
    let changed = published.iter().rev().find(|message| {
        let event = event(message);
        event.account == ada && event.entry.is_some()
    });
    let mut changed = changed.unwrap().clone();
    let later = event(&changed);
    let posted = format!("\"posted\":\"{}\"", decimal(later.balance.posted));
    assert!(changed.body.contains(&posted), "{}", changed.body);
    changed.body = changed.body.replace(&posted, "\"posted\":\"0.07\"");
    let answers = projector.publish(&[changed]).await.unwrap();
    let [Published::Failed { reason }] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert!(reason.contains("another entry"), "{reason}");
    assert_eq!(place.held(ada).await, before);
}

fn decimal(minor: i128) -> String {
    wallet_core::ledger::format_minor(minor, crate::kit::eur())
}

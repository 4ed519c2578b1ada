//! Cases that an emulator does not show: throttling, rows that are not processed, lost
//! answers.

use std::sync::Arc;

use super::RetryingClient;
use crate::DynamoSettings;
use crate::client::Query;
use crate::client::error::CallError;
use crate::client::fake::{Fake, Fate, QuickClock};
use crate::keys::Item;
use crate::keys::{self, PARTITION, SORT};

fn caller(fake: &Arc<Fake>) -> (RetryingClient, Arc<QuickClock>) {
    let clock = Arc::new(QuickClock::default());
    let mut settings = DynamoSettings::new("t");
    // One call at a time, so that the calls can be counted.
    settings.calls_max = 1;
    settings.attempts_max = 4;
    let api = Arc::<Fake>::clone(fake);
    (
        RetryingClient::new(api, Arc::<QuickClock>::clone(&clock), settings),
        clock,
    )
}

fn items(count: i64) -> Vec<Item> {
    let item = |number| {
        Item::from([
            (PARTITION.to_owned(), keys::bytes([1])),
            (SORT.to_owned(), keys::number(number)),
        ])
    };
    (0..count).map(item).collect()
}

#[tokio::test]
async fn rows_are_written_by_twenty_five_and_read_by_a_hundred() {
    let fake = Fake::new([]);
    let (caller, _) = caller(&fake);
    caller.write("t", items(60)).await.unwrap();
    assert_eq!(fake.calls(), [25, 25, 10]);
    assert_eq!(caller.read("t", items(130)).await.unwrap().len(), 60);
    assert_eq!(fake.calls()[3..], [100, 30]);
}

#[tokio::test]
async fn only_what_was_not_processed_is_sent_again() {
    let fake = Fake::new([Fate::Leaves(20), Fate::Leaves(3), Fate::Done]);
    let (caller, clock) = caller(&fake);
    caller.write("t", items(25)).await.unwrap();
    assert_eq!(fake.calls(), [25, 20, 3]);
    assert_eq!(fake.count(), 25);
    assert_eq!(clock.0.lock().unwrap().len(), 2);

    fake.then([Fate::Leaves(7), Fate::Done]);
    assert_eq!(caller.read("t", items(10)).await.unwrap().len(), 10);
    assert_eq!(fake.calls()[3..], [10, 7]);
}

#[tokio::test]
async fn as_long_as_something_is_done_it_goes_on() {
    let fake = Fake::new((1..=24).rev().map(Fate::Leaves));
    let (caller, _) = caller(&fake);
    caller.write("t", items(25)).await.unwrap();
    assert_eq!(fake.count(), 25);
}

#[tokio::test]
async fn throttled_and_lost_calls_are_made_again_after_growing_pauses() {
    let fake = Fake::new([Fate::Throttled, Fate::Lost, Fate::AnswerLost, Fate::Done]);
    let (caller, clock) = caller(&fake);
    caller.write("t", items(5)).await.unwrap();
    assert_eq!(fake.calls(), [5, 5, 5, 5]);
    assert_eq!(fake.count(), 5);
    let pauses = clock.0.lock().unwrap().clone();
    let settings = DynamoSettings::new("t");
    let bounds = pauses.iter().zip([1, 2, 4]).map(|(pause, factor)| {
        let whole = settings.retry.first * factor;
        *pause >= whole / 2 && *pause <= whole
    });
    assert_eq!(bounds.collect::<Vec<_>>(), [true; 3], "{pauses:?}");
}

#[tokio::test]
async fn it_gives_up_at_last() {
    let fake = Fake::new([Fate::Throttled; 9]);
    let (caller, _) = caller(&fake);
    let error = caller.write("t", items(5)).await.unwrap_err();
    assert!(matches!(error, CallError::Throttled(_)), "{error:?}");
    assert_eq!(fake.calls().len(), 4);

    let fake = Fake::new([Fate::Leaves(5); 9]);
    let (caller, _) = self::caller(&fake);
    let error = caller.write("t", items(5)).await.unwrap_err();
    assert!(matches!(error, CallError::Throttled(_)), "{error:?}");
    assert_eq!(fake.calls().len(), 4);
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    let fake = Fake::new([Fate::Refused]);
    let (caller, _) = caller(&fake);
    let error = caller.write("t", items(5)).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error:?}");
    assert_eq!(fake.calls(), [5]);
}

#[tokio::test]
async fn a_query_goes_on_over_pages_and_ends_at_its_limit() {
    let fake = Fake::new([]);
    let (caller, _) = caller(&fake);
    caller.write("t", items(20)).await.unwrap();
    for (is_ascending, first) in [(true, 0), (false, 19)] {
        fake.then([Fate::Page(4), Fate::Throttled, Fate::Page(4), Fate::Page(4)]);
        let query = Query {
            table: "t".to_owned(),
            index: None,
            keys: (PARTITION, SORT),
            partition: keys::bytes([1]),
            from: keys::number(0),
            to: keys::number(i64::MAX),
            is_ascending,
            is_consistent: true,
            limit: 10,
            start: None,
        };
        let found = caller.query(query).await.unwrap();
        let found = found.iter().map(|item| item[SORT].as_b().unwrap().clone());
        let found: Vec<_> = found
            .map(|key| keys::of_number(key.as_ref()).unwrap())
            .collect();
        let due: Vec<i64> = (0..10)
            .map(|n| if is_ascending { n } else { first - n })
            .collect();
        assert_eq!(found, due);
    }
}

//! Concurrent writers, of which some know of a restore and some do not.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use wallet_core::history::{HistoryError, HistoryLine, HistoryQuery, HistoryStore};
use wallet_core::ledger::{Epoch, Restore};
use wallet_core::{StoreError, Timestamp, TransferId};
use wallet_testkit::history::{account, lines};

use super::DynamoHistory;
use crate::DynamoSettings;
use crate::client::fake::{Fake, Fate, QuickClock};
use crate::client::{Api, CallError, Found, Query, Rise};
use crate::keys::Item;

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs an action before the next rows are written.
struct Interrupted {
    table: Arc<Fake>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted").finish_non_exhaustive()
    }
}

#[async_trait]
impl Api for Interrupted {
    async fn write(&self, table: &str, items: Vec<Item>) -> Result<Vec<Item>, CallError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        Api::write(&*self.table, table, items).await
    }

    async fn read(
        &self,
        table: &str,
        keys: Vec<Item>,
    ) -> Result<(Vec<Item>, Vec<Item>), CallError> {
        self.table.read(table, keys).await
    }

    async fn query(&self, query: &Query) -> Result<Found, CallError> {
        self.table.query(query).await
    }

    async fn set(
        &self,
        table: &str,
        key: Item,
        attribute: &'static str,
        value: AttributeValue,
    ) -> Result<(), CallError> {
        self.table.set(table, key, attribute, value).await
    }

    async fn raise(&self, table: &str, item: Item, rise: Rise) -> Result<bool, CallError> {
        self.table.raise(table, item, rise).await
    }

    async fn insert(&self, table: &str, items: Vec<Item>) -> Result<(), CallError> {
        self.table.insert(table, items).await
    }
}

fn history(api: Arc<dyn Api>) -> DynamoHistory {
    let mut settings = DynamoSettings::new("t");
    settings.attempts_max = 2;
    DynamoHistory::over(api, Arc::new(QuickClock::default()), settings).unwrap()
}

/// A writer that is interrupted by an action between its read and its write.
fn interrupted(
    table: &Arc<Fake>,
    meanwhile: impl Future<Output = ()> + Send + 'static,
) -> DynamoHistory {
    history(Arc::new(Interrupted {
        table: Arc::clone(table),
        meanwhile: Mutex::new(Some(Box::pin(meanwhile))),
    }))
}

fn restore(number: u64, restored_to: i64) -> Restore {
    Restore {
        epoch: Epoch::new(number).unwrap(),
        restored_to: Timestamp::from_micros(restored_to),
    }
}

/// Other entries of the second epoch, from the fourth on.
fn others(times: &[i64]) -> Vec<HistoryLine> {
    let mut others = lines(account(1), times).split_off(3);
    for line in &mut others {
        line.entry.epoch = Epoch::new(2).unwrap();
        line.entry.transfer = TransferId::from_bytes([0xEE; 16]);
    }
    others
}

async fn read(history: &DynamoHistory, restores: &[Restore]) -> Vec<HistoryLine> {
    let query = HistoryQuery::first(account(1), 99);
    let rows = history.page(&query, restores).await.unwrap().rows;
    rows.into_iter().map(|row| row.line).collect()
}

async fn superseded(history: &DynamoHistory, restores: &[Restore]) -> usize {
    let query = HistoryQuery::first(account(1), 99);
    history
        .superseded(&query, restores)
        .await
        .unwrap()
        .rows
        .len()
}

const TIMES: [i64; 6] = [10, 20, 30, 40, 50, 60];

/// A writer from before the restore reads the head. Then another writer supersedes and
/// continues, and the first one's rows arrive. The same holds if the first writer dies.
#[tokio::test]
async fn rows_of_a_writer_under_way_are_read_by_nobody() {
    for dies in [false, true] {
        let table = Fake::new([]);
        let now = history(table.clone());
        let restores = [restore(2, 30)];
        let lost = lines(account(1), &TIMES);
        now.append(&lost[..4], &[]).await.unwrap();
        // The new entries lie at the time of a lost one, at another time, and after the
        // lost ones.
        let new = others(&[10, 20, 30, 40, 55, 70]);
        let meanwhile = {
            let (now, new, table) = (now.clone(), new.clone(), table.clone());
            async move {
                now.supersede(&[account(1)], &restores).await.unwrap();
                now.append(&new, &restores).await.unwrap();
                if dies {
                    // The rows of the first writer are written, and it never learns more.
                    table.then([Fate::Done, Fate::Throttled, Fate::Throttled]);
                }
            }
        };
        let before = interrupted(&table, meanwhile);
        let refused = before.append(&lost[4..], &[]).await.unwrap_err();
        match refused {
            HistoryError::Epoch {
                history, writer, ..
            } => {
                assert_eq!((history.number(), writer.number(), dies), (2, 1, false));
            }
            HistoryError::Store(_) => assert!(dies),
            other => panic!("{other}"),
        }
        let due = [&lost[..3], &new].concat();
        assert_eq!(read(&now, &restores).await, due);
        assert_eq!(
            superseded(&now, &restores).await,
            3,
            "kept, the late ones too"
        );
        let heads = now.heads(&[account(1)]).await.unwrap();
        assert_eq!((heads[0].epoch.number(), heads[0].sequence), (2, 6));
        // The first writer reads again and continues with the entries of the books.
        before.append(&new, &restores).await.unwrap();
        assert_eq!(read(&now, &restores).await, due);
    }
}

/// Both may write an entry of the books. Then it is stored twice and read once.
#[tokio::test]
async fn what_both_write_is_read_once() {
    let table = Fake::new([]);
    let now = history(table.clone());
    let restores = [restore(2, 99)];
    let all = lines(account(1), &TIMES);
    now.append(&all[..2], &[]).await.unwrap();
    let meanwhile = {
        let (now, all) = (now.clone(), all.clone());
        async move {
            now.supersede(&[account(1)], &restores).await.unwrap();
            now.append(&all[2..], &restores).await.unwrap();
        }
    };
    let before = interrupted(&table, meanwhile);
    before.append(&all[2..], &[]).await.unwrap_err();
    assert_eq!(read(&now, &restores).await, all);
    now.append(&all, &restores).await.unwrap();
    // The books are restored to a time between the entries. The history of both ends at the
    // same entry.
    let again = [restore(2, 99), restore(3, 45)];
    now.supersede(&[account(1)], &again).await.unwrap();
    let heads = now.heads(&[account(1)]).await.unwrap();
    assert_eq!((heads[0].epoch.number(), heads[0].sequence), (3, 4));
    assert_eq!(read(&now, &again).await, all[..4]);
}

/// A call that fails, or whose answer is lost, is repeated.
#[tokio::test]
async fn superseding_is_completed_by_calling_again() {
    for fate in [Fate::Refused, Fate::Lost, Fate::AnswerLost, Fate::Throttled] {
        let table = Fake::new([]);
        let history = history(table.clone());
        let restores = [restore(2, 30)];
        let all = lines(account(1), &TIMES);
        history.append(&all, &[]).await.unwrap();
        // Reads the head and the last row that stays, then writes the head.
        table.then([Fate::Done, Fate::Done, fate]);
        let done: Result<(), StoreError> = history.supersede(&[account(1)], &restores).await;
        if done.is_err() {
            history.supersede(&[account(1)], &restores).await.unwrap();
        }
        let heads = history.heads(&[account(1)]).await.unwrap();
        assert_eq!(
            (heads[0].epoch.number(), heads[0].sequence),
            (2, 3),
            "{fate:?}"
        );
        assert_eq!(read(&history, &restores).await, all[..3]);
        assert_eq!(superseded(&history, &restores).await, 3);
    }
}

/// The epoch of a restore that the books forgot is in doubt as a whole. The search for the
/// last row that stays passes any number of rows.
#[tokio::test]
async fn the_last_row_that_stays_is_found_behind_many_that_do_not() {
    let table = Fake::new([]);
    let history = history(table);
    let times: Vec<i64> = (0..1_500).collect();
    let all = lines(account(1), &times);
    history.append(&all[..10], &[]).await.unwrap();
    let first = [restore(2, 3)];
    history.supersede(&[account(1)], &first).await.unwrap();
    history.append(&all[4..], &first).await.unwrap();
    // The time of the second restore lies after everything of the first.
    let second = [restore(3, 9_999)];
    history.supersede(&[account(1)], &second).await.unwrap();
    let heads = history.heads(&[account(1)]).await.unwrap();
    assert_eq!((heads[0].epoch.number(), heads[0].sequence), (3, 4));
    history.append(&all[4..9], &second).await.unwrap();
    let rows = read(&history, &second).await;
    assert_eq!(rows, all[..10], "the tenth stands behind the head");
}

//! A server without a binary log shows a commit to others before it is on the disk.
//! Nothing that was told of such a commit may be gone after a crash: neither a replay
//! nor an outcome nor an event.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use wallet_aurora::AuroraStore;
use wallet_core::Outcome;
use wallet_core::ledger::Decided;
use wallet_core::request::{Batch, Prepared};
use wallet_core::store::{LedgerStore, Outbox, RowId};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{record_key, set_up, transfer};
use crate::support::{Database, on_both};

on_both! {
    what_was_told_before_a_crash_is_there_after_it
}

/// Processes that pay at the same time, so that flushes are waited for.
const PAYERS: u8 = 3;
const TTL: Duration = Duration::from_secs(60);

/// What somebody was told.
#[derive(Debug, Default)]
struct Told {
    outcomes: Mutex<BTreeMap<String, Arc<Outcome>>>,
    rows: Mutex<BTreeMap<RowId, Vec<u8>>>,
    is_over: AtomicBool,
}

impl Told {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn note(&self, key: String, outcome: &Arc<Outcome>) {
        self.outcomes
            .lock()
            .unwrap()
            .insert(key, Arc::clone(outcome));
    }
}

/// The payments of one process: how many were begun.
type Begun = Arc<[AtomicU64; 3]>;

fn payment(round: u32, payer: u8, number: u64) -> (String, Arc<Prepared>) {
    let key = format!("{round}-{payer}-{number}");
    let request = transfer(&key, 2 * payer, 2 * payer + 1, 1);
    (key, request)
}

/// The payment that is under way.
fn current(begun: &Begun, payer: u8) -> u64 {
    begun[usize::from(payer)].load(Ordering::Relaxed)
}

async fn pay(store: AuroraStore, begun: Begun, round: u32, payer: u8, told: Arc<Told>) {
    for number in 1.. {
        begun[usize::from(payer)].store(number, Ordering::Relaxed);
        let (_, request) = payment(round, payer, number);
        let batch = Arc::new(Batch::new(vec![request]));
        if store.transact(batch).await.is_err() || !told.goes_on() {
            return;
        }
    }
}

/// Asks for the outcome of what is under way, as callers do who hung up.
async fn ask(store: AuroraStore, begun: Begun, round: u32, told: Arc<Told>) {
    while told.goes_on() {
        for payer in 0..PAYERS {
            let (key, _) = payment(round, payer, current(&begun, payer));
            let Ok(found) = store.records(&[record_key(&key)]).await else {
                return;
            };
            if let Some(outcome) = found[0].as_ref().map(|record| &record.outcome) {
                told.note(key, outcome);
            }
        }
    }
}

/// Sends what is under way again, to another process.
async fn retry(store: AuroraStore, begun: Begun, round: u32, told: Arc<Told>) {
    while told.goes_on() {
        for payer in 0..PAYERS {
            let (key, request) = payment(round, payer, current(&begun, payer));
            let batch = Arc::new(Batch::new(vec![request]));
            match store
                .transact(batch)
                .await
                .map(|mut done| done.decided.remove(0))
            {
                Ok(Decided::Fresh(outcome) | Decided::Replayed(outcome)) => {
                    told.note(key, &outcome);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Claims events, as a relay does before it publishes them.
async fn claim(store: AuroraStore, told: Arc<Told>) {
    let lease = store.acquire(0, "relay", TTL).await.unwrap().unwrap();
    while told.goes_on() {
        let known = told.rows.lock().unwrap().keys().copied().collect();
        let Ok(rows) = store.claim(&lease, &known, 1_000).await else {
            return;
        };
        let mut known = told.rows.lock().unwrap();
        known.extend(rows.into_iter().map(|row| (row.id, row.payload)));
    }
}

async fn what_was_told_before_a_crash_is_there_after_it(kind: Kind) {
    // No binary log, as the servers of all tests.
    let mut server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let open = async || AuroraStore::open(&database.settings()).await.unwrap();
    set_up(&open().await, 1_000_000).await;
    let rounds = std::env::var("WALLET_CRASHES").map_or(4, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let told = Arc::new(Told::default());
        let begun: Begun = Arc::default();
        let mut tasks: Vec<JoinHandle<()>> = Vec::new();
        for payer in 0..PAYERS {
            let (begun, told) = (Arc::clone(&begun), Arc::clone(&told));
            tasks.push(tokio::spawn(pay(open().await, begun, round, payer, told)));
        }
        for _ in 0..2 {
            let (begun, told) = (Arc::clone(&begun), Arc::clone(&told));
            tasks.push(tokio::spawn(ask(open().await, begun, round, told)));
        }
        let (also, retold) = (Arc::clone(&begun), Arc::clone(&told));
        tasks.push(tokio::spawn(retry(open().await, also, round, retold)));
        tasks.push(tokio::spawn(claim(open().await, Arc::clone(&told))));
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.kill();
        told.is_over.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        tokio::task::block_in_place(|| server.restart());

        let after = open().await;
        let outcomes = told.outcomes.lock().unwrap().clone();
        assert!(!outcomes.is_empty(), "nobody was told of anything");
        for (key, outcome) in outcomes {
            let found = after.records(&[record_key(&key)]).await.unwrap();
            let found = found[0].as_ref().map(|record| &record.outcome);
            assert_eq!(found, Some(&outcome), "round {round}: {key}");
        }
        let claimed = told.rows.lock().unwrap().clone();
        assert!(!claimed.is_empty(), "no event was told");
        let lease = after.acquire(0, "relay", TTL).await.unwrap().unwrap();
        let none = std::collections::BTreeSet::new();
        let rows = after.claim(&lease, &none, u32::MAX).await.unwrap();
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id, row.payload)).collect();
        for (id, payload) in claimed {
            assert_eq!(rows.get(&id), Some(&payload), "round {round}: row {id}");
        }
    }
}

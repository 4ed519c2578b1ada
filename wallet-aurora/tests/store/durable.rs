//! A server without a binary log shows a commit to other connections before it is on disk.
//! After a crash, nothing that was reported of such a commit may be gone: neither a replay
//! nor an outcome nor an event.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use wallet_aurora::AuroraStore;
use wallet_core::Outcome;
use wallet_core::ledger::Decided;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::{LedgerStore, Outbox, RowId};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{record_key, set_up, transfer};
use crate::support::{Database, on_both};

on_both! {
    what_was_acknowledged_before_a_crash_is_there_after_it
}

/// Several processes pay at the same time, so that commits wait for flushes.
const PAYERS: u8 = 3;
const TTL: Duration = Duration::from_secs(60);

/// The outcomes and events that a caller has seen.
#[derive(Debug, Default)]
struct Seen {
    outcomes: Mutex<BTreeMap<String, Arc<Outcome>>>,
    rows: Mutex<BTreeMap<RowId, Vec<u8>>>,
    is_over: AtomicBool,
}

impl Seen {
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

/// The number of payments that each payer has begun.
type Begun = Arc<[AtomicU64; 3]>;

fn payment(round: u32, payer: u8, number: u64) -> (String, Arc<PreparedRequest>) {
    let key = format!("{round}-{payer}-{number}");
    let request = transfer(&key, 2 * payer, 2 * payer + 1, 1);
    (key, request)
}

/// The payment in flight.
fn current(begun: &Begun, payer: u8) -> u64 {
    begun[usize::from(payer)].load(Ordering::Relaxed)
}

async fn pay(store: AuroraStore, begun: Begun, round: u32, payer: u8, seen: Arc<Seen>) {
    for number in 1.. {
        begun[usize::from(payer)].store(number, Ordering::Relaxed);
        let (_, request) = payment(round, payer, number);
        let batch = Arc::new(Batch::new(vec![request]));
        if store.transact(batch).await.is_err() || !seen.goes_on() {
            return;
        }
    }
}

/// Asks for the outcome of a payment in flight, as a caller does after a lost connection.
async fn ask(store: AuroraStore, begun: Begun, round: u32, seen: Arc<Seen>) {
    while seen.goes_on() {
        for payer in 0..PAYERS {
            let (key, _) = payment(round, payer, current(&begun, payer));
            let Ok(found) = store.records(&[record_key(&key)]).await else {
                return;
            };
            if let Some(outcome) = found[0].as_ref().map(|record| &record.outcome) {
                seen.note(key, outcome);
            }
        }
    }
}

/// Sends a payment in flight again, to another process.
async fn retry(store: AuroraStore, begun: Begun, round: u32, seen: Arc<Seen>) {
    while seen.goes_on() {
        for payer in 0..PAYERS {
            let (key, request) = payment(round, payer, current(&begun, payer));
            let batch = Arc::new(Batch::new(vec![request]));
            match store
                .transact(batch)
                .await
                .map(|mut done| done.decided.remove(0))
            {
                Ok(Decided::Fresh(outcome) | Decided::Replayed(outcome)) => {
                    seen.note(key, &outcome);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Claims events, as a relay does before it publishes them.
async fn claim(store: AuroraStore, seen: Arc<Seen>) {
    let lease = store.acquire("relay", TTL).await.unwrap().unwrap();
    while seen.goes_on() {
        let known = seen.rows.lock().unwrap().keys().copied().collect();
        let Ok(rows) = store.claim(&lease, &known, 1_000).await else {
            return;
        };
        let mut known = seen.rows.lock().unwrap();
        known.extend(rows.into_iter().map(|row| (row.id, row.payload)));
    }
}

async fn what_was_acknowledged_before_a_crash_is_there_after_it(kind: Kind) {
    // No binary log, as the servers of all tests.
    let mut server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let open = async || AuroraStore::open(&database.settings()).await.unwrap();
    set_up(&open().await, 1_000_000).await;
    let rounds = std::env::var("WALLET_CRASHES").map_or(4, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let seen = Arc::new(Seen::default());
        let begun: Begun = Arc::default();
        let mut tasks: Vec<JoinHandle<()>> = Vec::new();
        for payer in 0..PAYERS {
            let (begun, seen) = (Arc::clone(&begun), Arc::clone(&seen));
            tasks.push(tokio::spawn(pay(open().await, begun, round, payer, seen)));
        }
        for _ in 0..2 {
            let (begun, seen) = (Arc::clone(&begun), Arc::clone(&seen));
            tasks.push(tokio::spawn(ask(open().await, begun, round, seen)));
        }
        let (also, also_seen) = (Arc::clone(&begun), Arc::clone(&seen));
        tasks.push(tokio::spawn(retry(open().await, also, round, also_seen)));
        tasks.push(tokio::spawn(claim(open().await, Arc::clone(&seen))));
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.kill();
        seen.is_over.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        tokio::task::block_in_place(|| server.restart());

        let after = open().await;
        let outcomes = seen.outcomes.lock().unwrap().clone();
        assert!(!outcomes.is_empty(), "no outcome was answered");
        for (key, outcome) in outcomes {
            let found = after.records(&[record_key(&key)]).await.unwrap();
            let found = found[0].as_ref().map(|record| &record.outcome);
            assert_eq!(found, Some(&outcome), "round {round}: {key}");
        }
        let claimed = seen.rows.lock().unwrap().clone();
        assert!(!claimed.is_empty(), "no event was claimed");
        let lease = after.acquire("relay", TTL).await.unwrap().unwrap();
        let none = std::collections::BTreeSet::new();
        let rows = after.claim(&lease, &none, u32::MAX).await.unwrap();
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id, row.payload)).collect();
        for (id, payload) in claimed {
            assert_eq!(rows.get(&id), Some(&payload), "round {round}: row {id}");
        }
    }
}

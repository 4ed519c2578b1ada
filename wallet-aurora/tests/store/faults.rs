//! A server that is killed, and a server that turns read-only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::{Connection, Executor, MySqlConnection};
use tokio::task::JoinHandle;
use wallet_aurora::AuroraStore;
use wallet_core::TransferId;
use wallet_core::ledger::Decided;
use wallet_core::request::Batch;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{ACCOUNTS, assert_sound, commit, open, record_key, set_up, transfer};
use crate::support::{Database, on_both};

on_both! {
    a_killed_server_loses_nothing_acknowledged
    a_server_that_turns_read_only_is_left_and_found_again
    a_server_that_turns_read_only_under_load_loses_nothing
    a_server_that_does_not_answer_is_given_up
}

const KILLS: u8 = 4;

/// The acknowledged transfers, by key.
type Acknowledged = Arc<Mutex<BTreeMap<String, Option<TransferId>>>>;

async fn work(
    store: Arc<AuroraStore>,
    worker: u8,
    acknowledged: Acknowledged,
    ends: Arc<AtomicBool>,
) {
    for round in 0_u32.. {
        if ends.load(Ordering::SeqCst) {
            return;
        }
        let keys: Vec<String> = (0..8)
            .map(|item| format!("{worker}-{round}-{item}"))
            .collect();
        let requests = keys.iter().enumerate().map(|(item, key)| {
            let from = (u8::try_from(item).unwrap() + worker) % ACCOUNTS;
            transfer(key, from, (from + 1) % ACCOUNTS, 1)
        });
        let batch = Arc::new(Batch::new(requests.collect()));
        // Repeats the same batch until it is settled, as the service does.
        loop {
            if ends.load(Ordering::SeqCst) {
                return;
            }
            match store.transact(Arc::clone(&batch)).await {
                Ok(committed) => {
                    note(&acknowledged, &keys, &committed.decided);
                    break;
                }
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
            tokio::task::yield_now().await;
        }
    }
}

fn note(acknowledged: &Acknowledged, keys: &[String], decided: &[Decided]) {
    let mut acknowledged = acknowledged.lock().unwrap();
    for (key, decided) in keys.iter().zip(decided) {
        let (Decided::Fresh(outcome) | Decided::Replayed(outcome)) = decided else {
            continue;
        };
        let id = outcome.transfers().next().map(|transfer| transfer.key.id);
        acknowledged.insert(key.clone(), id);
    }
}

/// Workers that repeat their current batch until they are stopped.
struct Load {
    acknowledged: Acknowledged,
    ends: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts three workers. Their keys begin with numbers of this `round`.
    async fn start(database: &Database, acknowledged: &Acknowledged, round: u8) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let store = Arc::new(open(database).await);
        let workers = (0..3).map(|worker| {
            let (store, acknowledged, ends) = (
                Arc::clone(&store),
                Arc::clone(acknowledged),
                Arc::clone(&ends),
            );
            tokio::spawn(work(store, worker + round * 10, acknowledged, ends))
        });
        Self {
            workers: workers.collect(),
            acknowledged: Arc::clone(acknowledged),
            ends,
        }
    }

    /// Waits until this many more transfers are acknowledged.
    async fn more(&self, count: usize) {
        let enough = self.acknowledged.lock().unwrap().len() + count;
        while self.acknowledged.lock().unwrap().len() < enough {
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        self.ends.store(true, Ordering::SeqCst);
        for worker in self.workers {
            worker.await.unwrap();
        }
    }
}

async fn a_killed_server_loses_nothing_acknowledged(kind: Kind) {
    let mut server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    set_up(&open(&database).await, 100_000).await;
    let acknowledged = Acknowledged::default();
    for kill in 1..=KILLS {
        let load = Load::start(&database, &acknowledged, kill).await;
        load.more(200 + usize::from(kill) * 37).await;
        server.kill();
        server.restart();
        // The workers continue with their current batches.
        load.more(100).await;
        load.end().await;
        verify(&open(&database).await, &acknowledged).await;
    }
}

async fn a_server_that_turns_read_only_under_load_loses_nothing(kind: Kind) {
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    set_up(&open(&database).await, 100_000).await;
    let mut admin = MySqlConnection::connect(&server.admin_url()).await.unwrap();
    let option = match kind {
        Kind::MariaDb => "read_only",
        Kind::MySql => "super_read_only",
    };
    let acknowledged = Acknowledged::default();
    let load = Load::start(&database, &acknowledged, 1).await;
    for _ in 0..KILLS {
        load.more(200).await;
        let on = format!("SET GLOBAL {option} = 1");
        admin.execute(on.as_str()).await.unwrap();
        // All calls in flight have ended, and nothing more is acknowledged.
        let idle = acknowledged.lock().unwrap().len();
        let refused = AuroraStore::open(&database.settings()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
        assert!(
            acknowledged.lock().unwrap().len() <= idle + 3 * 8,
            "only what was under way"
        );
        let off = format!("SET GLOBAL {option} = 0; SET GLOBAL read_only = 0");
        admin.execute(off.as_str()).await.unwrap();
    }
    load.more(200).await;
    load.end().await;
    verify(&open(&database).await, &acknowledged).await;
}

/// Checks that every acknowledged transfer is stored as it was reported, and that the books
/// are sound.
async fn verify(store: &AuroraStore, acknowledged: &Acknowledged) {
    assert_sound(store).await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    let keys: Vec<_> = acknowledged.keys().map(|key| record_key(key)).collect();
    let records = store.records(&keys).await.unwrap();
    for ((key, id), record) in acknowledged.iter().zip(records) {
        let record = record.unwrap_or_else(|| panic!("lost: {key}"));
        let transfer = record.outcome.transfers().next();
        assert_eq!(transfer.map(|transfer| transfer.key.id), *id, "{key}");
    }
}

async fn a_server_that_turns_read_only_is_left_and_found_again(kind: Kind) {
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    store.probe().await.unwrap();
    let mut admin = MySqlConnection::connect(&server.admin_url()).await.unwrap();
    admin.execute("SET GLOBAL read_only = 1").await.unwrap();
    let refused = store.probe().await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 10)]));
    // An open connection notices at a write. A new connection notices at once.
    for _ in 0..3 {
        let refused = store.transact(Arc::clone(&batch)).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    }
    let opened = AuroraStore::open(&database.settings()).await;
    assert_eq!(opened.unwrap_err().kind(), StoreErrorKind::Unavailable);
    admin.execute("SET GLOBAL read_only = 0").await.unwrap();
    store.probe().await.unwrap();
    let decided = commit(&store, vec![transfer("a", 0, 1, 10)]).await;
    assert!(matches!(&decided[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    assert_sound(&store).await;
}

async fn a_server_that_does_not_answer_is_given_up(kind: Kind) {
    let database = Database::create(kind).await;
    let mut settings = database.settings();
    settings.answer_wait = std::time::Duration::from_millis(300);
    settings.migrate = false;
    let store = AuroraStore::open(&settings).await;
    assert_eq!(store.unwrap_err().kind(), StoreErrorKind::Internal);
    open(&database).await;
    settings.migrate = true;
    let store = AuroraStore::open(&settings).await.unwrap();
    set_up(&store, 100).await;
    // Longer than the wait for an answer, shorter than the wait for the lock.
    let mut keeper = database.connect().await;
    let lock = "BEGIN; SELECT * FROM wallet_account ORDER BY num FOR UPDATE";
    keeper.execute(lock).await.unwrap();
    let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 10)]));
    let late = store.transact(Arc::clone(&batch)).await.unwrap_err();
    assert_eq!(late.kind(), StoreErrorKind::Unavailable);
    keeper.execute("ROLLBACK").await.unwrap();
    let decided = commit(&store, vec![transfer("a", 0, 1, 10)]).await;
    crate::support::books::accepted(&decided[0]);
    assert_sound(&store).await;
}

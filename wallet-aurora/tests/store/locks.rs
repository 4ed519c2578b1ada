//! Locks of foreign transactions, and the requests that wait for them.
use std::sync::Arc;
use std::time::Duration;

use crate::support::books::{
    account, account_key, assert_sound, commit, euros, is_recorded, key, open, opening, posted,
    record_key, set_up, transfer,
};
use crate::support::proxy::{Cut, Proxy};
use crate::support::{Database, on_both, patient};
use sqlx::{Executor, MySqlConnection};
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::ledger::Decided;
use wallet_core::request::Batch;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{Leg, PostTransfer, Request, Settings, Wallet};
use wallet_test_servers::Kind;

on_both! {
    an_account_locked_by_others_blocks_only_its_own_requests
    an_account_that_stays_locked_is_not_waited_for_again
    a_short_foreign_lock_is_waited_for
    the_time_is_read_after_the_locks_are_held
    a_key_about_to_be_committed_is_waited_for
    a_key_that_nobody_has_locks_nothing
    an_account_opened_twice_at_once_is_opened_once
    batches_on_the_same_accounts_never_deadlock
    the_next_batch_stands_behind_the_one_that_commits
}

/// Locks the rows of accounts until the connection is dropped or rolls back.
async fn keep(database: &Database, numbers: &[u8]) -> MySqlConnection {
    let mut connection = database.connect().await;
    let ids = numbers.iter().map(|number| {
        let id = account(*number);
        format!("x'{}'", id.uuid().simple())
    });
    let ids: Vec<String> = ids.collect();
    let lock = format!(
        "BEGIN; SELECT a.num FROM wallet_account_profile p STRAIGHT_JOIN wallet_account a \
         ON a.num = p.num WHERE p.ledger = 0 AND p.id IN ({}) FOR UPDATE",
        ids.join(",")
    );
    connection.execute(lock.as_str()).await.unwrap();
    connection
}

async fn an_account_locked_by_others_blocks_only_its_own_requests(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let mut keeper = keep(&database, &[1]).await;
    let requests = vec![
        transfer("a", 0, 1, 10),
        transfer("b", 2, 3, 10),
        transfer("c", 3, 4, 10),
    ];
    let batch = Arc::new(Batch::new(requests));
    let decided = store.transact(Arc::clone(&batch)).await.unwrap().decided;
    assert_eq!(decided[0], Decided::Blocked);
    assert!(matches!(&decided[1], Decided::Fresh(outcome) if outcome.result.is_ok()));
    assert!(matches!(&decided[2], Decided::Fresh(outcome) if outcome.result.is_ok()));
    assert_eq!(posted(&store, 4).await, 110);
    keeper.execute("ROLLBACK").await.unwrap();
    let decided = store.transact(batch).await.unwrap().decided;
    assert!(matches!(&decided[0], Decided::Fresh(_)));
    assert!(matches!(&decided[1], Decided::Replayed(_)));
    assert_sound(&store).await;
}

async fn an_account_that_stays_locked_is_not_waited_for_again(kind: Kind) {
    let database = Database::create(kind).await;
    let mut settings = database.settings();
    settings.lock_wait = Duration::from_secs(4);
    let store = AuroraStore::open(&settings).await.unwrap();
    set_up(&store, 100).await;
    let mut keeper = keep(&database, &[1]).await;
    let first = commit(&store, vec![transfer("a", 0, 1, 10)]).await;
    assert_eq!(first[0], Decided::Blocked, "after having waited");
    // If each request waited, the test would exceed its time limit.
    for number in 0..100 {
        let others = transfer(&format!("o{number}"), 2, 3, 1);
        let decided = commit(&store, vec![transfer("a", 0, 1, 10), others]).await;
        assert_eq!(decided[0], Decided::Blocked);
        assert!(matches!(&decided[1], Decided::Fresh(outcome) if outcome.result.is_ok()));
    }
    keeper.execute("ROLLBACK").await.unwrap();
    // The account is free again, so the store waits for its lock again.
    let decided = commit(&store, vec![transfer("a", 0, 1, 10)]).await;
    assert!(matches!(&decided[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    let mut keeper = keep(&database, &[1]).await;
    let batch = Arc::new(Batch::new(vec![transfer("b", 0, 1, 10)]));
    let letting_go = async {
        somebody_waits(&database).await;
        keeper.execute("ROLLBACK").await.unwrap();
    };
    let (committed, ()) = tokio::join!(store.transact(batch), letting_go);
    let decided = committed.unwrap().decided;
    assert!(matches!(&decided[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    assert_sound(&store).await;
}

/// Waits until a connection waits for a row of the database.
async fn somebody_waits(database: &Database) {
    let sql = "SELECT info FROM information_schema.processlist \
               WHERE db = DATABASE() AND info LIKE '%FOR UPDATE%' \
               AND info NOT LIKE '%processlist%'";
    while database.rows(sql).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

async fn a_short_foreign_lock_is_waited_for(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let mut keeper = keep(&database, &[1]).await;
    let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 10)]));
    let letting_go = async {
        somebody_waits(&database).await;
        keeper.execute("ROLLBACK").await.unwrap();
    };
    let (committed, ()) = tokio::join!(store.transact(batch), letting_go);
    let decided = committed.unwrap().decided;
    assert!(matches!(&decided[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
}

async fn the_time_is_read_after_the_locks_are_held(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let mut keeper = keep(&database, &[1]).await;
    let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 10)]));
    let now = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
    let letting_go = async {
        somebody_waits(&database).await;
        let row = keeper.fetch_one(now).await.unwrap();
        keeper.execute("ROLLBACK").await.unwrap();
        sqlx::Row::get::<i64, _>(&row, 0)
    };
    let (committed, released) = tokio::join!(store.transact(batch), letting_go);
    let decided = committed.unwrap().decided;
    let at = crate::support::books::accepted(&decided[0]).at;
    assert!(at.as_micros() >= released, "{at} {released}");
}

async fn a_key_about_to_be_committed_is_waited_for(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let mut connection = database.connect().await;
    let mut committing = HostTransaction::begin(&mut connection).await.unwrap();
    let requests = [transfer("a", 0, 1, 10)];
    let _applied = store
        .apply_in_raw(&mut committing, &requests)
        .await
        .unwrap();
    let late = store.records(&[record_key("a")]).await;
    assert_eq!(
        late.unwrap_err().kind(),
        StoreErrorKind::Conflict,
        "it waited"
    );
    committing.commit().await.unwrap();
    assert!(is_recorded(&store, "a").await);
}

async fn a_key_that_nobody_has_locks_nothing(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    // Takes the same lock as a question for a key, and holds it longer than the question
    // waits.
    let mut asking = database.connect().await;
    let ask = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN; \
               SELECT * FROM wallet_journal WHERE ledger = 0 \
               AND hash = x'00000000000000000000000000000000' LOCK IN SHARE MODE";
    asking.execute(ask).await.unwrap();
    for number in 0..20 {
        let decided = commit(&store, vec![transfer(&format!("k{number}"), 0, 1, 1)]).await;
        assert!(matches!(decided[0], Decided::Fresh(_)));
    }
    asking.execute("ROLLBACK").await.unwrap();
}

async fn an_account_opened_twice_at_once_is_opened_once(kind: Kind) {
    let database = Database::create(kind).await;
    let stores = [open(&database).await, open(&database).await];
    for number in 0..10 {
        let (one, other) = tokio::join!(
            opened(&stores[0], format!("one-{number}"), number),
            opened(&stores[1], format!("other-{number}"), number)
        );
        assert!(one ^ other, "{one} {other}");
    }
    assert!(stores[0].accounts(&[account_key(0)]).await.unwrap()[0].is_some());
    assert_sound(&stores[0]).await;
}

/// Whether the account was opened under this key.
async fn opened(store: &AuroraStore, text: String, number: u8) -> bool {
    match &commit(store, vec![opening(&text, number)]).await[0] {
        Decided::Fresh(outcome) => outcome.result.is_ok(),
        other => panic!("{other:?}"),
    }
}

async fn batches_on_the_same_accounts_never_deadlock(kind: Kind) {
    let database = Database::create(kind).await;
    let store = Arc::new(open(&database).await);
    set_up(&store, 10_000).await;
    let mut workers = Vec::new();
    for worker in 0..4_u8 {
        let store = Arc::clone(&store);
        workers.push(tokio::spawn(async move {
            for round in 0..25_u8 {
                // Each batch has another order, which must not matter.
                let requests = (0..6_u8).map(|item| {
                    let from = (item + worker) % 6;
                    let key = format!("{worker}-{round}-{item}");
                    transfer(&key, from, (from + 1 + worker % 3) % 6, 1)
                });
                let batch = Arc::new(Batch::new(requests.collect()));
                let decided = store.transact(batch).await.unwrap().decided;
                assert!(decided.iter().all(|one| matches!(one, Decided::Fresh(_))));
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_sound(&store).await;
}

async fn the_next_batch_stands_behind_the_one_that_commits(kind: Kind) {
    let database = Database::create(kind).await;
    let direct = open(&database).await;
    set_up(&direct, 100).await;
    let proxy = Proxy::start(&database.url()).await;
    let mut settings = patient(proxy.url(&database.url()));
    settings.lock_wait = Duration::from_secs(60);
    let store = AuroraStore::open(&settings).await.unwrap();
    // From here on the account is cached, and a batch is two packets.
    commit(&store, vec![transfer("known", 0, 1, 1)]).await;
    let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
        committers: 2,
        sweep_interval: None,
        ..Settings::default()
    });
    let wallet = wallet.spawn().unwrap();
    let submit = |text: &str, cents| {
        let leg = Leg::new(account(0), account(1), euros(cents));
        let request = Request::new(key(text), PostTransfer::new(vec![leg]));
        let wallet = wallet.clone();
        tokio::spawn(async move { wallet.submit_raw(request).await })
    };
    proxy.arm(1, Cut::Held);
    // The second transfer can be paid only after the first, or the reverse.
    let first = submit("first", 60);
    while !proxy.is_done() {
        tokio::task::yield_now().await;
    }
    let second = submit("second", 60);
    somebody_waits(&database).await;
    assert!(!second.is_finished());
    proxy.let_go();
    first.await.unwrap().unwrap().accepted().unwrap();
    let refused = second.await.unwrap().unwrap();
    assert!(refused.accepted().is_err(), "decided on what was committed");
    assert_eq!(posted(&direct, 0).await, 39);
    assert_sound(&direct).await;
}

//! Peers that vanish without closing their connections: the server, and a host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor;
use wallet_aurora::{AuroraSettings, AuroraStore, LockHolder};
use wallet_core::ledger::Decided;
use wallet_core::request::Batch;
use wallet_core::store::{DoneSet, LedgerStore, Outbox, RowProgress, RowState};
use wallet_core::{Leg, PostTransfer, Request, Settings, Wallet};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{
    accepted, account, account_key, assert_sound, commit, euros, key, open, set_up, transfer,
};
use crate::support::endpoint::Endpoint;
use crate::support::proxy::{Cut, Proxy};
use crate::support::{Database, on_both};

on_both! {
    after_a_silent_death_one_connection_is_tried_and_no_other
    after_an_answer_that_never_came_the_others_are_tried_before_they_are_used
    a_wallet_goes_on_with_a_new_writer
    a_host_that_vanishes_gives_its_accounts_back
    a_relay_that_vanishes_gives_its_lease_back
    who_locks_an_account_is_reported
}

/// The number of idle connections in the pool.
const CONNECTIONS: u32 = 6;

/// A store behind an endpoint, with idle connections.
async fn rested(database: &Database, settings: AuroraSettings, endpoint: &Endpoint) -> AuroraStore {
    set_up(&open(database).await, 1_000).await;
    let store = AuroraStore::open(&settings).await.unwrap();
    let keys = [account_key(0)];
    // A read that ends before another one begins leaves its connection to it.
    while endpoint.taken() < CONNECTIONS {
        let reads = (0..CONNECTIONS).map(|_| store.accounts(&keys));
        for read in futures_util::future::join_all(reads).await {
            read.unwrap();
        }
    }
    store
}

async fn after_a_silent_death_one_connection_is_tried_and_no_other(kind: Kind) {
    let database = Database::create(kind).await;
    let endpoint = Endpoint::start(database.port()).await;
    let settings = AuroraSettings {
        // Every connection counts as idle.
        idle: Duration::ZERO,
        ..AuroraSettings::new(endpoint.url(&database.url()))
    };
    let store = rested(&database, settings, &endpoint).await;
    let before = endpoint.taken();
    endpoint.silence();
    let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 10)]));
    let decided = store.transact(batch).await.unwrap().decided;
    accepted(&decided[0]);
    assert_eq!(endpoint.asked_in_vain(), 1, "one ping");
    assert_eq!(endpoint.taken(), before + 1, "and one new connection");
    assert_sound(&store).await;
}

async fn after_an_answer_that_never_came_the_others_are_tried_before_they_are_used(kind: Kind) {
    let database = Database::create(kind).await;
    let endpoint = Endpoint::start(database.port()).await;
    let settings = AuroraSettings {
        idle: Duration::from_secs(3_600),
        session_wait: Duration::from_secs(7_200),
        answer_wait: Duration::from_millis(300),
        ..AuroraSettings::new(endpoint.url(&database.url()))
    };
    let store = rested(&database, settings, &endpoint).await;
    endpoint.silence();
    let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 10)]));
    let lost = store.transact(Arc::clone(&batch)).await.unwrap_err();
    assert!(lost.is_retryable(), "{lost}");
    // The connection was used a moment ago, so the store had no reason to test it.
    assert_eq!(endpoint.asked_in_vain(), 1);
    let decided = store.transact(batch).await.unwrap().decided;
    accepted(&decided[0]);
    assert_eq!(endpoint.asked_in_vain(), 2, "one more, by a ping");
    assert_sound(&store).await;
}

async fn a_wallet_goes_on_with_a_new_writer(kind: Kind) {
    let database = Database::create(kind).await;
    let endpoint = Endpoint::start(database.port()).await;
    // With the default settings.
    let settings = AuroraSettings::new(endpoint.url(&database.url()));
    let store = rested(&database, settings, &endpoint).await;
    let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
        sweep_interval: None,
        ..Settings::for_server()
    });
    let wallet = wallet.spawn().unwrap();
    let submit = |text: &str| {
        let leg = Leg::new(account(0), account(1), euros(1));
        wallet.submit_raw(Request::new(key(text), PostTransfer::new(vec![leg])))
    };
    submit("before").await.unwrap().accepted().unwrap();
    endpoint.silence();
    // The old writer never answers again. The new writer can be reached at once. The limit
    // is far more than needed, and far less than testing idle connections one by one took.
    let answer = tokio::time::timeout(Duration::from_secs(20), submit("after"));
    answer.await.unwrap().unwrap().accepted().unwrap();
    assert!(
        endpoint.asked_in_vain() <= 2,
        "{}",
        endpoint.asked_in_vain()
    );
    assert_eq!(wallet.stats().retries, 1, "the commit in hand, once");
}

async fn a_host_that_vanishes_gives_its_accounts_back(kind: Kind) {
    let database = Database::create(kind).await;
    let mut patient = database.settings();
    patient.lock_wait = Duration::from_secs(120);
    patient.answer_wait = Duration::from_secs(240);
    let direct = AuroraStore::open(&patient).await.unwrap();
    set_up(&direct, 1_000).await;
    let proxy = Proxy::start(&database.url()).await;
    let settings = AuroraSettings {
        session_wait: Duration::from_secs(2),
        ..AuroraSettings::new(proxy.url(&database.url()))
    };
    let vanishing = AuroraStore::open(&settings).await.unwrap();
    commit(&vanishing, vec![transfer("known", 0, 1, 1)]).await;
    proxy.arm(1, Cut::Held);
    // The store holds the account's lock, and its next packet never arrives.
    let batch = Arc::new(Batch::new(vec![transfer("vanishes", 0, 1, 1)]));
    let host = tokio::spawn(async move { vanishing.transact(batch).await });
    while !proxy.is_done() {
        tokio::task::yield_now().await;
    }
    host.abort();
    // The request is not blocked: the server has released the lock by itself.
    let decided = commit(&direct, vec![transfer("next", 0, 1, 1)]).await;
    accepted(&decided[0]);
    assert_sound(&direct).await;
}

async fn a_relay_that_vanishes_gives_its_lease_back(kind: Kind) {
    let database = Database::create(kind).await;
    let mut patient = database.settings();
    patient.lock_wait = Duration::from_secs(120);
    patient.answer_wait = Duration::from_secs(240);
    let direct = AuroraStore::open(&patient).await.unwrap();
    set_up(&direct, 1_000).await;
    let proxy = Proxy::start(&database.url()).await;
    let settings = AuroraSettings {
        session_wait: Duration::from_secs(2),
        ..AuroraSettings::new(proxy.url(&database.url()))
    };
    let vanishing = AuroraStore::open(&settings).await.unwrap();
    let ttl = Duration::from_secs(5);
    let lease = vanishing.acquire("vanishes", ttl).await.unwrap().unwrap();
    let row = vanishing.claim(&lease, &BTreeSet::new(), 1).await.unwrap()[0].id;
    proxy.arm(1, Cut::Held);
    let progress = [RowProgress {
        row,
        done: DoneSet::from([0]),
        state: RowState::Open,
    }];
    let relay = tokio::spawn(async move { vanishing.mark_done(&lease, &progress).await });
    while !proxy.is_done() {
        tokio::task::yield_now().await;
    }
    relay.abort();
    // The row of the lease is locked. Then the lease ends.
    let next = async {
        loop {
            if let Some(lease) = direct.acquire("next", ttl).await.unwrap() {
                return lease;
            }
            tokio::task::yield_now().await;
        }
    };
    let next = tokio::time::timeout(Duration::from_secs(100), next);
    assert_eq!(next.await.unwrap().owner, "next");
}

async fn who_locks_an_account_is_reported(kind: Kind) {
    let options: &[&str] = match kind {
        Kind::MariaDb => &[],
        Kind::MySql => &["--performance-schema=ON"],
    };
    let server = Private::start_with(kind, options);
    let database = Database::create_on(&server.url()).await;
    set_up(&open(&database).await, 1_000).await;
    let url = database.url().replace("mysql://wallet:", "mysql://admin:");
    let store = AuroraStore::open(&AuroraSettings::new(url)).await.unwrap();
    assert_eq!(store.lock_holders().await.unwrap(), Some(Vec::new()));

    let mut keeper = database.connect().await;
    let id = account(1).uuid().simple();
    let lock = format!(
        "BEGIN; SELECT a.num FROM wallet_account_profile p STRAIGHT_JOIN wallet_account a \
         ON a.num = p.num WHERE p.ledger = 0 AND p.id = x'{id}' FOR UPDATE"
    );
    keeper.execute(lock.as_str()).await.unwrap();
    let row = keeper
        .fetch_one("SELECT CAST(CONNECTION_ID() AS CHAR)")
        .await;
    let connection: String = sqlx::Row::get_unchecked(&row.unwrap(), 0);
    let blocked = commit(&store, vec![transfer("blocked", 0, 1, 1)]).await;
    assert_eq!(blocked[0], Decided::Blocked);
    let holders = store.lock_holders().await.unwrap().unwrap();
    let [holder] = holders.as_slice() else {
        panic!("one holder, not {holders:?}");
    };
    assert_eq!(holder.account, account_key(1));
    assert_eq!(holder.connection.to_string(), connection);
    assert_eq!(holder.user.as_deref(), Some("wallet"));
    keeper.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.lock_holders().await.unwrap(), Some(Vec::new()));
    // A user without the rights gets no answer.
    assert_eq!(
        open(&database).await.lock_holders().await.unwrap(),
        unprivileged(kind)
    );
}

/// The answer for a user with few rights, when it can see no lock holder.
fn unprivileged(kind: Kind) -> Option<Vec<LockHolder>> {
    match kind {
        Kind::MariaDb => Some(Vec::new()),
        Kind::MySql => None,
    }
}

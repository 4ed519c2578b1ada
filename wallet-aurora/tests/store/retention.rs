//! A purge during traffic. Neither waits for the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::store::{LedgerStore, Purge};
use wallet_test_servers::Kind;

use crate::support::books::{
    accepted, assert_sound, commit, is_recorded, open, posted, set_up, transfer,
};
use crate::support::{Database, on_both};

on_both! {
    a_purge_does_not_wait_for_a_commit_under_way
    keys_are_purged_while_others_commit
}

async fn purge(store: &AuroraStore, limit: u32) -> u64 {
    let everything = Purge::Records {
        older_than: Duration::ZERO,
        limit,
    };
    store.purge(everything).await.unwrap()
}

async fn a_purge_does_not_wait_for_a_commit_under_way(kind: Kind) {
    let database = Database::create(kind).await;
    let mut settings = database.settings();
    // A wait for a lock would exceed the time limit of the test.
    settings.lock_wait = Duration::from_secs(900);
    settings.answer_wait = Duration::from_secs(901);
    let store = AuroraStore::open(&settings).await.unwrap();
    set_up(&store, 100).await;
    accepted(&commit(&store, vec![transfer("old", 0, 1, 10)]).await[0]);
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    let requests = [transfer("under-way", 0, 1, 10)];
    let _applied = store.apply_in_raw(&mut host, &requests).await.unwrap();
    assert!(purge(&store, 1_000).await > 0);
    assert!(!is_recorded(&store, "old").await);
    host.commit().await.unwrap();
    assert!(is_recorded(&store, "under-way").await);
    assert_eq!(posted(&store, 1).await, 120);
}

async fn keys_are_purged_while_others_commit(kind: Kind) {
    let database = Database::create(kind).await;
    let store = Arc::new(open(&database).await);
    set_up(&store, 10_000).await;
    let ends = Arc::new(AtomicBool::new(false));
    let purging = tokio::spawn({
        let (store, ends) = (Arc::clone(&store), Arc::clone(&ends));
        async move {
            let mut deleted = 0;
            while !ends.load(Ordering::SeqCst) {
                deleted += purge(&store, 50).await;
            }
            deleted
        }
    });
    for round in 0..60 {
        let requests = (0..10).map(|item| transfer(&format!("{round}-{item}"), 0, 1, 1));
        for decided in commit(&store, requests.collect()).await {
            accepted(&decided);
        }
    }
    ends.store(true, Ordering::SeqCst);
    assert!(purging.await.unwrap() > 0);
    assert_eq!(posted(&store, 1).await, 10_600);
    assert_sound(&store).await;
    while purge(&store, 1_000).await > 0 {}
    assert!(!is_recorded(&store, "0-0").await);
    assert!(!is_recorded(&store, "59-9").await);
    assert_sound(&store).await;
}

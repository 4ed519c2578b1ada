//! Claims more rows than one statement reads outcomes for.

use std::collections::BTreeSet;
use std::time::Duration;

use wallet_core::store::Outbox;
use wallet_test_servers::Kind;

use crate::support::books::{accepted, commit, open, set_up, transfer};
use crate::support::{Database, on_both};

on_both! {
    every_row_of_a_long_backlog_has_its_events
}

async fn every_row_of_a_long_backlog_has_its_events(kind: Kind) {
    const ROWS: u32 = 1_001;
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 10_000).await;
    let lease = store.acquire("relay", Duration::from_secs(600));
    let lease = lease.await.unwrap().unwrap();
    let older = store.claim(&lease, &BTreeSet::new(), ROWS).await.unwrap();
    let older: BTreeSet<_> = older.iter().map(|row| row.id).collect();
    for number in 0..ROWS {
        let requests = vec![transfer(&format!("t{number}"), 0, 1, 1)];
        accepted(&commit(&store, requests).await[0]);
    }
    let rows = store.claim(&lease, &older, ROWS).await.unwrap();
    assert_eq!(rows.len(), 1_001);
    assert!(rows.is_sorted_by(|one, next| one.id < next.id));
    // Each row holds a different transfer of the same size.
    let payloads: BTreeSet<_> = rows.iter().map(|row| &row.payload).collect();
    assert_eq!(payloads.len(), 1_001);
    let lengths: BTreeSet<_> = payloads.iter().map(|payload| payload.len()).collect();
    let (shortest, longest) = (lengths.first().unwrap(), lengths.last().unwrap());
    assert!(shortest * 10 > longest * 9, "{lengths:?}");
}

//! The purge reads the journal once, from its beginning.

use std::time::Duration;

use wallet_core::ledger::Decided;
use wallet_core::store::{LedgerStore, Purge};
use wallet_sqlite::SqliteStore;
use wallet_testkit::block_on;

use crate::support::{self, accepted, commit, open, record_key, set_up, transfer};

fn purge(store: &SqliteStore, limit: u32) -> u64 {
    let older_than = Duration::ZERO;
    block_on(store.purge(Purge::Records { older_than, limit })).unwrap()
}

#[test]
fn what_comes_after_refusals_that_are_purged_is_purged_in_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("wallet.db"));
    set_up(&store, 100);
    let refused = commit(&store, vec![transfer("too-much", 0, 1, 10_000)]);
    assert!(matches!(&refused[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    while purge(&store, 3) > 0 {}
    // The journal now ends before the position of the purge. A host that starts opens this
    // file.
    drop(store);
    let store = open(&folder.path().join("wallet.db"));
    for key in ["too-much", "new"] {
        accepted(&commit(&store, vec![transfer(key, 0, 1, 10)])[0]);
    }
    let keys = ["too-much", "new"].map(record_key);
    let records = block_on(store.records(&keys)).unwrap();
    assert!(records.iter().all(Option::is_some));
    assert_eq!(purge(&store, 10), 2);
    assert_eq!(block_on(store.records(&keys)).unwrap(), [None, None]);
    support::assert_sound(&store);
}

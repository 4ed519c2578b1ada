//! Deferred writes of large commits are visible at once to every reader.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::ledger::Decided;
use wallet_core::request::PreparedRequest;
use wallet_core::runtime::Clock;
use wallet_core::store::{LedgerStore, Purge};
use wallet_core::{EntryQuery, SystemClock};
use wallet_sqlite::{HostTransaction, SqliteSettings, SqliteStore};
use wallet_testkit::{ManualClock, block_on};

use crate::support::child::Random;
use crate::support::{
    ACCOUNTS, accepted, account_key, assert_sound, commit, open, open_deferring, open_unchecked,
    posted, record_key, set_up, transfer,
};

fn requests(random: &mut Random, commit: usize, count: u64) -> Vec<Arc<PreparedRequest>> {
    let pick = |random: &mut Random| u8::try_from(random.below(ACCOUNTS.into())).unwrap();
    let request = |item| {
        let from = pick(random);
        let to = (from + 1 + pick(random) % (ACCOUNTS - 1)) % ACCOUNTS;
        transfer(&format!("{commit}-{item}"), from, to, 1)
    };
    (0..count).map(request).collect()
}

fn deltas(path: &Path) -> i64 {
    let file = Connection::open(path).unwrap();
    let count = "SELECT count(*) FROM wallet_deferred";
    file.query_row(count, (), |row| row.get(0)).unwrap()
}

fn balances(store: &SqliteStore) -> Vec<i128> {
    (0..ACCOUNTS).map(|number| posted(store, number)).collect()
}

fn replays(store: &SqliteStore, request: &Arc<PreparedRequest>) -> bool {
    let decided = commit(store, vec![Arc::clone(request)]);
    matches!(decided[..], [Decided::Replayed(_)])
}

#[test]
fn stores_that_defer_and_stores_that_do_not_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let (deferring, another, direct) = (
        open_deferring(&path, 4),
        open_deferring(&path, 1),
        open(&path),
    );
    set_up(&deferring, 10_000);
    let stores = [&deferring, &another, &direct];
    let mut random = Random::new(11);
    let mut all = Vec::new();
    for number in 0..300 {
        let store = stores[usize::try_from(random.below(3)).unwrap()];
        let count = 1 + random.below(6);
        let requests = requests(&mut random, number, count);
        for decided in commit(store, requests.clone()) {
            accepted(&decided);
        }
        all.extend(requests);
        let seen = stores.map(balances);
        assert!(seen.iter().all(|balances| *balances == seen[0]), "{seen:?}");
        let old = &all[usize::try_from(random.below(u64::MAX)).unwrap() % all.len()];
        assert!(stores.iter().all(|store| replays(store, old)));
    }
    let remaining = deltas(&path);
    assert!((1..=64).contains(&remaining), "{remaining} deltas");
    for store in stores {
        assert_sound(store);
    }
    let before = balances(&deferring);
    drop((deferring, another, direct));
    let reopened = open(&path);
    assert_eq!(balances(&reopened), before);
    for request in &all {
        assert!(replays(&reopened, request));
    }
    assert_sound(&reopened);
}

#[test]
fn a_page_read_while_a_delta_is_folded_is_of_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_deferring(&path, 1);
    set_up(&store, 10_000);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut random = Random::new(3);
            for number in 0..200 {
                commit(&store, requests(&mut random, number, 3));
            }
        });
        let another = open(&path);
        while !writer.is_finished() {
            for number in 0..ACCOUNTS {
                let mut query = EntryQuery::first(account_key(number), 1);
                query.order = wallet_core::store::Order::Descending;
                let entries = block_on(another.entries(&query)).unwrap();
                let accounts = block_on(another.accounts(&[account_key(number)])).unwrap();
                let state = accounts[0].as_ref().unwrap().state;
                // The entries were read later, so they may go further.
                assert!(state.sequence >= entries[0].sequence);
            }
        }
    });
    assert_sound(&store);
}

#[test]
fn a_purge_finds_the_keys_of_deltas() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_deferring(&path, 1);
    set_up(&store, 10_000);
    let deposits = deltas(&path);
    let mut random = Random::new(5);
    for number in 0..20 {
        commit(&store, requests(&mut random, number, 2));
    }
    let before = balances(&store);
    assert_eq!(deltas(&path), deposits + 20);
    let purge = |limit| {
        let older_than = Duration::ZERO;
        block_on(store.purge(Purge::Records { older_than, limit })).unwrap()
    };
    assert_eq!(purge(30), 30);
    assert_eq!(deltas(&path), 1, "an empty one");
    assert_eq!(balances(&store), before);
    while purge(1_000) > 0 {}
    for item in ["0-0", "19-1"] {
        let record = block_on(store.records(&[record_key(item)])).unwrap();
        assert_eq!(record, [None], "{item}");
    }
    // Transfers are stored without end. A purged key is new again.
    commit(&store, requests(&mut random, 0, 2));
    assert_eq!(deltas(&path), 2);
    assert_sound(&store);
}

#[test]
fn a_transaction_of_the_hosts_sees_the_deltas_and_writes_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_deferring(&path, 1);
    set_up(&store, 10_000);
    let first = transfer("first", 0, 1, 7);
    commit(&store, vec![Arc::clone(&first)]);
    let remaining = deltas(&path);
    let mut connection = Connection::open(&path).unwrap();
    for ends in ["rolled back", "committed"] {
        let mut transaction = HostTransaction::begin(&mut connection).unwrap();
        let again = [Arc::clone(&first), transfer("second", 0, 1, 5)];
        let applied = store.apply_in_raw(&mut transaction, &again).unwrap();
        assert!(matches!(
            applied.decided()[..],
            [Decided::Replayed(_), Decided::Fresh(_)]
        ));
        let third = [transfer("third", 1, 0, 1)];
        let applied = store.apply_in_raw(&mut transaction, &third).unwrap();
        accepted(&applied.decided()[0]);
        if ends == "committed" {
            transaction.commit().unwrap();
        } else {
            transaction.rollback().unwrap();
            assert_eq!(posted(&store, 0), 10_000 - 7);
        }
        assert_eq!(deltas(&path), remaining);
    }
    assert_eq!(posted(&store, 0), 10_000 - 7 - 5 + 1);
    commit(&store, vec![transfer("fourth", 0, 1, 2)]);
    assert_eq!(posted(&store, 0), 10_000 - 7 - 5 + 1 - 2);
    assert_sound(&store);
}

#[test]
fn a_fold_takes_no_answered_past_balance_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let now = SystemClock.now();
    let clock = Arc::new(ManualClock::new(now));
    let settings = SqliteSettings {
        defer_from: 1,
        ..SqliteSettings::new(&path)
    };
    let store = SqliteStore::open(&settings, Arc::<ManualClock>::clone(&clock)).unwrap();
    set_up(&store, 10_000);
    commit(&store, vec![transfer("before", 0, 1, 3)]);
    clock.advance(Duration::from_millis(900));
    let asked = clock.now();
    let answer = || block_on(store.balance_at(account_key(0), asked)).unwrap();
    let first = answer().unwrap();
    // Every deferred row of account 0 is merged, and the clock steps back.
    for number in 0..64 {
        commit(&store, vec![transfer(&format!("{number}"), 2, 3, 1)]);
    }
    clock.set(now);
    commit(&store, vec![transfer("after", 0, 1, 4)]);
    clock.set(asked);
    assert_eq!(answer(), Some(first));
    assert_sound(&store);
}

#[test]
fn a_delta_that_is_lost_or_damaged_is_corrupt() {
    for damage in [
        "DELETE FROM wallet_deferred WHERE number = 3",
        "UPDATE wallet_deferred SET body = x'02' WHERE number = 3",
        "UPDATE wallet_deferred SET body = substr(body, 1, length(body) - 1) WHERE number = 3",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.db");
        let store = open_deferring(&path, 1);
        set_up(&store, 10_000);
        for number in 0..5 {
            commit(&store, vec![transfer(&format!("{number}"), 0, 1, 1)]);
        }
        let file = Connection::open(&path).unwrap();
        assert_eq!(file.execute(damage, ()).unwrap(), 1);
        drop(store);
        let store = open_unchecked(&path);
        let error = block_on(store.accounts(&[account_key(0)])).unwrap_err();
        assert_eq!(
            error.kind(),
            wallet_core::store::StoreErrorKind::Corrupt,
            "{damage}"
        );
    }
}

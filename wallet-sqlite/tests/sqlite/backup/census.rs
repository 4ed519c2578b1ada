//! The census of a backup, and books that it is compared with.

use rusqlite::Connection;
use wallet_core::SystemClock;
use wallet_core::store::LedgerStore;
use wallet_sqlite::{BackupError, Census, Existing, Standing, back_up, standing};
use wallet_testkit::block_on;

use super::{books, files, names, put};
use crate::support::{commit, open, set_up, transfer};

#[test]
fn a_file_that_lacks_transfers_is_not_taken_for_a_sound_one() {
    let files = files();
    let store = books(&files.live);
    // The file without its log, as a plain copy beside a running store.
    std::fs::copy(&files.live, &files.target).unwrap();
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let early = Census::take(&files.live).unwrap();
    commit(&store, vec![transfer("later", 0, 1, 1)]);
    let late = Census::take(&files.live).unwrap();
    drop(store);

    assert_eq!(standing(&files.live, &early).unwrap(), Standing::Ahead(1));
    assert_eq!(standing(&files.live, &late).unwrap(), Standing::Same);
    let Standing::Lacking(what) = standing(&files.copy, &late).unwrap() else {
        panic!("it lacks a transfer");
    };
    assert_eq!(what[1], "transfers: 37 in the manifest, 36 here");
    // A file that lacks everything is no ledger, or one with less.
    match standing(&files.target, &backup.census) {
        Ok(Standing::Lacking(what)) => assert!(!what.is_empty()),
        Ok(other) => panic!("{other:?}"),
        Err(_) => {}
    }

    // Other books with the same counts.
    let other = files.folder.path().join("other.db");
    drop(books(&other));
    let found = standing(&other, &backup.census).unwrap();
    let Standing::Lacking(what) = found else {
        panic!("{found:?}");
    };
    assert!(
        what[0].starts_with("the last commit 42 is not here"),
        "{what:?}"
    );
}

#[test]
fn a_balance_that_was_changed_by_hand_is_reported() {
    let files = files();
    // Small commits write to the tables directly.
    set_up(&open(&files.live), 1_000);
    let census = Census::take(&files.live).unwrap();
    let file = Connection::open(&files.live).unwrap();
    let swap = "UPDATE wallet_account SET counters = x'00020bb80000' WHERE num = 3";
    assert_eq!(file.execute(swap, ()).unwrap(), 1);
    let Standing::Lacking(what) = standing(&files.live, &census).unwrap() else {
        panic!("the change was not found");
    };
    assert_eq!(what, ["the balances of ledger 0 in EUR are others"]);
}

#[test]
fn a_purge_takes_nothing_from_a_backup() {
    use std::time::Duration;
    use wallet_core::store::Purge;

    let files = files();
    let store = books(&files.live);
    commit(&store, vec![transfer("refused", 0, 1, 1_000_000)]);
    let census = Census::take(&files.live).unwrap();
    let purge = Purge::Records {
        older_than: Duration::ZERO,
        limit: 10_000,
    };
    assert_eq!(block_on(store.purge(purge)).unwrap(), 43);
    assert_eq!(standing(&files.live, &census).unwrap(), Standing::Same);
}

#[test]
fn every_number_of_a_census_is_compared_at_a_restore() {
    type Change = fn(&mut wallet_sqlite::RowCounts) -> &mut u64;
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let before = names(&files);
    let counts: [Change; 9] = [
        |rows| &mut rows.accounts,
        |rows| &mut rows.transfers,
        |rows| &mut rows.references,
        |rows| &mut rows.reversals,
        |rows| &mut rows.holds,
        |rows| &mut rows.open_holds,
        |rows| &mut rows.currencies,
        |rows| &mut rows.outcomes,
        |rows| &mut rows.keys,
    ];
    for (index, count) in counts.into_iter().enumerate() {
        let mut wrong = backup.clone();
        *count(&mut wrong.census.rows) += 1;
        let refused = put(&files.copy, &wrong, &files.target, Existing::Refuse);
        let Err(BackupError::Differs { path, missing }) = refused else {
            panic!("{index}: {refused:?}");
        };
        assert_eq!((path, missing.len()), (files.copy.clone(), 1), "{index}");
        assert_eq!(names(&files), before, "{index}");
    }
}

//! After a store is dropped, its file alone is complete. All its files are private.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::{
    assert_sound, commit, is_guarded, open, open_deferring, posted, set_up, transfer,
};

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// A store that has committed more than its file holds.
fn busy(path: &Path) -> wallet_sqlite::SqliteStore {
    let store = open_deferring(path, 2);
    set_up(&store, 1_000);
    for number in 0..50 {
        commit(&store, vec![transfer(&format!("{number}"), 0, 1, 1)]);
    }
    store
}

/// Copies the file without its log, as a user might who knows of no log.
fn copy_of_the_file(path: &Path) -> PathBuf {
    let copy = path.with_file_name("copy.db");
    std::fs::copy(path, &copy).unwrap();
    copy
}

#[test]
fn a_dropped_store_leaves_one_file_that_holds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    drop(busy(&path));
    for ending in ["-wal", "-shm"] {
        assert!(!beside(&path, ending).exists(), "{ending}");
    }
    let copy = open(&copy_of_the_file(&path));
    assert_eq!((posted(&copy, 0), posted(&copy, 1)), (950, 1_050));
    assert_sound(&copy);
}

#[test]
fn a_store_dropped_while_others_have_the_file_open_empties_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = busy(&path);
    let other = Connection::open(&path).unwrap();
    let count = "SELECT count(*) FROM wallet_journal";
    let rows: i64 = other.query_row(count, (), |row| row.get(0)).unwrap();
    assert!(rows > 50);
    let log = beside(&path, "-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    drop(store);
    // A store with a guard leaves the log as long as it is, with all pages in the file.
    if !is_guarded() {
        assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    }
    let copy = open(&copy_of_the_file(&path));
    assert_eq!((posted(&copy, 0), posted(&copy, 1)), (950, 1_050));
    assert_sound(&copy);
}

#[test]
fn work_that_is_queued_when_the_store_is_dropped_is_in_the_file() {
    use std::sync::Arc;
    use wallet_core::request::Batch;
    use wallet_core::store::LedgerStore;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open(&path);
    set_up(&store, 1_000);
    for number in 0..20 {
        let batch = Batch::new(vec![transfer(&format!("{number}"), 0, 1, 1)]);
        // The call is handed over and dropped at once. The commit continues.
        let call = store.transact(Arc::new(batch));
        drop(polled_once(call));
    }
    drop(store);
    let copy = open(&copy_of_the_file(&path));
    assert_eq!((posted(&copy, 0), posted(&copy, 1)), (980, 1_020));
}

/// A call that was polled once.
fn polled_once<F: Future + Unpin>(mut call: F) -> F {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = std::pin::Pin::new(&mut call).poll(&mut context);
    call
}

#[cfg(unix)]
#[test]
fn every_file_of_a_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = busy(&path);
    for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    drop(store);
}

//! Files that were copied over open ones, or put beside the log of another file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use wallet_core::SystemClock;
use wallet_core::store::StoreErrorKind;
use wallet_sqlite::{SqliteSettings, SqliteStore, back_up};

use crate::support::{assert_sound, begin_log_anew, commit, open, posted, set_up, transfer};

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

fn go_on(store: &SqliteStore, name: &str, count: u32) {
    for number in 0..count {
        commit(store, vec![transfer(&format!("{name}-{number}"), 0, 1, 1)]);
    }
}

/// A backup under the log of books that have continued. Neither of them holds the `lost`
/// commits: they were moved into the lost file before the `after` commits came.
fn mixed(folder: &Path, (before, lost, after): (u32, u32, u32)) -> PathBuf {
    let [live, backup, mixed] = ["live.db", "b.db", "mixed.db"].map(|name| folder.join(name));
    let store = open(&live);
    set_up(&store, 100_000);
    go_on(&store, "a", before);
    back_up(&live, &backup, &SystemClock).unwrap();
    go_on(&store, "b", lost);
    let store = begin_log_anew(store, &live);
    go_on(&store, "c", after);
    std::fs::copy(&backup, &mixed).unwrap();
    std::fs::copy(beside(&live, "-wal"), beside(&mixed, "-wal")).unwrap();
    mixed
}

fn try_open(path: &Path) -> Result<SqliteStore, wallet_core::StoreError> {
    SqliteStore::open(&SqliteSettings::new(path), Arc::new(SystemClock))
}

#[test]
fn a_backup_under_the_log_of_books_that_went_on_is_not_opened() {
    let cases = [
        (50, 200, 5),
        (300, 100, 30),
        (100, 400, 100),
        (20, 30, 20),
        (0, 60, 1),
        (400, 60, 300),
    ];
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = mixed(folder.path(), case);
        let both = || ["", "-wal"].map(|ending| std::fs::read(beside(&path, ending)).unwrap());
        let before = both();
        let error = try_open(&path).expect_err("refused");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{case:?}: {error}");
        assert!(both() == before, "the log's own file may come back");
        // The same after the log was moved into the file, as when a store ends.
        let connection = Connection::open(&path).unwrap();
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let _ = connection.query_row(sql, (), |_| Ok(()));
        drop(connection);
        let error = try_open(&path).expect_err("refused");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{case:?}: {error}");
    }
}

#[test]
fn a_backup_under_a_log_that_lacks_nothing_is_opened_with_all_that_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = mixed(folder.path(), (50, 0, 20));
    let store = try_open(&path).unwrap();
    assert_eq!(posted(&store, 0), 99_930);
    assert_sound(&store);
}

#[test]
fn whoever_looks_at_a_mixture_leaves_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = mixed(folder.path(), (300, 100, 30));
    let [file, log] = ["", "-wal"].map(|ending| std::fs::read(beside(&path, ending)).unwrap());
    let look = SqliteSettings {
        check: false,
        migrate: false,
        ..SqliteSettings::new(&path)
    };
    let store = SqliteStore::open(&look, Arc::new(SystemClock)).unwrap();
    drop(store);
    let after = ["", "-wal"].map(|ending| std::fs::read(beside(&path, ending)).unwrap());
    assert!(after == [file, log]);
}

//! The write-ahead log belongs to its file. A store that loses one of them reports it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use wallet_core::request::Batch;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{StoreError, SystemClock};
use wallet_sqlite::{SqliteInbox, SqliteSettings, SqliteStore, back_up};
use wallet_testkit::block_on;

use crate::support::{
    accepted, account_key, assert_sound, begin_log_anew, commit, deposit, is_guarded, open, posted,
    set_up, transfer,
};

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// The files of a store after `kill -9`: copied while it is open.
fn killed(from: &Path, to: &Path) {
    for ending in ["", "-wal"] {
        std::fs::copy(beside(from, ending), beside(to, ending)).unwrap();
    }
}

fn refusal(path: &Path) -> StoreError {
    let opened = SqliteStore::open(&SqliteSettings::new(path), Arc::new(SystemClock));
    opened.expect_err("refused")
}

#[test]
fn a_log_whose_file_is_gone_is_neither_overwritten_nor_taken_for_no_books() {
    let folder = tempfile::tempdir().unwrap();
    let [live, path, moved] = ["live.db", "wallet.db", "moved.db"].map(|n| folder.path().join(n));
    let store = open(&live);
    set_up(&store, 100);
    killed(&live, &path);
    drop(store);
    let log = std::fs::read(beside(&path, "-wal")).unwrap();
    std::fs::rename(&path, &moved).unwrap();
    for content in [None, Some(""), Some("\n")] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let error = refusal(&path);
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let words = "wallet.db-wal is the log of a database that is not there";
        assert!(error.to_string().contains(words), "{error}");
        SqliteInbox::open(&SqliteSettings::new(&path)).unwrap_err();
        SqliteStore::migrate(&SqliteSettings::new(&path), &SystemClock).unwrap_err();
        let error = back_up(&path, &folder.path().join("backup.db"), &SystemClock).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(path.exists(), content.is_some(), "nothing is created");
        assert_eq!(std::fs::read(beside(&path, "-wal")).unwrap(), log);
    }
    std::fs::rename(&moved, &path).unwrap();
    let store = open(&path);
    assert_eq!(posted(&store, 0), 100);
    assert_sound(&store);
}

#[test]
fn an_empty_log_that_was_left_behind_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    std::fs::write(beside(&path, "-wal"), "").unwrap();
    set_up(&open(&path), 100);
}

#[test]
fn a_store_whose_log_was_removed_acknowledges_nothing_and_reads_nothing() {
    for ending in ["-wal", "-shm"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.db");
        let store = open(&path);
        set_up(&store, 100);
        std::fs::remove_file(beside(&path, ending)).unwrap();
        for is_new in [false, true] {
            if is_new {
                // Another process creates a new log.
                let other = Connection::open(&path).unwrap();
                let count = "SELECT count(*) FROM sqlite_schema";
                let _ = other.query_row(count, (), |row| row.get::<_, i64>(0));
            }
            let batch = Batch::new(vec![deposit("lost", 0, 10)]);
            let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{ending}");
            assert!(error.to_string().contains("log"), "{error}");
            let error = block_on(store.accounts(&[account_key(0)])).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{ending}");
        }
    }
}

/// The first call that notices moves the log into the file, so that a kill loses nothing.
#[test]
fn what_is_in_a_log_that_was_removed_is_saved() {
    type Call = fn(&SqliteStore) -> StoreError;
    let calls: [Call; 3] = [
        |store| block_on(store.probe()).unwrap_err(),
        |store| block_on(store.accounts(&[account_key(0)])).unwrap_err(),
        |store| {
            let batch = Batch::new(vec![transfer("lost", 0, 1, 10)]);
            block_on(store.transact(Arc::new(batch))).unwrap_err()
        },
    ];
    for call in calls {
        saved_by(call);
    }
}

fn saved_by(call: impl FnOnce(&SqliteStore) -> StoreError) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open(&path);
    set_up(&store, 100);
    std::fs::remove_file(beside(&path, "-wal")).unwrap();
    assert_eq!(call(&store).kind(), StoreErrorKind::Unavailable);
    let killed = folder.path().join("killed.db");
    std::fs::copy(&path, &killed).unwrap();
    assert_eq!(posted(&open(&killed), 0), 100);
    drop(store);
    let store = open(&path);
    assert_eq!(posted(&store, 0), 100);
    accepted(&commit(&store, vec![deposit("more", 0, 10)])[0]);
    assert_sound(&store);
}

/// Once a log is under another name, another store may write to it.
#[cfg(unix)]
#[test]
fn a_store_whose_log_was_moved_does_not_go_on_when_the_log_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["wallet.db", "away"].map(|name| folder.path().join(name));
    let store = open(&path);
    set_up(&store, 100);
    std::fs::rename(beside(&path, "-wal"), &away).unwrap();
    block_on(store.probe()).unwrap_err();
    std::fs::rename(&away, beside(&path, "-wal")).unwrap();
    let batch = Batch::new(vec![deposit("lost", 0, 10)]);
    let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let error = block_on(store.accounts(&[account_key(0)])).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let log = std::fs::read(beside(&path, "-wal")).unwrap();
    drop(store);
    assert!(std::fs::read(beside(&path, "-wal")).unwrap() == log);
    let store = open(&path);
    assert_eq!(posted(&store, 0), 100);
    assert_sound(&store);
}

/// Begins the log of an open store anew, in the same file.
fn begin_moved_log_anew(store: SqliteStore, path: &Path) -> SqliteStore {
    if !is_guarded() {
        return begin_log_anew(store, path);
    }
    // Only the guard of the store moves the log, and a commit begins it anew.
    let header = || std::fs::read(beside(path, "-wal")).unwrap()[..32].to_vec();
    let before = header();
    let mut count = 0;
    while header() == before {
        commit(&store, vec![deposit(&format!("wait-{count}"), 1, 1)]);
        count += 1;
    }
    store
}

/// A copy of the file goes on with the log under the copy's name. Then the log is removed.
#[cfg(unix)]
#[test]
fn what_others_wrote_to_a_log_that_was_moved_is_not_saved() {
    for (with_index, is_seen) in [(false, true), (true, true), (false, false), (true, false)] {
        let folder = tempfile::tempdir().unwrap();
        let [path, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
        let store = open(&path);
        set_up(&store, 100);
        let store = begin_log_anew(store, &path);
        commit(&store, vec![deposit("first", 0, 10)]);
        std::fs::copy(&path, &copy).unwrap();
        for ending in ["-wal", "-shm"].iter().take(if with_index { 2 } else { 1 }) {
            std::fs::rename(beside(&path, ending), beside(&copy, ending)).unwrap();
        }
        if is_seen {
            block_on(store.probe()).unwrap_err();
        }
        let file = std::fs::read(&path).unwrap();
        let settings = SqliteSettings {
            checkpoint_pages: 1,
            ..SqliteSettings::new(&copy)
        };
        let other = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
        commit(&other, vec![deposit("other", 0, 10)]);
        let other = begin_moved_log_anew(other, &copy);
        commit(&other, vec![deposit("another", 1, 10)]);
        std::fs::remove_file(beside(&copy, "-wal")).unwrap();
        block_on(store.probe()).unwrap_err();
        drop(store);
        let now = std::fs::read(&path).unwrap();
        assert!(now == file, "index: {with_index}, seen: {is_seen}");
        drop(other);
        for (file, sum) in [(&path, 100), (&copy, 120)] {
            let store = open(file);
            assert_eq!(posted(&store, 0), sum);
            assert_sound(&store);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_its_file_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let [real, link] = ["data/real.db", "wallet.db"].map(|n| folder.path().join(n));
    std::os::unix::fs::symlink("data/real.db", &link).unwrap();
    // The file is created through a link that leads to nothing yet.
    let store = open(&link);
    set_up(&store, 100);
    assert!(real.exists() && beside(&real, "-wal").exists());
    std::fs::remove_file(beside(&real, "-wal")).unwrap();
    let batch = Batch::new(vec![transfer("lost", 0, 1, 10)]);
    let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

/// Files that may be copied over the right one. None of them holds the books.
fn wrong_files(folder: &Path, right: &[u8]) -> Vec<Vec<u8>> {
    let other = folder.join("other.db");
    let connection = Connection::open(&other).unwrap();
    let sql = "PRAGMA page_size = 4096; CREATE TABLE t (a); INSERT INTO t VALUES (1)";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let mut zeroed = right.to_vec();
    zeroed[2_048..4_096].fill(0);
    vec![
        b"not a database, but long enough to have the header of one, and a page".repeat(99),
        vec![0; 8_192],
        vec![0xA5; 8_192],
        right[..2_048].to_vec(),
        right[..right.len() / 4].to_vec(),
        zeroed,
        std::fs::read(&other).unwrap(),
        right[..100].to_vec(),
    ]
}

#[test]
fn a_wrong_file_beside_a_log_is_refused_and_the_log_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [live, path, copy] = ["live.db", "wallet.db", "copy.db"].map(|n| folder.path().join(n));
    let store = open(&live);
    set_up(&store, 100);
    for number in 0..300 {
        commit(&store, vec![transfer(&format!("old-{number}"), 0, 1, 1)]);
        commit(&store, vec![transfer(&format!("back-{number}"), 1, 0, 1)]);
    }
    // The log no longer holds the pages that are in the file.
    let store = begin_log_anew(store, &live);
    accepted(&commit(&store, vec![transfer("in-the-log", 0, 1, 10)])[0]);
    killed(&live, &path);
    drop(store);
    let [right, log] =
        [path.clone(), beside(&path, "-wal")].map(|path| std::fs::read(path).unwrap());
    for wrong in wrong_files(folder.path(), &right) {
        std::fs::write(&path, &wrong).unwrap();
        refusal(&path);
        SqliteStore::migrate(&SqliteSettings::new(&path), &SystemClock).unwrap_err();
        let look = SqliteSettings {
            check: false,
            migrate: false,
            ..SqliteSettings::new(&path)
        };
        let looked = SqliteStore::open(&look, Arc::new(SystemClock));
        drop(looked);
        let _ = back_up(&path, &copy, &SystemClock);
        let _ = std::fs::remove_file(&copy);
        assert!(
            std::fs::read(beside(&path, "-wal")).unwrap() == log,
            "{:?}",
            &wrong[..16]
        );
        assert!(std::fs::read(&path).unwrap() == wrong, "{:?}", &wrong[..16]);
    }
    std::fs::write(&path, &right).unwrap();
    let store = open(&path);
    assert_eq!(posted(&store, 1), 110);
    assert_sound(&store);
}

/// A copy of a file that was just created, while everything was still in the log.
#[test]
fn a_file_from_before_its_first_page_was_written_is_no_new_one_beside_a_later_log() {
    let folder = tempfile::tempdir().unwrap();
    let [live, path] = ["live.db", "wallet.db"].map(|n| folder.path().join(n));
    let store = open(&live);
    let young = std::fs::read(&live).unwrap();
    set_up(&store, 100);
    let store = begin_log_anew(store, &live);
    accepted(&commit(&store, vec![transfer("in-the-log", 0, 1, 10)])[0]);
    killed(&live, &path);
    drop(store);
    let right = std::fs::read(&path).unwrap();
    let log = std::fs::read(beside(&path, "-wal")).unwrap();
    assert!(young.len() < right.len());
    std::fs::write(&path, &young).unwrap();
    assert_eq!(refusal(&path).kind(), StoreErrorKind::Corrupt);
    assert!(std::fs::read(beside(&path, "-wal")).unwrap() == log);
    std::fs::write(&path, &right).unwrap();
    assert_eq!(posted(&open(&path), 1), 110);
}

#[test]
fn a_file_with_two_names_is_refused_under_each() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["wallet.db", "w2.db"].map(|n| folder.path().join(n));
    let store = open(&path);
    set_up(&store, 100);
    std::fs::hard_link(&path, &other).unwrap();
    for name in [&path, &other] {
        let error = refusal(name);
        assert_eq!(error.kind(), StoreErrorKind::Internal);
        assert!(error.to_string().contains("2 names (hard links"), "{error}");
    }
    back_up(&other, &folder.path().join("copy.db"), &SystemClock).unwrap_err();
    // The process that has the file open continues.
    accepted(&commit(&store, vec![transfer("on", 0, 1, 10)])[0]);
    drop(store);
    std::fs::remove_file(&other).unwrap();
    assert_eq!(posted(&open(&path), 1), 110);
}

/// A restore that was killed leaves a second name. Its number need not follow the first.
#[test]
fn a_second_name_of_a_killed_restore_is_removed_whatever_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    set_up(&open(&path), 100);
    let left = beside(&path, ".replaced-12");
    std::fs::hard_link(&path, &left).unwrap();
    assert_eq!(posted(&open(&path), 0), 100);
    assert!(!left.exists());
    // A name that no restore makes is the operator's. It is named.
    let own = beside(&path, ".replaced-x");
    std::fs::hard_link(&path, &own).unwrap();
    let error = refusal(&path).to_string();
    assert!(error.contains(&own.display().to_string()), "{error}");
    assert!(own.exists());
}

/// A process was killed after it had marked its new file and before it created tables. The
/// file is put beside the log of other books.
#[test]
fn a_marked_file_without_tables_is_no_new_one_beside_a_later_log() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let [books, path, right] = ["books.db", "wallet.db", "right.db"].map(name);
    let store = open(&books);
    set_up(&store, 100);
    let store = begin_log_anew(store, &books);
    accepted(&commit(&store, vec![deposit("later", 0, 7)])[0]);
    killed(&books, &right);
    let marked = "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; \
                  PRAGMA application_id = 1464618068";
    Connection::open(&path)
        .unwrap()
        .execute_batch(marked)
        .unwrap();
    std::fs::copy(beside(&right, "-wal"), beside(&path, "-wal")).unwrap();
    let log = std::fs::read(beside(&path, "-wal")).unwrap();
    assert_eq!(refusal(&path).kind(), StoreErrorKind::Corrupt);
    assert_eq!(std::fs::read(beside(&path, "-wal")).unwrap(), log);
    std::fs::copy(&right, &path).unwrap();
    assert_eq!(posted(&open(&path), 0), 107);
}

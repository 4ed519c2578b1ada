//! Stores that guard their log, as with an old SQLite: books stay sound beside a host that
//! writes and runs checkpoints, the log stays short, and a second process is refused.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::SystemClock;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_sqlite::{SqliteInbox, SqliteQueue, SqliteQueueSettings, SqliteSettings, SqliteStore};
use wallet_testkit::block_on;

use crate::support::child;
use crate::support::{ACCOUNTS, assert_sound, commit, deposit, open, posted, set_up, transfer};

const PAGES: u32 = 100;
const PAGE_BYTES: u64 = 2_048;

fn guarded(path: &Path) -> SqliteSettings {
    SqliteSettings {
        guard_log: true,
        checkpoint_pages: PAGES,
        lock_wait: Duration::from_secs(10),
        ..SqliteSettings::new(path)
    }
}

fn open_guarded(path: &Path) -> SqliteStore {
    SqliteStore::open(&guarded(path), Arc::new(SystemClock)).expect("the file opens")
}

fn log_bytes(path: &Path) -> u64 {
    let log = format!("{}-wal", path.display());
    std::fs::metadata(log).map_or(0, |found| found.len())
}

#[test]
fn child_process() {
    child::run();
}

#[test]
fn the_log_stays_short_while_the_store_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_guarded(&path);
    set_up(&store, 1_000);
    let mut longest = 0;
    for batch in 0..200 {
        let requests = (0..100_u8).map(|index| {
            let text = format!("deposit-{batch}-{index}");
            deposit(&text, index % ACCOUNTS, 1)
        });
        commit(&store, requests.collect());
        longest = longest.max(log_bytes(&path));
    }
    // Without checkpoints the log would have more than ten times as many pages.
    let most = u64::from(PAGES) * 20 * PAGE_BYTES;
    assert!(longest < most, "{longest} of {most}");
    assert_sound(&store);
}

#[test]
fn the_log_stays_short_while_only_the_host_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_guarded(&path);
    let host = Connection::open(&path).unwrap();
    host.busy_timeout(Duration::from_secs(10)).unwrap();
    host.execute_batch("CREATE TABLE host (id INTEGER PRIMARY KEY, bytes BLOB)")
        .unwrap();
    let write = || {
        let insert = "INSERT INTO host (bytes) VALUES (zeroblob(400000))";
        host.execute(insert, ()).unwrap();
    };
    write();
    let first = log_bytes(&path);
    assert!(first > u64::from(PAGES) * PAGE_BYTES);
    // The log starts again: its file does not grow for ever.
    let header = || std::fs::read(format!("{}-wal", path.display())).unwrap()[..32].to_vec();
    let before = header();
    while header() == before {
        std::thread::yield_now();
        write();
    }
    assert_sound(&store);
}

#[test]
fn books_and_host_stay_sound_while_both_write_and_run_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_guarded(&path);
    set_up(&store, 1_000_000);
    let host = |seed: u8, is_over: &AtomicBool| {
        let connection = Connection::open(&path).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        let set_up = format!(
            "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20;
             CREATE TABLE host_{seed} (id INTEGER PRIMARY KEY, bytes BLOB)"
        );
        connection.execute_batch(&set_up).unwrap();
        let mut rows = 0_i64;
        while !is_over.load(Ordering::Relaxed) || rows < 200 {
            let insert = format!("INSERT INTO host_{seed} (bytes) VALUES (zeroblob(20000))");
            rows += i64::try_from(connection.execute(&insert, ()).unwrap()).unwrap();
        }
        let count = format!("SELECT count(*) FROM host_{seed}");
        let found: i64 = connection.query_row(&count, (), |row| row.get(0)).unwrap();
        assert_eq!(found, rows);
    };
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let hosts = [1, 2].map(|seed| {
            scope.spawn({
                let is_over = &is_over;
                move || host(seed, is_over)
            })
        });
        for number in 0..300 {
            commit(&store, vec![transfer(&format!("{number}"), 0, 1, 1)]);
        }
        is_over.store(true, Ordering::Relaxed);
        for host in hosts {
            host.join().unwrap();
        }
    });
    drop(store);
    let file = Connection::open(&path).unwrap();
    let check = "PRAGMA integrity_check";
    let found: String = file.query_row(check, (), |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
    drop(file);
    let store = open_guarded(&path);
    assert_eq!((posted(&store, 0), posted(&store, 1)), (999_700, 1_000_300));
    assert_sound(&store);
}

#[test]
fn a_dropped_store_leaves_one_file_and_beside_a_host_all_pages_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    let (one, other) = (open_guarded(&path), open_guarded(&path));
    set_up(&one, 1_000);
    commit(&other, vec![transfer("one", 0, 1, 1)]);
    drop(one);
    commit(&other, vec![transfer("two", 0, 1, 1)]);
    drop(other);
    assert_eq!(names(), 1);

    let store = open_guarded(&path);
    let host = Connection::open(&path).unwrap();
    commit(&store, vec![transfer("three", 0, 1, 1)]);
    drop(store);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(posted(&open(&copy), 1), 1_003);
    drop(host);
}

#[test]
fn a_log_that_is_removed_is_saved_by_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open_guarded(&path);
    set_up(&store, 1_000);
    commit(&store, vec![transfer("one", 0, 1, 1)]);
    std::fs::remove_file(format!("{}-wal", path.display())).unwrap();
    let read = block_on(store.ledgers());
    assert_eq!(read.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(posted(&open(&copy), 1), 1_001);
}

#[test]
fn a_second_process_is_refused_until_the_first_one_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    set_up(&open(&path), 10_000);
    let mut child = child::spawn_guarded("guarded::child_process", &path, 1, u64::MAX);
    // It has the file by now.
    let mut lines = child::lines(&mut child);
    while !lines.next().unwrap().unwrap().starts_with("ack") {}
    let refused = |settings: &SqliteSettings| {
        let settings = SqliteSettings {
            lock_wait: Duration::ZERO,
            ..settings.clone()
        };
        let store = SqliteStore::open(&settings, Arc::new(SystemClock));
        let inbox = SqliteInbox::open(&settings);
        for error in [store.err(), inbox.err()] {
            let error = error.expect("the other process has it");
            assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}");
            assert!(error.to_string().contains("another process"), "{error}");
        }
    };
    refused(&guarded(&path));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_sound(&open_guarded(&path));
}

#[test]
fn an_inbox_guards_its_log_and_shares_the_guard_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let guard = folder.path().join("wallet.db-guard");
    let store = open_guarded(&path);
    let inbox = SqliteInbox::open(&guarded(&path)).unwrap();
    drop(store);
    assert!(guard.exists());
    drop(inbox);
    assert!(!guard.exists());

    // A file with a rollback journal has no log, and others must be able to write it.
    let plain = folder.path().join("plain.db");
    let host = Connection::open(&plain).unwrap();
    host.execute_batch("CREATE TABLE host (id INTEGER PRIMARY KEY)")
        .unwrap();
    let inbox = SqliteInbox::open(&guarded(&plain)).unwrap();
    assert!(!folder.path().join("plain.db-guard").exists());
    host.execute("INSERT INTO host DEFAULT VALUES", ()).unwrap();
    drop(inbox);
}

#[cfg(unix)]
#[test]
fn all_spellings_of_a_path_share_one_guard() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    std::fs::create_dir(name("real")).unwrap();
    std::os::unix::fs::symlink(name("real"), name("link")).unwrap();
    std::os::unix::fs::symlink(name("link/wallet.db"), name("wallet")).unwrap();
    let store = open_guarded(&name("real/wallet.db"));
    set_up(&store, 1_000);
    let spellings = [
        "real/./wallet.db",
        "real/../real/wallet.db",
        "link/wallet.db",
        "link/../real/wallet.db",
        "wallet",
    ];
    for path in spellings.map(name) {
        let settings = SqliteSettings {
            lock_wait: Duration::from_millis(100),
            ..guarded(&path)
        };
        SqliteInbox::open(&settings).unwrap();
        let other = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
        commit(&other, vec![transfer(&path.display().to_string(), 0, 1, 1)]);
    }
    assert!(name("real/wallet.db-guard").exists());
    assert_eq!(posted(&store, 1), 1_005);
    drop(store);
    assert!(!name("real/wallet.db-guard").exists());
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_was_removed_is_made_and_locked_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let guard = folder.path().join("wallet.db-guard");
    let store = open_guarded(&path);
    std::fs::remove_file(&guard).unwrap();
    let is_locked = || {
        let file = File::open(&guard);
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    };
    until(|| is_locked() && block_on(store.ledgers()).is_ok());
    set_up(&store, 1_000);
    drop(store);
    assert!(!guard.exists());
}

/// Two guards would keep each other from copying the log's pages into the file.
#[cfg(unix)]
#[test]
fn a_store_stops_while_another_process_has_the_lock_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let [path, guard, other] =
        ["wallet.db", "wallet.db-guard", "other"].map(|name| folder.path().join(name));
    let store = open_guarded(&path);
    let queue = open_queue(&path);
    set_up(&store, 1_000);
    let holder = File::create(&other).unwrap();
    holder.lock().unwrap();
    std::fs::rename(&other, &guard).unwrap();
    until(|| block_on(store.ledgers()).is_err() && block_on(queue.len()).is_err());
    let error = block_on(store.ledgers()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let words = "the lock file of the log's guard was removed, and another process";
    assert!(error.to_string().contains(words), "{error}");
    drop(holder);
    until(|| block_on(store.ledgers()).is_ok() && block_on(queue.len()).is_ok());
    commit(&store, vec![transfer("on", 0, 1, 1)]);
    assert_sound(&store);
}

fn open_queue(path: &Path) -> SqliteQueue {
    let settings = SqliteQueueSettings::new("test");
    SqliteQueue::open(&guarded(path), settings, Arc::new(SystemClock)).unwrap()
}

/// Waits for what a background thread does.
fn until(holds: impl Fn() -> bool) {
    while !holds() {
        std::thread::yield_now();
    }
}

//! The write-ahead log stays short while the store is busy.

use std::sync::Arc;

use wallet_core::SystemClock;
use wallet_sqlite::rusqlite::Connection;
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::support::{ACCOUNTS, assert_sound, commit, deposit, is_guarded, set_up};

const PAGES: u32 = 100;
const PAGE_BYTES: u64 = 2_048;

#[test]
fn the_log_is_carried_over_without_a_commit_that_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let settings = SqliteSettings {
        checkpoint_pages: PAGES,
        ..SqliteSettings::new(&path)
    };
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
    set_up(&store, 1_000);
    for batch in 0..60 {
        let requests = (0..100_u8).map(|index| {
            let text = format!("deposit-{batch}-{index}");
            deposit(&text, index % ACCOUNTS, 1)
        });
        commit(&store, requests.collect());
    }

    // Commits have stopped, and the log is still emptied.
    let reader = Connection::open(&path).unwrap();
    let left = || -> i64 {
        let sizes = reader.query_row("PRAGMA wal_checkpoint(NOOP)", (), |row| {
            let (log, carried): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(log - carried)
        });
        sizes.unwrap()
    };
    // A guard begins a checkpoint only if it is due.
    let most = if is_guarded() { i64::from(PAGES) } else { 0 };
    while left() > most {
        std::thread::yield_now();
    }
    // Without checkpoints the log would be many times as long.
    let log = std::fs::metadata(folder.path().join("wallet.db-wal"));
    let times = if is_guarded() { 20 } else { 8 };
    let most = u64::from(PAGES) * times * PAGE_BYTES;
    let log = log.unwrap().len();
    assert!(log < most, "{log} of {most}");
    assert_sound(&store);
}

//! The files that a store opens, and the files that it refuses.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use wallet_core::ledger::RaisedBy;
use wallet_core::request::Batch;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{StoreError, SystemClock};
use wallet_sqlite::{
    Existing, SqliteInbox, SqliteQueue, SqliteQueueSettings, SqliteSettings, SqliteStore, back_up,
    restore,
};
use wallet_testkit::block_on;

use crate::support;

fn try_open(settings: &SqliteSettings) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(settings, Arc::new(SystemClock))
}

fn refusal(settings: &SqliteSettings) -> StoreErrorKind {
    try_open(settings).expect_err("refused").kind()
}

fn in_file(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_new_file_is_created_marked_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    support::set_up(&support::open(&path), 100);
    let connection = Connection::open(&path).unwrap();
    let id: i32 = connection
        .query_row("PRAGMA application_id", (), |row| row.get(0))
        .unwrap();
    assert_eq!(id, 0x574C_4C54);
    let store = support::open(&path);
    assert_eq!(support::posted(&store, 0), 100);
    support::assert_sound(&store);
}

#[test]
fn a_file_of_another_application_is_refused_unless_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    in_file(
        &path,
        "PRAGMA application_id = 7; CREATE TABLE shop_order (id INTEGER)",
    );
    let mut settings = SqliteSettings::new(&path);
    assert_eq!(refusal(&settings), StoreErrorKind::Internal);
    settings.adopt = true;
    let store = try_open(&settings).unwrap();
    support::set_up(&store, 100);
    in_file(&path, "INSERT INTO shop_order VALUES (1)");
    settings.adopt = false;
    assert!(try_open(&settings).is_ok(), "known from then on");
}

#[test]
fn what_is_no_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.db");
    std::fs::write(&path, "Dear Sir or Madam, ".repeat(100)).unwrap();
    assert_eq!(
        refusal(&SqliteSettings::new(&path)),
        StoreErrorKind::Corrupt
    );
}

#[test]
fn a_setting_out_of_range_is_named_and_nothing_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let readers = SqliteSettings {
        readers: 0,
        ..SqliteSettings::new(&path)
    };
    let defer_from = SqliteSettings {
        defer_from: 0,
        ..SqliteSettings::new(&path)
    };
    let lock_wait = SqliteSettings {
        lock_wait: Duration::MAX,
        ..SqliteSettings::new(&path)
    };
    let settings = [
        ("readers", readers),
        ("defer_from", defer_from),
        ("lock_wait", lock_wait),
    ];
    for (name, settings) in settings {
        let refusals = [
            try_open(&settings).map(drop),
            SqliteStore::migrate(&settings, &SystemClock),
            SqliteInbox::open(&settings).map(drop),
        ];
        for refused in refusals {
            let error = refused.expect_err("refused");
            assert_eq!(error.kind(), StoreErrorKind::Internal);
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(!path.exists());
    }
    let longest = SqliteSettings {
        lock_wait: Duration::from_millis(2_147_483_647),
        ..SqliteSettings::new(&path)
    };
    try_open(&longest).unwrap();
    SqliteInbox::open(&longest).unwrap();
}

/// SQLite would lose what is written there, or write it to a file of another name.
#[test]
fn a_path_that_sqlite_takes_for_something_else_is_refused_and_creates_nothing() {
    for path in ["", ":memory:", "file:memory?mode=memory", "file:wallet.db"] {
        let settings = SqliteSettings::new(path);
        let queue = SqliteQueueSettings::new("test");
        let refusals = [
            try_open(&settings).map(drop),
            SqliteInbox::open(&settings).map(drop),
            SqliteQueue::open(&settings, queue, Arc::new(SystemClock)).map(drop),
        ];
        for refused in refusals {
            let error = refused.expect_err("refused");
            assert_eq!(error.kind(), StoreErrorKind::Internal);
            assert!(error.to_string().contains("`path`"), "{error}");
        }
        assert!(path.is_empty() || !Path::new(path).exists());
    }
    // In a folder, such names are names of files.
    let folder = tempfile::tempdir().unwrap();
    support::set_up(&support::open(&folder.path().join("file:wallet.db")), 100);
    assert!(folder.path().join("file:wallet.db").exists());
}

#[test]
fn a_folder_that_does_not_exist_is_unavailable() {
    let settings = SqliteSettings::new("/nonexistent/wallet.db");
    assert_eq!(refusal(&settings), StoreErrorKind::Unavailable);
}

#[test]
fn a_schema_newer_than_this_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    drop(support::open(&path));
    in_file(
        &path,
        "INSERT INTO wallet_migration VALUES (3, 'next', zeroblob(32), 0)",
    );
    assert_eq!(
        refusal(&SqliteSettings::new(&path)),
        StoreErrorKind::Internal
    );
}

#[test]
fn a_migration_that_differs_from_this_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    drop(support::open(&path));
    in_file(
        &path,
        "UPDATE wallet_migration SET checksum = zeroblob(32) WHERE version = 2",
    );
    assert_eq!(
        refusal(&SqliteSettings::new(&path)),
        StoreErrorKind::Internal
    );
}

#[test]
fn without_migrating_an_old_schema_is_refused_until_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqliteSettings {
        migrate: false,
        ..SqliteSettings::new(folder.path().join("wallet.db"))
    };
    assert_eq!(refusal(&settings), StoreErrorKind::Internal);
    SqliteStore::migrate(&settings, &SystemClock).unwrap();
    SqliteStore::migrate(&settings, &SystemClock).unwrap();
    assert!(try_open(&settings).is_ok());
}

#[test]
fn without_creating_only_a_ledger_that_is_there_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let settings = SqliteSettings {
        create: false,
        ..SqliteSettings::new(&path)
    };
    assert_eq!(refusal(&settings), StoreErrorKind::Unavailable);
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert_eq!(refusal(&settings), StoreErrorKind::Internal);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    drop(support::open(&path));
    assert!(try_open(&settings).is_ok());
}

#[test]
fn a_write_lock_held_elsewhere_is_a_conflict_and_does_not_stop_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let settings = SqliteSettings {
        lock_wait: Duration::from_millis(5),
        ..SqliteSettings::new(&path)
    };
    let store = try_open(&settings).unwrap();
    support::set_up(&store, 100);
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batch = Batch::new(vec![support::transfer("t", 0, 1, 1)]);
    let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    let error = block_on(store.records(&[support::record_key("t")])).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    assert_eq!(support::posted(&store, 0), 100);
    holder.execute_batch("ROLLBACK").unwrap();
    support::commit(&store, vec![support::transfer("t", 0, 1, 1)]);
    assert_eq!(support::posted(&store, 0), 99);
}

/// A host's tables may need what only the host has: a collation, a function.
#[test]
fn tables_of_the_host_that_only_the_host_can_read_stop_neither_start_nor_backup() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["shop.db", "copy.db"].map(|name| folder.path().join(name));
    support::set_up(&support::open(&path), 100);
    let host = Connection::open(&path).unwrap();
    host.create_collation("DE", |one, other| other.cmp(one))
        .unwrap();
    let flags = FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_UTF8;
    host.create_scalar_function("slug", 1, flags, |arguments| arguments.get::<String>(0))
        .unwrap();
    host.execute_batch(
        "CREATE TABLE product (name TEXT COLLATE DE PRIMARY KEY,
             slug TEXT NOT NULL AS (slug(name)) VIRTUAL,
             CHECK (slug(name) <> '')) WITHOUT ROWID;
         INSERT INTO product (name) VALUES ('a'), ('b'), ('c')",
    )
    .unwrap();
    drop(host);
    let store = support::open(&path);
    assert_eq!(support::posted(&store, 0), 100);
    let backup = back_up(&path, &copy, &SystemClock).unwrap();
    drop(store);
    let by = RaisedBy::new("a test").unwrap();
    let restored = folder.path().join("restored.db");
    restore(
        &copy,
        &backup,
        &restored,
        Existing::Refuse,
        &by,
        &SystemClock,
    )
    .unwrap();
    assert_eq!(support::posted(&support::open(&restored), 0), 100);
}

#[test]
fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("one")).unwrap();
    let error = try_open(&SqliteSettings::new(folder.path())).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Internal);
    assert!(error.to_string().contains("is a folder"), "{error}");
}

//! Pins the facts about SQLite that the adapter relies on.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, TransactionState, ffi};
use tempfile::TempDir;

use crate::driver::transaction_state;

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.db");
    let first = connect(&path, 0);
    first
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT")
        .unwrap();
    (folder, path)
}

fn connect(path: &PathBuf, busy_ms: u64) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .busy_timeout(Duration::from_millis(busy_ms))
        .unwrap();
    connection
}

fn code(result: rusqlite::Result<()>) -> i32 {
    match result.unwrap_err() {
        rusqlite::Error::SqliteFailure(error, _) => error.extended_code,
        other => panic!("{other}"),
    }
}

#[test]
fn a_deferred_transaction_that_read_before_a_foreign_commit_cannot_write() {
    let (_folder, path) = file();
    // The timeout is one hour: the error comes at once, or this test hangs.
    let reader = connect(&path, 3_600_000);
    reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
    let count = |c: &Connection| c.query_row("SELECT count(*) FROM t", (), |r| r.get::<_, i64>(0));
    assert_eq!(count(&reader).unwrap(), 0);
    connect(&path, 0)
        .execute_batch("INSERT INTO t VALUES (1)")
        .unwrap();
    let refused = code(reader.execute_batch("INSERT INTO t VALUES (2)"));
    assert_eq!(refused, ffi::SQLITE_BUSY_SNAPSHOT);
    assert!(!reader.is_autocommit(), "the transaction is still open");
}

#[test]
fn begin_immediate_waits_as_long_as_the_busy_timeout_says() {
    let (_folder, path) = file();
    let holder = connect(&path, 0);
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let hasty = connect(&path, 0).execute_batch("BEGIN IMMEDIATE");
    assert_eq!(code(hasty), ffi::SQLITE_BUSY);
    let (about_to_wait, waits) = std::sync::mpsc::channel();
    let patient = std::thread::spawn(move || {
        let patient = connect(&path, 3_600_000);
        about_to_wait.send(()).unwrap();
        patient.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
    });
    waits.recv().unwrap();
    holder.execute_batch("COMMIT").unwrap();
    patient.join().unwrap().unwrap();
}

#[test]
fn only_an_immediate_transaction_holds_the_write_lock_from_its_beginning() {
    let (_folder, path) = file();
    let mut connection = connect(&path, 0);
    let state = |c: &Connection| transaction_state(c).unwrap();
    assert_eq!(state(&connection), TransactionState::None);
    let deferred = connection.transaction().unwrap();
    assert_eq!(state(&deferred), TransactionState::None);
    deferred
        .query_row("SELECT count(*) FROM t", (), |_| Ok(()))
        .unwrap();
    assert_eq!(state(&deferred), TransactionState::Read);
    drop(deferred);
    let immediate = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    assert_eq!(state(&immediate.unwrap()), TransactionState::Write);
}

#[test]
fn a_commit_that_is_busy_leaves_the_transaction_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollback.db");
    // With a rollback journal, a reader stops a writer from committing.
    let writer = connect(&path, 0);
    writer
        .execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT")
        .unwrap();
    let reader = connect(&path, 0);
    reader.execute_batch("BEGIN").unwrap();
    reader
        .query_row("SELECT count(*) FROM t", (), |_| Ok(()))
        .unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        .unwrap();
    assert_eq!(code(writer.execute_batch("COMMIT")), ffi::SQLITE_BUSY);
    assert!(!writer.is_autocommit());
    reader.execute_batch("COMMIT").unwrap();
    writer.execute_batch("COMMIT").unwrap();
}

#[test]
fn an_interrupted_write_throws_the_whole_transaction_away() {
    let (_folder, path) = file();
    let mut connection = connect(&path, 0);
    connection
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        .unwrap();
    let _ = connection.progress_handler(1, Some(|| true));
    let cut = connection
        .execute_batch("INSERT INTO t VALUES (2)")
        .unwrap_err();
    let _ = connection.progress_handler(0, None::<fn() -> bool>);
    assert_eq!(
        cut.sqlite_error_code(),
        Some(ErrorCode::OperationInterrupted)
    );
    assert!(
        connection.is_autocommit(),
        "a further statement would commit alone"
    );
}

#[test]
fn which_constraint_was_broken_is_reported_by_code() {
    let (_folder, path) = file();
    let connection = connect(&path, 0);
    connection
        .execute_batch(
            "CREATE TABLE w (a INTEGER NOT NULL, b BLOB NOT NULL CHECK (length(b) = 2),
                             PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;
             CREATE TABLE u (a INTEGER PRIMARY KEY, b INTEGER, UNIQUE (b)) STRICT;
             INSERT INTO w VALUES (1, x'0102'); INSERT INTO u VALUES (1, 1)",
        )
        .unwrap();
    let insert = |sql: &str| code(connection.execute_batch(sql));
    let primary_key = ffi::SQLITE_CONSTRAINT_PRIMARYKEY;
    assert_eq!(insert("INSERT INTO w VALUES (1, x'0102')"), primary_key);
    assert_eq!(insert("INSERT INTO u VALUES (1, 2)"), primary_key);
    assert_eq!(
        insert("INSERT INTO u VALUES (2, 1)"),
        ffi::SQLITE_CONSTRAINT_UNIQUE
    );
    assert_eq!(
        insert("INSERT INTO w VALUES (2, x'01')"),
        ffi::SQLITE_CONSTRAINT_CHECK
    );
    assert_eq!(
        insert("INSERT INTO w VALUES (2, NULL)"),
        ffi::SQLITE_CONSTRAINT_NOTNULL
    );
    assert_eq!(
        insert("INSERT INTO w VALUES (2, 'ab')"),
        ffi::SQLITE_CONSTRAINT_DATATYPE
    );
}

#[test]
fn a_strict_table_keeps_wide_integers_exact_only_as_bytes() {
    let (_folder, path) = file();
    let connection = connect(&path, 0);
    let wide = 99_999_999_999_999_999_999_999_999_999_999_999_999_i128.to_be_bytes();
    let stored: [u8; 16] = connection
        .query_row("SELECT ?", (wide,), |row| row.get(0))
        .unwrap();
    assert_eq!(stored, wide);
    let sum = "SELECT typeof(9223372036854775807 + 1)";
    let kind: String = connection.query_row(sum, (), |row| row.get(0)).unwrap();
    assert_eq!(kind, "real", "SQL arithmetic is not for money");
}

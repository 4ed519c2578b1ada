//! Tests of the classification of SQLite's result codes.

use rusqlite::ffi;
use wallet_core::store::StoreErrorKind as Kind;

use super::{Doing, classify};

/// The expected kinds of a code when reading or changing, inserting, appending, and
/// committing.
type Expected = [Kind; 4];

const CONFLICT: Expected = [Kind::Conflict; 4];
const CORRUPT: Expected = [Kind::Corrupt; 4];
const INVALID: Expected = [Kind::Invalid; 4];
const UNAVAILABLE: Expected = [Kind::Unavailable; 4];
/// Nothing happened before the commit. At the commit the outcome is unknown.
const TROUBLE: Expected = [
    Kind::Unavailable,
    Kind::Unavailable,
    Kind::Unavailable,
    Kind::Indeterminate,
];
const REFUSED: Expected = [
    Kind::Invalid,
    Kind::Invalid,
    Kind::Invalid,
    Kind::Indeterminate,
];
const FOREIGN: Expected = [
    Kind::Internal,
    Kind::Internal,
    Kind::Internal,
    Kind::Indeterminate,
];
const DUPLICATE: Expected = [
    Kind::Internal,
    Kind::Conflict,
    Kind::Corrupt,
    Kind::Internal,
];

const TABLE: &[(i32, Expected)] = &[
    (ffi::SQLITE_BUSY, CONFLICT),
    (ffi::SQLITE_BUSY_RECOVERY, UNAVAILABLE),
    (ffi::SQLITE_BUSY_SNAPSHOT, CONFLICT),
    (ffi::SQLITE_BUSY_TIMEOUT, CONFLICT),
    (ffi::SQLITE_LOCKED, CONFLICT),
    (ffi::SQLITE_LOCKED_SHAREDCACHE, CONFLICT),
    (ffi::SQLITE_LOCKED_VTAB, CONFLICT),
    (ffi::SQLITE_FULL, UNAVAILABLE),
    (ffi::SQLITE_CORRUPT, CORRUPT),
    (ffi::SQLITE_CORRUPT_VTAB, CORRUPT),
    (ffi::SQLITE_CORRUPT_SEQUENCE, CORRUPT),
    (ffi::SQLITE_CORRUPT_INDEX, CORRUPT),
    (ffi::SQLITE_NOTADB, CORRUPT),
    (ffi::SQLITE_IOERR, TROUBLE),
    (ffi::SQLITE_IOERR_READ, TROUBLE),
    (ffi::SQLITE_IOERR_SHORT_READ, TROUBLE),
    (ffi::SQLITE_IOERR_WRITE, TROUBLE),
    (ffi::SQLITE_IOERR_FSYNC, TROUBLE),
    (ffi::SQLITE_IOERR_DIR_FSYNC, TROUBLE),
    (ffi::SQLITE_IOERR_TRUNCATE, TROUBLE),
    (ffi::SQLITE_IOERR_FSTAT, TROUBLE),
    (ffi::SQLITE_IOERR_UNLOCK, TROUBLE),
    (ffi::SQLITE_IOERR_RDLOCK, TROUBLE),
    (ffi::SQLITE_IOERR_DELETE, TROUBLE),
    (ffi::SQLITE_IOERR_NOMEM, TROUBLE),
    (ffi::SQLITE_IOERR_ACCESS, TROUBLE),
    (ffi::SQLITE_IOERR_LOCK, TROUBLE),
    (ffi::SQLITE_IOERR_CLOSE, TROUBLE),
    (ffi::SQLITE_IOERR_SHMOPEN, TROUBLE),
    (ffi::SQLITE_IOERR_SHMSIZE, TROUBLE),
    (ffi::SQLITE_IOERR_SHMLOCK, TROUBLE),
    (ffi::SQLITE_IOERR_SHMMAP, TROUBLE),
    (ffi::SQLITE_IOERR_SEEK, TROUBLE),
    (ffi::SQLITE_IOERR_MMAP, TROUBLE),
    (ffi::SQLITE_IOERR_DATA, CORRUPT),
    (ffi::SQLITE_IOERR_CORRUPTFS, CORRUPT),
    (ffi::SQLITE_NOMEM, TROUBLE),
    (ffi::SQLITE_INTERRUPT, TROUBLE),
    (ffi::SQLITE_CANTOPEN, TROUBLE),
    (ffi::SQLITE_CANTOPEN_ISDIR, TROUBLE),
    (ffi::SQLITE_CANTOPEN_FULLPATH, TROUBLE),
    (ffi::SQLITE_PROTOCOL, TROUBLE),
    (ffi::SQLITE_SCHEMA, TROUBLE),
    (ffi::SQLITE_TOOBIG, REFUSED),
    (ffi::SQLITE_MISMATCH, REFUSED),
    (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, DUPLICATE),
    (ffi::SQLITE_CONSTRAINT_UNIQUE, DUPLICATE),
    (ffi::SQLITE_CONSTRAINT_ROWID, DUPLICATE),
    (ffi::SQLITE_CONSTRAINT_CHECK, INVALID),
    (ffi::SQLITE_CONSTRAINT_NOTNULL, INVALID),
    (ffi::SQLITE_CONSTRAINT_DATATYPE, INVALID),
    (ffi::SQLITE_CONSTRAINT_TRIGGER, INVALID),
    (ffi::SQLITE_CONSTRAINT, FOREIGN),
    (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, FOREIGN),
    (ffi::SQLITE_CONSTRAINT_COMMITHOOK, FOREIGN),
    (ffi::SQLITE_CONSTRAINT_FUNCTION, FOREIGN),
    (ffi::SQLITE_CONSTRAINT_VTAB, FOREIGN),
    (ffi::SQLITE_CONSTRAINT_PINNED, FOREIGN),
    (ffi::SQLITE_ERROR, FOREIGN),
    (ffi::SQLITE_INTERNAL, FOREIGN),
    (ffi::SQLITE_PERM, FOREIGN),
    (ffi::SQLITE_ABORT, FOREIGN),
    (ffi::SQLITE_ABORT_ROLLBACK, FOREIGN),
    (ffi::SQLITE_READONLY, UNAVAILABLE),
    (ffi::SQLITE_READONLY_RECOVERY, UNAVAILABLE),
    (ffi::SQLITE_READONLY_CANTLOCK, UNAVAILABLE),
    (ffi::SQLITE_READONLY_ROLLBACK, UNAVAILABLE),
    (ffi::SQLITE_READONLY_DBMOVED, UNAVAILABLE),
    (ffi::SQLITE_READONLY_CANTINIT, UNAVAILABLE),
    (ffi::SQLITE_READONLY_DIRECTORY, UNAVAILABLE),
    (ffi::SQLITE_NOTFOUND, FOREIGN),
    (ffi::SQLITE_EMPTY, FOREIGN),
    (ffi::SQLITE_MISUSE, FOREIGN),
    (ffi::SQLITE_NOLFS, FOREIGN),
    (ffi::SQLITE_AUTH, FOREIGN),
    (ffi::SQLITE_FORMAT, FOREIGN),
    (ffi::SQLITE_RANGE, FOREIGN),
    // A code of a future release.
    (99, FOREIGN),
];

#[test]
fn every_code_has_the_kind_that_its_meaning_asks_for() {
    let doings = [Doing::Work, Doing::Insert, Doing::Append, Doing::Commit];
    for (code, expected) in TABLE {
        let kinds = doings.map(|doing| classify(*code, doing));
        assert_eq!(kinds, *expected, "code {code}");
    }
}

#[test]
fn every_primary_code_is_in_the_table() {
    let missing = (1..=26).find(|primary| !TABLE.iter().any(|(code, _)| code & 0xff == *primary));
    assert_eq!(missing, None);
}

#[test]
fn a_file_that_is_read_only_is_reported_as_such() {
    use super::During;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    let make = rusqlite::Connection::open(&path).unwrap();
    make.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
    drop(make);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(&path, flags).unwrap();
    let refused = file.execute("INSERT INTO t VALUES (1)", ());
    let error = refused.during("writing").unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error.context().contains("the database file is read-only"),
        "{error}"
    );
}

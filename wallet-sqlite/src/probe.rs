//! Probes whether the file can be written.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, ErrorCode};
use wallet_core::StoreError;

use crate::error::{During, Result};
use crate::statement::prepare;

/// Inserts a row that is not the lease of the outbox, which is row 0. Its pages are
/// written, and no row stays.
const TAKE: &str = "
    INSERT INTO wallet_lease (id, owner, token, until) VALUES (-1, ?, 0, 0)";
const GIVE_BACK: &str = "DELETE FROM wallet_lease WHERE id = -1";
/// As many bytes as a large commit writes.
const LARGE_BYTES: usize = 256 << 10;

/// The size of a probe. On a full disk, a few pages may fit into space that is already
/// allocated, while a commit does not. After a write failed because the disk is full, a
/// probe is as large as a large commit. It stays large until a probe or a commit succeeds.
#[derive(Debug, Default)]
pub(crate) struct Room {
    is_lacking: AtomicBool,
}

impl Room {
    /// Notes the result of a write. `true` means that something was written.
    pub(crate) fn note(&self, done: std::result::Result<bool, &StoreError>) {
        match done {
            Ok(true) => self.is_lacking.store(false, Ordering::Relaxed),
            Err(error) if cannot_write(error) => self.is_lacking.store(true, Ordering::Relaxed),
            Ok(false) | Err(_) => {}
        }
    }

    /// How many bytes a probe must write.
    pub(crate) fn probe_bytes(&self) -> usize {
        if self.is_lacking.load(Ordering::Relaxed) {
            LARGE_BYTES
        } else {
            0
        }
    }
}

/// Whether the system had no space, or refused to write.
fn cannot_write(error: &StoreError) -> bool {
    let source = std::error::Error::source(error);
    let driver = source.and_then(|source| source.downcast_ref::<rusqlite::Error>());
    let code = driver.and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure))
}

/// Writes at least that many bytes to the log. The rows are deleted in the same commit.
pub(crate) fn run(connection: &Connection, bytes: usize) -> Result<()> {
    let context = "probing the file";
    let owner = "x".repeat(bytes);
    prepare(connection, TAKE)?
        .execute((owner,))
        .during(context)?;
    prepare(connection, GIVE_BACK)?
        .execute(())
        .during(context)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wallet_core::store::{LedgerStore, StoreErrorKind};
    use wallet_core::{StoreError, SystemClock};
    use wallet_testkit::block_on;

    use super::{LARGE_BYTES, Room};
    use crate::file::beside;
    use crate::{SqliteSettings, SqliteStore};

    fn error(code: std::ffi::c_int) -> StoreError {
        let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        StoreError::new(StoreErrorKind::Unavailable, "a test").with_source(source)
    }

    #[test]
    fn a_probe_is_large_once_nothing_can_be_written_until_something_is() {
        use rusqlite::ffi;
        let room = Room::default();
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE] {
            assert_eq!(room.probe_bytes(), 0);
            room.note(Err(&error(ffi::SQLITE_BUSY)));
            assert_eq!(room.probe_bytes(), 0, "somebody keeps a lock");
            room.note(Err(&error(code)));
            room.note(Ok(false));
            assert_eq!(room.probe_bytes(), LARGE_BYTES, "replays write nothing");
            room.note(Ok(true));
        }
        assert_eq!(room.probe_bytes(), 0);
    }

    #[test]
    fn a_large_probe_writes_as_much_to_the_log_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.db");
        let settings = SqliteSettings::new(&path);
        let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
        let log = || std::fs::metadata(beside(&path, "-wal")).unwrap().len();
        let before = log();
        block_on(store.probe()).unwrap();
        let small = log() - before;
        assert!(small < 20_000, "{small}");
        store.room.note(Err(&error(rusqlite::ffi::SQLITE_FULL)));
        let before = log();
        block_on(store.probe()).unwrap();
        let large = log() - before;
        assert!(large > 256 << 10, "{large}");
        assert_eq!(store.room.probe_bytes(), 0, "it was done");
        let before = log();
        block_on(store.probe()).unwrap();
        assert!(log() - before < 20_000);
        let connection = rusqlite::Connection::open(&path).unwrap();
        let leases = "SELECT count(*) FROM wallet_lease";
        let leases: i64 = connection.query_row(leases, (), |row| row.get(0)).unwrap();
        assert_eq!(leases, 0);
    }
}

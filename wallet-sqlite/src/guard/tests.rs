//! The guard makes the fault impossible with both locks, and is replaced under the write lock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use tempfile::TempDir;
use wallet_core::store::StoreErrorKind;

use super::*;
use crate::connect;
use crate::file::beside;
use crate::lock::InUse;

#[test]
fn the_fault_is_in_every_version_but_the_fixed_ones() {
    let versions = [
        (3_007_000, true),
        (3_044_005, true),
        (3_044_006, false),
        (3_045_000, true),
        (3_046_000, true),
        (3_050_006, true),
        (3_050_007, false),
        (3_050_008, false),
        (3_051_000, true),
        (3_051_002, true),
        (3_051_003, false),
        (3_052_000, false),
        (3_054_001, false),
        (4_000_000, false),
    ];
    for (version, has_it) in versions {
        assert_eq!(fault::is_in(version), has_it, "{version}");
    }
}

#[test]
fn a_faulty_version_is_always_guarded_and_another_one_on_request() {
    let by_default = SqliteSettings::new("wallet.db");
    let on_request = SqliteSettings {
        guard_log: true,
        ..by_default.clone()
    };
    assert!(is_needed_with(&by_default, 3_046_000));
    assert!(!is_needed_with(&by_default, 3_054_001));
    assert!(is_needed_with(&on_request, 3_046_000));
    assert!(is_needed_with(&on_request, 3_054_001));
}

/// A file with a log, as a host uses it.
struct Host {
    connection: Connection,
    path: PathBuf,
    _folder: TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.db");
        let connection = connection(&path);
        let set_up = "
            PRAGMA journal_mode = WAL;
            CREATE TABLE host (id INTEGER PRIMARY KEY, bytes BLOB);";
        connection.execute_batch(set_up).unwrap();
        let host = Self {
            connection,
            path,
            _folder: folder,
        };
        host.checkpoint();
        host
    }

    fn settings(&self) -> SqliteSettings {
        SqliteSettings {
            guard_log: true,
            lock_wait: Duration::ZERO,
            ..SqliteSettings::new(&self.path)
        }
    }

    fn guard(&self) -> Result<Arc<Guard>> {
        let file = OpenFile::at(&self.path)?;
        let claim = claim(&self.settings(), &file)?.expect("the settings ask for a guard");
        Guard::of(&self.settings(), &file, claim, || {
            crate::connect::existing(&self.settings())
        })
    }

    /// Commits some pages.
    fn write(&self) {
        let insert = "INSERT INTO host (bytes) VALUES (zeroblob(20000))";
        self.connection.execute(insert, ()).unwrap();
    }

    /// Runs a checkpoint as SQLite does after a commit. Returns the pages in the log, and how
    /// many of them are in the file.
    fn checkpoint(&self) -> (i64, i64) {
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        let counts = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?));
        self.connection.query_row(sql, (), counts).unwrap()
    }

    /// The log's header. It changes when the log is restarted.
    fn header(&self) -> Vec<u8> {
        let log = std::fs::read(beside(&self.path, "-wal")).unwrap();
        log[..32].to_vec()
    }

    /// Whether a commit restarts the log while a checkpoint of another connection could still
    /// copy pages: the two steps that the fault needs.
    fn has_the_fault(&self) -> bool {
        self.write();
        self.checkpoint();
        let before = self.header();
        self.write();
        let was_restarted = self.header() != before;
        let (_, copied) = self.checkpoint();
        was_restarted && copied > 0
    }
}

/// A connection of a host, without automatic checkpoints: the test runs them.
fn connection(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    let set_up = "PRAGMA wal_autocheckpoint = 0";
    connection.query_row(set_up, (), |_| Ok(())).unwrap();
    connection
}

#[test]
fn without_a_guard_a_commit_restarts_a_log_that_a_checkpoint_copies() {
    assert!(Host::new().has_the_fault());
}

#[test]
fn beside_read_lock_0_no_checkpoint_copies_pages() {
    let host = Host::new();
    let guard = host.guard().unwrap();
    for _ in 0..3 {
        host.write();
        let (log, copied) = host.checkpoint();
        assert!(log > 0);
        assert_eq!(copied, 0);
        assert!(!host.has_the_fault());
        // A full checkpoint of another connection copies nothing either.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy: i64 = host
            .connection
            .query_row(sql, (), |row| row.get(0))
            .unwrap();
        assert_eq!((is_busy, host.checkpoint().1), (1, 0));

        guard.checkpoint().unwrap();
        let (log, copied) = host.checkpoint();
        assert_eq!(copied, log, "the guard itself copies them");
        let before = host.header();
        host.write();
        assert_ne!(host.header(), before, "the log starts again");
    }
}

#[test]
fn beside_a_read_mark_no_commit_restarts_the_log() {
    let host = Host::new();
    host.write();
    let guard = host.guard().unwrap();
    for _ in 0..3 {
        let before = host.header();
        let (log, copied) = host.checkpoint();
        assert_eq!(copied, log, "up to the guard's mark");
        host.write();
        assert_eq!(host.header(), before);
        assert!(!host.has_the_fault());
        assert_eq!(host.header(), before);

        guard.renew().unwrap();
    }
    guard.checkpoint().unwrap();
    let before = host.header();
    host.write();
    assert_ne!(host.header(), before, "the log starts again");
    assert!(!host.has_the_fault());
}

#[test]
fn the_guard_is_replaced_only_under_the_write_lock() {
    let host = Host::new();
    let guard = host.guard().unwrap();
    host.write();
    host.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    for replace in [Guard::renew, Guard::checkpoint] {
        let error = replace(&guard).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}");
        assert!(guard.is_held());
    }
    host.connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(host.checkpoint().1, 0, "it is the guard from before");
    let mut could_write = true;
    guard
        .replace(|_| {
            let begin = host.connection.execute_batch("BEGIN IMMEDIATE");
            could_write = begin.is_ok();
        })
        .unwrap();
    assert!(!could_write);
    host.write();
}

#[test]
fn no_connection_beside_a_guard_runs_an_automatic_checkpoint() {
    let host = Host::new();
    let interval = |settings: &SqliteSettings| {
        let adopted = SqliteSettings {
            adopt: true,
            ..settings.clone()
        };
        let writer = connect::writer(&adopted).unwrap().connection;
        let others = [connect::reader(settings), connect::existing(settings)];
        let inbox = connect::tables(settings).unwrap().connection;
        let all = others
            .map(Result::unwrap)
            .into_iter()
            .chain([writer, inbox]);
        let ask = |connection: Connection| -> i64 {
            let ask = "PRAGMA wal_autocheckpoint";
            connection.query_row(ask, (), |row| row.get(0)).unwrap()
        };
        all.map(ask).collect::<Vec<_>>()
    };
    assert_eq!(interval(&host.settings()), [0; 4]);
}

#[test]
fn a_guard_that_cannot_begin_again_keeps_the_write_lock() {
    let host = Host::new();
    let guard = host.guard().unwrap();
    let interrupts = |does: bool| {
        let handler = does.then_some(|| true);
        let _ = guard.lock().reads.progress_handler(1, handler);
    };
    interrupts(true);
    guard.checkpoint().unwrap_err();
    assert!(!guard.is_held());
    host.connection
        .execute_batch("BEGIN IMMEDIATE")
        .unwrap_err();
    interrupts(false);
    guard.renew().unwrap();
    assert!(guard.is_held());
    host.write();
    assert!(!host.has_the_fault());
}

#[test]
fn stores_of_one_process_share_a_guard_until_the_last_one_ends() {
    let host = Host::new();
    let lock = beside(&host.path, "-guard");
    let (one, other) = (host.guard().unwrap(), host.guard().unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    drop(one);
    assert!(lock.exists());
    drop(other);
    assert!(!lock.exists());
    assert!(host.has_the_fault(), "nothing guards it any more");
    drop(host.guard().unwrap());
}

#[test]
fn a_file_that_replaced_another_one_gets_a_guard_of_its_own() {
    let host = Host::new();
    let first = host.guard().unwrap();
    let others = Host::new();
    std::fs::rename(&others.path, &host.path).unwrap();
    let second = host.guard().unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
}

#[test]
fn another_holder_of_the_lock_is_a_conflict_that_names_the_remedy() {
    let host = Host::new();
    let lock = beside(&host.path, "-guard");
    let holder = std::fs::File::create(&lock).unwrap();
    holder.lock().unwrap();
    let error = host.guard().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    assert!(std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<InUse>));
    assert!(error.to_string().contains("another process"), "{error}");
    // A file that nobody has locked means nothing.
    drop(holder);
    assert!(lock.exists());
    host.guard().unwrap();
}

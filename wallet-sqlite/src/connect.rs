//! Opens connections and takes the write lock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::SqliteSettings;
use crate::coherent;
use crate::error::{During, Result, corrupt};
use crate::file::{
    OpenFile, create_private, follow, log_without_beginning, names, remove_second_names,
    second_names, traces,
};

/// The longest log before the writer runs a checkpoint itself, as a multiple of the pages
/// between two checkpoints.
pub(crate) const BEHIND: u32 = 4;
/// The application id `WLLT`. It marks files that this crate created.
pub(crate) const APPLICATION_ID: i32 = 0x574C_4C54;
/// Rows are short and accounts are spread widely. A small page means fewer bytes per
/// written row.
const PAGE_BYTES: u32 = 2_048;
/// The capacity of the statement cache. It holds every statement that a store runs.
const STATEMENTS: usize = 96;
/// The pause between two tries for a lock.
const PROBE: Duration = Duration::from_micros(500);

/// The longest wait for a lock when a file is only examined. The log may be under recovery.
const LOOK_WAIT: Duration = Duration::from_secs(5);

const DURABILITY: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA temp_store = MEMORY;";

/// Opens the file for writing, creates it if allowed, and checks that it is a ledger's.
/// Closing the connection leaves the log as it is, until [`keep_log`] changes that.
pub(crate) fn writer(settings: &SqliteSettings) -> Result<(Connection, OpenFile)> {
    settings.validate()?;
    let path = real(&settings.path)?;
    let opened = open_writer(settings, &path);
    // Under several names SQLite may fail before that is checked. A conflict stays one:
    // a restore gives the file a second name for a moment.
    let is_conflict = |error: &StoreError| error.kind() == StoreErrorKind::Conflict;
    match opened {
        Err(error) if !is_conflict(&error) => one_name(&path).and(Err(error)),
        opened => opened,
    }
}

fn open_writer(settings: &SqliteSettings, path: &Path) -> Result<(Connection, OpenFile)> {
    let (connection, file) = open_or_create(settings)?;
    // `insist` does the waiting. SQLite's own handler backs off up to a tenth of a second.
    // Another process may take the lock many times in that time.
    connection
        .busy_timeout(Duration::ZERO)
        .during("setting the busy timeout")?;
    insist(settings.lock_wait, || identify(&connection, settings))?;
    tune(&connection, settings, BEHIND)?;
    // From here on, no restore can be replacing the open file.
    remove_second_names(path);
    one_name(path)?;
    let file = file.with_log()?;
    file.note_commits(&connection);
    Ok((connection, file))
}

/// Refuses a file with several names.
fn one_name(path: &Path) -> Result<()> {
    let names = names(path);
    if names < 2 {
        return Ok(());
    }
    let also = second_names(path)
        .into_iter()
        .map(|name| name.display().to_string());
    let also = also.collect::<Vec<_>>().join(", ");
    let also = if also.is_empty() {
        "a name in another folder"
    } else {
        &also
    };
    let context = format!(
        "the file has {names} names (hard links; besides this one: {also}): SQLite gives it a \
         log under each, and what is paid under one is lost under the other. Remove all names \
         but one"
    );
    Err(StoreError::new(StoreErrorKind::Internal, context))
}

/// Opens a file for an inbox and creates it if allowed. The owner of the file's other
/// tables has set its journal mode.
pub(crate) fn inbox(settings: &SqliteSettings) -> Result<(Connection, OpenFile)> {
    settings.validate()?;
    let (connection, file) = open_or_create(settings)?;
    let set_wait = |wait| {
        let set = connection.busy_timeout(wait);
        set.during("setting the busy timeout")
    };
    set_wait(Duration::ZERO)?;
    insist(settings.lock_wait, || {
        let tables: i64 = one(&connection, "SELECT count(*) FROM sqlite_schema")?;
        if tables == 0 {
            log_ahead(&connection)?;
        }
        Ok(())
    })?;
    // With a rollback journal, a read or a commit may have to wait too.
    set_wait(settings.lock_wait)?;
    // No other thread runs checkpoints on this file.
    tune(&connection, settings, 1)?;
    let file = file.with_log()?;
    file.note_commits(&connection);
    Ok((connection, file))
}

/// Opens an existing file for reading.
pub(crate) fn reader(settings: &SqliteSettings) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(&settings.path, flags)?;
    connection
        .busy_timeout(settings.lock_wait)
        .during("setting the busy timeout")?;
    tune(&connection, settings, BEHIND)?;
    connection
        .execute_batch("PRAGMA query_only = ON")
        .during("making a connection read-only")?;
    Ok(connection)
}

/// A connection that examines a file while others use it.
#[derive(Debug)]
pub(crate) struct Examination {
    pub(crate) connection: Connection,
    file: OpenFile,
    /// Whether file and log belong together.
    is_whole: bool,
}

impl Drop for Examination {
    fn drop(&mut self) {
        // The log of a mixture stays, and so does a log that is another file's by now.
        if self.is_whole && self.file.check().is_ok() {
            let _ = keep_log(&self.connection, false);
        }
    }
}

/// Opens an existing file to examine it while other connections use it.
pub(crate) fn look(path: &Path) -> Result<Examination> {
    let real = real(path)?;
    refuse_traces(&real)?;
    one_name(&real)?;
    let file = OpenFile::at(path)?;
    let mut connection = durable(path)?;
    connection
        .busy_timeout(LOOK_WAIT)
        .during("setting the busy timeout")?;
    connection
        .execute_batch("PRAGMA query_only = ON")
        .during("making a connection read-only")?;
    let is_whole = coherent::check(&mut connection).is_ok();
    Ok(Examination {
        connection,
        file: file.with_log()?,
        is_whole,
    })
}

/// Opens an existing file that no other process uses.
pub(crate) fn copy(path: &Path) -> Result<Connection> {
    let connection = durable(path)?;
    keep_log(&connection, false)?;
    Ok(connection)
}

/// Opens an existing file. Closing the connection leaves the log as it is.
fn durable(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection
        .execute_batch(DURABILITY)
        .during("setting up a connection")?;
    Ok(connection)
}

/// Sets a file to a journal mode that needs no log beside it.
pub(crate) fn without_log(connection: &Connection) -> Result<()> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = DELETE", (), |row| row.get(0))
        .during("ending the log")?;
    if mode != "delete" {
        return Err(has_it_open());
    }
    Ok(())
}

fn has_it_open() -> StoreError {
    let context = "somebody else has the file open";
    StoreError::new(StoreErrorKind::Conflict, context)
}

/// Opens a file that no other process has open, moves its log into it, and locks it.
/// Nothing is left beside the file. An exclusive locking mode would leave a journal.
pub(crate) fn exclusive(path: &Path) -> Result<Connection> {
    let connection = copy(path)?;
    connection
        .busy_timeout(Duration::ZERO)
        .during("setting the busy timeout")?;
    without_log(&connection)?;
    connection
        .execute_batch("BEGIN EXCLUSIVE")
        .during("locking the file")?;
    // Another process may have opened the file in between, with a log.
    if pragma::<String>(&connection, "journal_mode")? != "delete" {
        return Err(has_it_open());
    }
    Ok(connection)
}

/// Opens the file and creates it if allowed, with access for its owner only. SQLite gives
/// the log and its index the same rights.
fn open_or_create(settings: &SqliteSettings) -> Result<(Connection, OpenFile)> {
    let real = real(&settings.path)?;
    refuse_traces(&real)?;
    if settings.create
        && let Err(error) = create_private(&real)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        let kind = StoreErrorKind::Unavailable;
        return Err(StoreError::new(kind, "creating the file").with_source(error));
    }
    // Looks the file up first. If it is replaced right now, the first use notices.
    let file = OpenFile::at(&settings.path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok((open(&settings.path, flags)?, file))
}

/// The file that a name leads to.
fn real(path: &Path) -> Result<PathBuf> {
    let real = follow(path).map_err(|error| {
        let kind = StoreErrorKind::Unavailable;
        StoreError::new(kind, "looking up the database file").with_source(error)
    })?;
    if real.is_dir() {
        let context = format!("{} is a folder, not a file", real.display());
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    Ok(real)
}

/// Refuses a name without books if there are traces of earlier books.
fn refuse_traces(path: &Path) -> Result<()> {
    traces(path).map_or(Ok(()), |trace| Err(corrupt(trace.to_string())))
}

/// Sets whether the log stays as it is when the last connection to its file is closed.
/// Otherwise SQLite moves it into the file and removes it, whatever file has the log's name
/// by then. So it stays until [`checkpoint::end`](crate::checkpoint::end) and
/// [`Examination`] have looked.
pub(crate) fn keep_log(connection: &Connection, keeps: bool) -> Result<()> {
    let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    let set = connection.set_db_config(keep, keeps);
    set.during("setting up a connection").map(|_| ())
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags).during("opening the file")?;
    keep_log(&connection, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Sets the connection's automatic checkpoint: at `times` the number of pages between two
/// checkpoints.
fn tune(connection: &Connection, settings: &SqliteSettings, times: u32) -> Result<()> {
    let sizes = format!(
        "PRAGMA wal_autocheckpoint = {}; PRAGMA cache_size = -{};",
        settings.checkpoint_pages.saturating_mul(times),
        settings.cache_kib
    );
    // Plans must not depend on bound values. Otherwise SQLite would plan some statements
    // again for every row.
    let stable = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    connection
        .set_db_config(stable, true)
        .during("setting up a connection")?;
    connection
        .execute_batch(DURABILITY)
        .and_then(|()| connection.execute_batch(&sizes))
        .during("setting up a connection")
}

/// Refuses a file of another application, and marks a new file.
fn identify(connection: &Connection, settings: &SqliteSettings) -> Result<()> {
    let id: i32 = pragma(connection, "application_id")?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'wallet\\_%' ESCAPE '\\'";
    let foreign: i64 = one(connection, tables)?;
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name = 'wallet_migration'";
    let has_tables = one::<i64>(connection, ours)? > 0;
    let known = id == APPLICATION_ID || has_tables;
    let is_empty = id == 0 && foreign == 0;
    if !known && !is_empty && !settings.adopt {
        let context = "the file belongs to another application; see `SqliteSettings::adopt`";
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    if !known && is_empty && !settings.create {
        return Err(StoreError::new(
            StoreErrorKind::Internal,
            "the file holds no ledger",
        ));
    }
    // Also a file that was marked by a process that did not live to create its tables.
    let is_new = !has_tables && foreign == 0;
    if is_new && log_without_beginning(&real(&settings.path)?) {
        return Err(corrupt(
            "the file holds nothing, and the log beside it is of books: keep both, and restore \
             a backup or the file that the log belongs to",
        ));
    }
    if !known && is_empty {
        let stamp = format!("PRAGMA page_size = {PAGE_BYTES}");
        connection.execute_batch(&stamp).during("sizing pages")?;
    }
    log_ahead(connection)?;
    if !known && is_empty {
        let stamp = format!("PRAGMA application_id = {APPLICATION_ID}");
        connection
            .execute_batch(&stamp)
            .during("marking the file")?;
    }
    Ok(())
}

fn log_ahead(connection: &Connection) -> Result<()> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))
        .during("switching to write-ahead logging")?;
    if mode != "wal" {
        let context = "the file cannot be used with a write-ahead log";
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    Ok(())
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> Result<T> {
    one(connection, &format!("PRAGMA {name}"))
}

/// The single value of the single row.
fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> Result<T> {
    connection
        .query_row(sql, (), |row| row.get(0))
        .during("asking what the file is")
}

/// `BEGIN IMMEDIATE`. Waits for the lock for at most `lock_wait`.
pub(crate) fn begin(connection: &Connection, lock_wait: Duration) -> Result<()> {
    insist(lock_wait, || {
        connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute(()))
            .during("beginning a transaction")
            .map(|_| ())
    })
}

/// Retries `work` while another connection holds a lock, for at most `wait`.
fn insist<T>(wait: Duration, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let mut left = wait;
    loop {
        match work() {
            Err(error) if is_busy(&error) && !left.is_zero() => {
                left = left.saturating_sub(PROBE);
                pause();
            }
            done => return done,
        }
    }
}

fn is_busy(error: &StoreError) -> bool {
    let source = std::error::Error::source(error);
    let driver = source.and_then(|source| source.downcast_ref::<rusqlite::Error>());
    driver.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::DatabaseBusy)
}

#[allow(
    clippy::disallowed_methods,
    reason = "between two tries for SQLite's lock, on a thread of the store's, as SQLite's own \
              busy handler does; no rule depends on its length"
)]
fn pause() {
    std::thread::sleep(PROBE);
}

/// Rolls back the open transaction. A failure does not matter: either no transaction is
/// open, or closing the connection rolls it back.
pub(crate) fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
}

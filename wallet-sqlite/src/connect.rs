//! Opens connections to a ledger's file, or to an inbox's or a queue's, for writing and for reading.

mod examine;
mod identify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::SqliteSettings;
use crate::error::{During, Result, corrupt};
use crate::file::{OpenFile, create_private, follow, names, second_names};
use crate::guard::{self, Claim, Guard};
use crate::lock::{insist, roll_back};
use crate::trace::{remove_second_names, traces};
use identify::{identify, log_ahead, one, pragma};

pub(crate) use examine::{Examination, copy, exclusive, look, without_log};

/// The longest log before the writer runs a checkpoint itself, as a multiple of the pages
/// between two checkpoints.
pub(crate) const BEHIND: u32 = 4;
/// The capacity of the statement cache. It holds every statement that a store runs.
const STATEMENTS: usize = 96;

const DURABILITY: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA temp_store = MEMORY;";

/// A connection that writes, its file, and the guard of the log, if the log needs one.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) file: OpenFile,
    pub(crate) guard: Option<Arc<Guard>>,
}

/// Opens the file for writing, creates it if allowed, and checks that it is a ledger's.
/// Closing the connection leaves the log as it is, until [`keep_log`] changes that.
pub(crate) fn writer(settings: &SqliteSettings) -> Result<Opened> {
    settings.validate()?;
    let path = real(&settings.path)?;
    or_several_names(open_writer(settings, &path), &path)
}

/// Under several names SQLite may fail before they are counted. A conflict stays one: a
/// restore gives the file a second name for a moment.
fn or_several_names(opened: Result<Opened>, path: &Path) -> Result<Opened> {
    let is_conflict = |error: &StoreError| error.kind() == StoreErrorKind::Conflict;
    match opened {
        Err(error) if !is_conflict(&error) => one_name(path).and(Err(error)),
        opened => opened,
    }
}

fn open_writer(settings: &SqliteSettings, path: &Path) -> Result<Opened> {
    let (connection, file) = open_or_create(settings)?;
    let claim = guard::claim(settings, &file)?;
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
    // The first read creates the log.
    objects(&connection)?;
    let file = file.with_log().require_log()?;
    let guard = guarded(settings, &file, claim)?;
    Ok(Opened {
        connection,
        file: file.with_guard(guard.as_ref()),
        guard,
    })
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

/// Opens a file for an inbox or a queue and creates it if allowed. The owner of the file's other
/// tables has set its journal mode.
pub(crate) fn tables(settings: &SqliteSettings) -> Result<Opened> {
    settings.validate()?;
    let path = real(&settings.path)?;
    or_several_names(open_tables(settings, &path), &path)
}

fn open_tables(settings: &SqliteSettings, path: &Path) -> Result<Opened> {
    let (connection, file) = open_or_create(settings)?;
    let set_wait = |wait| {
        let set = connection.busy_timeout(wait);
        set.during("setting the busy timeout")
    };
    set_wait(Duration::ZERO)?;
    insist(settings.lock_wait, || {
        if objects(&connection)? == 0 {
            log_ahead(&connection)?;
        }
        Ok(())
    })?;
    let has_log = insist(settings.lock_wait, || {
        let has_log = under_one_name(&connection, path);
        roll_back(&connection);
        has_log
    })?;
    // With a rollback journal, a read or a commit may have to wait too.
    set_wait(settings.lock_wait)?;
    // Without a guard, no other thread runs checkpoints on this file.
    let has_guard = has_log && guard::is_needed(settings);
    tune_to(&connection, settings, u32::from(!has_guard))?;
    let (file, guard) = if has_log {
        let file = file.with_log().require_log()?;
        let guard = guarded(settings, &file, guard::claim(settings, &file)?)?;
        (file, guard)
    } else {
        // A read transaction that stays open would stop all writers.
        (file.without_log(), None)
    };
    Ok(Opened {
        connection,
        file: file.with_guard(guard.as_ref()),
        guard,
    })
}

/// Refuses a file with several names. Returns whether the file has a write-ahead log. The
/// caller ends the read transaction.
fn under_one_name(connection: &Connection, path: &Path) -> Result<bool> {
    let begun = connection.execute_batch("BEGIN");
    begun.during("beginning to read")?;
    // The read creates the log. While it is open, no restore can be replacing the file.
    objects(connection)?;
    remove_second_names(path);
    one_name(path)?;
    Ok(pragma::<String>(connection, "journal_mode")? == "wal")
}

/// The number of tables, indexes and other objects in the file.
fn objects(connection: &Connection) -> Result<i64> {
    one(connection, "SELECT count(*) FROM sqlite_schema")
}

/// The guard that belongs to a claim.
fn guarded(
    settings: &SqliteSettings,
    file: &OpenFile,
    claim: Option<Claim>,
) -> Result<Option<Arc<Guard>>> {
    let guard = claim.map(|claim| Guard::of(settings, file, claim, || existing(settings)));
    guard.transpose()
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

/// Opens an existing file for transactions of hosts, or for the guard of its log. The
/// connection does not wait by itself.
pub(crate) fn existing(settings: &SqliteSettings) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(&settings.path, flags)?;
    connection
        .busy_timeout(Duration::ZERO)
        .during("setting the busy timeout")?;
    tune(&connection, settings, BEHIND)?;
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
/// checkpoints. With a guard of the log no connection runs one.
fn tune(connection: &Connection, settings: &SqliteSettings, times: u32) -> Result<()> {
    let times = if guard::is_needed(settings) { 0 } else { times };
    tune_to(connection, settings, times)
}

fn tune_to(connection: &Connection, settings: &SqliteSettings, times: u32) -> Result<()> {
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

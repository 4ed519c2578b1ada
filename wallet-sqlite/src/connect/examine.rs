//! Opens files to examine or to copy them: beside other users, or where there is none.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use super::identify::pragma;
use super::{DURABILITY, keep_log, one_name, open, real, refuse_traces};
use crate::coherent;
use crate::error::{During, Result};
use crate::file::OpenFile;

/// The longest wait for a lock when a file is only examined. The log may be under recovery.
const LOOK_WAIT: Duration = Duration::from_secs(5);

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
        file: file.with_log(),
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

//! One process at a time: an exclusive lock of the operating system on a file of its own.
//!
//! The file stands beside the database. The system releases the lock when the process ends,
//! also after `kill -9`. The database's own files cannot carry the lock: closing any handle
//! on them releases the locks that SQLite has on them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use super::fault;
use crate::error::Result;
use crate::file::{beside, create_private};
use crate::identity::is_same_file;
use crate::lock::InUse;

const ENDING: &str = "-guard";
/// How often the file may be removed by a process that ends, between opening and locking it.
const TRIES: u32 = 100;

/// The lock. Dropping it removes its file.
#[derive(Debug)]
pub(super) struct ProcessLock {
    path: PathBuf,
    file: Mutex<File>,
}

impl ProcessLock {
    /// Locks the file beside `database`.
    ///
    /// # Errors
    /// `Conflict` with the source [`InUse`]: another process has the lock. `Unavailable`: the
    /// system cannot create or lock the file.
    pub(super) fn take(database: &Path) -> Result<Self> {
        let path = beside(database, ENDING);
        let file = Mutex::new(locked(&path)?);
        Ok(Self { path, file })
    }

    /// Creates and locks the file again if somebody removed or replaced it.
    ///
    /// # Errors
    /// As for [`ProcessLock::take`].
    pub(super) fn keep(&self) -> Result<()> {
        let mut file = self.file();
        if !has_name(&file, &self.path) {
            *file = locked(&self.path)?;
        }
        Ok(())
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(path: &Path) -> Result<File> {
    for _ in 0..TRIES {
        let file = open(path).map_err(|error| unavailable(error, path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(error)) => return Err(unavailable(error, path)),
        }
        // A process that ends removes the file before it releases the lock.
        if has_name(&file, path) {
            return Ok(file);
        }
    }
    Err(in_use())
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        let file = self.file();
        if has_name(&file, &self.path) {
            // A file that stays means nothing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn has_name(file: &File, path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| is_same_file(file, &found))
}

fn open(path: &Path) -> io::Result<File> {
    match create_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created,
    }
    match OpenOptions::new().read(true).write(true).open(path) {
        // It was removed meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_private(path),
        opened => opened,
    }
}

fn unavailable(error: io::Error, path: &Path) -> StoreError {
    let context = format!("locking {}", path.display());
    StoreError::new(StoreErrorKind::Unavailable, context).with_source(error)
}

fn in_use() -> StoreError {
    let version = rusqlite::version();
    let context = if fault::is_in(rusqlite::version_number()) {
        let remedy = fault::REMEDY;
        format!(
            "another process has the file open, and the linked SQLite {version} has a fault that \
             can lose committed pages (WAL reset), so one process at a time may use the file: \
             {remedy}"
        )
    } else {
        "another process has the file open with a guard of the log: one process at a time may \
         have one (`SqliteSettings::guard_log`)"
            .to_owned()
    };
    StoreError::new(StoreErrorKind::Conflict, context).with_source(InUse)
}

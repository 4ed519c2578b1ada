//! The guard of the log: a read transaction that is always open.
//!
//! SQLite before 3.51.3 can lose committed pages if a commit restarts the log while a
//! checkpoint of another connection begins ([`fault`]). The guard makes this impossible for
//! the connections of every process. It holds one of two locks. With a read mark no commit
//! restarts the log. With read lock 0 no checkpoint copies pages into the file. The guard is
//! replaced only under the file's write lock, when no commit can restart the log either.
//!
//! The whole argument is in ADR 31. Two guards in two processes would keep each other from
//! copying, so a second process is refused ([`process`]). Stores of one process share one
//! guard for a file ([`shared`]).

mod fault;
mod process;
mod shared;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::store::StoreErrorKind;

use crate::error::{During, Result};
use crate::file::{OpenFile, SaveLog};
use crate::identity::Identity;
use crate::lock::{begin, insist, roll_back};
use crate::log_pages::copy;
use crate::settings::SqliteSettings;
use process::ProcessLock;
use shared::Shared;

/// The guards of this process, by the canonical path of the file and its identity: a file that
/// replaced another one needs a guard of its own.
static GUARDS: Shared<(PathBuf, Option<Identity>), Guard> = Shared::new();
static PROCESS_LOCKS: Shared<PathBuf, ProcessLock> = Shared::new();

/// Begins a read transaction, and reads, so that SQLite takes the lock.
const HOLD: &str = "BEGIN; SELECT count(*) FROM sqlite_schema;";

/// Whether a store or an inbox with these settings guards its log.
pub(crate) fn is_needed(settings: &SqliteSettings) -> bool {
    is_needed_with(settings, rusqlite::version_number())
}

const fn is_needed_with(settings: &SqliteSettings, version: i32) -> bool {
    settings.guard_log || fault::is_in(version)
}

/// The right of this process to use a file with a guard.
#[derive(Debug)]
pub(crate) struct Claim(Arc<ProcessLock>);

/// Claims the file for this process if its log must be guarded. Waits for another process for
/// at most `lock_wait`.
///
/// # Errors
/// `Conflict`: another process has the file. `Unavailable`: the system cannot lock.
pub(crate) fn claim(settings: &SqliteSettings, file: &OpenFile) -> Result<Option<Claim>> {
    if !is_needed(settings) {
        return Ok(None);
    }
    let path = file.canonical();
    let take = || PROCESS_LOCKS.get_or(path.clone(), || ProcessLock::take(&path));
    insist(settings.lock_wait, take).map(|lock| Some(Claim(lock)))
}

/// The read transaction, and the connection that holds the write lock while it is replaced.
#[derive(Debug)]
pub(crate) struct Guard {
    connections: Mutex<Connections>,
    lock_wait: Duration,
    // Dropped last: the connections are closed by then.
    process: Arc<ProcessLock>,
}

#[derive(Debug)]
struct Connections {
    reads: Connection,
    writes: Connection,
}

impl Guard {
    /// The guard of this process for an open file with a log. `open` opens a connection to it.
    ///
    /// # Errors
    /// As for opening a connection.
    pub(crate) fn of(
        settings: &SqliteSettings,
        file: &OpenFile,
        claim: Claim,
        open: impl Fn() -> Result<Connection>,
    ) -> Result<Arc<Self>> {
        let key = (file.canonical(), file.identity());
        let guard = GUARDS.get_or(key, || Self::begin(settings, claim, open))?;
        // The connections of the guard may have found another file.
        file.check().map(|()| guard)
    }

    fn begin(
        settings: &SqliteSettings,
        Claim(process): Claim,
        open: impl Fn() -> Result<Connection>,
    ) -> Result<Self> {
        let reads = open()?;
        // The log may be under recovery.
        insist(settings.lock_wait, || hold(&reads))?;
        let writes = open()?;
        // Opens the log now: if it is removed later, SQLite would begin another one.
        insist(settings.lock_wait, || hold(&writes))?;
        roll_back(&writes);
        Ok(Self {
            connections: Mutex::new(Connections { reads, writes }),
            lock_wait: settings.lock_wait,
            process,
        })
    }

    /// Whether the read transaction is open. It is not if replacing it failed; the write lock
    /// is kept then.
    pub(crate) fn is_held(&self) -> bool {
        !self.lock().reads.is_autocommit()
    }

    /// Looks after the lock of this process, and takes it again if its file was removed. `false`
    /// if another process has the lock by now: its guard and this one keep each other from
    /// copying pages.
    pub(crate) fn keeps_lock(&self) -> bool {
        match self.process.keep() {
            Err(error) => error.kind() != StoreErrorKind::Conflict,
            Ok(()) => true,
        }
    }

    /// Replaces the guard. If the log has pages that are not in the file, the new guard has a
    /// read mark at the log's end, and checkpoints may copy the pages up to there.
    ///
    /// # Errors
    /// `Conflict`: another connection keeps the write lock. The guard is as it was. Any other
    /// error: nobody can write until a later call succeeds.
    pub(crate) fn renew(&self) -> Result<()> {
        self.replace(|_| ())
    }

    /// Copies all pages of the log into the file, except those that a reader needs.
    ///
    /// # Errors
    /// As for [`Guard::renew`].
    pub(crate) fn checkpoint(&self) -> Result<()> {
        self.replace(copy)
    }

    fn replace(&self, meanwhile: impl FnOnce(&Connection)) -> Result<()> {
        let connections = self.lock();
        let Connections { reads, writes } = &*connections;
        if writes.is_autocommit() {
            begin(writes, self.lock_wait)?;
        }
        roll_back(reads);
        meanwhile(reads);
        // On an error the write lock stays, so that no commit restarts the log.
        hold(reads)?;
        roll_back(writes);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl SaveLog for Guard {
    fn save_log(&self) {
        // If it cannot run now, the next call does it.
        let _ = self.checkpoint();
    }
}

fn hold(connection: &Connection) -> Result<()> {
    let held = connection.execute_batch(HOLD);
    held.during("guarding the log").inspect_err(|_| {
        roll_back(connection);
    })
}

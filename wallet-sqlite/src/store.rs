//! Opens, migrates and closes a [`SqliteStore`].

mod jobs;
mod ledger;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::runtime::Clock;

use crate::apply::Ledger;
use crate::checkpoint::{self, Checkpoints};
use crate::commit::in_transaction;
use crate::error::Result;
use crate::guard::Guard;
use crate::host_connection::HostConnection;
use crate::past_balance::Settlements;
use crate::probe::Room;
use crate::read::WriterCache;
use crate::settings::SqliteSettings;
use crate::threads::Threads;
use crate::{coherent, connect, migrate};

/// The books and their outbox in one SQLite file.
///
/// Any number of stores, in this process or in others, may use the same file (with an old SQLite,
/// or with [`SqliteSettings::guard_log`], in this process only). The host and
/// the store may share it too. SQLite can restore a backup into the open file. If the file
/// is moved or replaced, the store ends: every call fails with `Unavailable`.
///
/// Dropping the store waits for its queued work, moves the write-ahead log into the file
/// and ends its threads. Afterwards the file alone is complete, unless another process, or
/// a transaction of a host, has it open.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) lock_wait: Duration,
    writer: Threads,
    readers: Threads,
    finders: Threads,
    checkpoints: Checkpoints,
    cache: Arc<Mutex<WriterCache>>,
    pub(crate) settlements: Arc<Settlements>,
    pub(crate) room: Arc<Room>,
    defer_from: usize,
    pub(crate) host: Arc<HostConnection>,
    /// The guard of the log, if it needs one.
    guard: Option<Arc<Guard>>,
    /// File and log do not belong together, and whoever opened the store wanted to look:
    /// the log stays as it is.
    keeps_log: bool,
}

/// Migrates if needed. Nothing is written to a file whose schema is current: it may be a
/// mixture.
fn bring_up_to_date(
    writer: &Connection,
    settings: &SqliteSettings,
    clock: &dyn Clock,
) -> Result<()> {
    if migrate::check(writer).is_ok() {
        return Ok(());
    }
    let now = clock.now();
    in_transaction(writer, settings.lock_wait, |open| migrate::run(open, now))
}

/// Whether the file and its log belong together. If they do not, the file is refused if
/// the settings require it.
fn is_whole(writer: &mut Connection, settings: &SqliteSettings) -> Result<bool> {
    match coherent::check(writer) {
        Err(error) if settings.check => Err(error),
        looked => Ok(looked.is_ok()),
    }
}

impl SqliteStore {
    /// Opens the file, creates it if it does not exist, and brings its schema up to date
    /// unless the settings disable it. It blocks, so call it at start-up.
    ///
    /// # Errors
    /// - `Internal`: a setting is out of range, the file belongs to another application, its
    ///   schema is newer than this release or (without migrating) older, or it cannot use a
    ///   write-ahead log.
    /// - `Corrupt`: the file is no database at all; the file is missing, but its log or an
    ///   unfinished restore exists; or the file and its log do not belong together (see
    ///   [`SqliteSettings::check`]).
    /// - `Conflict`, `Unavailable`: the file is locked, or cannot be opened. `Conflict` also if
    ///   another process guards the log (see [`SqliteSettings::guard_log`]).
    pub fn open(settings: &SqliteSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let opened = connect::writer(settings)?;
        let (mut writer, file, guard) = (opened.connection, opened.file, opened.guard);
        if settings.migrate {
            bring_up_to_date(&writer, settings, clock.as_ref())?;
        }
        migrate::check(&writer)?;
        let keeps_log = !is_whole(&mut writer, settings)?;
        let path = writer.path().unwrap_or_default().to_owned();
        let file = Arc::new(file);
        let reader = || connect::reader(settings);
        let readers = || (0..settings.readers).map(|_| reader());
        let finders = readers().collect::<Result<Vec<_>>>()?;
        let readers = readers().collect::<Result<Vec<_>>>()?;
        let writer = Threads::start("wallet-writer", vec![writer])?;
        let beside = reader()?;
        let checkpoints = Checkpoints::start(
            beside,
            Arc::clone(&file),
            &writer,
            settings.checkpoint_pages,
            guard.clone(),
        )?;
        Ok(Self {
            ledger: Arc::new(Ledger {
                clock,
                max_ahead: settings.max_ahead,
                path,
                file,
                deltas: Arc::default(),
            }),
            lock_wait: settings.lock_wait,
            writer,
            readers: Threads::start("wallet-reader", readers)?,
            finders: Threads::start("wallet-finder", finders)?,
            checkpoints,
            cache: Arc::default(),
            settlements: Arc::default(),
            room: Arc::default(),
            defer_from: settings.defer_from,
            host: HostConnection::new(settings),
            guard,
            keeps_log,
        })
    }

    /// Brings the schema of the file up to date without opening a store. A deployment that
    /// migrates in its own step calls it.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn migrate(settings: &SqliteSettings, clock: &dyn Clock) -> Result<()> {
        let mut opened = connect::writer(settings)?;
        bring_up_to_date(&opened.connection, settings, clock)?;
        is_whole(&mut opened.connection, settings).map(drop)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.readers.end();
        self.finders.end();
        self.checkpoints.end();
        // An open transaction of a host keeps its connection.
        if let Some(host) = Arc::get_mut(&mut self.host) {
            host.end();
        }
        let guard = self.guard.take();
        if !self.keeps_log {
            let file = Arc::clone(&self.ledger.file);
            self.writer.post(move |writer| {
                checkpoint::end(&file, writer, guard.as_deref());
                drop(guard);
            });
        }
        self.writer.end();
    }
}

//! Checkpoints: a background thread moves the write-ahead log into the file.
//!
//! SQLite's own checkpoint runs in the commit that fills the log. That commit would wait
//! for tens of milliseconds. Here a separate thread moves most pages while commits
//! continue, and then the pages that were added meanwhile. The writer moves only the last
//! few pages. Then the log starts again. If the thread falls behind, SQLite's own
//! checkpoint limits the log: see [`BEHIND`](connect::BEHIND).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::connect;
use crate::error::Result;
use crate::file::OpenFile;
use crate::threads::{Handle, Threads, join};

/// The number of requests between two checks of the log: a few pages each.
const LOOK_EVERY: usize = 500;
/// The passes over pages that were added meanwhile, before the writer takes over.
const PASSES: u32 = 2;

/// How often the file's name is looked up while there is nothing else to do.
const WATCH: Duration = Duration::from_millis(500);

const LOG: &str = "PRAGMA wal_checkpoint(NOOP)";
const CARRY_OVER: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Notifies the thread that the log has grown.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// `None` after the thread ends.
    nudge: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    requests: AtomicUsize,
}

impl Checkpoints {
    /// Starts the thread.
    pub(crate) fn start(
        connection: Connection,
        file: Arc<OpenFile>,
        writer: &Threads,
        pages: u32,
    ) -> Result<Self> {
        let (nudge, nudges) = sync_channel(1);
        let writer = writer.handle();
        let thread = thread::Builder::new().name("wallet-checkpoint".to_owned());
        let started = thread.spawn(move || run(&connection, &file, &nudges, &writer, pages));
        let thread = started.map_err(|error| {
            let kind = StoreErrorKind::Unavailable;
            StoreError::new(kind, "starting a thread").with_source(error)
        })?;
        Ok(Self {
            nudge: Some(nudge),
            thread: Some(thread),
            requests: AtomicUsize::new(0),
        })
    }

    /// Counts committed requests.
    pub(crate) fn committed(&self, requests: usize) {
        let before = self.requests.fetch_add(requests, Ordering::Relaxed);
        let looks = |count: usize| count.checked_div(LOOK_EVERY);
        if looks(before) != looks(before.wrapping_add(requests)) {
            // A full channel means that the thread has not yet handled the last
            // notification.
            let _ = self.nudge.as_ref().map(|nudge| nudge.try_send(()));
        }
    }

    /// Waits for the thread to close its connection.
    pub(crate) fn end(&mut self) {
        self.nudge = None;
        self.thread.take().into_iter().for_each(join);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.end();
    }
}

/// Moves the whole log into the file before its last connection of this process is closed,
/// so that the file alone is complete. If another process prevents this, the last process
/// that closes the file does it.
///
/// A file that was replaced shares the log's name with its successor, and may share the log.
/// The file may have another name by now, and be in use under it. So nothing is moved or removed
/// once a name led elsewhere: the log stays, as after `kill -9`.
pub(crate) fn end(file: &OpenFile, connection: &Connection) {
    if file.check().is_ok() {
        pages_left(connection, EMPTY);
        if file.check().is_ok() {
            // SQLite removes the empty log with the last connection of all processes.
            let _ = connect::keep_log(connection, false);
        }
    } else if file.has_lost_its_log() {
        save(connection);
    }
}

/// Moves the log into the file, except pages that a reader still needs.
pub(crate) fn save(connection: &Connection) {
    pages_left(connection, CARRY_OVER);
}

fn run(
    connection: &Connection,
    file: &Arc<OpenFile>,
    nudges: &Receiver<()>,
    writer: &Handle,
    pages: u32,
) {
    loop {
        match nudges.recv_timeout(WATCH) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => {
                // The file notes that its name leads elsewhere.
                let _ = file.check();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if pages_left(connection, LOG) < i64::from(pages) {
            continue;
        }
        for _ in 0..PASSES {
            carry_over(file, connection);
        }
        let file = Arc::clone(file);
        writer.post(move |connection| carry_over(&file, connection));
    }
}

/// Moves pages into the file. Under the name of a file that was replaced, the log may be
/// another file's by now.
fn carry_over(file: &OpenFile, connection: &Connection) {
    if file.check().is_ok() {
        pages_left(connection, CARRY_OVER);
        // The file notes its new contents.
        let _ = file.check();
    }
}

/// Runs a checkpoint. Returns how many pages of the log are not in the file afterwards. If
/// it cannot run now, the next one makes up for it.
fn pages_left(connection: &Connection, sql: &str) -> i64 {
    let counts = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row((), |row| Ok((row.get(1)?, row.get(2)?))));
    counts.map_or(0, |(log, carried): (i64, i64)| log.saturating_sub(carried))
}

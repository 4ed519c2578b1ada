//! Checkpoints: a background thread moves the write-ahead log into the file.
//!
//! SQLite's own checkpoint runs in the commit that fills the log. That commit would wait
//! for tens of milliseconds. Here a separate thread moves most pages while commits
//! continue, and then the pages that were added meanwhile. The writer moves only the last
//! few pages. Then the log starts again. If the thread falls behind, SQLite's own
//! checkpoint limits the log: see [`BEHIND`](connect::BEHIND).
//!
//! Beside a [`Guard`] the thread moves pages only up to the guard's read mark, and the guard
//! moves the last ones under the write lock.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::connect;
use crate::error::Result;
use crate::file::OpenFile;
use crate::guard::Guard;
use crate::log_pages::{CARRY_OVER, EMPTY, HAS_NOOP, LOG, copy, pages_left};
use crate::threads::{Handle, Threads, join};

/// The number of requests between two checks of the log: a few pages each.
const LOOK_EVERY: usize = 500;
/// The passes over pages that were added meanwhile, before the writer takes over.
const PASSES: u32 = 2;

/// How often the file's name is looked up while there is nothing else to do.
const WATCH: Duration = Duration::from_millis(500);

/// Notifies the thread that the log has grown.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// `None` after the thread ends.
    nudge: Option<Arc<SyncSender<()>>>,
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
        guard: Option<Arc<Guard>>,
    ) -> Result<Self> {
        let (nudge, nudges) = sync_channel(1);
        let nudge = Arc::new(nudge);
        let beside = Beside {
            connection,
            file,
            nudge: Arc::downgrade(&nudge),
            writer: writer.handle(),
            pages: i64::from(pages),
        };
        let thread = thread::Builder::new().name("wallet-checkpoint".to_owned());
        let started = thread.spawn(move || match guard {
            None => beside.run(&nudges),
            Some(guard) => beside.run_guarded(&nudges, &guard),
        });
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
///
/// A guard moves the pages under the write lock, and the log is not emptied. The caller ends the
/// guard before the connection is closed, which then may be the last one.
pub(crate) fn end(file: &OpenFile, connection: &Connection, guard: Option<&Guard>) {
    if file.check().is_ok() {
        match guard {
            None => {
                pages_left(connection, EMPTY);
            }
            // If it cannot run now, closing the last connection makes up for it.
            Some(guard) => drop(guard.checkpoint()),
        }
        if file.check().is_ok() {
            // SQLite removes the log with the last connection of all processes.
            let _ = connect::keep_log(connection, false);
        }
    } else if file.has_lost_its_log() {
        save(file, connection);
    }
}

/// Moves the log into the file, except pages that a reader still needs.
pub(crate) fn save(file: &OpenFile, connection: &Connection) {
    match file.guard().map(Weak::upgrade) {
        None => copy(connection),
        Some(Some(guard)) => guard.save_log(),
        // The store has ended, and saved the log.
        Some(None) => {}
    }
}

/// What the thread works with.
struct Beside {
    connection: Connection,
    file: Arc<OpenFile>,
    /// Gone after the store has ended.
    nudge: Weak<SyncSender<()>>,
    writer: Handle,
    pages: i64,
}

impl Beside {
    fn run(&self, nudges: &Receiver<()>) {
        loop {
            match nudges.recv_timeout(WATCH) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => {
                    // The file notes that its name leads elsewhere.
                    let _ = self.file.check();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.is_due() {
                continue;
            }
            self.pass();
            let file = Arc::clone(&self.file);
            self.writer
                .post(move |connection| carry_over(&file, connection));
        }
    }

    /// Also looks while there are no commits of the store: the guard keeps the checkpoints of
    /// other connections from limiting the log. Each look is also one for the lock file of this
    /// process. A checkpoint takes two looks. After the first
    /// one, the guard gets its read mark at the log's end, so that the pages up to there can be
    /// moved beside commits. After the second one they are moved.
    fn run_guarded(&self, nudges: &Receiver<()>, guard: &Arc<Guard>) {
        let has_mark = Arc::new(AtomicBool::new(false));
        loop {
            let nudge = nudges.recv_timeout(WATCH);
            if nudge == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            if self.file.is_in_place() {
                self.file.note_guards(!guard.keeps_lock());
            }
            if self.file.check().is_err() || (guard.is_held() && !self.is_due()) {
                continue;
            }
            let (file, guard) = (Arc::clone(&self.file), Arc::clone(guard));
            if has_mark.swap(false, Ordering::Relaxed) {
                self.pass();
                self.writer.post(move |_| {
                    if file.check().is_ok() {
                        // If it cannot run now, the next look makes up for it.
                        let _ = guard.checkpoint();
                        let _ = file.check();
                    }
                });
            } else {
                let (has_mark, nudge) = (Arc::clone(&has_mark), self.nudge.clone());
                self.writer.post(move |_| {
                    has_mark.store(guard.renew().is_ok(), Ordering::Relaxed);
                    let _ = nudge.upgrade().map(|nudge| nudge.try_send(()));
                });
            }
        }
    }

    /// Whether the log has as many pages as a checkpoint is due for. Beside a guard, a passive
    /// checkpoint in its place is safe.
    fn is_due(&self) -> bool {
        let sql = if rusqlite::version_number() < HAS_NOOP {
            CARRY_OVER
        } else {
            LOG
        };
        pages_left(&self.connection, sql) >= self.pages
    }

    fn pass(&self) {
        for _ in 0..PASSES {
            carry_over(&self.file, &self.connection);
        }
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

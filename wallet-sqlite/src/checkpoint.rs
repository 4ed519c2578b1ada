//! Moves the write-ahead log into the file beside the writer.
//!
//! Left to SQLite, the commit that fills the log carries all of it over before
//! it is answered: tens of milliseconds of the writer's time. Here a thread of
//! its own does most of that while commits go on, and then again what came
//! meanwhile; the writer only carries over the last few pages, after which the
//! log begins anew. Should the thread fall behind, SQLite's own way is the
//! limit: see [`BEHIND`].

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::error::Result;
use crate::threads::{Handle, Threads, join};

/// How many times the pages that a checkpoint waits for the log may hold before
/// the writer carries it over by itself.
pub(crate) const BEHIND: u32 = 4;
/// After how many requests to look at the log: a few pages each.
const LOOK_EVERY: usize = 500;
/// How often what came meanwhile is carried over beside the writer.
const PASSES: u32 = 2;

const LOG: &str = "PRAGMA wal_checkpoint(NOOP)";
const CARRY_OVER: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Tells the thread that the log grew.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// `None` once the thread ends.
    nudge: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    requests: AtomicUsize,
}

impl Checkpoints {
    /// Starts the thread.
    pub(crate) fn start(connection: Connection, writer: &Threads, pages: u32) -> Result<Self> {
        let (nudge, nudges) = sync_channel(1);
        let writer = writer.handle();
        let thread = thread::Builder::new().name("wallet-checkpoint".to_owned());
        let started = thread.spawn(move || run(&connection, &nudges, &writer, pages));
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

    /// So many requests were committed.
    pub(crate) fn committed(&self, requests: usize) {
        let before = self.requests.fetch_add(requests, Ordering::Relaxed);
        let looks = |count: usize| count.checked_div(LOOK_EVERY);
        if looks(before) != looks(before.wrapping_add(requests)) {
            // Full: it has not looked yet since the last time.
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

/// Moves all of the log into the file and empties the log, so that the file alone
/// is whole. Where another process keeps that from happening, the last one to
/// close the file does it.
pub(crate) fn truncate(connection: &mut Connection) {
    pages_left(connection, EMPTY);
}

/// Moves what is in the log into the file, as far as nobody reads it.
pub(crate) fn save(connection: &Connection) {
    pages_left(connection, CARRY_OVER);
}

fn run(connection: &Connection, nudges: &Receiver<()>, writer: &Handle, pages: u32) {
    while nudges.recv().is_ok() {
        if pages_left(connection, LOG) < i64::from(pages) {
            continue;
        }
        for _ in 0..PASSES {
            pages_left(connection, CARRY_OVER);
        }
        writer.post(|connection| {
            pages_left(connection, CARRY_OVER);
        });
    }
}

/// Runs a checkpoint and says how many pages of the log are not in the file
/// afterwards. One that cannot run now is made up for by the next.
fn pages_left(connection: &Connection, sql: &str) -> i64 {
    let told = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row((), |row| Ok((row.get(1)?, row.get(2)?))));
    told.map_or(0, |(log, carried): (i64, i64)| log.saturating_sub(carried))
}

//! Threads that own a connection each and run what they are handed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::error::Result;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// How often a thread looks for its next job before it sleeps: about as long as
/// a caller who was just answered takes to come back. To be woken takes longer.
const LOOKS: u32 = 2_000;
/// After how many steps of SQLite a read looks whether anybody still waits for it:
/// some tenths of a millisecond.
const LOOK_AFTER: i32 = 4_000;

/// A queue of jobs and the threads that take them. Dropping it waits for the jobs
/// that were queued, and for the threads to close their connections.
#[derive(Debug)]
pub(crate) struct Threads {
    /// `None` once they end.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts one thread per connection.
    pub(crate) fn start(name: &str, connections: Vec<Connection>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = Vec::with_capacity(connections.len());
        for connection in connections {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(name.to_owned());
            let started = thread.spawn(move || serve(connection, &queue));
            threads.push(started.map_err(|error| {
                let kind = StoreErrorKind::Unavailable;
                StoreError::new(kind, "starting a thread").with_source(error)
            })?);
        }
        let jobs = Some(jobs);
        Ok(Self { jobs, threads })
    }

    /// A way to hand them jobs, which keeps them from ending.
    pub(crate) fn handle(&self) -> Handle {
        Handle(self.jobs.clone())
    }

    /// Runs `work` on one of the connections, sooner or later, unless the
    /// threads have ended.
    pub(crate) fn post(&self, work: impl FnOnce(&mut Connection) + Send + 'static) {
        self.handle().post(work);
    }

    /// Takes no more jobs, and waits for those that were queued and for the
    /// connections to be closed.
    pub(crate) fn end(&mut self) {
        self.jobs = None;
        self.threads.drain(..).for_each(join);
    }

    /// Runs `work`, which only reads, on one of the connections. When the caller stops
    /// waiting it is not begun, or is cut off.
    pub(crate) async fn ask<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let waits = Waits::default();
        let is_over = Arc::clone(&waits.is_over);
        self.run(move |connection| {
            if is_over.load(Ordering::Relaxed) {
                let context = "nobody waits for the answer";
                return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
            }
            let has_gone = move || is_over.load(Ordering::Relaxed);
            // Where it cannot be watched, it is only not cut off.
            let _ = connection.progress_handler(LOOK_AFTER, Some(has_gone));
            let done = work(connection);
            let _ = connection.progress_handler(0, None::<fn() -> bool>);
            done
        })
        .await
    }

    /// Runs `work` on one of the connections. It runs to its end even when the
    /// caller stops waiting.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: what was done stays done.
            let _ = answer.send(work(connection));
        });
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
        if !matches!(sent, Some(Ok(()))) {
            let context = "the store's threads have ended";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
        }
        // A job that panicked, at a point that nobody knows.
        let lost = |_| StoreError::new(StoreErrorKind::Indeterminate, "the work was cut off");
        answered.await.map_err(lost)?
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for a thread to end, unless it is this one: an answer may have dropped
/// the last owner of the threads on one of them.
pub(crate) fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != thread::current().id() {
        // Jobs that panic are caught: there is nothing to pass on.
        let _ = thread.join();
    }
}

/// A caller who waits; over when it is dropped.
#[derive(Debug, Default)]
struct Waits {
    is_over: Arc<AtomicBool>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Hands jobs to threads that somebody else owns.
#[derive(Debug)]
pub(crate) struct Handle(Option<Sender<Job>>);

impl Handle {
    /// Runs `work` on one of the connections, sooner or later, unless the
    /// threads have ended.
    pub(crate) fn post(&self, work: impl FnOnce(&mut Connection) + Send + 'static) {
        if let Some(jobs) = &self.0 {
            let _ = jobs.send(Box::new(work));
        }
    }
}

/// The next job, or `None` when there will be none.
fn next(queue: &Receiver<Job>) -> Option<Job> {
    for _ in 0..LOOKS {
        if let Ok(job) = queue.try_recv() {
            return Some(job);
        }
        std::hint::spin_loop();
    }
    queue.recv().ok()
}

fn serve(mut connection: Connection, queue: &Mutex<Receiver<Job>>) {
    loop {
        let Some(job) = next(&queue.lock().unwrap_or_else(PoisonError::into_inner)) else {
            return;
        };
        let ran = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
        if ran.is_err() && !connection.is_autocommit() {
            // Whatever was cut off must not be part of the next commit.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use super::*;

    /// It never ends by itself.
    const FOR_EVER: &str = "
        WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number)
        SELECT count(*) FROM number";

    fn count(connection: &mut Connection, sql: &str) -> Result<i64> {
        let found = connection.query_row(sql, (), |row| row.get(0));
        found.map_err(|error| {
            StoreError::new(StoreErrorKind::Unavailable, "counting").with_source(error)
        })
    }

    /// Begins to wait for an answer, and stops.
    fn give_up(asked: impl Future<Output = Result<i64>>) {
        let mut asked = std::pin::pin!(asked);
        let mut context = Context::from_waker(Waker::noop());
        assert!(asked.as_mut().poll(&mut context).is_pending());
    }

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_is_cut_off_and_those_behind_it_are_never_begun() {
        let connection = Connection::open_in_memory().unwrap();
        let threads = Threads::start("test", vec![connection]).unwrap();
        let (begun, has_begun) = mpsc::channel();
        {
            let first = threads.ask(move |connection| {
                begun.send(()).unwrap();
                count(connection, FOR_EVER)
            });
            let mut first = std::pin::pin!(first);
            let mut context = Context::from_waker(Waker::noop());
            assert!(first.as_mut().poll(&mut context).is_pending());
            has_begun.recv().unwrap();
            for _ in 0..100 {
                give_up(threads.ask(|connection| count(connection, FOR_EVER)));
            }
        }
        // The only thread is free again, and its connection whole.
        let one = threads
            .ask(|connection| count(connection, "SELECT 1"))
            .await;
        assert_eq!(one.unwrap(), 1);
    }

    #[tokio::test]
    async fn work_that_writes_goes_on_without_its_caller() {
        let connection = Connection::open_in_memory().unwrap();
        let threads = Threads::start("test", vec![connection]).unwrap();
        give_up(threads.run(|connection| {
            connection
                .execute_batch("CREATE TABLE kept (n INTEGER)")
                .unwrap();
            Ok(0)
        }));
        let tables = "SELECT count(*) FROM sqlite_schema";
        let found = threads.ask(|connection| count(connection, tables)).await;
        assert_eq!(found.unwrap(), 1);
    }
}

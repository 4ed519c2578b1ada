//! Threads that each own a connection and run queued jobs.

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

/// How often a thread polls for its next job before it sleeps. This lasts about as long as
/// a caller needs to send its next request. Waking a thread takes longer.
const LOOKS: u32 = 2_000;
/// After how many steps of SQLite a read checks whether its caller still waits: some tenths
/// of a millisecond.
const LOOK_AFTER: i32 = 4_000;

/// A queue of jobs and the threads that run them. Dropping it waits for the queued jobs,
/// and for the threads to close their connections.
#[derive(Debug)]
pub(crate) struct Threads {
    /// `None` after the threads end.
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

    /// A handle that posts jobs. The threads run as long as a handle exists.
    pub(crate) fn handle(&self) -> Handle {
        Handle(self.jobs.clone())
    }

    /// Queues `work` for one of the connections. Does nothing if the threads have ended.
    pub(crate) fn post(&self, work: impl FnOnce(&mut Connection) + Send + 'static) {
        self.handle().post(work);
    }

    /// Takes no more jobs. Waits for the queued jobs, and for the connections to close.
    pub(crate) fn end(&mut self) {
        self.jobs = None;
        self.threads.drain(..).for_each(join);
    }

    /// Runs `work`, which only reads, on one of the connections. If the caller stops
    /// waiting, the work is skipped or cut off.
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
            // Without a progress handler the read is just not cut off.
            let _ = connection.progress_handler(LOOK_AFTER, Some(has_gone));
            let done = work(connection);
            let _ = connection.progress_handler(0, None::<fn() -> bool>);
            done
        })
        .await
    }

    /// Runs `work` on one of the connections. It runs to its end even if the caller stops
    /// waiting.
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
            // The caller no longer waits. The work stays done.
            let _ = answer.send(work(connection));
        });
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
        if !matches!(sent, Some(Ok(()))) {
            let context = "the store's threads have ended";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
        }
        // The job panicked at an unknown point.
        let lost = |_| StoreError::new(StoreErrorKind::Indeterminate, "the work was cut off");
        answered.await.map_err(lost)?
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for a thread to end, unless it is the current one. The last owner of the threads
/// may be dropped by an answer, on one of the threads.
pub(crate) fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != thread::current().id() {
        // Panics of jobs are caught, so there is nothing to pass on.
        let _ = thread.join();
    }
}

/// A waiting caller. Dropping it ends the wait.
#[derive(Debug, Default)]
struct Waits {
    is_over: Arc<AtomicBool>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Posts jobs to threads of another owner.
#[derive(Debug)]
pub(crate) struct Handle(Option<Sender<Job>>);

impl Handle {
    /// Queues `work` for one of the connections. Does nothing if the threads have ended.
    pub(crate) fn post(&self, work: impl FnOnce(&mut Connection) + Send + 'static) {
        if let Some(jobs) = &self.0 {
            let _ = jobs.send(Box::new(work));
        }
    }
}

/// The next job. `None` if no more jobs can come.
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
            // An unfinished transaction must not become part of the next commit.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use super::*;

    /// A query that never ends by itself.
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
        // The only thread is free again, and its connection works.
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

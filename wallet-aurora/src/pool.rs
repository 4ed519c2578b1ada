//! The connection pool of a store. The driver's own pool pings a connection after every
//! use. Each commit would pay for that round trip.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::MySqlConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::AuroraSettings;
use crate::connect::{self, Opened, Target, Wait};
use crate::error::{Failed, Result, is_read_only};
use crate::run::{Answers, Runner};
use crate::sql::Script;

/// A connection pool to one server.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) target: Target,
    idle: Mutex<Idle>,
    free: Arc<Semaphore>,
    /// The permits that are not reserved for commits.
    unreserved: Arc<Semaphore>,
    idle_most: Duration,
    /// The server closes a connection that is idle for somewhat longer than this.
    rest_most: Duration,
    lifetime: Duration,
}

/// The idle connections, and the times before which they are dead or doubtful.
#[derive(Debug, Default)]
struct Idle {
    open: Vec<OpenConnection>,
    /// A connection opened at or before this time is not used again. A connection of that
    /// age was found dead, or its server was read-only.
    dead: Option<Instant>,
    /// A connection last used at or before this time is tested before use, because a
    /// connection failed then.
    doubtful: Option<Instant>,
}

/// An open connection, when it was opened, and when it was last used.
#[derive(Debug)]
struct OpenConnection {
    opened: Opened,
    since: Instant,
    used: Instant,
}

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A commit, or the relay's work under its lease. Some connections are reserved for
    /// this purpose.
    Commit,
    /// Any other work, and transactions of hosts. Any number of callers may ask at a time.
    Read,
}

impl Pool {
    pub(crate) fn new(target: Target, settings: &AuroraSettings) -> Arc<Self> {
        let unreserved = match target.role {
            connect::Role::Writer => {
                let reserved = settings.reserved_connections;
                settings.connections.saturating_sub(reserved)
            }
            connect::Role::Reader => settings.connections,
        };
        Arc::new(Self {
            target,
            idle: Mutex::default(),
            free: Arc::new(Semaphore::new(settings.connections)),
            unreserved: Arc::new(Semaphore::new(unreserved.max(1))),
            idle_most: settings.idle,
            rest_most: rest_most(settings.session_wait),
            lifetime: settings.lifetime,
        })
    }

    /// Acquires a connection that answers and has no open transaction.
    pub(crate) async fn acquire(self: &Arc<Self>, purpose: Purpose) -> Result<PooledConnection> {
        let permits = tokio::time::timeout(self.target.connect_wait, self.permits(purpose));
        let busy = || StoreError::new(StoreErrorKind::Unavailable, "every connection is in use");
        let permits = permits.await.map_err(|_| busy())?.ok_or_else(busy)?;
        while let Some(mut open) = self.take() {
            let connection = &mut open.opened.connection;
            let is_fit = !self.is_doubtful(open.used)
                || connect::answers(connection, self.target.ping_wait).await;
            if is_fit {
                return Ok(self.pooled(open, permits));
            }
            // A failure of one connection is likely a failure of all. They are not tested
            // one by one.
            self.give_up_all();
        }
        let since = Instant::now();
        let opened = self.target.open().await?;
        let open = OpenConnection {
            opened,
            since,
            used: since,
        };
        Ok(self.pooled(open, permits))
    }

    async fn permits(&self, purpose: Purpose) -> Option<Permits> {
        let unreserved = match purpose {
            Purpose::Commit => None,
            Purpose::Read => Some(Arc::clone(&self.unreserved).acquire_owned().await.ok()?),
        };
        let free = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(Permits {
            _unreserved: unreserved,
            _free: free,
        })
    }

    fn pooled(self: &Arc<Self>, open: OpenConnection, permits: Permits) -> PooledConnection {
        PooledConnection {
            open: Some(open),
            pool: Arc::clone(self),
            wait: self.target.wait(Wait::Answer),
            _permits: permits,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the connection that was used last. The others grow old and are closed.
    fn take(&self) -> Option<OpenConnection> {
        let now = Instant::now();
        let mut idle = self.idle();
        let is_alive = |open: &OpenConnection, dead: Option<Instant>| {
            // The server has closed the connection, or will soon.
            let is_closed = now.duration_since(open.used) >= self.rest_most;
            let is_old = now.duration_since(open.since) >= self.lifetime;
            !is_closed && !is_old && dead.is_none_or(|dead| open.since > dead)
        };
        loop {
            let open = idle.open.pop()?;
            if is_alive(&open, idle.dead) {
                return Some(open);
            }
        }
    }

    /// Whether a connection that was last used at this time must be tested.
    fn is_doubtful(&self, used: Instant) -> bool {
        let has_rested = Instant::now().duration_since(used) >= self.idle_most;
        has_rested
            || self
                .idle()
                .doubtful
                .is_some_and(|doubtful| used <= doubtful)
    }

    fn put(&self, open: OpenConnection) {
        let mut idle = self.idle();
        if idle.dead.is_none_or(|dead| open.since > dead) {
            idle.open.push(open);
        }
    }

    /// Stops using every connection that is open now.
    fn give_up_all(&self) {
        let mut idle = self.idle();
        idle.dead = Some(Instant::now());
        idle.open.clear();
    }

    /// A connection failed in use. The others are tested before their next use.
    fn doubt(&self) {
        self.idle().doubtful = Some(Instant::now());
    }
}

/// How long a connection may be idle if the server closes it after `session_wait`: 80
/// percent of that time.
fn rest_most(session_wait: Duration) -> Duration {
    let fifth = session_wait.checked_div(5).unwrap_or_default();
    session_wait.saturating_sub(fifth)
}

/// The permits to use one connection.
#[derive(Debug)]
struct Permits {
    _unreserved: Option<OwnedSemaphorePermit>,
    _free: OwnedSemaphorePermit,
}

/// A connection in use. Dropping it closes the connection, and the server rolls back an
/// open transaction. [`PooledConnection::give_back`] returns it to the pool.
#[derive(Debug)]
pub(crate) struct PooledConnection {
    open: Option<OpenConnection>,
    pool: Arc<Pool>,
    wait: Duration,
    _permits: Permits,
}

impl PooledConnection {
    /// Sets the kind of wait for this connection.
    pub(crate) fn for_a(mut self, wait: Wait) -> Self {
        self.wait = self.pool.target.wait(wait);
        self
    }

    /// How long the server may take for a packet.
    pub(crate) const fn waits(&self) -> Duration {
        self.wait
    }

    /// The driver's connection.
    pub(crate) fn connection(&mut self) -> Option<&mut MySqlConnection> {
        self.open.as_mut().map(|open| &mut open.opened.connection)
    }

    /// Gives a runner for scripts on this connection.
    pub(crate) fn runner(&mut self) -> Result<Runner<'_>> {
        let open = self.open.as_mut();
        let gone = || StoreError::new(StoreErrorKind::Internal, "a connection was given back");
        let opened = &mut open.ok_or_else(gone)?.opened;
        let connection: &mut MySqlConnection = &mut opened.connection;
        Ok(Runner {
            connection,
            answer_wait: self.wait,
            packet_bytes: opened.packet_bytes,
            is_limit: true,
        })
    }

    /// Runs a script.
    pub(crate) async fn run(&mut self, script: &Script) -> std::result::Result<Answers, Failed> {
        self.runner()?.run(script).await
    }

    /// Returns the connection to the pool. It must have no open transaction.
    pub(crate) fn give_back(mut self) {
        if let Some(mut open) = self.open.take() {
            open.used = Instant::now();
            self.pool.put(open);
        }
    }

    /// Returns the connection to the pool after a success. Gives it up after a failure.
    pub(crate) async fn end<T>(self, done: std::result::Result<T, Failed>) -> Result<T> {
        match done {
            Ok(done) => {
                self.give_back();
                Ok(done)
            }
            Err(failed) => Err(self.give_up(failed).await),
        }
    }

    /// Handles a failure: rolls back and returns the connection to the pool if the rollback
    /// is enough. Closes the connection otherwise.
    async fn give_up(mut self, failed: Failed) -> StoreError {
        if failed.leaves_connection() {
            let roll_back = Script::of("rolling back", "ROLLBACK");
            if self.run(&roll_back).await.is_ok() {
                self.give_back();
                return failed.error;
            }
        }
        self.note(failed.code);
        failed.error
    }

    /// Learns from the code of a failure what it means for every connection.
    pub(crate) fn note(&self, code: Option<u16>) {
        if is_read_only(code) {
            self.pool.give_up_all();
        } else if code.is_none() {
            self.pool.doubt();
        }
    }

    /// The facts that the server reported when the connection was opened.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.open.as_ref().map(|open| &open.opened)
    }
}

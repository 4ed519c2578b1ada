//! The connections of a store. The driver's own pool asks each connection for
//! a sign of life after every use, a round trip that a commit would pay for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::MySqlConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::AuroraSettings;
use crate::connect::{self, Opened, Target};
use crate::error::{Failed, Result};
use crate::run::{Answers, Runner};
use crate::sql::Script;

/// Connections to one server.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) target: Target,
    idle: Mutex<Idle>,
    free: Arc<Semaphore>,
    /// All but those that are reserved for commits.
    unreserved: Arc<Semaphore>,
    idle_most: Duration,
    /// The server closes a connection that rests for somewhat longer.
    rest_most: Duration,
    lifetime: Duration,
}

/// Connections at rest, and what is known of those that are older than some time.
#[derive(Debug, Default)]
struct Idle {
    kept: Vec<Kept>,
    /// Whatever was opened by then is not used any more: a connection of that age
    /// was found dead, or its server read-only.
    dead: Option<Instant>,
    /// Whatever was used last by then is tried before it is used: a connection
    /// failed then.
    doubtful: Option<Instant>,
}

/// An open connection and when it was opened and last used.
#[derive(Debug)]
struct Kept {
    opened: Opened,
    since: Instant,
    used: Instant,
}

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A commit, or what the relay does under its lease: some connections are
    /// reserved for these.
    Commit,
    /// Whatever else, however many want it at a time.
    Read,
}

/// How long the server may take for one packet of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A commit, or what is found by its key.
    Answer,
    /// What goes through many rows: a list, a verification, a purge.
    Long,
    /// A change of schema.
    Migration,
}

impl Pool {
    pub(crate) fn new(target: Target, settings: &AuroraSettings) -> Arc<Self> {
        let unreserved = match target.role {
            connect::Role::Writer => settings.connections.saturating_sub(settings.reserved),
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

    /// A connection that answers, with nothing begun on it.
    pub(crate) async fn lend(self: &Arc<Self>, purpose: Purpose) -> Result<Lent> {
        let permits = tokio::time::timeout(self.target.connect_wait, self.permits(purpose));
        let busy = || StoreError::new(StoreErrorKind::Unavailable, "every connection is in use");
        let permits = permits.await.map_err(|_| busy())?.ok_or_else(busy)?;
        while let Some(mut kept) = self.take() {
            let connection = &mut kept.opened.connection;
            let is_fit = !self.is_doubtful(kept.used)
                || connect::answers(connection, self.target.ping_wait).await;
            if is_fit {
                return Ok(self.lent(kept, permits));
            }
            // What killed one has killed all, and nobody tries them one by one.
            self.give_up_all();
        }
        let since = Instant::now();
        let opened = self.target.open().await?;
        let kept = Kept {
            opened,
            since,
            used: since,
        };
        Ok(self.lent(kept, permits))
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

    fn lent(self: &Arc<Self>, kept: Kept, permits: Permits) -> Lent {
        Lent {
            kept: Some(kept),
            pool: Arc::clone(self),
            wait: self.target.wait(Wait::Answer),
            _permits: permits,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one used last: those that are needed seldom grow old and end.
    fn take(&self) -> Option<Kept> {
        let now = Instant::now();
        let mut idle = self.idle();
        let is_alive = |kept: &Kept, dead: Option<Instant>| {
            // The server has closed it, or is about to.
            let is_closed = now.duration_since(kept.used) >= self.rest_most;
            let is_old = now.duration_since(kept.since) >= self.lifetime;
            !is_closed && !is_old && dead.is_none_or(|dead| kept.since > dead)
        };
        loop {
            let kept = idle.kept.pop()?;
            if is_alive(&kept, idle.dead) {
                return Some(kept);
            }
        }
    }

    /// Whether a connection that was used last at this time has to be tried.
    fn is_doubtful(&self, used: Instant) -> bool {
        let has_rested = Instant::now().duration_since(used) >= self.idle_most;
        has_rested
            || self
                .idle()
                .doubtful
                .is_some_and(|doubtful| used <= doubtful)
    }

    fn put(&self, kept: Kept) {
        let mut idle = self.idle();
        if idle.dead.is_none_or(|dead| kept.since > dead) {
            idle.kept.push(kept);
        }
    }

    /// No connection that is open now is used again.
    fn give_up_all(&self) {
        let mut idle = self.idle();
        idle.dead = Some(Instant::now());
        idle.kept.clear();
    }

    /// A connection failed in use: the others are tried before they are used.
    fn doubt(&self) {
        self.idle().doubtful = Some(Instant::now());
    }
}

/// How long a connection may rest that the server closes after `session_wait`: a
/// fifth less.
fn rest_most(session_wait: Duration) -> Duration {
    let fifth = session_wait.checked_div(5).unwrap_or_default();
    session_wait.saturating_sub(fifth)
}

/// The right to have a connection.
#[derive(Debug)]
struct Permits {
    _unreserved: Option<OwnedSemaphorePermit>,
    _free: OwnedSemaphorePermit,
}

/// A connection in use. Dropping it closes it, which is how the server learns
/// that whatever was begun is over; [`Lent::give_back`] keeps it.
#[derive(Debug)]
pub(crate) struct Lent {
    kept: Option<Kept>,
    pool: Arc<Pool>,
    wait: Duration,
    _permits: Permits,
}

impl Lent {
    /// The same, for what may take so long.
    pub(crate) fn for_a(mut self, wait: Wait) -> Self {
        self.wait = self.pool.target.wait(wait);
        self
    }

    /// How long its server may take for a packet.
    pub(crate) const fn waits(&self) -> Duration {
        self.wait
    }

    /// How scripts run on it.
    pub(crate) fn runner(&mut self) -> Result<Runner<'_>> {
        let kept = self.kept.as_mut();
        let gone = || StoreError::new(StoreErrorKind::Internal, "a connection was given back");
        let opened = &mut kept.ok_or_else(gone)?.opened;
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

    /// Keeps it for the next use: nothing is begun on it.
    pub(crate) fn give_back(mut self) {
        if let Some(mut kept) = self.kept.take() {
            kept.used = Instant::now();
            self.pool.put(kept);
        }
    }

    /// Gives it back or up, as the work on it ended.
    pub(crate) async fn end<T>(self, done: std::result::Result<T, Failed>) -> Result<T> {
        match done {
            Ok(done) => {
                self.give_back();
                Ok(done)
            }
            Err(failed) => Err(self.give_up(failed).await),
        }
    }

    /// After a failure: rolls back and keeps it where the server says that this
    /// is enough, else closes it.
    async fn give_up(mut self, failed: Failed) -> StoreError {
        if failed.leaves_connection() {
            let roll_back = Script::of("rolling back", "ROLLBACK");
            if self.run(&roll_back).await.is_ok() {
                self.give_back();
                return failed.error;
            }
        }
        if failed.is_read_only() {
            self.pool.give_up_all();
        } else if failed.code.is_none() {
            self.pool.doubt();
        }
        failed.error
    }

    /// What its server told when it was opened.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.kept.as_ref().map(|kept| &kept.opened)
    }
}

//! The connections of a store. The driver's own pool asks each connection for
//! a sign of life after every use, a round trip that a commit would pay for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::MySqlConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wallet_core::{StoreError, StoreErrorKind};

use crate::AuroraSettings;
use crate::connect::{self, Opened, Target};
use crate::error::{Failed, Result};
use crate::run::{Answers, Runner};
use crate::sql::Script;

/// Connections to one server.
#[derive(Debug)]
pub(crate) struct Pool {
    target: Target,
    idle: Mutex<Vec<Kept>>,
    free: Arc<Semaphore>,
    idle_most: Duration,
    lifetime: Duration,
}

/// An open connection and when it was opened and last used.
#[derive(Debug)]
struct Kept {
    opened: Opened,
    since: Instant,
    used: Instant,
}

impl Pool {
    pub(crate) fn new(target: Target, settings: &AuroraSettings) -> Arc<Self> {
        Arc::new(Self {
            target,
            idle: Mutex::default(),
            free: Arc::new(Semaphore::new(settings.connections)),
            idle_most: settings.idle,
            lifetime: settings.lifetime,
        })
    }

    /// A connection that answers, with nothing begun on it.
    pub(crate) async fn lend(self: &Arc<Self>) -> Result<Lent> {
        let wait = self.target.connect_wait;
        let free = Arc::clone(&self.free).acquire_owned();
        let busy = || StoreError::new(StoreErrorKind::Unavailable, "every connection is in use");
        let permit = tokio::time::timeout(wait, free).await;
        let permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
        let now = Instant::now();
        while let Some(mut kept) = self.take() {
            if now.duration_since(kept.since) >= self.lifetime {
                continue;
            }
            let rested = now.duration_since(kept.used) >= self.idle_most;
            let connection = &mut kept.opened.connection;
            if !rested || connect::answers(connection, wait).await {
                return Ok(self.lent(kept, permit));
            }
        }
        let opened = self.target.open().await?;
        let kept = Kept {
            opened,
            since: now,
            used: now,
        };
        Ok(self.lent(kept, permit))
    }

    fn lent(self: &Arc<Self>, kept: Kept, permit: OwnedSemaphorePermit) -> Lent {
        Lent {
            kept: Some(kept),
            pool: Arc::clone(self),
            _permit: permit,
        }
    }

    /// The one used last: those that are needed seldom grow old and end.
    fn take(&self) -> Option<Kept> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }

    fn put(&self, kept: Kept) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(kept);
    }
}

/// A connection in use. Dropping it closes it, which is how the server learns
/// that whatever was begun is over; [`Lent::give_back`] keeps it.
#[derive(Debug)]
pub(crate) struct Lent {
    kept: Option<Kept>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    /// How scripts run on it.
    pub(crate) fn runner(&mut self) -> Result<Runner<'_>> {
        let answer_wait = self.pool.target.answer_wait;
        let kept = self.kept.as_mut();
        let gone = || StoreError::new(StoreErrorKind::Internal, "a connection was given back");
        let opened = &mut kept.ok_or_else(gone)?.opened;
        let connection: &mut MySqlConnection = &mut opened.connection;
        Ok(Runner {
            connection,
            answer_wait,
            packet_bytes: opened.packet_bytes,
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
            }
        }
        failed.error
    }

    /// The longest packet that its server takes, in bytes.
    pub(crate) fn packet_bytes(&self) -> usize {
        self.kept
            .as_ref()
            .map_or(0, |kept| kept.opened.packet_bytes)
    }
}

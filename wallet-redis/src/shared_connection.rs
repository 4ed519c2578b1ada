//! One shared connection to Redis, a deadline per call, a circuit breaker.
//!
//! All calls share the connection, and each has a deadline. The circuit breaker opens when
//! the connection breaks, or when several calls in a row get no answer. Calls then fail at
//! once. A background task connects again with backoff. A new connection is used after it
//! has answered a ping within the deadline of a call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use redis::{RedisError, Value};
use tokio::sync::watch;
use wallet_core::StoreError;

use crate::connect::Connector;
use crate::connection::{Connection, Request};
use crate::error::{Health, classify, is_down, store_error};
use crate::stats::Stats;
use crate::{RedisSettings, StatsSnapshot};

/// Whether a call may run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The call is idempotent.
    Harmless,
    /// The call may be repeated only if the server certainly did not run it.
    Never,
}

/// A connection in use.
struct Live {
    connection: Connection,
    /// Calls in a row without an answer.
    failures: AtomicU32,
}

pub(crate) struct SharedConnection {
    connector: Connector,
    settings: RedisSettings,
    live: watch::Sender<Option<Arc<Live>>>,
    stats: Stats,
}

impl SharedConnection {
    /// Connects. If that fails, a background task keeps trying.
    pub(crate) async fn open(settings: RedisSettings) -> Result<Arc<Self>, StoreError> {
        let connector = Connector::new(&settings)?;
        let shared = Arc::new(Self {
            connector,
            settings,
            live: watch::Sender::new(None),
            stats: Stats::default(),
        });
        if !shared.try_open().await {
            tokio::spawn(reopen(Arc::downgrade(&shared)));
        }
        Ok(shared)
    }

    pub(crate) const fn is_cluster(&self) -> bool {
        self.connector.is_cluster()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.live.borrow().is_some()
    }

    pub(crate) fn stats(&self) -> StatsSnapshot {
        self.stats.snapshot()
    }

    /// Sends a request, within its deadline.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        request: &Request,
        repeat: Repeat,
        context: &'static str,
    ) -> Result<Value, StoreError> {
        let Some(live) = self.current() else {
            self.stats.skipped.add(1);
            return Err(is_down(context));
        };
        self.stats.calls.add(1);
        let attempts = self.attempts(Arc::clone(&live), request, repeat, context);
        let answer = tokio::time::timeout(self.settings.budget, attempts).await;
        let answer = answer.unwrap_or_else(|_| {
            self.stats.timeouts.add(1);
            self.no_answer(&live);
            Err(is_down(context))
        });
        if answer.is_err() {
            self.stats.failures.add(1);
        }
        answer
    }

    async fn attempts(
        self: &Arc<Self>,
        mut live: Arc<Live>,
        request: &Request,
        repeat: Repeat,
        context: &'static str,
    ) -> Result<Value, StoreError> {
        let mut retries = self.settings.retries_max;
        loop {
            let mut connection = live.connection.clone();
            let error = match connection.ask(request).await {
                Ok(value) => {
                    if live.failures.load(Ordering::Relaxed) > 0 {
                        live.failures.store(0, Ordering::Relaxed);
                    }
                    return Ok(value);
                }
                Err(error) => error,
            };
            match classify(&error).1 {
                Health::Fine => return Err(store_error(error, context)),
                Health::Silent => {
                    self.no_answer(&live);
                    return Err(store_error(error, context));
                }
                Health::Broken if self.is_cluster() => {
                    // One node of a cluster failed. The client opens a new connection to it
                    // by itself. The other nodes are fine.
                    self.no_answer(&live);
                    return Err(store_error(error, context));
                }
                Health::Broken => self.broken(&live),
            }
            if retries == 0 || (repeat == Repeat::Never && !was_not_sent(&error)) {
                return Err(store_error(error, context));
            }
            retries = retries.saturating_sub(1);
            self.stats.retries.add(1);
            // The deadline of the call ends this wait.
            let mut news = self.live.subscribe();
            let next = news.wait_for(Option::is_some).await;
            let next = next.ok().and_then(|live| live.clone());
            live = next.ok_or_else(|| is_down(context))?;
        }
    }

    fn current(&self) -> Option<Arc<Live>> {
        self.live.borrow().clone()
    }

    /// Counts a call without an answer.
    fn no_answer(self: &Arc<Self>, live: &Arc<Live>) {
        let before = live.failures.fetch_add(1, Ordering::Relaxed);
        if before.saturating_add(1) >= self.settings.failures_max {
            self.broken(live);
        }
    }

    /// Takes a broken connection out of use, once, and starts to open a new one.
    fn broken(self: &Arc<Self>, live: &Arc<Live>) {
        let is_first = self.live.send_if_modified(|current| {
            let is_it = current.as_ref().is_some_and(|one| Arc::ptr_eq(one, live));
            if is_it {
                *current = None;
            }
            is_it
        });
        if is_first {
            self.stats.breaks.add(1);
            tokio::spawn(reopen(Arc::downgrade(self)));
        }
    }

    async fn try_open(&self) -> bool {
        let opening = tokio::time::timeout(self.settings.connect_wait, self.connector.open());
        let Ok(Ok(connection)) = opening.await else {
            return false;
        };
        let live = Live {
            connection,
            failures: AtomicU32::new(0),
        };
        self.live.send_replace(Some(Arc::new(live)));
        self.stats.connections.add(1);
        true
    }
}

/// Whether the server certainly did not run the call, because it refused it.
fn was_not_sent(error: &RedisError) -> bool {
    error.is_connection_refusal() || error.code().is_some()
}

/// Opens a new connection with backoff. Ends when the shared connection is dropped.
async fn reopen(shared: Weak<SharedConnection>) {
    let mut failures = 0_u32;
    loop {
        let pause = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            if shared.try_open().await {
                return;
            }
            failures = failures.saturating_add(1);
            shared.settings.reconnect.pause(failures)
        };
        tokio::time::sleep(pause).await;
    }
}

impl std::fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedConnection")
            .field("connector", &self.connector)
            .field("is_up", &self.is_up())
            .finish_non_exhaustive()
    }
}

//! The way to Redis, and the breaker in it.
//!
//! There is one connection or none. Calls go over the one that there is, each
//! within its budget. Once it breaks, or several calls in a row got no answer,
//! there is none: calls fail at once, and a task opens a new one, with growing
//! pauses, which has to answer within a call's budget before it is used.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use redis::{RedisError, Value};
use tokio::sync::watch;
use wallet_core::StoreError;

use crate::connection::{Connection, Request};
use crate::error::{Health, classify, is_down, store_error};
use crate::stats::Stats;
use crate::target::Target;
use crate::{RedisSettings, StatsSnapshot};

/// Whether a call may be carried out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is once.
    Harmless,
    /// Only where it surely was not carried out.
    Never,
}

/// A connection in use.
struct Live {
    connection: Connection,
    /// Calls in a row without an answer.
    failures: AtomicU32,
}

pub(crate) struct Link {
    target: Target,
    settings: RedisSettings,
    live: watch::Sender<Option<Arc<Live>>>,
    stats: Stats,
}

impl Link {
    /// Connects; where that fails it goes on trying beside the host.
    pub(crate) async fn open(settings: RedisSettings) -> Result<Arc<Self>, StoreError> {
        let target = Target::new(&settings)?;
        let link = Arc::new(Self {
            target,
            settings,
            live: watch::Sender::new(None),
            stats: Stats::default(),
        });
        if !link.try_open().await {
            tokio::spawn(reopen(Arc::downgrade(&link)));
        }
        Ok(link)
    }

    pub(crate) const fn is_cluster(&self) -> bool {
        self.target.is_cluster()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.live.borrow().is_some()
    }

    pub(crate) fn stats(&self) -> StatsSnapshot {
        self.stats.snapshot()
    }

    /// Asks within the budget.
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
                    // One node of several: the client opens a new connection to
                    // it by itself, and the others are well.
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
            // The budget ends this wait.
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

    /// Takes a connection out of use, once, and sees to a new one.
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
        let opening = tokio::time::timeout(self.settings.connect_wait, self.target.open());
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

/// Whether the server never saw it: it is the one that refused.
fn was_not_sent(error: &RedisError) -> bool {
    error.is_connection_refusal() || error.code().is_some()
}

/// Opens a new connection, however long it takes; ends with the link.
async fn reopen(link: Weak<Link>) {
    let mut pause = None;
    loop {
        let next = {
            let Some(link) = link.upgrade() else { return };
            if link.try_open().await {
                return;
            }
            let longest = link.settings.pause_max.max(link.settings.pause);
            let next = pause.unwrap_or(link.settings.pause).min(longest);
            pause = Some(next.saturating_mul(2));
            next
        };
        tokio::time::sleep(next).await;
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("target", &self.target)
            .field("is_up", &self.is_up())
            .finish_non_exhaustive()
    }
}
